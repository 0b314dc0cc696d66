//! The way back from a difference, such that it runs on tables with rows.

use std::collections::BTreeMap;

use dbmigrate_runtime::operations::{Operation, reverse_all};
use dbmigrate_runtime::schema::{Column, Schema, Type};

use super::Commented;
use super::fill::{self, Need, Why, default_literal, literal, neutral};
use crate::error::{Error, Result};

/// The operations that lead back from where `upgrade` leads.
///
/// What the upgrade discarded is gone: where rows need a value again they get one that says
/// nothing, and a comment says so.
pub fn way_back(upgrade: &[Operation], before: &Schema) -> Result<Commented> {
    let failed = |err: &dyn std::fmt::Display| Error::new(err.to_string());
    let mut schema = before.clone();
    for it in upgrade {
        it.apply(&mut schema).map_err(|err| failed(&err))?;
    }
    let mut operations = reverse_all(upgrade, before).map_err(|err| failed(&err))?;
    let mut comments = BTreeMap::new();
    for idx in 0..operations.len() {
        let (done, later) = operations.split_at_mut(idx + 1);
        let operation = &mut done[idx];
        if let Some(comment) = fill(operation, later, &schema, upgrade) {
            comments.insert(idx, comment);
        }
        operation.apply(&mut schema).map_err(|err| failed(&err))?;
    }
    Ok(Commented { operations, comments, irreversible: None })
}

/// Gives rows a value where they need one; `schema` is the one before the operation.
fn fill(
    operation: &mut Operation,
    later: &[Operation],
    schema: &Schema,
    upgrade: &[Operation],
) -> Option<String> {
    match operation {
        Operation::AddColumn { table, column, using, .. } => {
            if !fill::lacks_value(column) || is_numbered(table, column, later) {
                return None;
            }
            let value = neutral(column);
            let mut comment =
                format!("What the upgrade discarded can't be had back: rows get {value}.");
            if let Some(it) = demands_more(table, &column.name, later) {
                comment += &format!("\n{it} wants other values: adjust this where there are rows.");
            }
            *using = Some(value);
            Some(comment)
        }
        Operation::AlterColumn { table, column, change } => {
            let was = schema.table(table)?.find_column(column)?;
            let mut now = was.clone();
            change.apply(&mut now);
            if now.generated.is_some() {
                return None;
            }
            let mut need = Need::of_change(table, was, &now);
            // What the database makes of a value is as good as what could be said here.
            need.why.retain(|it| *it != Why::Narrower);
            let value = value(&now);
            if let Some((again, all)) = old_variants(table, column, &need, upgrade, &value) {
                change.using = need.using(Some(&again));
                return (!all)
                    .then(|| format!("Rows that hold something else by then get {value}."));
            }
            change.using = match need.why.as_slice() {
                [] => need.using(None),
                _ => need.using(Some(&value)),
            };
            let null = need.is(Why::NotNull) || need.null.is_some();
            let who = match (null, need.is(Why::Values)) {
                (false, false) => return None,
                (true, false) => "hold NULL by then",
                (false, true) => "hold something else by then",
                (true, true) => "hold NULL or something else by then",
            };
            Some(format!("Rows that {who} get {value}."))
        }
        _ => None,
    }
}

/// What gives variants back that the upgrade only renamed, and whether these are all that go.
fn old_variants(
    table: &str,
    column: &str,
    need: &Need,
    upgrade: &[Operation],
    other: &str,
) -> Option<(String, bool)> {
    let using = upgrade.iter().find_map(|it| match it {
        Operation::AlterColumn { table: of, column: it, change } if of == table && it == column => {
            change.using.as_deref()
        }
        _ => None,
    })?;
    if need.why != [Why::Values] {
        return None;
    }
    let (mut pairs, removed) = (Vec::new(), need.removed());
    for (old, new) in need.variants(using) {
        let is_new = !pairs.iter().any(|(it, _)| *it == new);
        if is_new && removed.contains(&new) && need.values().contains(&old) {
            pairs.push((new, old));
        }
    }
    if pairs.is_empty() {
        return None;
    }
    let all = pairs.len() == removed.len();
    let rest: Vec<_> =
        removed.into_iter().filter(|it| pairs.iter().all(|(new, _)| new != it)).collect();
    let other = need.values().iter().find(|it| literal(&it.as_str().into()) == other)?;
    pairs.extend(rest.into_iter().map(|it| (it, other.clone())));
    Some((need.mapped(&pairs), all))
}

/// The default, if it is one of the column's values, or else what says nothing.
fn value(column: &Column) -> String {
    let default = default_literal(column).map(literal);
    let fits = |it: &String| match &column.ty {
        Type::Enum(_, values) => values.iter().any(|value| literal(&value.as_str().into()) == *it),
        _ => true,
    };
    default.filter(fits).unwrap_or_else(|| neutral(column))
}

/// Whether the column becomes a key whose values the database makes.
fn is_numbered(table: &str, column: &Column, later: &[Operation]) -> bool {
    column.ty.is_integer()
        && column.autoincrement != Some(false)
        && later.iter().any(|it| {
            matches!(it, Operation::AddPrimaryKey { table: of, primary_key }
                if of == table && primary_key.columns == [column.name.as_str()])
        })
}

/// The constraint that one value for all rows breaks.
fn demands_more(table: &str, column: &str, later: &[Operation]) -> Option<String> {
    let has = |columns: &[String]| columns.iter().any(|it| it == column);
    later.iter().find_map(|it| match it {
        Operation::AddPrimaryKey { table: of, primary_key: it }
            if of == table && has(&it.columns) =>
        {
            Some(format!("Primary key `{}`", it.name))
        }
        Operation::AddUnique { table: of, unique: it } if of == table && has(&it.columns) => {
            Some(format!("Unique constraint `{}`", it.name))
        }
        Operation::AddForeignKey { table: of, foreign_key: it }
            if of == table && has(&it.columns) =>
        {
            Some(format!("Foreign key `{}`", it.name))
        }
        _ => None,
    })
}
