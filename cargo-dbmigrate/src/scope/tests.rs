//! What patterns match, and what they leave of schemas and databases.

use std::slice::from_ref;

use dbmigrate_runtime::engine::dialect::{Catalog, Dialect as _, ObjectKind, ObjectName, Sqlite};
use dbmigrate_runtime::engine::drift::{Declared, Described, drift};
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Driver as _};
use dbmigrate_runtime::engine::folding::{Folding, NameRules};
use dbmigrate_runtime::engine::naming::Convention;
use dbmigrate_runtime::engine::recording::replay;
use dbmigrate_runtime::engine::sql::NEUTRAL;
use dbmigrate_runtime::schema::{Check, Column, ForeignKey, IndexColumn, Type, Unique};

use super::*;
use crate::autogenerate::{Answers, Outcome, back, changes, compared, plain};
use crate::models::Models;

const NAMES: NameRules =
    NameRules { folding: Folding::ASCII, lexicon: &NEUTRAL, hidden_columns: &[] };

fn scope(include: &[&str], exclude: &[&str]) -> Scope {
    let include = include.iter().map(|include| Included::try_from((*include).to_owned()).unwrap());
    let exclude = exclude.iter().map(|exclude| Excluded::try_from((*exclude).to_owned()).unwrap());
    Scope { names: NAMES, include: include.collect(), exclude: exclude.collect() }
}

fn models(tables: &[Table], scope: Scope) -> Models {
    let schema = Schema::from_tables(tables.iter().cloned());
    let (records, naming) = (Vec::new(), Convention::default());
    let others = Vec::new();
    Models { schema, records, dialect: &Sqlite, others, naming, scope, found_none: false }
}

/// The operations in words, or the error; operations must fit the complete schema.
fn difference(from: &[Table], to: &[Table], scope: Scope) -> Vec<String> {
    let before = Schema::from_tables(from.iter().cloned());
    let models = models(to, scope);
    let answers = Answers { no_renames: true, ..Answers::default() };
    match changes(&before, &models, &answers) {
        Ok(Outcome::Changes(changes)) => {
            let mut reached = before;
            replay(&mut reached, &changes.operations).unwrap();
            assert_eq!(plain(&reached, &models).unwrap(), [], "a second time finds more");
            assert_eq!(back(&models, &reached), []);
            changes.operations.iter().map(ToString::to_string).collect()
        }
        Ok(Outcome::Questions(changes)) => panic!("{changes:?}"),
        Err(err) => err.to_string().lines().map(str::to_owned).collect(),
    }
}

fn user() -> Table {
    let mut table = Table::new("User")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("a", Type::Integer))
        .column(Column::new("x", Type::Integer))
        .column(Column::new("twice", Type::Integer).generated_virtual("X * 2"))
        .column(Column::new("again", Type::Integer).generated_virtual("twice * 2"))
        .primary_key("pk_user", ["id"]);
    table.uniques.push(Unique::new("uq_user_a_x", ["a", "x"]));
    table.uniques.push(Unique::new("uq_user_a", ["a"]));
    table.foreign_keys.push(ForeignKey::new("fk_user_x", ["x"], "other", ["id"]));
    table.foreign_keys.push(ForeignKey::new("fk_user_a", ["a"], "other", ["x"]));
    table.checks.push(Check::new("ck_user_x", "\"X\" > 0"));
    table.checks.push(Check::new("ck_user_a", "a > 0 AND 'x' <> ''"));
    table.indexes.push(Index::new("ix_user_x", []).column(IndexColumn::expression("abs(x)")));
    table.indexes.push(Index::new("ix_user_again", ["again"]));
    table.indexes.push(Index::new("ix_user_where", ["a"]).filter("x IS NOT NULL"));
    table.indexes.push(Index::new("ix_user_a", ["a"]));
    table
}

fn names(table: &Table) -> Vec<&str> {
    subjects(table)
        .iter()
        .map(|subject| match subject {
            Subject::Table(subject) | Subject::Column(_, subject) | Subject::Object(_, subject) => {
                *subject
            }
        })
        .collect()
}

#[test]
fn what_needs_an_excluded_column_is_out_with_it() {
    let scope = scope(&[], &["user.X"]);
    let left = scope.compared(&Schema::from_tables([user()]));
    let left = left.table("User").unwrap();
    let expected = ["User", "id", "a", "uq_user_a", "fk_user_a", "ck_user_a", "ix_user_a"];
    assert_eq!(names(left), expected);
    assert!(left.primary_key.is_some());
}

