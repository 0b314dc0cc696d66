//! Databases that other tools created, compared with models of the same tables.

use dbmigrate_runtime::engine::dialect::{Dialect as _, Sqlite};
use dbmigrate_runtime::engine::drift::{Declared, Described, drift};
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Driver as _};
use dbmigrate_runtime::schema::{IndexColumn, ReferentialAction};
use expect_test::{Expect, expect};

use super::super::{between, found};
use super::*;

/// Expects the operations from a database, in terms of the known schemas, to the first of them.
#[track_caller]
fn check(known: &[&Schema], sql: &str, expect: Expect) {
    let mut driver = SqliteDriver::open_in_memory().unwrap();
    driver.batch(sql).unwrap();
    let facts = driver.as_connection().facts().unwrap();
    let actual = driver.as_connection().catalog(None).unwrap();
    assert_eq!(actual.unreadable, []);
    let driver = std::cell::RefCell::new(driver);
    let stored = |table: &Table, actual: &Table| {
        driver.borrow_mut().as_connection().as_kept(table, Some(actual)).unwrap().ok()
    };
    let naming = Convention::default();
    let comparing = Sqlite.comparing(&facts);
    let rules = StorageRules { stored: &stored, comparing, naming: &naming };
    let translated = translate(&actual.schema, known, &rules);
    let lines: String = between(&translated, known[0])
        .iter()
        .map(|operation| format!("{}\n", found(operation)))
        .collect();
    expect.assert_eq(&lines);
    // Tables that are equal in the database's terms must be equal in the adopted terms, and vice
    // versa.
    let has = |table: &Table| {
        actual.schema.tables.values().find(|own| own.name.eq_ignore_ascii_case(&table.name))
    };
    let kept =
        known[0].tables.values().map(|table| stored(table, has(table).unwrap_or(table)).unwrap());
    let kept = Schema::from_tables(kept);
    let drift = drift(
        &comparing,
        Described {
            expected: &kept,
            all: known[0],
            declared: &Declared::nothing(comparing.folding),
        },
        &actual,
    );
    assert_eq!(drift.differences.is_empty(), lines.is_empty(), "{:#?}", drift.differences);
}

fn models() -> Schema {
    let mut user = Table::new("user")
        .comment("people")
        .column(Column::new("id", Type::BigInteger).not_null().comment("key"))
        .column(Column::new("name", Type::String(50)).not_null().default(""))
        .column(Column::new("age", Type::SmallInteger).default(0))
        .column(Column::new("active", Type::Boolean).not_null().default(false))
        .column(Column::new("kind", Type::enumeration("kind", ["a", "b's"])))
        .column(Column::new("balance", Type::Decimal(10, 2)).collate("NOCASE"))
        .column(Column::new("half", Type::Integer).generated_virtual("age / 2"))
        .column(Column::new("raw", Type::raw("")).default_now())
        .primary_key("pk_user", ["id"])
        .unique("uq_user_name_age", ["name", "age"])
        .check("ck_user_age", "user.age >= 0");
    user.indexes.push(Index::new("ix_user_age", ["age"]).filter("active"));
    user.indexes.push(
        Index::new("ix_user_lower", ["kind"]).column(IndexColumn::expression("lower(name)").desc()),
    );
    let post = Table::new("reply-to")
        .column(Column::new("id", Type::Integer).not_null().autoincrement(true))
        .column(Column::new("author id", Type::BigInteger))
        .primary_key("pk_reply-to", ["id"])
        .foreign_key(
            ForeignKey::new("fk_reply-to_author id_user", ["author id"], "user", ["id"])
                .on_delete(ReferentialAction::Cascade),
        );
    Schema::from_tables([user, post])
}

