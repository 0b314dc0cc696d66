//! A server that follows another one can be read.

use dbmigrate_runtime::engine::driver::postgres::PostgresDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection as _};
use dbmigrate_runtime::engine::url::{Location, Url};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module};
use expect_test::expect;

use super::modules::module;
use super::server::Server;

fn table() -> Table {
    Table::new("item")
        .column(Column::new("id", Type::BigInteger).not_null())
        .column(Column::new("name", Type::String(20)).not_null().default_sql("lower('A')"))
        .primary_key("pk_item", ["id"])
        .check("ck_item_name", "name || 'x' <> 'y'")
}

static FIRST: &[Module] =
    &[module("a1", &[], |op| op.create_table(table()), |op| op.drop_table("item"))];

static SECOND: &[Module] = &[
    FIRST[0],
    module(
        "b2",
        &["a1"],
        |op| {
            op.add_column("item", Column::new("b", Type::Integer));
        },
        |op| op.drop_column("item", "b"),
    ),
];

#[test]
fn a_standby_is_read_and_not_written() {
    let hba = "local all,replication admin trust";
    let Some(primary) = Server::start("primary", hba, "max_wal_senders = 4") else { return };
    primary.sql("CREATE DATABASE app");
    Migrator::new(FIRST).upgrade_url(&primary.url("app")).unwrap();
    let standby = primary.standby();
    let url = standby.url("app");
    assert_eq!(Migrator::new(FIRST).upgrade_url(&url).unwrap(), [""; 0]);
    assert_eq!(Migrator::new(SECOND).status(url.as_str()).unwrap().pending, ["b2"]);
    let err = Migrator::new(SECOND).upgrade_url(&url).unwrap_err().report();
    expect![[r#"
        failed to prepare the connection
          caused by: the server is a standby, which follows another server and can't be written to
          hint: run it with the URL of the primary server; of several hosts in a URL, `target_session_attrs=read-write` selects it
    "#]]
    .assert_eq(&format!("{err}\n"));

    // What the server makes of an expression can't be asked: that isn't a difference.
    let Location::Server(server) = Url::parse(&url).unwrap().location else { panic!("{url}") };
    let mut driver = PostgresDriver::connect(&server).unwrap();
    let conn = driver.as_connection();
    let found = conn.catalog(None).unwrap().schema;
    let actual = found.table("item").unwrap();
    let kept = conn.all_as_kept(&[(&table(), Some(actual))]).unwrap().remove(0).unwrap();
    assert_eq!(&kept.table, actual);
    let told: Vec<String> = kept.untold.into_iter().map(|untold| untold.text).collect();
    expect![[r#"
        the condition `name || 'x' <> 'y'`: cannot execute CREATE TABLE in a read-only transaction
    "#]]
    .assert_eq(&format!("{}\n", told.join("\n")));
    let other = table().check("ck_item_id", "id > 1");
    let kept = conn.all_as_kept(&[(&other, Some(actual))]).unwrap().remove(0).unwrap();
    assert_ne!(&kept.table, actual, "another check is a difference all the same");
    assert!(!driver.in_transaction());
}
