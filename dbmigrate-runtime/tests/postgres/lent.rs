//! A client that a program lends keeps its own settings.

use std::collections::BTreeMap;

use dbmigrate_runtime::postgres::{Client, NoTls, SimpleQueryMessage};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module};

use super::modules::module;
use super::server::shared;

const TABLE: Module = module(
    "a1",
    &[],
    |op| {
        op.execute("CREATE TABLE one (id bigint PRIMARY KEY, at timestamptz)");
        op.run("a row", |db| {
            db.execute("INSERT INTO one VALUES (1, '2026-01-01 12:00')", ())?;
            Ok(())
        });
    },
    |op| {
        op.execute("DROP TABLE one");
    },
);

/// It runs outside a transaction.
const INDEX: Module = module(
    "b2",
    &["a1"],
    |op| {
        op.no_transaction();
        op.execute("CREATE INDEX CONCURRENTLY ix_one ON one (at)");
    },
    |op| {
        op.execute("DROP INDEX ix_one");
    },
);

const FAILURE: Module = module(
    "c3",
    &["b2"],
    |op| {
        op.no_transaction();
        op.execute("SELECT no_such_column");
    },
    |_| {},
);

static GOOD: &[Module] = &[TABLE, INDEX];
static FAILS: &[Module] = &[TABLE, INDEX, FAILURE];

/// One history for a schema of each customer, through one client.
static CUSTOMERS: &[Module] = &[module(
    "a1",
    &[],
    |op| {
        let id = Column::new("id", Type::BigInteger).not_null();
        op.create_table(Table::new("invoice").column(id).primary_key("pk_invoice", ["id"]));
        op.run("a row", |db| {
            db.execute("INSERT INTO invoice VALUES (1)", ())?;
            Ok(())
        });
    },
    |op| op.drop_table("invoice"),
)];

#[test]
fn a_lent_client_migrates_the_first_schema_of_its_search_path() {
    let Some(server) = shared() else { return };
    server.sql("CREATE DATABASE of_ada");
    let url =
        format!("host={} port={} user=admin dbname=of_ada", server.dir.display(), server.port);
    let mut client = Client::connect(&url, NoTls).unwrap();
    let migrator = Migrator::new(CUSTOMERS);
    client.batch_execute("CREATE SCHEMA ada; CREATE SCHEMA \"B b\"").unwrap();
    // What is applied in a later schema of the path doesn't count.
    assert_eq!(migrator.upgrade(&mut client).unwrap(), ["a1"]);
    for schema in ["ada", "\"B b\""] {
        client.batch_execute(&format!("SET search_path = {schema}, public")).unwrap();
        assert_eq!(migrator.status(&mut client).unwrap().pending, ["a1"]);
        assert_eq!(migrator.upgrade(&mut client).unwrap(), ["a1"], "{schema}");
        assert_eq!(migrator.upgrade(&mut client).unwrap(), [""; 0], "{schema}");
        let path = client.query_one("SHOW search_path", &[]).unwrap().get::<_, String>(0);
        assert_eq!(path, format!("{schema}, public"));
    }
    let found = "SELECT string_agg(relnamespace::regnamespace || '.' || relname, ', ' \
                 ORDER BY relname, relnamespace::regnamespace::text) FROM pg_class \
                 WHERE relkind = 'r' AND relname IN ('invoice', 'dbmigrate_version')";
    assert_eq!(
        client.query_one(found, &[]).unwrap().get::<_, String>(0),
        "\"B b\".dbmigrate_version, ada.dbmigrate_version, public.dbmigrate_version, \
         \"B b\".invoice, ada.invoice, public.invoice"
    );
    // One that doesn't exist is not passed over.
    migrator.downgrade(&mut client, "base").unwrap();
    client.batch_execute("SET search_path = public").unwrap();
    migrator.downgrade(&mut client, "base").unwrap();
    client.batch_execute("SET search_path = cay, public").unwrap();
    let err = migrator.upgrade(&mut client).unwrap_err().report();
    let expected = "failed to prepare the connection\n  caused by: the schema `cay` is the first one \
                    of `search_path`, but it does not exist, or the role has no right to use it";
    assert_eq!(err, expected);
}

fn settings(client: &mut Client) -> BTreeMap<String, String> {
    let rows = client.simple_query("SELECT name, setting FROM pg_settings").unwrap();
    let pair = |row| match row {
        SimpleQueryMessage::Row(row) => {
            Some((row.get(0)?.to_owned(), row.get(1).unwrap_or_default().to_owned()))
        }
        _ => None,
    };
    rows.into_iter().filter_map(pair).collect()
}

#[test]
fn a_lent_client_keeps_its_settings() {
    let Some(server) = shared() else { return };
    server.sql("CREATE DATABASE lent");
    let url = format!(
        "host={} port={} user=admin dbname=lent application_name=mine",
        server.dir.display(),
        server.port
    );
    let mut client = Client::connect(&url, NoTls).unwrap();
    client
        .batch_execute(
            "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; SET lock_timeout = '7s';
             SET IntervalStyle = 'iso_8601'; SET bytea_output = 'escape'; SET role = admin;
             SET extra_float_digits = 0; SET statement_timeout = '1min';
             SET idle_in_transaction_session_timeout = '2min'; SET quote_all_identifiers = on;
             SET default_transaction_isolation = 'serializable'; SET search_path = public;
             SET default_transaction_read_only = on; SET standard_conforming_strings = off;
             CREATE TEMP TABLE kept (a int); PREPARE kept AS SELECT 1",
        )
        .unwrap();
    let before = settings(&mut client);
    let check = |client: &mut Client| {
        let after = settings(client);
        let differs = |(name, value): &(&String, &String)| after.get(*name) != Some(*value);
        let changed: Vec<_> = before.iter().filter(differs).collect();
        assert!(changed.is_empty(), "{changed:?}");
        client.batch_execute("EXECUTE kept; SELECT a FROM kept").unwrap();
        let sql = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
        assert_eq!(client.query(sql, &[]).unwrap().len(), 0);
        // No transaction is left open.
        client.batch_execute("VACUUM kept").unwrap();
    };
    let migrator = Migrator::new(GOOD);
    assert_eq!(migrator.upgrade(&mut client).unwrap(), ["a1", "b2"]);
    check(&mut client);
    let row = client.query_one("SELECT at = '2026-01-01 12:00Z' FROM one", &[]).unwrap();
    assert!(row.get::<_, bool>(0), "the step ran in UTC");
    assert_eq!(migrator.status(&mut client).unwrap().pending, [""; 0]);
    check(&mut client);

    let err = Migrator::new(FAILS).upgrade(&mut client).unwrap_err().report();
    assert!(err.contains("no_such_column"), "{err}");
    check(&mut client);

    assert_eq!(migrator.downgrade(&mut client, "base").unwrap(), ["b2", "a1"]);
    check(&mut client);

    // A transaction of the program's isn't taken part in.
    client.batch_execute("BEGIN").unwrap();
    let err = migrator.upgrade(&mut client).unwrap_err().to_string();
    let expected = "the connection has an open transaction, but migrations need one of their own";
    assert_eq!(err, expected);
    client.batch_execute("SELECT no_such_column").unwrap_err();
    assert_eq!(migrator.upgrade(&mut client).unwrap_err().to_string(), expected);
    client.batch_execute("ROLLBACK").unwrap();
}