const SAME: &str = "
    CREATE TABLE [USER] -- the people
    (
        ID integer CONSTRAINT key PRIMARY KEY, /* a, b) */
        name varchar ( 50 ) not null default \"\",
        `Age` INTEGER DEFAULT (0) CHECK (age>=0),
        active BOOLEAN NOT NULL DEFAULT FALSE,
        kind TEXT CHECK ([kind] in ('a', 'b''s')),
        balance TEXT COLLATE nocase,
        half INTEGER AS (age
            / 2),
        raw DEFAULT CURRENT_TIMESTAMP,
        UNIQUE (Name, age)
    );
    CREATE INDEX ix_user_age ON user (AGE) WHERE (active);
    CREATE INDEX ix_user_lower ON user (kind, lower(\"name\") DESC);
    CREATE TABLE 'reply-to' (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        \"author id\" INTEGER REFERENCES User ON DELETE CASCADE
    );
";

#[test]
fn what_is_the_same_in_other_words_is_no_difference() {
    check(&[&models()], SAME, expect![[""]]);
    let others = "
        CREATE TABLE other (a, b);
        CREATE INDEX theirs ON user (age, name);
        CREATE INDEX again ON user (age) WHERE active;
        CREATE VIEW names AS SELECT name FROM user;
        CREATE TRIGGER log AFTER DELETE ON user BEGIN SELECT 1; END;
    ";
    check(&[&models()], &format!("{SAME}{others}"), expect![[""]]);
    for default in ["DEFAULT '0'", "DEFAULT +0", "DEFAULT 0x0", "DEFAULT 0.0", "DEFAULT FALSE"] {
        differs("DEFAULT (0)", default, expect![[""]]);
    }
    differs("raw DEFAULT CURRENT_TIMESTAMP", "raw DEFAULT (datetime('now'))", expect![[""]]);
    differs("ON user (AGE)", "ON user (age COLLATE binary)", expect![[""]]);
    differs("TEXT COLLATE nocase", "TEXT COLLATE NOCASE NULL", expect![[""]]);
    for ty in ["decimal(10,2)", "NUMERIC(10, 2)", "Numeric", "DECIMAL"] {
        differs("balance TEXT", &format!("balance {ty}"), expect![[""]]);
    }
    // The default actions of a foreign key may be written out, in any case and order.
    for actions in ["on delete cascade", "ON UPDATE NO ACTION ON DELETE Cascade"] {
        differs("ON DELETE CASCADE", actions, expect![[""]]);
        let there = format!("{actions} NOT DEFERRABLE INITIALLY IMMEDIATE");
        differs("ON DELETE CASCADE", &there, expect![[""]]);
    }
}

#[track_caller]
fn differs(from: &str, to: &str, expect: Expect) {
    assert!(SAME.contains(from), "{from}");
    check(&[&models()], &SAME.replace(from, to), expect);
}

#[test]
fn a_difference_is_told_in_the_words_of_the_models() {
    differs(
        "DEFAULT (0)",
        "DEFAULT '1'",
        expect![[r#"
        changed column `user.age`: default
    "#]],
    );
    differs(
        "ID integer",
        "ID BIGINT",
        expect![[r#"
        changed column `user.id`: type to big integer, to NOT NULL
    "#]],
    );
    differs(
        "varchar ( 50 )",
        "varchar(60)",
        expect![[r#"
        changed column `user.name`: type to string(50)
    "#]],
    );
    differs(
        "not null default",
        "default",
        expect![[r#"
        changed column `user.name`: to NOT NULL
    "#]],
    );
    differs(
        "DEFAULT FALSE",
        "DEFAULT 'FALSE'",
        expect![[r#"
        changed column `user.active`: default
    "#]],
    );
    differs(
        "in ('a', 'b''s')",
        "in ('a')",
        expect![[r#"
        changed column `user.kind`: type to enum kind(a, b's)
    "#]],
    );
    differs(
        "CHECK ([kind] in ('a', 'b''s'))",
        "",
        expect![[r#"
        changed column `user.kind`: type to enum kind(a, b's)
    "#]],
    );
    differs(
        "CHECK (age>=0)",
        "CHECK (age>0)",
        expect![[r#"
        removed check `ck_user_1322b302` on `user`
        added check `ck_user_age` on `user`
    "#]],
    );
    differs(
        "COLLATE nocase",
        "",
        expect![[r#"
        changed column `user.balance`: collation
    "#]],
    );
    differs(
        "/ 2)",
        "/ 2) STORED",
        expect![[r#"
        changed column `user.half`: generated expression
    "#]],
    );
    differs(
        "raw DEFAULT CURRENT_TIMESTAMP",
        "raw DEFAULT (date())",
        expect![[r#"
        changed column `user.raw`: default
    "#]],
    );
    differs(
        "UNIQUE (Name, age)",
        "UNIQUE (age, name)",
        expect![[r#"
        removed unique constraint `uq_user_age_name` on `user`
        added unique constraint `uq_user_name_age` on `user`
    "#]],
    );
    differs(
        "UNIQUE (Name, age)",
        "CONSTRAINT theirs UNIQUE (Name, age)",
        expect![[r#"
        removed unique constraint `theirs` on `user`
        added unique constraint `uq_user_name_age` on `user`
    "#]],
    );
    differs(
        "(AGE)",
        "(AGE DESC)",
        expect![[r#"
        removed index `ix_user_age` on `user`
        added index `ix_user_age` on `user`
    "#]],
    );
    differs(
        "ix_user_age ON",
        "ix_theirs ON",
        expect![[r#"
        index `ix_theirs` on `user` renamed to `ix_user_age`
    "#]],
    );
    differs(
        "AUTOINCREMENT",
        "",
        expect![[r#"
        changed column `reply-to.id`: autoincrement
    "#]],
    );
    differs(
        "ON DELETE CASCADE",
        "",
        expect![[r#"
        removed foreign key `fk_reply-to_author id_user` on `reply-to`
        added foreign key `fk_reply-to_author id_user` on `reply-to`
    "#]],
    );
    differs(
        "raw DEFAULT",
        "more TEXT, raw DEFAULT",
        expect![[r#"
        removed column `user.more`
    "#]],
    );
    differs(
        ", \n        \"author id\" INTEGER".trim_start_matches(", \n        "),
        "author INTEGER",
        expect![[r#"
            removed foreign key `fk_reply-to_author_user` on `reply-to`
            added column `reply-to.author id`
            added foreign key `fk_reply-to_author id_user` on `reply-to`
            removed column `reply-to.author`
        "#]],
    );
}

#[test]
fn the_words_are_of_the_first_schema_that_fits() {
    let mut changed = models();
    let user = changed.tables.get_mut("user").unwrap();
    user.columns[2].ty = Type::Text;
    user.columns[1].ty = Type::Text;
    user.indexes.pop();
    user.uniques.clear();
    user.checks[0].expression = "age > 1".into();
    // What the models don't know is adopted from the migrations, not left in the database's terms.
    check(
        &[&changed, &models()],
        SAME,
        expect![[r#"
        removed index `ix_user_lower` on `user`
        removed check `ck_user_age` on `user`
        removed unique constraint `uq_user_name_age` on `user`
        changed column `user.name`: type to text
        changed column `user.age`: type to text
        added check `ck_user_age` on `user`
    "#]],
    );
    // A table that only the migrations know is one that the models no longer have.
    changed.tables.remove("reply-to");
    check(&[&Schema::default(), &models()], "CREATE TABLE other (a)", expect![[""]]);
}
