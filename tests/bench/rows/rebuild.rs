//! The rebuild of a table with a million rows, an index, and rows that refer to it.

use std::fs;

use crate::figures::Unit::Milliseconds;
use crate::hosts::{Derive, Host};
use crate::report::Line;
use crate::{Bench, Result, measure, rivals};

const AT_MOST: f64 = 1.0;

/// The initial state for both.
const BEFORE: &str = r#"
CREATE TABLE "item" (
    "id" INTEGER NOT NULL CONSTRAINT "pk_item" PRIMARY KEY,
    "code" VARCHAR(20) NOT NULL,
    "name" VARCHAR(100),
    "amount" INTEGER NOT NULL
);
CREATE INDEX "ix_item_amount" ON "item" ("amount");
CREATE TABLE "part" (
    "id" INTEGER NOT NULL CONSTRAINT "pk_part" PRIMARY KEY,
    "item_id" INTEGER NOT NULL
        CONSTRAINT "fk_part_item_id_item" REFERENCES "item" ("id") ON DELETE CASCADE
);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
INSERT INTO "item" SELECT i, printf('c%08d', i * 7919 % 1000003), 'the name of item ' || i, i % 977 FROM n;
INSERT INTO "part" SELECT id, id FROM "item" WHERE id % 100 = 0;
COMMIT;
"#;

/// The procedure of sqlite.org's `lang_altertable.html`, section 7, written by hand.
const BY_HAND: &str = r#"
PRAGMA foreign_keys = OFF;
BEGIN;
CREATE TABLE "new_item" (
    "id" INTEGER NOT NULL CONSTRAINT "pk_item" PRIMARY KEY,
    "code" VARCHAR(20) NOT NULL,
    "name" TEXT,
    "amount" INTEGER NOT NULL,
    CONSTRAINT "uq_item_code" UNIQUE ("code")
);
INSERT INTO "new_item" ("id", "code", "name", "amount")
    SELECT "id", "code", "name", "amount" FROM "item";
DROP TABLE "item";
ALTER TABLE "new_item" RENAME TO "item";
CREATE INDEX "ix_item_amount" ON "item" ("amount");
PRAGMA foreign_key_check;
COMMIT;
PRAGMA foreign_keys = ON;
"#;

const FIRST: &str = r#"//! items

use dbmigrate_runtime::prelude::*;

pub const REVISION: &str = "000000000001";
pub const DOWN_REVISION: &[&str] = &[];
pub const BRANCH_LABELS: &[&str] = &[];
pub const DEPENDS_ON: &[&str] = &[];

pub fn upgrade(op: &mut Operations) {
    op.create_table(
        Table::new("item")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("code", Type::String(20)).not_null())
            .column(Column::new("name", Type::String(100)))
            .column(Column::new("amount", Type::Integer).not_null())
            .primary_key("pk_item", ["id"]),
    );
    op.create_index("item", Index::new("ix_item_amount", ["amount"]));
}

pub fn downgrade(op: &mut Operations) {
    op.drop_table("item");
}
"#;

const SECOND: &str = r#"//! codes are unique

use dbmigrate_runtime::prelude::*;

pub const REVISION: &str = "000000000002";
pub const DOWN_REVISION: &[&str] = &["000000000001"];
pub const BRANCH_LABELS: &[&str] = &[];
pub const DEPENDS_ON: &[&str] = &[];

pub fn upgrade(op: &mut Operations) {
    op.alter_column("item", "name", ColumnChange::new().ty(Type::Text));
    op.add_unique("item", Unique::new("uq_item_code", ["code"]));
}

pub fn downgrade(op: &mut Operations) {
    op.drop_unique("item", "uq_item_code");
    op.alter_column("item", "name", ColumnChange::new().ty(Type::String(100)));
}
"#;

pub fn run(bench: &Bench) -> Result<Vec<Line>> {
    let what = "a table of a million rows rebuilt";
    let Some(shell) = rivals::version(rivals::SQLITE3, &["--version"]) else {
        let why = format!("not installed, `{}`", rivals::SQLITE3_INSTALL);
        return Ok(vec![Line::not_measured(what, rivals::SQLITE3, &why)]);
    };
    let host = Host::new(bench, "rebuild", Derive::Model, 1)?;
    measure::output(&mut host.tool(&["init", "--no-add"]))?;
    host.write("migrations/versions/m1_000000000001_items.rs", FIRST)?;
    host.write("migrations/versions/m2_000000000002_codes.rs", SECOND)?;
    let (full, db) = (bench.dir.join("full.db"), host.dir.join("app.db"));
    let theirs = bench.dir.join("by_hand.db");
    for path in [&full, &db] {
        remove(path)?;
    }
    shell_runs(bench, &full, BEFORE)?;
    fs::copy(&full, &db)?;
    measure::output(&mut host.tool(&["stamp", "000000000001"]))?;
    fs::copy(&db, &full)?;
    let samples = measure::in_turn(
        bench.n_runs.min(7),
        [
            &mut || {
                fs::copy(&full, &db)?;
                fs::File::open(&db)?.sync_all()?;
                let mut upgrade = host.tool(&["upgrade"]);
                Ok(measure::cost(&mut upgrade, &bench.dir, "Running upgrade")?.wall_ms)
            },
            &mut || {
                fs::copy(&full, &theirs)?;
                fs::File::open(&theirs)?.sync_all()?;
                shell_runs(bench, &theirs, BY_HAND)
            },
        ],
    )?;
    let [ours, theirs] = &samples;
    let line = Line::new(what, Milliseconds, ours).beside(
        format!("{shell}, by hand"),
        Milliseconds,
        theirs,
    );
    Ok(vec![line.ratio(ours, theirs, AT_MOST)])
}

fn shell_runs(bench: &Bench, db: &std::path::Path, sql: &str) -> Result<f64> {
    let mut shell = measure::command(rivals::SQLITE3, &bench.dir);
    let script = bench.dir.join("script.sql");
    fs::write(&script, sql)?;
    shell.arg("-bail").arg(db).stdin(fs::File::open(&script)?);
    Ok(measure::cost(&mut shell, &bench.dir, "")?.wall_ms)
}

fn remove(db: &std::path::Path) -> Result<()> {
    match fs::remove_file(db) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(err.into()),
        _ => Ok(()),
    }
}
