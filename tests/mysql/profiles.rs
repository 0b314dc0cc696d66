//! Products that speak MySQL's protocol and differ from it, imitated in front of MySQL itself. None
//! of the products themselves is run.

use std::thread;
use std::time::Duration;

use dbmigrate_runtime::engine::driver::mysql::{Cluster, Product};
use dbmigrate_runtime::mysql::prelude::Queryable as _;
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module, Options};
use dbmigrate_tests::modules::module;
use dbmigrate_tests::servers::{self, Server, mysql_client};
use expect_test::expect;

use crate::imitation::{behind, own_locks};

static HISTORY: &[Module] = &[
    module(
        "a1",
        &[],
        |op| {
            op.create_table(
                Table::new("item")
                    .column(Column::new("id", Type::BigInteger).not_null())
                    .column(Column::new("name", Type::String(100)).not_null())
                    .primary_key("pk_item", ["id"])
                    .check("ck_item_name", "name <> ''"),
            );
            op.bulk_insert("item", ["name"]).row(("one",)).row(("two",));
        },
        |op| op.drop_table("item"),
    ),
    module(
        "b2",
        &["a1"],
        |op| {
            op.add_column("item", Column::new("size", Type::Integer).not_null().default(7));
            op.create_index("item", Index::new("ix_item_name", ["name"]));
            op.execute("UPDATE item SET size = size + 1");
            op.run("double the sizes", |db| {
                db.execute("UPDATE item SET size = size * 2", ())?;
                Ok(())
            });
            op.alter_column("item", "size", ColumnChange::new().ty(Type::BigInteger));
        },
        |op| {
            op.drop_index("item", "ix_item_name");
            op.drop_column("item", "size");
        },
    ),
];

/// The servers of MySQL itself.
fn originals(test: &str) -> impl Iterator<Item = Server> {
    servers::mysql(test).into_iter().filter(|server| server.name.starts_with("mysql"))
}

/// Upgrades from several programs at once, and back.
#[track_caller]
fn check(url: &str, behind: &str, has_lease: bool) {
    thread::scope(|scope| {
        let run = || Migrator::new(HISTORY).upgrade_url(behind).map_err(|err| err.report());
        let runs: Vec<_> = (0..6).map(|_| scope.spawn(run)).collect();
        let ran = runs.into_iter().flat_map(|run| run.join().unwrap().unwrap());
        let mut ran: Vec<String> = ran.collect();
        ran.sort();
        assert_eq!(ran, ["a1", "b2"]);
    });
    let mut conn = mysql_client(url);
    let rows: Vec<(String, i64)> = conn.query("SELECT name, size FROM item ORDER BY id").unwrap();
    assert_eq!(rows, [("one".to_owned(), 16), ("two".to_owned(), 16)]);
    let tables: Vec<String> = conn.query("SHOW TABLES LIKE 'dbmigrate_lock'").unwrap();
    assert_eq!(!tables.is_empty(), has_lease);
    assert_eq!(Migrator::new(HISTORY).downgrade(behind, "base").unwrap(), ["b2", "a1"]);
}

const AS_TIDB: [(&str, &str); 6] = [
    ("VERSION()", "'8.0.11-TiDB-v8.5.0'"),
    ("@@GLOBAL.tidb_enable_check_constraint", "1"),
    // A statement can't assert these.
    ("ALGORITHM=", "NOT_ASSERTED="),
    // It says nothing about an open transaction.
    ("SET TRANSACTION READ WRITE", "DO 0"),
    // A setting that it lacks.
    ("SESSION sql_auto_is_null", "SESSION no_such_setting"),
    ("performance_schema.processlist", "performance_schema.no_such_table"),
];

fn changed(sql: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(sql.to_owned(), |sql, (from, to)| sql.replace(from, to))
}

