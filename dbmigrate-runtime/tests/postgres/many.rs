//! Many databases and schemas of one history, upgraded by a program.

use std::num::NonZeroUsize;

use dbmigrate_runtime::postgres::{Client, NoTls};
use dbmigrate_runtime::schema::{Column, Table, Type};
use dbmigrate_runtime::{Migrator, Module, Options, Upgraded};

use super::modules::module;
use super::server::shared;

static HISTORY: &[Module] = &[module(
    "a1",
    &[],
    |op| {
        let id = Column::new("id", Type::BigInteger).not_null();
        op.create_table(Table::new("one").column(id).primary_key("pk_one", ["id"]));
    },
    |op| op.drop_table("one"),
)];

fn shown(results: &[Upgraded]) -> Vec<String> {
    let shown = |one: &Upgraded| match &one.result {
        Ok(applied) => format!("{}: {}", one.database, applied.join(" ")),
        Err(err) => format!("{}: {err}", one.database),
    };
    results.iter().map(shown).collect()
}

#[test]
fn schemas_and_databases_have_results_of_their_own() {
    let Some(server) = shared() else { return };
    server.sql("CREATE DATABASE customers");
    let url = |name: &str| {
        let (dir, port) = (server.dir.display(), server.port);
        format!("postgres://admin:s3cret@/{name}?host={dir}&port={port}")
    };
    let place = (server.dir.display(), server.port);
    let plain = format!("host={} port={} user=admin dbname=customers", place.0, place.1);
    let mut client = Client::connect(&plain, NoTls).unwrap();
    let create = "CREATE SCHEMA t_ada; CREATE SCHEMA \"t_B.\\ob\"; CREATE SCHEMA t_cay; \
                  CREATE TABLE t_cay.one (other int); CREATE SCHEMA other";
    client.batch_execute(create).unwrap();
    let migrator = Migrator::new(HISTORY);
    let options = Options { jobs: NonZeroUsize::new(3), ..Options::default() };
    let is_wanted = |schema: &str| schema.starts_with("t_");
    let url_of_all = url("customers");
    let ran = || shown(&migrator.upgrade_schemas(&url_of_all, is_wanted, &options).unwrap());
    let first = ran();
    assert_eq!(&first[..2], ["t_B.\\ob: a1", "t_ada: a1"]);
    assert!(first[2].starts_with("t_cay: ") && first[2].contains("`a1`"), "{}", first[2]);
    client.batch_execute("DROP TABLE t_cay.one").unwrap();
    assert_eq!(ran(), ["t_B.\\ob: ", "t_ada: ", "t_cay: a1"]);
    let sql = "SELECT string_agg(relnamespace::regnamespace::text, ' ' ORDER BY relnamespace) \
               FROM pg_class WHERE relname = 'dbmigrate_version' AND relkind = 'r'";
    let found: String = client.query_one(sql, &[]).unwrap().get(0);
    assert_eq!(found, "t_ada \"t_B.\\ob\" t_cay");

    static NAMED: &[Module] = &[module(
        "a1",
        &[],
        |op| {
            let id = Column::new("id", Type::BigInteger);
            op.create_table(Table::new("one").schema("billing").column(id));
        },
        |op| op.drop_table("billing.one"),
    )];
    let err = Migrator::new(NAMED).upgrade_schemas(&url_of_all, is_wanted, &options).unwrap_err();
    let expected = "the revisions can't be run once in each schema: table `billing.one` names its \
                    schema, and so exists only once";
    assert_eq!(err.to_string(), expected);

    let databases = migrator.upgrade_all([url("customers"), url("missing")], &options).unwrap();
    let databases = shown(&databases);
    assert!(databases.iter().all(|line| !line.contains("s3cret")), "{databases:?}");
    assert!(databases[0].ends_with(": a1"), "{databases:?}");
    assert!(databases[1].contains("missing"), "{databases:?}");
}
