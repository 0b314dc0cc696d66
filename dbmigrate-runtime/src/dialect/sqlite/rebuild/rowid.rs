//! What a definition says about rowids: their alias, their names, and whether they are counted.

use super::super::definition::{ClauseKind, ColumnItem, ConstraintKind, Definition};
use super::super::edit::same_name;

pub(super) fn is_autoincrement(definition: &Definition) -> bool {
    let of_column = |column_item: &ColumnItem| {
        column_item
            .clauses
            .iter()
            .any(|clause| matches!(clause.kind, ClauseKind::PrimaryKey { autoincrement: true, .. }))
    };
    definition.columns.iter().any(of_column)
        || definition.constraints.iter().any(|constraint| {
            matches!(constraint.kind, ConstraintKind::PrimaryKey { autoincrement: true, .. })
        })
}

/// The column that is an alias of the rowid (sqlite.org, `lang_createtable.html`, section 5).
pub(super) fn rowid_alias(definition: &Definition) -> Option<&ColumnItem> {
    let is_integer = |column_item: &&ColumnItem| same_name(&column_item.ty, "integer");
    let inline = definition.columns.iter().filter(is_integer).find(|column_item| {
        column_item
            .clauses
            .iter()
            .any(|clause| matches!(clause.kind, ClauseKind::PrimaryKey { descending: false, .. }))
    });
    let of_table = definition.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } if columns.len() == 1 => Some(&columns[0].name),
        _ => None,
    });
    inline.or_else(|| {
        let name = of_table?;
        definition
            .columns
            .iter()
            .filter(is_integer)
            .find(|column_item| same_name(&column_item.name, name))
    })
}

/// A name of the rowid that isn't hidden by a column; it has three names.
pub(super) fn rowid_name(was: &Definition, to: &Definition) -> Option<&'static str> {
    let is_free = |text: &&str| {
        let is_named = |column: &ColumnItem| same_name(&column.name, text);
        !was.columns.iter().any(is_named) && !to.columns.iter().any(is_named)
    };
    ["rowid", "_rowid_", "oid"].into_iter().find(is_free)
}
