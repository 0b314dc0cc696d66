//! Names that no database can distinguish.

use std::collections::BTreeMap;

use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::record::ModelRecord;

use super::location::location;
use crate::error::{Error, Result};

/// Refuses columns of one model, and indexes of all models, that differ only in case, and indexes
/// whose name is a table's or is reserved by the database. Case counts for every database, so that
/// one history can serve several.
pub fn check(records: &[ModelRecord], dialect: &dyn Dialect) -> Result<()> {
    let managed = || records.iter().filter(|model| !model.unmanaged);
    let tables: BTreeMap<String, &ModelRecord> =
        managed().map(|model| (model.table.name.to_lowercase(), model)).collect();
    let mut indexes: BTreeMap<(Option<&str>, String), (&str, &ModelRecord)> = BTreeMap::new();
    for model in managed() {
        columns(model)?;
        for index in &model.table.indexes {
            let lower = index.name.to_lowercase();
            let reserved = dialect.reserved_prefix().filter(|_| dialect.is_reserved(&index.name));
            if let Some(prefix) = reserved {
                let why = format!(
                    "names that begin with `{prefix}` are reserved for {}",
                    dialect.backend()
                );
                return Err(index_error(&index.name, model, &why));
            }
            // Each schema has its own names.
            let schema = model.table.schema.as_deref();
            let qualified = schema.map_or(String::new(), |schema| format!("{schema}.")) + &lower;
            if let Some(table) = tables.get(&qualified.to_lowercase()) {
                let why = format!("the model {} has a table of that name", location(table));
                return Err(index_error(&index.name, model, &why));
            }
            if let Some((name, other)) = indexes.insert((schema, lower), (&index.name, model)) {
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

fn columns(model: &ModelRecord) -> Result<()> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for field in &model.fields {
        if let Some(other) = seen.insert(field.column.to_lowercase(), &field.column) {
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
