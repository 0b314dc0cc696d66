//! Which of a project's databases contains a model's table.

use dbmigrate_runtime::engine::record::ModelRecord;

use super::location::location;
use crate::config;
use crate::context::Context;
use crate::error::{Error, Result};

/// The models of the context's database.
///
/// # Errors
///
/// A model that names a database which dbmigrate.toml doesn't have, and one that refers to a model
/// in another database.
pub fn own(cx: &Context, records: &[ModelRecord]) -> Result<Vec<ModelRecord>> {
    for record in records {
        let name = database(record);
        if name != config::DEFAULT && !cx.config.databases.contains_key(name) {
            let message = format!(
                "the model {} is in the database `{name}`, but dbmigrate.toml has only {}",
                location(record),
                cx.names()
            );
            return Err(Error::new(message).hint(match config::check_name(name) {
                Ok(()) => format!("`cargo dbmigrate init --database {name}` adds it"),
                Err(_) if name == config::ALL => {
                    format!("`{name}` stands for all databases; a model is in one of them")
                }
                Err(_) => "a name consists of letters, digits and `_`, and begins with a letter"
                    .to_owned(),
            }));
        }
    }
    let is_own = |record: &&ModelRecord| database(record) == cx.database_name();
    let (own, others): (Vec<_>, Vec<_>) = records.iter().partition(is_own);
    for model in &own {
        for key in &model.table.foreign_keys {
            let is_target = |record: &&&ModelRecord| record.table.name == key.references_table;
            if own.iter().any(|record| is_target(&record)) {
                continue;
            }
            if let Some(other) = others.iter().find(is_target) {
                let message = format!(
                    "the model {} refers to {}, which is in the database `{}`",
                    location(model),
                    location(other),
                    database(other)
                );
                return Err(Error::new(message).hint(
                    "a foreign key can't refer to another database: keep the value without \
                     `references`, or put both models into one database",
                ));
            }
        }
    }
    Ok(own.into_iter().cloned().collect())
}

fn database(record: &ModelRecord) -> &str {
    record.database.as_deref().unwrap_or(config::DEFAULT)
}
