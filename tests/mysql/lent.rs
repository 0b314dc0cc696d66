//! Connections that a program lends have their settings afterwards, whatever happens.

use dbmigrate_runtime::mysql::Row;
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module};
use dbmigrate_tests::modules;
use dbmigrate_tests::servers::{self, mysql_client};

pub(super) const fn module(
    name: &'static str,
    down: &'static [&'static str],
    upgrade: fn(&mut Operations),
) -> Module {
    modules::module(name, down, upgrade, |op| op.drop_table("item"))
}

pub(super) fn items(op: &mut Operations) {
    op.create_table(
        Table::new("item")
            .column(Column::new("id", Type::BigInteger).not_null())
            .column(Column::new("name", Type::String(100)).not_null())
            .primary_key("pk_item", ["id"]),
    );
    op.bulk_insert("item", ["id", "name"]).row((1, "one")).row((2, "two"));
}

fn fails(op: &mut Operations) {
    op.run("fail", |_| Err("on purpose".into()));
}

pub(super) const MODULES: &[Module] = &[module("m1", &[], items)];
const FAILING: &[Module] = &[module("m1", &[], items), module("m2", &["m1"], fails)];

const SETTINGS: &str = "SELECT @@sql_mode, @@time_zone, @@autocommit, @@lock_wait_timeout, \
                        @@character_set_client, @@collation_connection, @@foreign_key_checks";

#[test]
fn a_connection_gets_its_settings_back() {
    for server in servers::mysql("a_connection_gets_its_settings_back") {
        let mut conn = mysql_client(&server.database());
        conn.query_drop(
            "SET NAMES latin1, sql_mode = 'NO_BACKSLASH_ESCAPES', time_zone = '+02:00'",
        )
        .expect("settings");
        conn.query_drop("SET lock_wait_timeout = 77, foreign_key_checks = 0").expect("settings");
        let settings = |conn: &mut dbmigrate_runtime::mysql::Conn| {
            let row: Option<Row> = conn.query_first(SETTINGS).expect("settings");
            format!("{:?}", row.expect("a row").unwrap())
        };
        let before = settings(&mut conn);
        assert_eq!(Migrator::new(MODULES).upgrade(&mut conn).expect("it is migrated"), ["m1"]);
        assert_eq!(settings(&mut conn), before);
        let err = Migrator::new(FAILING).upgrade(&mut conn).expect_err("it fails");
        assert!(err.to_string().contains("on purpose"), "{}", err.report());
        assert_eq!(settings(&mut conn), before);
        let n: Option<i64> = conn.query_first("SELECT COUNT(*) FROM item").expect("rows");
        assert_eq!(n, Some(2));
        assert!(Migrator::new(MODULES).is_up_to_date(&mut conn).expect("it is read"));
        assert_eq!(
            Migrator::new(MODULES).downgrade(&mut conn, "base").expect("it is undone"),
            ["m1"]
        );
    }
}

#[test]
fn an_open_transaction_is_refused() {
    for server in servers::mysql("an_open_transaction_is_refused") {
        let mut conn = mysql_client(&server.database());
        conn.query_drop("CREATE TABLE own (id INT)").expect("a table");
        conn.query_drop("START TRANSACTION").expect("a transaction");
        conn.query_drop("INSERT INTO own VALUES (1)").expect("a row");
        let err = Migrator::new(MODULES).upgrade(&mut conn).expect_err("it is refused");
        assert!(err.to_string().contains("transaction"), "{}", err.report());
        conn.query_drop("ROLLBACK").expect("it is still open");
        let n: Option<i64> = conn.query_first("SELECT COUNT(*) FROM own").expect("rows");
        assert_eq!(n, Some(0), "{}", server.name);
    }
}

/// What a program's own mode lets pass, such as a text that is cut to fit, stops a revision.
#[test]
fn a_lenient_connection_is_strict_while_it_migrates() {
    const NARROWS: fn(&mut Operations) = |op| {
        op.alter_column("item", "name", ColumnChange::new().ty(Type::String(2)));
    };
    const NARROWER: &[Module] = &[module("m1", &[], items), module("m2", &["m1"], NARROWS)];
    for server in servers::mysql("a_lenient_connection_is_strict_while_it_migrates") {
        let mut conn = mysql_client(&server.database());
        conn.query_drop("SET sql_mode = ''").expect("a lenient mode");
        let err = Migrator::new(NARROWER).upgrade(&mut conn).expect_err("it would cut texts");
        assert!(err.report().contains("`name`"), "{}", err.report());
        let names: Vec<String> = conn.query("SELECT name FROM item ORDER BY id").expect("rows");
        assert_eq!(names, ["one", "two"]);
        let mode: Option<String> = conn.query_first("SELECT @@sql_mode").expect("the mode");
        assert_eq!(mode.as_deref(), Some(""));
    }
}
