//! The version table in a schema of its own.

use dbmigrate_runtime::postgres::{Client, NoTls};
use dbmigrate_runtime::schema::{Column, Index, Table, Type};
use dbmigrate_runtime::{Migrator, Module, Options};

use super::modules::module;
use super::server::shared;

const TABLE: Module = module(
    "a1",
    &[],
    |op| {
        let id = Column::new("id", Type::BigInteger).not_null();
        op.create_table(Table::new("one").column(id).primary_key("pk_one", ["id"]));
    },
    |op| {
        op.drop_table("one");
    },
);

/// It runs in groups, so that what it did is kept in the ledger.
const INDEX: Module = module(
    "b2",
    &["a1"],
    |op| {
        op.create_index("one", Index::new("ix", ["id"]).concurrently());
    },
    |op| {
        op.drop_index("one", "ix");
    },
);

static FIRST: &[Module] = &[TABLE];
static BOTH: &[Module] = &[TABLE, INDEX];

#[test]
fn a_version_table_in_a_schema_of_its_own_is_found_there() {
    let Some(server) = shared() else { return };
    server.sql("CREATE DATABASE kept_apart");
    let place = (server.dir.display(), server.port);
    let url = format!("host={} port={} user=admin dbname=kept_apart", place.0, place.1);
    let mut client = Client::connect(&url, NoTls).unwrap();
    client.batch_execute("CREATE SCHEMA kept").unwrap();
    let options = Options { version_table_schema: "kept".to_owned(), ..Options::default() };
    let first = Migrator::new(FIRST);
    assert_eq!(first.upgrade_with(&mut client, "head", &options).unwrap(), ["a1"]);
    assert_eq!(first.upgrade_with(&mut client, "head", &options).unwrap(), [""; 0]);
    let both = Migrator::new(BOTH);
    assert_eq!(both.status_with(&mut client, &options).unwrap().pending, ["b2"]);
    // In an open transaction too, in which a failed query would end everything.
    client.batch_execute("BEGIN").unwrap();
    assert_eq!(both.status_with(&mut client, &options).unwrap().applied, ["a1"]);
    client.batch_execute("COMMIT").unwrap();
    assert_eq!(both.upgrade_with(&mut client, "head", &options).unwrap(), ["b2"]);
    assert_eq!(both.downgrade_with(&mut client, "base", &options).unwrap(), ["b2", "a1"]);
    let sql = "SELECT count(*) FROM pg_class WHERE relname LIKE 'dbmigrate%' \
               AND relkind = 'r' AND relnamespace <> 'kept'::regnamespace";
    assert_eq!(client.query_one(sql, &[]).unwrap().get::<_, i64>(0), 0);
}
