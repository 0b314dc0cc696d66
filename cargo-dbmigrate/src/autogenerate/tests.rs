//! What is found, what is asked, and what the answers lead to.

mod arbitrary;
mod cases;
mod naming;
mod on_sqlite;
mod property;

mod questions;
mod renames;

use dbmigrate_runtime::engine::dialect::{Dialect as _, Sqlite};
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::record::{FieldRecord, ModelRecord};
use dbmigrate_runtime::engine::recording::replay;
use dbmigrate_runtime::schema::{Column, Table, Type};

use super::*;
use crate::scope::Scope;

/// Models of these tables, with the previous names of tables and columns.
fn models(tables: &[Table], renamed: &[(&str, &str)]) -> Models {
    let old = |new: &str| {
        let found = renamed.iter().find(|(_, text)| *text == new);
        found.map(|(old, _)| (*old).to_owned())
    };
    let records = tables.iter().map(|table| ModelRecord {
        path: format!("models::{}", table.name),
        file: "src/lib.rs".to_owned(),
        manifest_dir: "/srv/app".to_owned(),
        line: 1,
        table: table.clone(),
        renamed_from: old(&table.name),
        database: None,
        unmanaged: false,
        docs: None,
        fields: table
            .columns
            .iter()
            .map(|column| FieldRecord {
                column: column.name.clone(),
                field: column.name.clone(),
                line: 1,
                docs: None,
                renamed_from: old(&format!("{}.{}", table.name, column.name)),
            })
            .collect(),
    });
    let schema = Schema::from_tables(tables.iter().cloned());
    Models {
        schema,
        records: records.collect(),
        naming: Convention::default(),
        dialect: &Sqlite,
        others: Vec::new(),
        scope: Scope::all(Sqlite.names(&Sqlite.offline_facts())),
        found_none: tables.is_empty(),
    }
}

/// A schema in the terms of another one, by the default convention.
fn normalized(words: &Schema, schema: &Schema) -> Schema {
    normalize::normalize(words, words, schema, &Convention::default())
}

/// A table with an integer key.
fn table(name: &str) -> Table {
    Table::new(name)
        .column(Column::new("id", Type::BigInteger).not_null())
        .primary_key(&format!("pk_{name}"), ["id"])
}

/// The changes. Checks that they lead to the models and back, and that no difference remains.
#[track_caller]
fn changed(from: &Schema, models: &Models, answers: &Answers) -> Changes {
    let changes = match changes(from, models, answers).unwrap() {
        Outcome::Changes(changes) => changes,
        Outcome::Questions(changes) => {
            panic!("{:#?}", changes.iter().map(ToString::to_string).collect::<Vec<_>>())
        }
    };
    let mut reached = from.clone();
    replay(&mut reached, &changes.operations).unwrap();
    let again = match super::changes(&reached, models, &Answers::default()) {
        Ok(Outcome::Changes(changes)) => changes.operations,
        other => panic!("{other:?}"),
    };
    assert_eq!(again, [], "a second diff finds more to do");
    let back = way_back(&changes.operations, from, &Sqlite, &[]).unwrap();
    replay(&mut reached, &back.operations).unwrap();
    assert_eq!(diff::diff(&reached, &normalized(&reached, from)), [], "it leads elsewhere back");
    changes
}
