//! From records to a schema.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use cargo_metadata::semver::Version;
use dbmigrate_runtime::engine::dialect::Dialect;
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::engine::record::{self, ModelRecord};
use dbmigrate_runtime::engine::written;
use dbmigrate_runtime::schema::Schema;

use super::RUNTIME;
use super::artifacts::{Damaged, Found};
use super::defaults::{misfit, misfit_of_action};
use super::location::{field, location};
use super::names;
use crate::error::{Error, Result};

/// The records, without duplicates, sorted by path.
///
/// A module that is compiled into both a library and a binary leaves two records, which differ at
/// most in the crate's name.
pub fn distinct(found: Found) -> Result<Vec<ModelRecord>> {
    if let Some(damaged) = found.damaged.first() {
        return Err(unreadable(damaged, found.runtime_version.as_deref()));
    }
    let mut records: BTreeMap<String, ModelRecord> = BTreeMap::new();
    let mut places: BTreeMap<(String, u32, String), String> = BTreeMap::new();
    for record in found.records {
        if let Some(other) = records.get(&record.path) {
            if !is_twin(other, &record) {
                return Err(differing(other));
            }
            continue;
        }
        let place = (record.file.clone(), record.line, record.table.name.clone());
        let at_place = places.get(&place).and_then(|path| records.get(path));
        if at_place.is_some_and(|other| is_twin(other, &record)) {
            continue;
        }
        places.insert(place, record.path.clone());
        records.insert(record.path.clone(), record);
    }
    Ok(records.into_values().collect())
}

/// Whether both are the same struct, compiled by two crates of a package. The package's directory
/// may have been reached through a link.
fn is_twin(one: &ModelRecord, other: &ModelRecord) -> bool {
    let (path, manifest_dir) = (other.path.clone(), other.manifest_dir.clone());
    ModelRecord { path, manifest_dir, ..one.clone() } == *other
}

/// The tables of the managed models.
pub fn schema(
    records: &[ModelRecord],
    doc_comments: bool,
    dialect: &dyn Dialect,
    others: &[&'static dyn Dialect],
) -> Result<Schema> {
    let folded = names::folding(std::iter::once(dialect).chain(others.iter().copied()));
    let mut models: BTreeMap<String, &ModelRecord> = BTreeMap::new();
    let mut schema = Schema::default();
    for record in records.iter().filter(|record| !record.unmanaged) {
        if let Some(other) = models.insert(folded(&record.table.name), record) {
            return Err(same_table(other, record));
        }
        if let Some(err) = record.table.columns.iter().find_map(|column| misfit(record, column)) {
            return Err(err);
        }
        if let Some(err) =
            record.table.foreign_keys.iter().find_map(|key| misfit_of_action(record, key))
        {
            return Err(err);
        }
        let mut table = record.table.clone();
        if doc_comments {
            table.comment = table.comment.or_else(|| record.docs.clone());
            for (column, field) in table.columns.iter_mut().zip(&record.fields) {
                column.comment = column.comment.take().or_else(|| field.docs.clone());
            }
        }
        schema.tables.insert(table.name.clone(), table);
    }
    let names = dialect.names(&dialect.offline_facts());
    for model in models.values() {
        let mut table = model.table.clone();
        table.settle(dialect.backend());
        let mistakes = written::in_table(&table, &schema, names);
        if let Some((what, mistake)) = mistakes.into_iter().next() {
            let message = format!("{what} of the model {}: {mistake}", location(model));
            return Err(Error::new(message).hint(mistake.hint));
        }
    }
    match unfollowable(&models, &schema, dialect) {
        Some(err) => Err(err),
        None => Ok(schema),
    }
}

/// A foreign key to fields that are neither the primary key of their table nor unique together. The
/// derive checks the struct in the attribute, but the table may belong to another struct, for
/// example if the attribute names an unmanaged one, and the derive knows nothing about a
/// hand-written model.
fn unfollowable(
    models: &BTreeMap<String, &ModelRecord>,
    schema: &Schema,
    dialect: &dyn Dialect,
) -> Option<Error> {
    let found = plan::unfollowable(schema, dialect)?;
    let target = models.get(&found.key.references_table.to_lowercase())?;
    let model = models.get(&found.table.to_lowercase())?;
    let column = found.key.columns.first()?;
    let (name, place) = field(model, column);
    let message = format!(
        "the foreign key of the field `{name}` refers to {}, in the model {place}",
        found.refers_to
    );
    let target = location(target);
    Some(Error::new(message).hint(if found.key.references_columns.is_empty() {
        format!("name the fields of {target} that it refers to")
    } else {
        format!(
            "make what it refers to unique in the model {target}, which has that table, or refer \
             to its primary key"
        )
    }))
}

fn same_table(one: &ModelRecord, other: &ModelRecord) -> Error {
    let message = if one.table.name == other.table.name {
        format!("two models have the table `{}`", one.table.name)
    } else {
        let (one, other) = (&one.table.name, &other.table.name);
        format!("two models have tables whose names differ only in case, `{one}` and `{other}`")
    };
    Error::new(format!("{message}: {} and {}", location(one), location(other))).hint(
        "give one of them another name with `#[model(table = \"...\")]`; a second struct for the \
         same table is `#[model(unmanaged)]`",
    )
}

fn differing(record: &ModelRecord) -> Error {
    let message = format!(
        "the model {} was compiled twice, with different columns each time",
        location(record)
    );
    Error::new(message).hint(
        "its package is built with two sets of features: choose one with `features` in \
         dbmigrate.toml, or check its package alone (`package = \"...\"`)",
    )
}

fn unreadable(damaged: &Damaged, runtime: Option<&str>) -> Error {
    let file = damaged.file.file_name().unwrap_or_default().to_string_lossy();
    let err = Error::new(format!("failed to read the models in `{file}`: {}", damaged.error));
    let tool = env!("CARGO_PKG_VERSION");
    let by_version = runtime.and_then(|runtime| {
        let (runtime, tool) = (Version::parse(runtime).ok()?, Version::parse(tool).ok()?);
        Some(runtime.cmp(&tool)).filter(|order| order.is_ne())
    });
    // A keyword that this version doesn't know has no number that tells which version wrote it.
    let by_format = damaged.error.is_other_format().map(|format| format.cmp(&record::FORMAT));
    let is_same_version = by_version.is_none() && runtime.is_some();
    err.hint(match (by_version.or(by_format), runtime) {
        (None, _) => {
            "build the package again: `cargo clean -p` its name, and repeat this command".to_owned()
        }
        (Some(_), _) if is_same_version => format!(
            "the package's {RUNTIME} and this tool both have version {tool} but differ: install \
             the tool from the source of the runtime, as in `cargo install --git` or `--path`"
        ),
        (Some(Ordering::Less), _) => {
            let runtime = runtime.map_or_else(String::new, |version| format!(" {version}"));
            format!(
                "the package's {RUNTIME}{runtime} is older than this tool ({tool}): `cargo update \
                 -p {RUNTIME}`, and where its requirement ends below that `cargo add \
                 {RUNTIME}@{tool}`"
            )
        }
        (Some(_), Some(runtime)) => format!(
            "the package's {RUNTIME} {runtime} is newer than this tool ({tool}): `cargo install \
             cargo-dbmigrate@{runtime}`"
        ),
        (Some(_), None) => format!(
            "the package's {RUNTIME} is newer than this tool ({tool}): `cargo install \
             cargo-dbmigrate@<version of the runtime>`"
        ),
    })
}

#[cfg(test)]
mod tests;
