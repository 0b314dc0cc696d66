//! Products that speak PostgreSQL's protocol and differ from it, imitated by functions and triggers
//! that behave as they do. None of the products themselves is run.

use std::thread;

use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module};
use expect_test::expect;

use super::{Database, on_servers};
use crate::modules::module;

fn item() -> Table {
    Table::new("item")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("name", Type::Text))
        .primary_key("pk_item", ["id"])
}

static HISTORY: &[Module] = &[
    module("a1", &[], |op| op.create_table(item()), |op| op.drop_table("item")),
    module(
        "b2",
        &["a1"],
        |op| {
            op.bulk_insert("item", ["name"]).row(("one",));
            op.create_index("item", Index::new("ix_item_name", ["name"]).concurrently());
        },
        |op| op.drop_index("item", "ix_item_name"),
    ),
    module(
        "c3",
        &["b2"],
        |op| {
            op.add_column("item", Column::new("b", Type::Integer).not_null().default(7));
        },
        |op| op.drop_column("item", "b"),
    ),
];

/// Has the server call itself something else, and gives it advisory locks that do this.
fn imitate(database: &mut Database, version: &str, lock: &str) {
    let stubs: Vec<String> =
        ["pg_try_advisory_xact_lock", "pg_try_advisory_lock", "pg_advisory_unlock"]
            .iter()
            .map(|name| {
                format!(
                    "CREATE FUNCTION fake.{name}(bigint) RETURNS boolean LANGUAGE plpgsql AS \
                 $$ BEGIN {lock} END $$"
                )
            })
            .collect();
    let name = database.url.rsplit_once('/').unwrap().1.to_owned();
    database.batch(&format!(
        "CREATE SCHEMA fake;
         CREATE FUNCTION fake.version() RETURNS text LANGUAGE sql AS $$ SELECT '{version}'::text $$;
         {};
         ALTER DATABASE {name} SET search_path = fake, pg_catalog, public",
        stubs.join(";")
    ));
}

const COCKROACH: &str = "CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27)";
const NOTHING: &str = "RETURN true;";
const MISSING: &str = "RAISE undefined_function;";

#[test]
fn without_advisory_locks_each_revision_is_run_once_all_the_same() {
    on_servers(|database| {
        for (version, lock) in
            [(COCKROACH, NOTHING), (COCKROACH, MISSING), ("PostgreSQL 15.9", NOTHING)]
        {
            database.batch("DROP SCHEMA IF EXISTS fake CASCADE");
            imitate(database, version, lock);
            let url = &database.url.clone();
            thread::scope(|scope| {
                let run = || Migrator::new(HISTORY).upgrade_url(url).map_err(|err| err.report());
                let runs: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
                let mut ran: Vec<String> =
                    runs.into_iter().flat_map(|run| run.join().unwrap().unwrap()).collect();
                ran.sort();
                assert_eq!(ran, ["a1", "b2", "c3"]);
            });
            let sql = "SELECT count(*), bool_and(indisvalid) FROM pg_index \
                       WHERE indrelid = 'fake.item'::regclass";
            assert_eq!(database.conn().query(sql, &[]).unwrap().rows, [[2.into(), true.into()]]);
            let sql = "SELECT count(*) FROM fake.item";
            assert_eq!(database.conn().query(sql, &[]).unwrap().rows, [[1.into()]]);
            assert_eq!(Migrator::new(HISTORY).downgrade(url.as_str(), "base").unwrap().len(), 3);
        }
    });
}

#[test]
fn a_transaction_is_repeated_that_turns_out_not_to_be_serializable_at_its_end() {
    on_servers(|database| {
        Migrator::new(&HISTORY[..1]).upgrade_url(&database.url).unwrap();
        database.batch(
            "CREATE SEQUENCE tries;
             CREATE FUNCTION fails_twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF nextval('tries') < 3 THEN RAISE serialization_failure; END IF;
                 RETURN NULL;
             END $$;
             CREATE CONSTRAINT TRIGGER late AFTER INSERT ON dbmigrate_version
                 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fails_twice()",
        );
        let ran = Migrator::new(HISTORY).upgrade_url(&database.url).map_err(|err| err.report());
        assert_eq!(ran.unwrap(), ["b2", "c3"]);
        let sql = "SELECT last_value FROM tries";
        assert_eq!(database.conn().query(sql, &[]).unwrap().rows, [[4.into()]]);
    });
}

#[test]
fn a_product_without_changes_of_definitions_in_transactions_is_refused() {
    on_servers(|database| {
        database.batch("CREATE SCHEMA sys; CREATE TABLE sys.jobs (id int)");
        let err = Migrator::new(HISTORY).upgrade_url(&database.url).unwrap_err().report();
        if database.version == 15 {
            expect![[r#"
                failed to prepare the connection
                  caused by: the server is Amazon Aurora DSQL, which dbmigrate does not support
                  hint: use PostgreSQL 13 or later
            "#]]
            .assert_eq(&format!("{err}\n"));
        }
        assert!(err.contains("Amazon Aurora DSQL"), "{err}");
    });
}