#[test]
fn tidb_is_migrated_with_and_without_named_locks() {
    for server in originals("tidb_is_migrated_with_and_without_named_locks") {
        let url = server.database();
        let tidb = behind(&url, |_, sql| changed(sql, &AS_TIDB));
        assert_eq!(crate::driver(&tidb).profile().product, Product::Tidb);
        check(&url, &tidb, false);
        let url = server.database();
        let lockless = behind(&url, |_, sql| {
            changed(&changed(sql, &AS_TIDB), &[("GET_LOCK(", "NO_SUCH_FUNCTION(")])
        });
        check(&url, &lockless, true);
    }
}

#[test]
fn tidb_that_ignores_checks_is_refused() {
    for server in originals("tidb_that_ignores_checks_is_refused") {
        let url = behind(&server.database(), |_, sql| {
            let sql = sql.replace("@@GLOBAL.tidb_enable_check_constraint", "0");
            changed(&sql, &AS_TIDB)
        });
        let err = Migrator::new(HISTORY).upgrade_url(&url).expect_err("it is refused");
        let text = err.report();
        expect![[r#"
            the server is TiDB 8.5.0, which is set to ignore checks
              hint: let an administrator run `SET GLOBAL tidb_enable_check_constraint = ON`"#]]
        .assert_eq(text.split_once(": ").map_or("", |(_, text)| text));
    }
}

#[test]
fn vitess_is_migrated_with_a_lease() {
    for server in originals("vitess_is_migrated_with_a_lease") {
        let url = server.database();
        let vitess = behind(&url, |number, sql| {
            // Without a reserved connection, a lock is some other session's.
            own_locks(
                number,
                &changed(
                    sql,
                    &[
                        ("VERSION()", "'8.0.30-Vitess'"),
                        ("SET SESSION ddl_strategy = 'direct'", "DO 0"),
                        ("SESSION max_execution_time", "SESSION no_such_setting"),
                    ],
                ),
            )
        });
        assert_eq!(crate::driver(&vitess).profile().product, Product::Vitess);
        check(&url, &vitess, true);
    }
}

/// So also where less time is left than a statement waits for rows otherwise.
#[test]
fn a_product_without_a_setting_is_migrated() {
    for server in originals("a_product_without_a_setting_is_migrated") {
        let url = server.database();
        let product = behind(&url, |_, sql| {
            let unset = ("SESSION innodb_lock_wait_timeout", "SESSION no_such_setting");
            changed(&changed(sql, &AS_TIDB), &[unset])
        });
        let options = Options { lock_timeout: Duration::from_secs(5), ..Options::default() };
        let ran = Migrator::new(HISTORY).upgrade_with(&product, "head", &options);
        assert_eq!(ran.expect("it is migrated").len(), HISTORY.len());
    }
}

#[test]
fn a_lock_that_is_not_answered_with_1_is_none() {
    for server in originals("a_lock_that_is_not_answered_with_1_is_none") {
        for answer in ["NULL", "2", "'yes'"] {
            let url = server.database();
            let other = match answer {
                "NULL" => behind(&url, |_, sql| without_lock(sql, "NULL")),
                "2" => behind(&url, |_, sql| without_lock(sql, "2")),
                _ => behind(&url, |_, sql| without_lock(sql, "'yes'")),
            };
            check(&url, &other, true);
        }
    }
}

/// The same with this answer to a named lock.
fn without_lock(sql: &str, answer: &str) -> String {
    let is_lock = sql.starts_with("SELECT GET_LOCK(") && sql.ends_with(", 0)");
    if is_lock { format!("SELECT {answer}") } else { sql.to_owned() }
}

#[test]
fn a_group_in_which_every_member_is_written_to_takes_a_lease() {
    for server in originals("a_group_in_which_every_member_is_written_to_takes_a_lease") {
        let url = server.database();
        let member = behind(&url, |_, sql| {
            if sql.contains("@@group_replication_single_primary_mode = 0") {
                "SELECT 1".to_owned()
            } else {
                sql.to_owned()
            }
        });
        let cluster = crate::driver(&member).profile().cluster;
        assert_eq!(cluster, Some(Cluster::GroupReplication));
        check(&url, &member, true);
    }
}
