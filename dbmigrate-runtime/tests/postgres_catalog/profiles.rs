//! Products that speak PostgreSQL's protocol and differ from it, imitated by functions and triggers
//! that behave as they do. None of the products themselves is run.

use std::thread;

use dbmigrate_runtime::engine::driver::postgres::PostgresDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection as _};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Migrator, Module, Value};

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

/// Has the server take one change of a definition in a transaction, and no rows beside it, as Aurora
/// DSQL does; it has no advisory locks and no temporary tables. After `-n` in the sequence
/// `sys.kill` it ends the session at the n-th change.
const ONE_DEFINITION: &str = "
    CREATE SCHEMA sys;
    CREATE TABLE sys.jobs (id int);
    CREATE SEQUENCE sys.kill MINVALUE -1000;
    CREATE FUNCTION sys.change() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('sys.kill') = 0 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    END $$;
    CREATE FUNCTION sys.row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('sys.definition', true) = txid_current()::text THEN
            RAISE feature_not_supported
                USING MESSAGE = 'ddl and dml are not supported in the same transaction';
        END IF;
        PERFORM set_config('sys.rows', txid_current()::text, true);
        PERFORM sys.change();
        RETURN NULL;
    END $$;
    CREATE FUNCTION sys.definition() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
        IF tg_tag = 'CREATE TRIGGER' THEN RETURN; END IF;
        IF current_setting('sys.definition', true) = txid_current()::text THEN
            RAISE feature_not_supported
                USING MESSAGE = 'multiple ddl statements are not supported in a transaction';
        END IF;
        IF current_setting('sys.rows', true) = txid_current()::text THEN
            RAISE feature_not_supported
                USING MESSAGE = 'ddl and dml are not supported in the same transaction';
        END IF;
        PERFORM set_config('sys.definition', txid_current()::text, true);
        PERFORM sys.change();
    END $$;
    CREATE FUNCTION sys.defined() RETURNS event_trigger LANGUAGE plpgsql AS $$
    DECLARE made record;
    BEGIN
        FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
            IF made.schema_name = 'pg_temp' THEN
                RAISE feature_not_supported USING MESSAGE = 'temporary tables are not supported';
            END IF;
            EXECUTE format('CREATE TRIGGER rows AFTER INSERT OR UPDATE OR DELETE ON %s
                            EXECUTE FUNCTION sys.row()', made.object_identity);
        END LOOP;
    END $$;
    CREATE EVENT TRIGGER one ON ddl_command_start EXECUTE FUNCTION sys.definition();
    CREATE EVENT TRIGGER made ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
        EXECUTE FUNCTION sys.defined()";

fn query(driver: &mut PostgresDriver<'_>, sql: &str) -> Vec<Vec<Value>> {
    driver.query(sql, &[]).unwrap().rows
}

static MIXED: &[Module] = &[
    module(
        "a1",
        &[],
        |op| {
            op.create_table(item());
            op.bulk_insert("item", ["name"]).row(("one",)).row(("two",));
            op.create_index("item", Index::new("ix_item_name", ["name"]));
            op.execute("CREATE TABLE other (id int); INSERT INTO other VALUES (1)");
        },
        |op| {
            op.execute("DELETE FROM other; DROP TABLE other");
            op.drop_index("item", "ix_item_name");
            op.drop_table("item");
        },
    ),
    module(
        "b2",
        &["a1"],
        |op| {
            op.rename_column("item", "name", "title");
            let size = Column::new("size", Type::Integer).not_null();
            op.add_column("item", size).using("length(title)");
            op.run("double the sizes", |db| {
                db.execute("UPDATE item SET size = 2 * size", ())?;
                Ok(())
            });
            op.alter_column("item", "size", ColumnChange::new().ty(Type::BigInteger));
        },
        |op| {
            op.drop_column("item", "size");
            op.rename_column("item", "title", "name");
        },
    ),
];

#[test]
fn each_change_of_a_definition_is_a_transaction_where_the_server_wants_it() {
    on_servers(|database| {
        imitate(database, "PostgreSQL 16", MISSING);
        database.batch(ONE_DEFINITION);
        let url = &database.url.clone();
        let migrator = Migrator::new(MIXED);
        let reports =
            |ran: Result<Vec<String>, dbmigrate_runtime::Error>| ran.map_err(|err| err.report());
        // The long mode tries every place.
        let step = if std::env::var_os("DBMIGRATE_LONG").is_some() { 1 } else { 4 };
        let n_killed = (1..).step_by(step).find(|nth| {
            let end = |nth: i32| format!("SELECT setval('sys.kill', {nth})");
            let mut other = super::connect(url);
            let rows = |sql: &str| query(&mut super::connect(url), sql);
            let mut run = |is_up: bool| {
                let run = || {
                    reports(if is_up {
                        migrator.upgrade(url.as_str())
                    } else {
                        migrator.downgrade(url.as_str(), "base")
                    })
                };
                query(&mut other, &end(-nth));
                let first = run();
                query(&mut other, &end(1));
                let is_killed = first.is_err();
                if let Err(err) = first {
                    assert!(
                        err.contains("terminating connection") || err.contains("closed"),
                        "{err}"
                    );
                    run().unwrap();
                }
                is_killed
            };
            let is_killed = run(true);
            let found = rows("SELECT string_agg(title || size, ' ' ORDER BY id) FROM fake.item");
            assert_eq!(found, [["one6 two6".into()]], "{nth}");
            assert_eq!(rows("SELECT count(*) FROM fake.other"), [[1.into()]], "{nth}");
            // A run that was killed at its very end leaves the empty ledger.
            let found = rows(
                "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class \
                              WHERE relnamespace = 'fake'::regnamespace AND relkind = 'r' \
                              AND relname <> 'dbmigrate_step'",
            );
            assert_eq!(found, [["dbmigrate_lock dbmigrate_version item other".into()]], "{nth}");
            let is_killed = run(false) || is_killed;
            assert_eq!(rows("SELECT to_regclass('fake.item')::text"), [[Value::Null]], "{nth}");
            !is_killed
        });
        // There was something to kill.
        assert!(n_killed.is_some_and(|nth| nth > 20), "{n_killed:?}");
        // Without temporary tables, what the server makes of an expression can't be told.
        database.batch("CREATE TABLE fake.priced (price int CHECK (price IN (1, 2)))");
        let priced = Table::new("priced")
            .column(Column::new("price", Type::Integer))
            .check("priced_price_check", "price = 1 OR price = 2");
        let mut driver = super::connect(url);
        let found = driver.as_connection().catalog(None).unwrap().schema;
        let asked = [(&priced, found.table("priced"))];
        let kept = driver.as_connection().all_as_kept(&asked).unwrap().remove(0).unwrap();
        let untold: Vec<String> = kept.untold.iter().map(|beyond| beyond.text.clone()).collect();
        let why = "temporary tables are not supported";
        assert_eq!(untold, [format!("the condition `price = 1 OR price = 2`: {why}")]);
    });
}

#[test]
fn upgrades_exclude_each_other_where_each_definition_is_a_transaction() {
    on_servers(|database| {
        imitate(database, "PostgreSQL 16", MISSING);
        database.batch(ONE_DEFINITION);
        let url = &database.url.clone();
        thread::scope(|scope| {
            let run = || Migrator::new(MIXED).upgrade_url(url).map_err(|err| err.report());
            let runs: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            let ran = runs.into_iter().flat_map(|run| run.join().unwrap().unwrap());
            let mut ran: Vec<String> = ran.collect();
            ran.sort();
            assert_eq!(ran, ["a1", "b2"]);
        });
    });
}
