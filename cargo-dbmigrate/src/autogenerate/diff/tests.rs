//! The order of the operations, and that they lead from one schema to the other and back.

use dbmigrate_runtime::engine::recording::{replay, reverse_all};
use dbmigrate_runtime::schema::{Check, ForeignKey, Index, Type};

use super::*;

/// Compares the operations of a difference in words. Also checks that they lead to the other
/// schema, that their reverses lead back, and that no difference remains.
#[track_caller]
fn check(from: &[Table], to: &[Table], expect: &[&str]) {
    let schema = |tables: &[Table]| Schema::from_tables(tables.iter().cloned());
    let (from, to) = (schema(from), schema(to));
    let operations = diff(&from, &to);
    let words: Vec<String> = operations.iter().map(ToString::to_string).collect();
    assert_eq!(words, expect);

    let mut reached = from.clone();
    replay(&mut reached, &operations).unwrap();
    assert_eq!(diff(&reached, &to), [], "a second diff finds more to do");
    let back = reverse_all(&operations, &from).unwrap();
    replay(&mut reached, &back).unwrap();
    assert_eq!(diff(&reached, &from), [], "the reverses do not lead back");
}

fn user() -> Table {
    Table::new("user")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("email", Type::String(120)).not_null())
        .primary_key("pk_user", ["id"])
        .unique("uq_user_email", ["email"])
}

fn post() -> Table {
    let mut post = Table::new("a_post")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("author_id", Type::BigInteger).not_null())
        .primary_key("pk_a_post", ["id"])
        .foreign_key(ForeignKey::new("fk", ["author_id"], "user", ["id"]));
    post.indexes.push(Index::new("ix_a_post_author_id", ["author_id"]));
    post
}

#[test]
fn equal_schemas_have_no_difference() {
    check(&[user(), post()], &[user(), post()], &[]);
}

#[test]
fn a_table_comes_after_the_one_that_it_refers_to_and_goes_before_it() {
    check(
        &[],
        &[post(), user()],
        &[
            "create table `user`",
            "create table `a_post`",
            "create index `ix_a_post_author_id` on table `a_post`",
        ],
    );
    check(&[post(), user()], &[], &["drop table `a_post`", "drop table `user`"]);
}

#[test]
fn tables_that_refer_to_each_other_are_created_by_name() {
    let table = |name: &str, other: &str| {
        Table::new(name)
            .column(Column::new("id", Type::Integer))
            .column(Column::new("other", Type::Integer))
            .foreign_key(ForeignKey::new("fk", ["other"], other, ["id"]))
    };
    check(
        &[],
        &[table("a", "b"), table("b", "a"), table("c", "c")],
        &["create table `b`", "create table `a`", "create table `c`"],
    );
}

#[test]
fn every_part_of_a_table_is_compared() {
    let mut to = user();
    to.columns[0].ty = Type::Integer;
    to.columns[1].nullable = true;
    to.columns.push(Column::new("age", Type::Integer).not_null().default(0));
    to.uniques.clear();
    to.checks.push(Check::new("ck_user_age", "age >= 0"));
    to.indexes.push(Index::new("ix_user_age", ["age"]));
    to.comment = Some("people".to_owned());
    to.primary_key = None;
    check(
        &[user()],
        &[to],
        &[
            "drop unique constraint `uq_user_email` of table `user`",
            "drop primary key `pk_user` of table `user`",
            "add column `age` to table `user`",
            "alter column `id` of table `user`",
            "alter column `email` of table `user`",
            "alter table `user`",
            "add check `ck_user_age` to table `user`",
            "create index `ix_user_age` on table `user`",
        ],
    );
}

#[test]
fn a_column_goes_after_what_needs_it() {
    let mut to = post();
    to.columns.pop();
    to.foreign_keys.clear();
    to.indexes.clear();
    check(
        &[user(), post()],
        &[user(), to],
        &[
            "drop index `ix_a_post_author_id` of table `a_post`",
            "drop foreign key `fk` of table `a_post`",
            "drop column `author_id` of table `a_post`",
        ],
    );
}
