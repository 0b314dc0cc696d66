//! Differences and their wording.

use expect_test::{Expect, expect};

use super::*;
use crate::dialect::{Dialect as _, Sqlite, Unreadable};
use crate::folding::{Case, Folding};
use crate::schema::{
    Column, DefaultValue, Deferrable, ForeignKey, Index, IndexColumn, ReferentialAction, Table,
    TableOption, Type,
};

fn comparing() -> Comparing {
    Sqlite.comparing(&Sqlite.offline_facts())
}

fn user() -> Table {
    let mut table = Table::new("user")
        .column(Column::new("id", Type::raw("INTEGER")).not_null().autoincrement(true))
        .column(Column::new("email", Type::raw("VARCHAR(50)")).not_null().collate("NOCASE"))
        .column(Column::new("age", Type::raw("INTEGER")).not_null().default_sql("0"))
        .column(Column::new("old", Type::raw("BOOLEAN")).generated_stored("age > 99"))
        .primary_key("pk_user", ["id"])
        .unique("uq_user_email", ["email"])
        .check("ck_user_age", "age >= 0")
        .foreign_key(
            ForeignKey::new("fk_user_age_x", ["age"], "x", ["id"])
                .on_delete(ReferentialAction::Cascade),
        );
    table.indexes.push(Index::new("ix_user_age", ["age"]).filter("age > 1"));
    table
}

/// Expects these differences after a change to the database's table.
#[track_caller]
fn check(change: impl Fn(&mut Table), expect: Expect) {
    let mut actual = user();
    change(&mut actual);
    let found = comparing().differences(&user(), &actual);
    let text: String = found.iter().map(|difference| format!("{difference}\n")).collect();
    expect.assert_eq(&text);
    assert_eq!(comparing().differences(&actual, &user()).len(), found.len());
    assert_eq!(comparing().differences(&actual, &actual), []);
}

#[test]
fn two_ways_to_write_the_same_are_no_difference() {
    check(|_| {}, expect![[""]]);
    check(
        |table| {
            table.columns.reverse();
            table.columns.iter_mut().for_each(|column| column.name = column.name.to_uppercase());
            table.columns[3].name = "Id".to_owned();
            table.columns[2].ty = Type::raw("varchar ( 50 )");
            table.columns[2].collation = Some("nocase".to_owned());
            table.columns[1].default = Some(DefaultValue::Sql("(FALSE)".into()));
            table.columns[0].default = Some(DefaultValue::Sql("NULL".into()));
            table.columns[0].generated.as_mut().unwrap().expression = "(\"AGE\">99)".into();
            table.primary_key.as_mut().unwrap().name = String::new();
            table.uniques[0].name = String::new();
            table.foreign_keys[0].name = String::new();
            table.foreign_keys[0].references_table = "X".to_owned();
            table.checks[0].name = "other".to_owned();
            table.checks[0].expression = "((age >= 0)) -- years".into();
            table.indexes[0].name = "IX_USER_AGE".to_owned();
            table.indexes[0].filter = Some("(`age` > 1)".into());
        },
        expect![[""]],
    );
}

