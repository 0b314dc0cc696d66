//! A project whose convention for names differs from the one in its history.

use std::slice::from_ref;

use dbmigrate_runtime::engine::naming::Templates;
use dbmigrate_runtime::schema::{Check, ForeignKey, Index, IndexColumn, Unique};

use super::*;

fn other() -> Convention {
    let templates = Templates {
        primary_key: "{table}_pkey".to_owned(),
        unique: "{table}_{columns}_key".to_owned(),
        index: "{table}_{columns}_idx".to_owned(),
        foreign_key: "{table}_{columns}_fkey".to_owned(),
        check: "{table}_{columns}_check".to_owned(),
    };
    Convention::new(templates).unwrap()
}

/// A table with one constraint of each kind, named by the convention, and a second index with a
/// name of its own.
fn user(name: &str, naming: &Convention) -> Table {
    let mut table = Table::new(name)
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("age", Type::Integer))
        .column(Column::new("boss", Type::BigInteger))
        .primary_key(&naming.primary_key(name, &["id"]), ["id"]);
    table.uniques.push(Unique::new(&naming.unique(name, &["age", "boss"]), ["age", "boss"]));
    let key = naming.foreign_key(name, &["boss"], name);
    table.foreign_keys.push(ForeignKey::new(&key, ["boss"], name, ["id"]));
    table.checks.push(Check::new(&naming.check(name, "age"), "age > 0"));
    table.checks.push(Check::new(&naming.table_check(name, &"age < 200".into()), "age < 200"));
    table.indexes.push(Index::new(&naming.index(name, &[IndexColumn::new("age")]), ["age"]));
    table
}

fn words(from: &[Table], to: &[Table], renamed: &[(&str, &str)]) -> Vec<String> {
    let models = Models { naming: other(), ..models(to, renamed) };
    let from = Schema::from_tables(from.iter().cloned());
    changed(&from, &models, &Answers::default())
        .operations
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn what_is_there_keeps_its_name_and_what_is_new_gets_the_other() {
    let was = user("user", &Convention::default());
    let mut now = user("user", &other());
    assert_eq!(words(from_ref(&was), from_ref(&now), &[]), [""; 0]);
    now = now.unique("user_boss_key", ["boss"]);
    now.indexes.push(Index::new("user_boss_idx", ["boss"]));
    assert_eq!(
        words(from_ref(&was), from_ref(&now), &[]),
        [
            "add unique constraint `user_boss_key` to table `user`",
            "create index `user_boss_idx` on table `user`"
        ]
    );
    // The other way round: a table renamed in between has names by neither convention.
    assert_eq!(
        words(&[was], &[user("person", &other())], &[("user", "person")]),
        ["rename table `user` to `person`"]
    );
}

/// With the same convention, a name that the model gives is compared.
#[test]
fn a_name_that_the_model_gives_is_a_difference() {
    let was = user("user", &Convention::default());
    let mut now = user("user", &other());
    now.uniques[0].name = "mine".to_owned();
    now.indexes[0].name = "my index".to_owned();
    assert_eq!(
        words(&[was], &[now], &[]),
        [
            "rename index `ix_user_age` of table `user` to `my index`",
            "drop unique constraint `uq_user_age_boss` of table `user`",
            "add unique constraint `mine` to table `user`",
        ]
    );
}

/// Names of indexes are unique in a database, and another table may want this one.
#[test]
fn an_index_gives_up_a_name_that_another_table_wants() {
    let was = user("user", &Convention::default());
    let mut post = table("post").column(Column::new("n", Type::Integer));
    let before = post.clone();
    post.indexes.push(Index::new("ix_user_age", ["n"]));
    assert_eq!(
        words(&[was, before], &[user("user", &other()), post], &[]),
        [
            "rename index `ix_user_age` of table `user` to `user_age_idx`",
            "create index `ix_user_age` on table `post`",
        ]
    );
}
