//! Divides the change of a column.

use dbmigrate_runtime::operations::{ColumnChange, Operation};
use dbmigrate_runtime::schema::Type;

use super::{Divider, Phase};
use crate::autogenerate::keeps;

impl Divider<'_> {
    /// Divides the change of a column. Values of an enumeration are removed last, and all else is
    /// changed as if they stayed.
    pub(super) fn alter_column(
        &mut self,
        (table, column): (&str, &str),
        change: &ColumnChange,
        loss: Option<String>,
    ) {
        let found = self.schema.table(table).and_then(|table| table.find_column(column));
        let removal = found.and_then(|was| Removal::of(&was.ty, change));
        let Some(Removal { gone, removal, rest }) = removal else {
            return self.alter_kept((table, column), change, loss);
        };
        if rest != ColumnChange::new() {
            self.alter_kept((table, column), &rest, None);
        }
        let about = format!("`{}` of column `{table}.{column}`", gone.join("`, `"));
        let (table, column) = (table.to_owned(), column.to_owned());
        let removal = Operation::AlterColumn { table, column, change: removal };
        self.comment(Phase::Contract, loss);
        self.push(Phase::Contract, removal, Some(about));
    }

    /// Divides the change of a column into what running programs don't notice, and what they may
    /// violate or still use.
    fn alter_kept(
        &mut self,
        (table, column): (&str, &str),
        change: &ColumnChange,
        loss: Option<String>,
    ) {
        let Some(was) = self.schema.table(table).and_then(|table| table.find_column(column)) else {
            return;
        };
        let was = was.clone();
        let about = format!("column `{table}.{column}`");
        let alter = |change: ColumnChange| Operation::AlterColumn {
            table: table.to_owned(),
            column: column.to_owned(),
            change,
        };
        let is_kept = |to: &Type| self.dialects.iter().all(|dialect| keeps(&was.ty, to, *dialect));
        let narrows = change.ty.as_ref().is_some_and(|to| !is_kept(to));
        let is_of_values = change.generated.is_some()
            || change.autoincrement.is_some()
            || change.identity.is_some()
            || change.collation.is_some()
            || change.charset.is_some();
        if narrows || is_of_values || change.using.is_some() {
            self.unsafe_changes.push(format!("{about} changes, with the values in it"));
            self.comment(Phase::Require, loss);
            return self.push(Phase::Require, alter(change.clone()), Some(about));
        }
        let mut expand = ColumnChange { nullable: None, fill: None, ..change.clone() };
        let mut contract = ColumnChange::new();
        if change.nullable == Some(true) {
            expand.nullable = Some(true);
        }
        let stays_required = !change.nullable.unwrap_or(was.nullable);
        if change.default == Some(None) && stays_required {
            expand.default = None;
            contract.default = Some(None);
        }
        if expand != ColumnChange::new() {
            self.push(Phase::Expand, alter(expand), None);
        }
        if change.nullable == Some(false) {
            let fill = change.fill.as_ref();
            let step = fill.and_then(|fill| self.fill(table, column, fill));
            self.push_fill(step);
            self.require(table, column, fill);
        }
        if contract != ColumnChange::new() {
            let about = format!("the default of {about}");
            self.push(Phase::Contract, alter(contract), Some(about));
        }
    }

    /// A comment on the next operation of a part.
    pub(super) fn comment(&mut self, phase: Phase, comment: Option<String>) {
        let Some(comment) = comment else { return };
        let upgrade = &mut self.parts.entry(phase).or_default().upgrade;
        upgrade.comments.insert(upgrade.operations.len(), comment);
    }
}

/// The change of a column whose enumeration loses values.
struct Removal {
    gone: Vec<String>,
    /// What removes them.
    removal: ColumnChange,
    /// All else, which may add values.
    rest: ColumnChange,
}

impl Removal {
    fn of(was: &Type, change: &ColumnChange) -> Option<Removal> {
        let (Type::Enum(name, values), Some(Type::Enum(to_name, to))) = (was, &change.ty) else {
            return None;
        };
        let gone: Vec<String> =
            values.iter().filter(|value| !to.contains(value)).cloned().collect();
        if gone.is_empty() || name != to_name {
            return None;
        }
        let new: Vec<String> = to.iter().filter(|value| !values.contains(value)).cloned().collect();
        let wider = || Type::Enum(name.clone(), [values.clone(), new.clone()].concat());
        let mut rest = ColumnChange { ty: (!new.is_empty()).then(wider), ..change.clone() };
        let mut removal = ColumnChange { using: rest.using.take(), ..ColumnChange::new() };
        removal.ty.clone_from(&change.ty);
        // It is also what rows with a removed value get.
        removal.fill.clone_from(&rest.fill);
        if rest.nullable != Some(false) {
            rest.fill = None;
        }
        // The expression may also be what rows with NULL get.
        if removal.using.is_some() && rest.nullable == Some(false) {
            removal.nullable = rest.nullable.take();
            removal.fill = rest.fill.take();
        }
        Some(Removal { gone, removal, rest })
    }
}