#[test]
fn what_columns_differ_in_is_told() {
    check(
        |table| {
            table.columns[0].autoincrement = None;
            table.columns[1].ty = Type::raw("");
            table.columns[1].nullable = true;
            table.columns[1].collation = None;
            table.columns[2].ty = Type::raw("TEXT");
            table.columns[2].default = Some(DefaultValue::Sql("'0'".into()));
            table.columns[3].name = "other".to_owned();
        },
        expect![[r#"
            column `user.age` has the default `'0'`, but `0` in the migrations
            column `user.age` has the type `TEXT`, but `INTEGER` in the migrations
            column `user.email` has no collation, but `NOCASE` in the migrations
            column `user.email` has no type, but `VARCHAR(50)` in the migrations
            column `user.email` is nullable, but NOT NULL in the migrations
            column `user.id` is not AUTOINCREMENT, but is in the migrations
            column `user.old` is missing from the database
            column `user.other` is not in the migrations
        "#]],
    );
    check(
        |table| {
            table.columns[1].ty = Type::raw("TEXT");
            table.columns[1].collation = Some("RTRIM".to_owned());
            table.columns[1].default = Some(DefaultValue::Sql("'a' ||\n  'b'".into()));
            table.columns[2].default = None;
            table.columns[2].autoincrement = Some(true);
            table.columns[3].nullable = false;
            table.columns[3].generated.as_mut().unwrap().stored = false;
        },
        expect![[r#"
            column `user.age` has no default, but `0` in the migrations
            column `user.age` is AUTOINCREMENT, but not in the migrations
            column `user.email` has the collation `RTRIM`, but `NOCASE` in the migrations
            column `user.email` has the default `'a' || 'b'`, but none in the migrations
            column `user.email` has the type `TEXT`, but `VARCHAR(50)` in the migrations
            column `user.old` has the expression `age > 99` (virtual), but `age > 99` (stored) in the migrations
            column `user.old` is NOT NULL, but nullable in the migrations
        "#]],
    );
}

#[test]
fn what_tables_differ_in_is_told() {
    check(
        |table| {
            table.options = TableOption::ALL.into_iter().collect();
            table.primary_key = None;
        },
        expect![[r#"
            table `user` has no primary key, but `id` in the migrations
            table `user` is STRICT, but not in the migrations
            table `user` is UNLOGGED, but not in the migrations
            table `user` is WITHOUT ROWID, but not in the migrations
        "#]],
    );
    check(
        |table| table.primary_key.as_mut().unwrap().columns.push("age".to_owned()),
        expect![[r#"
        table `user` has the primary key `id`, `age`, but `id` in the migrations
    "#]],
    );
}

#[test]
fn objects_are_missing_unknown_different_or_renamed() {
    check(
        |table| {
            table.uniques.clear();
            table.checks.clear();
            table.foreign_keys.clear();
            table.indexes.clear();
        },
        expect![[r#"
            check `age >= 0` of table `user` is missing from the database
            foreign key `fk_user_age_x` of table `user` is missing from the database
            index `ix_user_age` of table `user` is missing from the database
            unique constraint `uq_user_email` of table `user` is missing from the database
        "#]],
    );
    check(
        |table| {
            *table = table.clone().unique("", ["age", "email"]).check("", "age\n< 200");
            table.foreign_keys.push(ForeignKey::new("", ["id"], "y", ["z"]));
            table.indexes.push(Index::new("ix_other", ["email"]));
        },
        expect![[r#"
            check `age < 200` of table `user` is not in the migrations
            foreign key from `id` to `y` (`z`) of table `user` is not in the migrations
            index `ix_other` of table `user` is not in the migrations
            unique constraint on `age`, `email` of table `user` is not in the migrations
        "#]],
    );
    check(
        |table| {
            table.uniques[0].columns = vec!["age".to_owned()];
            table.checks[0].expression = "age > 0".into();
            table.foreign_keys[0].on_delete = ReferentialAction::NoAction;
            table.foreign_keys[0].on_update = ReferentialAction::SetNull;
            table.foreign_keys[0].deferrable = Some(Deferrable::InitiallyDeferred);
            table.indexes[0] = Index::new("ix_user_age", ["age"])
                .column(IndexColumn::expression("lower(email)").collate("x").desc())
                .unique();
        },
        expect![[r#"
            check `ck_user_age` of table `user` is `age > 0`, but `age >= 0` in the migrations
            foreign key `fk_user_age_x` of table `user` is from `age` to `x` (`id`) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED, but from `age` to `x` (`id`) ON DELETE CASCADE in the migrations
            index `ix_user_age` of table `user` is unique on `age`, `(lower(email)) collate x desc`, but on `age` where `age > 1` in the migrations
            unique constraint `uq_user_email` of table `user` is on `age`, but on `email` in the migrations
        "#]],
    );
    check(
        |table| {
            table.uniques[0].name = "uq".to_owned();
            table.foreign_keys[0].name = "fk".to_owned();
            table.indexes[0].name = "ix".to_owned();
        },
        expect![[r#"
            foreign key `fk` of table `user` is named `fk_user_age_x` in the migrations
            index `ix` of table `user` is named `ix_user_age` in the migrations
            unique constraint `uq` of table `user` is named `uq_user_email` in the migrations
        "#]],
    );
}

#[test]
fn what_no_migration_makes_is_no_difference() {
    let named = |text: &str| Table { name: text.to_owned(), indexes: Vec::new(), ..user() };
    let with = |name: &str, indexes: &[&str]| {
        let indexes = indexes.iter().map(|index| Index::new(index, ["age"])).collect();
        Table { indexes, ..named(name) }
    };
    let expected = Schema::from_tables([named("a"), with("b", &["ix_b"]), named("d")]);
    let all = Schema::from_tables([with("a", &["ix_later"]), named("e")]);
    let unreadable = |name: &str| {
        let is_index = name.starts_with("ix_");
        let kind = if is_index { ObjectKind::Index } else { ObjectKind::Table };
        Unreadable { kind, name: name.to_owned(), why: "why".to_owned() }
    };
    let found = Catalog {
        schema: Schema::from_tables([
            with("A", &["ix_theirs", "ix_later"]),
            named("b"),
            named("c"),
            named("e"),
        ]),
        unreadable: ["d", "f", "ix_b"].map(unreadable).into(),
        others: vec![ObjectName::new(ObjectKind::View, "v")],
        ..Catalog::default()
    };
    let declared = Declared::nothing(Folding::ASCII);
    let described = Described { expected: &expected, all: &all, declared: &declared };
    let drift = drift(&comparing(), described, &found);
    let text: String =
        drift.differences.iter().map(|difference| format!("{difference}\n")).collect();
    expect![[r#"
        index `ix_later` of table `a` already exists, but is created by a later revision
        index `ix_b` of table `b` can't be compared: why
        table `d` can't be compared: why
        table `e` already exists, but is created by a later revision
    "#]]
    .assert_eq(&text);
    let others: String =
        drift.others.iter().map(|object| format!("{} {}\n", object.kind, object.name)).collect();
    expect![[r#"
        index ix_theirs
        table c
        table f
        view v
    "#]]
    .assert_eq(&others);
}

/// On a database with exact names where checks are identified by name, as on PostgreSQL.
#[test]
fn what_is_alike_is_the_databases_own() {
    let exact = Folding { tables: Case::Exact, others: Case::Exact };
    let comparing = Comparing {
        folding: exact,
        lexicon: &crate::sql::NEUTRAL,
        names_checks: true,
        names_primary_keys: true,
        shares_index_names: true,
        keeps_definitions: false,
        now_is_sessions: true,
        keeps_comments: true,
        ty: ToString::to_string,
        generates: "an identity column",
        default: str::to_owned,
    };
    let mut actual = user();
    actual.columns[2].name = "Age".to_owned();
    actual.columns[0].default = Some(DefaultValue::Sql("word".into()));
    actual.checks[0].name = "ck_other".to_owned();
    let found = comparing.differences(&user(), &actual);
    let text: String = found.iter().map(|difference| format!("{difference}\n")).collect();
    expect![[r#"
        check `ck_other` of table `user` is named `ck_user_age` in the migrations
        column `user.Age` is not in the migrations
        column `user.age` is missing from the database
        column `user.id` has the default `word`, but none in the migrations
    "#]]
    .assert_eq(&text);
    let kinds = found.iter().filter(|difference| difference.is_of_names()).count();
    assert_eq!(kinds, 1);
}