#[test]
fn patterns_name_tables_columns_and_objects_by_kind() {
    let schema = Schema::from_tables([user(), Table::new("audit_log").column(id()), bracket()]);
    let left = |include: &[&str], exclude: &[&str]| {
        let left = scope(include, exclude).compared(&schema);
        left.tables.into_values().collect::<Vec<_>>()
    };
    let tables = |tables: &[Table]| {
        tables.iter().map(|table| table.name.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(tables(&left(&[], &[])), "User a[1] audit_log");
    assert_eq!(tables(&left(&[], &["audit_*"])), "User a[1]");
    assert_eq!(tables(&left(&["u?er", "a**"], &["*log"])), "User a[1]");
    assert_eq!(tables(&left(&[], &["A[1]", "a[u]*"])), "User audit_log");
    assert_eq!(tables(&left(&[], &["audit_log.*", "user.*"])), "a[1]", "nothing is left of them");
    let exclude = ["index:ix_*", "unique:*_x", "check:CK_user_?", "foreign_key:*", "unique:none"];
    let [user, ..] = &left(&[], &exclude)[..] else { panic!() };
    assert_eq!(names(user), ["User", "id", "a", "x", "twice", "again", "uq_user_a"]);
}

fn id() -> Column {
    Column::new("id", Type::BigInteger).not_null()
}

fn bracket() -> Table {
    Table::new("a[1]").column(id())
}

#[test]
fn a_table_in_a_schema_is_named_with_it() {
    let schema = || {
        let tables = ["invoice", "total"].map(|name| Table::new(name).schema("billing"));
        let column = || Column::new("total", Type::Integer);
        let tables = tables.map(|table| table.column(id()).column(column()));
        Schema::from_tables(tables.into_iter().chain([Table::new("billing").column(id())]))
    };
    let left = |include: &[&str], exclude: &[&str]| -> Vec<String> {
        let include = include.iter().map(|text| Included::try_from((*text).to_owned()).unwrap());
        let exclude = exclude.iter().map(|text| Excluded::try_from((*text).to_owned()).unwrap());
        let names = Sqlite.names(&Sqlite.offline_facts());
        let (include, exclude) = (include.collect(), exclude.collect());
        let compared = Scope { names, include, exclude }.compared(&schema());
        let shown = compared.tables.values().map(|table| {
            let columns: Vec<_> = table.columns.iter().map(|column| &*column.name).collect();
            format!("{} {}", table.name, columns.join(" "))
        });
        shown.collect()
    };
    assert_eq!(left(&["billing.*"], &["billing.total"]), ["billing.invoice id total"]);
    assert_eq!(left(&["billing"], &[]), ["billing id"]);
    let without = left(&["billing.*"], &["billing.invoice.total"]);
    assert_eq!(without, ["billing.invoice id", "billing.total id total"]);
}

#[test]
fn an_invalid_pattern_is_an_error() {
    let include = |text: &str| Included::try_from(text.to_owned()).unwrap_err();
    let exclude = |text: &str| Excluded::try_from(text.to_owned()).unwrap_err();
    let only_tables = "`include` has `index:x`, but it takes only tables; `exclude` takes columns \
                       as `table.column`, and constraints and indexes as `kind:name`";
    assert_eq!(include("index:x"), only_tables);
    let missing =
        |text| format!("`exclude` has `{text}`, in which a name is missing; `*` matches any name");
    for text in ["", ".x", "t.", "index:"] {
        assert_eq!(exclude(text), missing(text));
    }
    assert_eq!(
        exclude("idx:a"),
        "`exclude` has `idx:a`, but there is no kind `idx`; the kinds are `index`, `unique`, \
         `foreign_key`, `check`"
    );
    assert_eq!(
        exclude("a.b.c.d"),
        "`exclude` has `a.b.c.d`, but a column is written `table.column` or \
         `schema.table.column`; use `?` for a `.` in a name"
    );
}

#[test]
fn what_is_left_out_is_in_no_difference() {
    let plain = |name: &str| Table::new(name).column(id()).column(Column::new("n", Type::Integer));
    let audit = |table: Table| {
        table.foreign_key(ForeignKey::new("fk_post_n_audit", ["n"], "audit", ["id"]))
    };
    // The foreign key is compared, whatever happens to the referenced table.
    assert_eq!(
        difference(
            &[plain("gone"), plain("post")],
            &[audit(plain("post")), plain("audit")],
            scope(&[], &["audit", "gone"])
        ),
        ["add foreign key `fk_post_n_audit` to table `post`"]
    );
    // Each side has something that the other lacks.
    let mut was = plain("t").column(Column::new("old", Type::Integer)).unique("uq_old", ["n"]);
    was.indexes.push(Index::new("ix_tmp", ["n"]));
    let now = plain("t").column(Column::new("new", Type::Integer)).check("ck_t_n", "n > 0");
    let exclude = ["t.old", "t.new", "unique:uq_*", "index:*tmp*", "check:ck_t_n"];
    assert_eq!(difference(from_ref(&was), from_ref(&now), scope(&[], &exclude)), [""; 0]);
    assert_eq!(difference(from_ref(&was), from_ref(&now), scope(&["other"], &[])), [""; 0]);
    // Objects are named as in the migrations.
    let by_convention = plain("t").unique("uq_t_n", ["n"]);
    let named = plain("t").unique("kept", ["n"]);
    for exclude in ["unique:kept", "unique:uq_t_n"] {
        let scope = scope(&[], &[exclude]);
        assert_eq!(difference(from_ref(&named), from_ref(&by_convention), scope), [""; 0]);
    }
    // A table that is dropped takes along what is left out of it.
    assert_eq!(difference(&[was], &[], scope(&[], &exclude)), ["drop table `t`"]);
}

#[test]
fn what_does_not_fit_the_rest_names_the_rule() {
    let t = || Table::new("t").column(id()).column(Column::new("n", Type::Integer));
    let mut indexed = t();
    indexed.indexes.push(Index::new("ix_tmp", ["n"]));
    let said = |from: &[Table], to: &[Table], exclude: &[&str]| {
        difference(from, to, scope(&[], exclude)).join("\n")
    };
    let text = said(&[t()], &[], &[]);
    assert_eq!(text, "drop table `t`");
    let text = said(&[indexed], &[Table::new("t").column(id())], &["index:ix_*"]);
    let hint = "in dbmigrate.toml `exclude` has `index:ix_*`, which matches the index `ix_tmp`";
    assert!(text.contains(hint), "{text}");
    let keyed = t().primary_key("pk_t", ["id"]);
    let text = said(&[], &[keyed], &["t.id"]);
    let why = "the new table `t` can't be created, since a column of its primary key is left out";
    let hint = "in dbmigrate.toml `exclude` has `t.id`, which matches the column `t.id`";
    assert!(text.contains(why) && text.contains(hint), "{text}");
}

#[test]
fn a_live_database_is_compared_by_the_same_rules() {
    let mut driver = SqliteDriver::open_in_memory().unwrap();
    let sql = "CREATE TABLE \"Post\" (id INTEGER, extra TEXT, n INTEGER);
        CREATE INDEX ix_tmp_n ON post (n);
        CREATE INDEX ix_tmp_extra ON post (extra);
        CREATE TABLE audit (id INTEGER);
        CREATE TRIGGER audited AFTER INSERT ON audit BEGIN SELECT 1; END;
        CREATE TRIGGER posted AFTER INSERT ON post BEGIN SELECT 1; END;
        CREATE VIEW audits AS SELECT * FROM audit;";
    driver.batch(sql).unwrap();
    let found = driver.as_connection().catalog(None).unwrap();
    let facts = driver.as_connection().facts().unwrap();
    let post = Table::new("post")
        .column(Column::new("id", Type::Integer))
        .column(Column::new("n", Type::Integer))
        .column(Column::new("later", Type::Text));
    let expected = Schema::from_tables([
        driver.as_connection().as_kept(&post, None).unwrap().unwrap(),
        Table::new("missing").column(id()),
    ]);
    let scope = scope(&[], &["missing", "post.extra", "POST.later", "index:ix_tmp_*", "audit*"]);
    let comparing = Sqlite.comparing(&facts);
    let declared = Declared::nothing(comparing.folding);
    let of = |schema: &Schema, found: &Catalog| {
        drift(&comparing, Described { expected: schema, all: schema, declared: &declared }, found)
    };
    let drifted = of(&scope.compared(&expected), &scope.found(&found, &found.objects));
    assert_eq!(drifted.differences, []);
    assert_eq!(drifted.others, [ObjectName::new(ObjectKind::Trigger, "posted")]);
    let all = of(&expected, &found);
    assert_eq!((all.differences.len(), all.others.len()), (3, 6), "{all:?}");
    assert_eq!(compared(&found.schema, &Schema::default(), &scope).len(), 1);
}
