//! The downgrade for a difference, made so that it also runs on tables with rows.

use std::collections::BTreeMap;

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::recording::reverse_all;
use dbmigrate_runtime::operations::{Operation, Sql};
use dbmigrate_runtime::schema::{Column, Schema, Type};

use super::Commented;
use super::fill::{self, Mapping, Need, Why, default_literal, literal, neutral};
use crate::error::{Error, Result};

/// The operations that reverse `upgrade`.
///
/// What the upgrade discarded is lost: rows that need a value again get a neutral one, with a
/// comment that says so. SQL that a project's own function added may have no reverse.
pub fn way_back(
    upgrade: &[Operation],
    before: &Schema,
    dialect: &'static dyn Dialect,
    others: &[&'static dyn Dialect],
) -> Result<Commented> {
    let mut back = for_dialect(upgrade, before, dialect)?;
    for other in others {
        let own = for_dialect(upgrade, before, *other)?;
        fill::merge((&mut back.operations, dialect), (&own.operations, *other));
    }
    Ok(back)
}

/// The same with the expressions for one database.
fn for_dialect(
    upgrade: &[Operation],
    before: &Schema,
    dialect: &'static dyn Dialect,
) -> Result<Commented> {
    let failed = |err: &dyn std::fmt::Display| Error::new(err.to_string());
    let mut schema = before.clone();
    for operation in upgrade {
        operation.apply(&mut schema).map_err(|err| failed(&err))?;
    }
    let mut operations = match reverse_all(upgrade, before) {
        Ok(operations) => operations,
        Err(irreversible) => {
            let why =
                format!("`{}` can't be reversed: {}", irreversible.operation(), irreversible.why());
            return Ok(Commented { irreversible: Some(why), ..Commented::default() });
        }
    };
    let mut comments = BTreeMap::new();
    for idx in 0..operations.len() {
        let (done, later) = operations.split_at_mut(idx + 1);
        let operation = &mut done[idx];
        if let Some(comment) = fill(operation, later, &schema, (upgrade, dialect)) {
            comments.insert(idx, comment);
        }
        operation.apply(&mut schema).map_err(|err| failed(&err))?;
    }
    Ok(Commented { operations, comments, ..Commented::default() })
}

/// Gives rows a value if they need one; `schema` is the one before the operation.
fn fill(
    operation: &mut Operation,
    later: &[Operation],
    schema: &Schema,
    (upgrade, dialect): (&[Operation], &'static dyn Dialect),
) -> Option<String> {
    match operation {
        Operation::AddColumn { table, column, using, .. } => {
            if !fill::lacks_value(column) || is_numbered(table, column, later) {
                return None;
            }
            let value = neutral(column, dialect);
            let mut comment = format!(
                "The values that the upgrade discarded can't be restored: rows get {value}."
            );
            if let Some(constraint) = stricter_constraint(table, &column.name, later) {
                comment += &format!(
                    "\n{constraint} requires other values: adjust this if the table has rows."
                );
            }
            *using = Some(value.into());
            Some(comment)
        }
        Operation::AlterColumn { table, column, change } => {
            let was = schema.table(table)?.find_column(column)?;
            let mut now = was.clone();
            change.apply(&mut now);
            if now.generated.is_some() {
                return None;
            }
            let mut need = Need::of_change(table, was, &now, dialect);
            // The database's own conversion of a value is as good as anything that could be
            // suggested here.
            need.why.retain(|why| *why != Why::Narrower);
            let value = value(&now, dialect);
            let given = given(table, column, upgrade, dialect);
            if let Some(back) = given.and_then(|using| mapped_back(&need, using, &value)) {
                let becomes_required = need.is(Why::NotNull);
                let expression = if becomes_required {
                    format!("coalesce({}, {value})", back.expression)
                } else {
                    back.expression
                };
                change.using = need.using(Some(&expression)).map(Sql::from);
                let of_null = becomes_required || need.null.is_some();
                return rows_comment(of_null, !back.is_all, &value);
            }
            let using = match need.why.as_slice() {
                [] => need.using(None),
                _ => need.using(Some(&value)),
            };
            change.using = using.map(Sql::from);
            let of_null = need.is(Why::NotNull) || need.null.is_some();
            rows_comment(of_null, need.is(Why::Values), &value)
        }
        _ => None,
    }
}

/// The comment about the rows that get a value in place of their own: those with NULL, and those
/// whose value has no counterpart.
fn rows_comment(of_null: bool, of_other_values: bool, value: &str) -> Option<String> {
    let who = match (of_null, of_other_values) {
        (false, false) => return None,
        (true, false) => "hold NULL",
        (false, true) => "hold something else",
        (true, true) => "hold NULL or something else",
    };
    Some(format!("Rows that {who} get {value}."))
}

/// The expression that an upgrade gives the rows of a column.
fn given<'a>(
    table: &str,
    column: &str,
    upgrade: &'a [Operation],
    dialect: &dyn Dialect,
) -> Option<&'a str> {
    upgrade.iter().find_map(|operation| match operation {
        Operation::AlterColumn { table: of, column: altered, change }
            if of == table && altered == column =>
        {
            change.using.as_ref()?.text(dialect.backend())
        }
        _ => None,
    })
}

