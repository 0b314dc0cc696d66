//! Properties of all schemas: a difference leads to the other schema, no difference remains, the
//! downgrade leads back, and the module contains everything.

use std::collections::BTreeSet;

use dbmigrate_runtime::engine::recording::{decode, encode};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use super::arbitrary;
use super::*;
use crate::render;

/// Several hundred cases, or ten thousand with `DBMIGRATE_LONG=1`.
pub fn config() -> Config {
    let is_long = std::env::var_os("DBMIGRATE_LONG").is_some_and(|value| value == "1");
    let cases = if is_long { 10_000 } else { 300 };
    // A failure is turned into a test by hand, named after its cause.
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// The schema without what doesn't count as a difference.
fn canonical(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    for table in schema.tables.values_mut() {
        table.columns.sort_by(|a, b| a.name.cmp(&b.name));
        table.uniques.sort_by(|a, b| a.name.cmp(&b.name));
        table.foreign_keys.sort_by(|a, b| a.name.cmp(&b.name));
        table.checks.sort_by(|a, b| a.name.cmp(&b.name));
        table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
    }
    schema
}

/// The columns of each table in their order.
pub fn orders(schema: &Schema) -> Vec<Vec<&str>> {
    let mut orders = Vec::new();
    for table in schema.tables.values() {
        orders.push(table.columns.iter().map(|column| column.name.as_str()).collect());
    }
    orders
}

pub fn of_schema(schema: &Schema) -> Models {
    models(&schema.tables.values().cloned().collect::<Vec<_>>(), &[])
}

/// Answers every question with the flags that it suggests.
pub fn answer(from: &Schema, models: &Models, with_renames: bool) -> Changes {
    let mut answers = Answers::default();
    loop {
        let questions = match changes(from, models, &answers).unwrap() {
            Outcome::Changes(changes) => return changes,
            Outcome::Questions(changes) => changes,
        };
        match questions.into_iter().next().unwrap() {
            Question::Rename(rename) if with_renames => {
                answers.renames.push(rename.flag(&rename.candidates[0]))
            }
            Question::Rename(rename) => answers.dropped.push(rename.old),
            Question::Fill(question) => answers.fills.push(question.flag(&question.suggestion())),
        }
    }
}

fn all_holds(from: &Schema, to: &Schema, with_renames: bool) {
    let models = of_schema(to);
    let changes = answer(from, &models, with_renames);
    let operations = &changes.operations;

    let mut reached = from.clone();
    replay(&mut reached, operations).unwrap();
    assert_eq!(canonical(&reached), canonical(&normalized(&reached, to)));
    assert_eq!(plain(&reached, &models).unwrap(), []);

    let back = way_back(operations, from, &Sqlite, &[]).unwrap();
    let mut again = reached.clone();
    replay(&mut again, &back.operations).unwrap();
    let expected = if with_renames { normalized(&again, from) } else { from.clone() };
    assert_eq!(canonical(&again), canonical(&expected));
    assert_eq!(orders(&again), orders(from));

    for operations in [operations, &back.operations] {
        let text = encode(operations);
        assert_eq!(encode(&decode(&text).unwrap()), text);
    }
    let header = render::Header {
        runtime: "dbmigrate_runtime".to_owned(),
        id: "1".to_owned(),
        parents: vec!["0".to_owned()],
        message: "a".to_owned(),
        created: String::new(),
        ..render::Header::default()
    };
    let upgrade = changes.commented();
    let contents = render::Contents { upgrade: &upgrade, downgrade: &back, is_generated: true };
    let module = render::module(&header, &contents);
    syn::parse_file(&module).unwrap();
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_difference_leads_there_and_back((from, to) in arbitrary::pair()) {
        all_holds(&from, &to, false);
    }

    #[test]
    fn a_difference_with_renames_leads_there_and_back((from, to) in arbitrary::pair()) {
        all_holds(&from, &to, true);
    }

    #[test]
    fn a_schema_is_built_from_nothing_and_equals_itself(schema in arbitrary::schema()) {
        all_holds(&Schema::default(), &schema, false);
        assert_eq!(plain(&schema, &of_schema(&schema)).unwrap(), []);
    }
}

/// What is never drawn is never tested.
#[test]
fn the_pairs_differ_in_every_way() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..300 {
        let (from, to) = arbitrary::pair().new_tree(&mut runner).unwrap().current();
        for with_renames in [false, true] {
            for operation in answer(&from, &of_schema(&to), with_renames).operations {
                let text = format!("{operation:?}");
                seen.insert(text.split(['(', ' ']).next().unwrap().to_owned());
            }
        }
    }
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(
        seen,
        [
            "AddCheck",
            "AddColumn",
            "AddForeignKey",
            "AddPrimaryKey",
            "AddUnique",
            "AlterColumn",
            "AlterTable",
            "CreateIndex",
            "CreateTable",
            "DropCheck",
            "DropColumn",
            "DropForeignKey",
            "DropIndex",
            "DropPrimaryKey",
            "DropTable",
            "DropUnique",
            "RenameColumn",
            "RenameIndex",
            "RenameTable",
        ]
    );
}
