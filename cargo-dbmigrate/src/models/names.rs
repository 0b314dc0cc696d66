//! Names that no database can distinguish.

use std::collections::BTreeMap;

use dbmigrate_runtime::engine::dialect::{Comparing, Dialect};
use dbmigrate_runtime::engine::folding::Case;
use dbmigrate_runtime::engine::record::ModelRecord;

use super::location::location;
use crate::error::{Error, Result};

/// Refuses columns of one model and indexes that no database of the history can distinguish, and
/// indexes whose name is a table's or is reserved by a database.
pub fn check(records: &[ModelRecord], dialects: &[&dyn Dialect]) -> Result<()> {
    let folded = folding(dialects.iter().copied());
    let is_shared = dialects.iter().any(|dialect| comparing(*dialect).shares_index_names);
    let managed = || records.iter().filter(|model| !model.unmanaged);
    let tables: BTreeMap<String, &ModelRecord> =
        managed().map(|model| (folded(&model.table.name), model)).collect();
    let mut indexes: BTreeMap<(&str, String), (&str, &ModelRecord)> = BTreeMap::new();
    for model in managed() {
        columns(model, folded)?;
        for index in &model.table.indexes {
            let lower = folded(&index.name);
            let reserving = dialects.iter().find(|dialect| dialect.is_reserved(&index.name));
            let reserved =
                reserving.and_then(|dialect| Some((dialect.reserved_prefix()?, dialect.backend())));
            if let Some((prefix, backend)) = reserved {
                let why = format!("names that begin with `{prefix}` are reserved for {backend}");
                return Err(index_error(&index.name, model, &why));
            }
            // Each schema has its own names, or even each table.
            let schema = model.table.schema.as_deref();
            let space = if is_shared { schema.unwrap_or_default() } else { &*model.table.name };
            let qualified = schema.map_or(String::new(), |schema| format!("{schema}.")) + &lower;
            if let Some(table) = tables.get(&folded(&qualified)).filter(|_| is_shared) {
                let why = format!("the model {} has a table of that name", location(table));
                return Err(index_error(&index.name, model, &why));
            }
            if let Some((name, other)) = indexes.insert((space, lower), (&index.name, model)) {
                let why = if other.path == model.path {
                    format!("it already has an index `{name}`")
                } else {
                    format!("the model {} already has an index `{name}`", location(other))
                };
                return Err(index_error(&index.name, model, &why));
            }
        }
    }
    Ok(())
}

fn comparing(dialect: &dyn Dialect) -> Comparing {
    dialect.comparing(&dialect.offline_facts())
}

/// The form in which names are compared: in lower case, unless all these databases distinguish names
/// that differ only in case, on every system.
pub(super) fn folding<'a>(
    dialects: impl IntoIterator<Item = &'a dyn Dialect>,
) -> fn(&str) -> String {
    let mut foldings = dialects.into_iter().map(|dialect| comparing(dialect).folding);
    let is_exact =
        foldings.all(|folding| folding.tables == Case::Exact && folding.others == Case::Exact);
    if is_exact { str::to_owned } else { str::to_lowercase }
}

fn columns(model: &ModelRecord, folded: impl Fn(&str) -> String) -> Result<()> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for field in &model.fields {
        if let Some(other) = seen.insert(folded(&field.column), &field.column) {
            let at = match field.line {
                0 => String::new(),
                line => format!(", line {line}"),
            };
            let message = format!(
                "the names of two columns differ only in case, `{other}` and `{}`, in the model \
                 {}{at}",
                field.column,
                location(model)
            );
            return Err(Error::new(message)
                .hint("give one of the fields another name with `#[model(column = \"...\")]`"));
        }
    }
    Ok(())
}

fn index_error(name: &str, model: &ModelRecord, why: &str) -> Error {
    let message = format!("the model {} can't have the index `{name}`: {why}", location(model));
    Error::new(message).hint(
        "indexes and tables of a database share one namespace, regardless of case: choose another \
         name with `index(name = \"...\", columns(...))`",
    )
}