/// An expression that reverses the mapping of values in an upgrade.
struct MappedBack {
    expression: String,
    /// Whether it determines the result for every value.
    is_all: bool,
}

/// The reverse of an upgrade's mapping, if it is one. `other` is for values that the mapping
/// doesn't produce.
fn mapped_back(need: &Need, using: &str, other: &str) -> Option<MappedBack> {
    let name = &need.column.name;
    let mapping = Mapping::of(using, name, need.dialect.lexicon())?;
    let literals = |ty: &Type| match ty {
        Type::Enum(_, values) => {
            Some(values.iter().map(|value| literal(&value.as_str().into())).collect())
        }
        Type::Boolean => Some(vec!["0".to_owned(), "1".to_owned()]),
        _ => None,
    };
    let olds: Option<Vec<String>> = literals(&need.column.ty);
    let news: Option<Vec<String>> = need.was.as_ref().and_then(|was| literals(&was.ty));
    let known = olds.clone();
    let of_pairs = || mapping.pairs.iter().map(|(old, _)| old.clone()).collect();
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut olds = olds.unwrap_or_else(of_pairs);
    // If several values were mapped to one that is itself an old value, that value is restored.
    olds.sort_by_key(|old| mapping.apply(old).is_none_or(|new| new != *old));
    for old in olds {
        let new = mapping.apply(&old)?.into_owned();
        if new != "NULL" && pairs.iter().all(|(pair, _)| *pair != new) {
            pairs.push((new, old));
        }
    }
    if pairs.iter().all(|(new, old)| new == old) {
        return None;
    }
    // Values that neither the mapping produces nor the old type had.
    let is_new = |value: &String| {
        pairs.iter().all(|(new, _)| new != value)
            && known.as_ref().is_none_or(|olds| !olds.contains(value))
    };
    let rest: Vec<String> = news.iter().flatten().filter(|value| is_new(value)).cloned().collect();
    let is_all = rest.is_empty() && news.is_some();
    let column = need.plain_name();
    let other_values = match (&news, &known) {
        // Every value is either mentioned, or valid in both types.
        (Some(_), Some(_)) => {
            pairs.extend(rest.into_iter().map(|value| (value, other.to_owned())));
            pairs.retain(|(new, old)| new != old);
            column.clone()
        }
        (None, Some(_)) => other.to_owned(),
        (_, None) => column.clone(),
    };
    let whens: String = pairs.iter().map(|(new, old)| format!(" WHEN {new} THEN {old}")).collect();
    let expression = format!("CASE {column}{whens} ELSE {other_values} END");
    Some(MappedBack { expression, is_all: is_all || known.is_none() })
}

/// The default if the column accepts it, or else a neutral value.
fn value(column: &Column, dialect: &dyn Dialect) -> String {
    let default = default_literal(column, dialect);
    let fits = |text: &String| match &column.ty {
        Type::Enum(_, values) => {
            values.iter().any(|value| literal(&value.as_str().into()) == *text)
        }
        _ => true,
    };
    default.filter(fits).unwrap_or_else(|| neutral(column, dialect))
}

/// Whether the column becomes a key whose values the database generates.
fn is_numbered(table: &str, column: &Column, later: &[Operation]) -> bool {
    column.ty.is_integer()
        && column.autoincrement != Some(false)
        && later.iter().any(|operation| {
            matches!(operation, Operation::AddPrimaryKey { table: of, primary_key }
                if of == table && primary_key.columns == [column.name.as_str()])
        })
}

/// The constraint that would be violated if all rows had the same value.
fn stricter_constraint(table: &str, column: &str, later: &[Operation]) -> Option<String> {
    let has = |columns: &[String]| columns.iter().any(|name| name == column);
    later.iter().find_map(|operation| match operation {
        Operation::AddPrimaryKey { table: of, primary_key }
            if of == table && has(&primary_key.columns) =>
        {
            Some(format!("Primary key `{}`", primary_key.name))
        }
        Operation::AddUnique { table: of, unique } if of == table && has(&unique.columns) => {
            Some(format!("Unique constraint `{}`", unique.name))
        }
        Operation::AddForeignKey { table: of, foreign_key }
            if of == table && has(&foreign_key.columns) =>
        {
            Some(format!("Foreign key `{}`", foreign_key.name))
        }
        _ => None,
    })
}
