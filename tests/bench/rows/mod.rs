//! The promises, with one row per file.

mod apply;
mod bundle;
mod derive;
mod extract;
mod fanout;
mod import;
mod in_memory;
mod light;
mod memory;
mod migrate;
mod mysql;
mod noop;
mod rebuild;
mod revisions;
mod server;
mod tables;
mod trial;

use crate::report::Line;
use crate::{Bench, Result};

/// A promise, and how it is measured.
pub struct Row {
    pub name: &'static str,
    pub what: &'static str,
    pub run: fn(&Bench) -> Result<Vec<Line>>,
}

/// All rows, in the order of the table.
pub const ALL: &[Row] = &[
    Row {
        name: "noop",
        what: "`upgrade` with nothing to do, 500 revisions applied; diesel, sqlx, refinery",
        run: noop::run,
    },
    Row {
        name: "fanout",
        what: "`upgrade --all` of 10000 files; `upgrade`, diesel, sqlx, refinery in a loop",
        run: fanout::run,
    },
    Row {
        name: "apply",
        what: "`upgrade` of 500 small revisions on a new file; the sqlite3 shell",
        run: apply::run,
    },
    Row {
        name: "rebuild",
        what: "`upgrade` that rebuilds a table of a million rows; the recipe by hand",
        run: rebuild::run,
    },
    Row {
        name: "migrate",
        what: "`migrate --dry-run` after one model of 100 changed; cargo check",
        run: migrate::run,
    },
    Row {
        name: "trial",
        what: "`migrate --dry-run` of 200 models and 100 revisions, tried and untried; cargo check",
        run: trial::run,
    },
    Row {
        name: "extract",
        what: "`migrate --dry-run` of 1000 models, nothing changed; cargo check",
        run: extract::run,
    },
    Row {
        name: "tables",
        what: "models from 1000 tables of a file; reading the catalog",
        run: tables::run,
    },
    Row {
        name: "derive",
        what: "compiling 300 models of ten fields; serde's derives",
        run: derive::run,
    },
    Row {
        name: "light",
        what: "crates and compile time of a host that only derives; serde's derives",
        run: light::run,
    },
    Row {
        name: "server-noop",
        what: "`upgrade` with nothing to do on PostgreSQL; diesel, sqlx, refinery",
        run: server::noop,
    },
    Row {
        name: "server-apply",
        what: "`upgrade` of 500 small revisions on PostgreSQL; psql",
        run: server::apply,
    },
    Row {
        name: "server-tables",
        what: "1000 tables read, checked and compared on PostgreSQL; the bare queries, cargo check",
        run: server::tables,
    },
    Row {
        name: "mariadb-noop",
        what: "`upgrade` with nothing to do on MariaDB; its own client",
        run: |bench| mysql::noop(bench, "mariadb"),
    },
    Row {
        name: "mariadb-apply",
        what: "`upgrade` of 500 small revisions on MariaDB; its own client",
        run: |bench| mysql::apply(bench, "mariadb"),
    },
    Row {
        name: "mariadb-tables",
        what: "1000 tables read, checked and compared on MariaDB; the bare queries, its own client",
        run: |bench| mysql::tables(bench, "mariadb"),
    },
    Row {
        name: "mysql-noop",
        what: "`upgrade` with nothing to do on MySQL; its own client",
        run: |bench| mysql::noop(bench, "mysql"),
    },
    Row {
        name: "mysql-apply",
        what: "`upgrade` of 500 small revisions on MySQL; its own client",
        run: |bench| mysql::apply(bench, "mysql"),
    },
    Row {
        name: "mysql-tables",
        what: "1000 tables read, checked and compared on MySQL; the bare queries, its own client",
        run: |bench| mysql::tables(bench, "mysql"),
    },
    Row {
        name: "import",
        what: "500 migrations of sqlx taken over; the client running them there, back and there",
        run: import::run,
    },
    Row {
        name: "in-memory",
        what: "1000 migrated databases in memory for tests; rusqlite running the SQL",
        run: in_memory::run,
    },
    Row {
        name: "bundle",
        what: "size of the executable of `bundle`, and its `status`; the sqlite3 shell",
        run: bundle::run,
    },
    Row { name: "memory", what: "peak memory at 1000 models; cargo's own", run: memory::run },
];
