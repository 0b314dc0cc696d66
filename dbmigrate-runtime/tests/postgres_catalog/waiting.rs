//! What others see of a run, and what a run says of others that it waits for.

use std::thread;
use std::time::Duration;

use dbmigrate_runtime::engine::driver::{Connection as _, Driver as _, Waiting};
use dbmigrate_runtime::engine::executor::{Executor, Observer, OwnSteps};
use dbmigrate_runtime::prelude::*;
use dbmigrate_runtime::{Direction, Migrator, Module, Options};

use super::{connect, on_servers};
use crate::modules::module;

const NAME: &str = "INSERT INTO seen SELECT current_setting('application_name')";

/// `c3` runs outside a transaction, and `d4` in groups.
static NAMED: &[Module] = &[
    module(
        "a1",
        &[],
        |op| {
            op.execute("CREATE TABLE seen (name text)");
        },
        |_| {},
    ),
    module(
        "b2",
        &["a1"],
        |op| {
            op.run("look", |db| db.execute(NAME, ()).map(drop).map_err(Into::into));
            op.execute(NAME);
        },
        |_| {},
    ),
    module(
        "c3",
        &["b2"],
        |op| {
            op.no_transaction();
            op.execute(NAME);
        },
        |_| {},
    ),
    module(
        "d4",
        &["c3"],
        |op| {
            op.execute(NAME);
            op.execute("CREATE TABLE other (id bigint)").describes(|op| {
                op.create_table(Table::new("other").column(Column::new("id", Type::BigInteger)));
            });
            op.run("look", |db| db.execute(NAME, ()).map(drop).map_err(Into::into));
            op.create_index("other", Index::new("ix_other_id", ["id"]).concurrently());
            op.execute(NAME);
        },
        |_| {},
    ),
    // The place of an error is counted in the statement itself.
    module(
        "e5",
        &["d4"],
        |op| {
            op.execute("SELECT 1,\n  nosuch");
        },
        |_| {},
    ),
];

#[derive(Default)]
struct Waits(Vec<String>);

impl Observer for Waits {
    fn waiting(&mut self, waiting: &Waiting) {
        self.0.push(waiting.holder.clone().unwrap_or_default());
    }
}

#[test]
fn the_application_name_tells_the_revision_that_runs() {
    on_servers(|database| {
        let migrations = &Migrator::new(NAMED).migrations().unwrap();
        let driver = &mut connect(&format!("{}?application_name=mine", database.url));
        let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
        let mut executor = Executor { driver, migrations, options, observer, steps };
        executor.run(Direction::Upgrade, "d4").unwrap();
        let err = executor.run(Direction::Upgrade, "head").unwrap_err().report();
        assert!(err.contains("line 2:   nosuch\n            ^"), "{err}");
        let name =
            executor.driver.query("SELECT current_setting('application_name')", &[]).unwrap();
        assert_eq!(name.rows, [["mine".into()]]);
        let seen = "SELECT string_agg(replace(name, 'dbmigrate ', ''), ' ') FROM seen";
        let seen = database.conn().query(seen, &[]).unwrap().rows;
        assert_eq!(seen, [["b2 b2 c3 d4 d4 d4".into()]]);
    });
}

#[test]
fn who_blocks_a_statement_is_named_while_the_run_waits_for_it() {
    static ALTERS: &[Module] = &[module(
        "a1",
        &[],
        |op| {
            op.execute("ALTER TABLE busy ADD b int");
        },
        |_| {},
    )];
    on_servers(|database| {
        database.batch("CREATE TABLE idle (a int); CREATE TABLE busy (a int)");
        let other = |name: &str, sql: &str| {
            let mut driver = connect(&format!("{}?application_name={name}", database.url));
            driver.batch("BEGIN").unwrap();
            driver.batch(sql).unwrap();
            driver
        };
        // The older transaction has nothing to do with it.
        let _idle = other("bystander", "SELECT * FROM idle");
        let mut busy = other("report", "SELECT\n    a FROM busy");
        let pid = busy.query("SELECT pg_backend_pid()", &[]).unwrap().rows[0][0].to_string();
        busy.batch("SELECT\n    a FROM busy").unwrap();
        let ends = thread::spawn(move || {
            thread::sleep(Duration::from_millis(1600));
            busy.batch("COMMIT").unwrap();
        });
        let migrations = &Migrator::new(ALTERS).migrations().unwrap();
        let (driver, options) = (&mut connect(&database.url), &Options::default());
        let (observer, steps) = (&mut Waits::default(), &mut OwnSteps);
        let mut executor = Executor { driver, migrations, options, observer, steps };
        executor.run(Direction::Upgrade, "head").unwrap();
        ends.join().unwrap();
        let expected = format!(
            "process {pid} (`report`) of the server holds a lock, whose last statement is \
             `SELECT a FROM busy`"
        );
        assert_eq!(observer.0, [expected]);
    });
}
