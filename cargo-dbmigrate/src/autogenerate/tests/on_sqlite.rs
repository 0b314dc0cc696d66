//! The same differences on a real SQLite database with rows: they are applied or leave no trace, no
//! row is lost, and the downgrade restores the previous state.

use dbmigrate_runtime::engine::dialect::{ObjectKind, ObjectName};
use dbmigrate_runtime::engine::drift::{Declared, Described, drift};
use dbmigrate_runtime::engine::driver::sqlite::SqliteDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection as _, Driver as _};
use dbmigrate_runtime::engine::executor::{Executor, OwnSteps};
use dbmigrate_runtime::engine::recording::Recording;
use dbmigrate_runtime::engine::revision::Revision;
use dbmigrate_runtime::engine::{Migration, Migrations};
use dbmigrate_runtime::{Direction, Options, Value};
use proptest::prelude::*;

use super::property::{answer, config, of_schema, orders};
use super::{arbitrary, *};

fn recording(operations: &[Operation]) -> Recording {
    Recording { operations: operations.to_vec(), ..Recording::default() }
}

fn migration(id: &str, parents: &[&str], up: &[Operation], down: &[Operation]) -> Migration {
    let revision = Revision {
        id: id.to_owned(),
        parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
        ..Revision::default()
    };
    Migration::new(revision, recording(up), recording(down))
}

fn run(
    driver: &mut SqliteDriver<'_>,
    migrations: &Migrations,
    direction: Direction,
    target: &str,
) -> std::result::Result<(), dbmigrate_runtime::Error> {
    let (options, observer, steps) = (&Options::default(), &mut (), &mut OwnSteps);
    Executor { driver, migrations, options, observer, steps }.run(direction, target).map(drop)
}

/// Some rows for each table, as many as its constraints allow.
fn fill(driver: &mut SqliteDriver<'_>, schema: &Schema) {
    for table in schema.tables.values() {
        let columns: Vec<&Column> =
            table.columns.iter().filter(|column| column.generated.is_none()).collect();
        let names: Vec<_> =
            columns.iter().map(|column| driver.dialect().quote(&column.name)).collect();
        for n in 1..4 {
            let value = |column: &&Column| match &column.ty {
                _ if column.nullable && n == 2 => "NULL".to_owned(),
                Type::Enum(_, values) => format!("'{}'", values[0].replace('\'', "''")),
                Type::String(_) | Type::Text | Type::Json | Type::Decimal(..) | Type::Numeric => {
                    format!("'{n}'")
                }
                Type::Uuid | Type::Binary | Type::FixedBinary(_) => format!("x'0{n}'"),
                Type::Float | Type::Double => format!("{n}.5"),
                Type::Date | Type::DateTime | Type::Timestamp | Type::Time => {
                    format!("'2026-01-0{n}'")
                }
                _ => n.to_string(),
            };
            let values: Vec<_> = columns.iter().map(value).collect();
            let _ = driver.batch(&format!(
                "INSERT INTO {} ({}) VALUES ({})",
                driver.dialect().quote(&table.name),
                names.join(", "),
                values.join(", ")
            ));
        }
    }
}

/// All tables with the number of their rows, and the SQL of every object.
fn state(driver: &mut SqliteDriver<'_>) -> String {
    let mut state = String::new();
    for object in driver.as_connection().objects().unwrap() {
        if object.kind == ObjectKind::Table {
            state += &format!("{} rows in ", n_rows(driver, &object.name));
        }
        state += &format!("{} {}: {:?}\n", object.kind, object.name, object.sql);
    }
    state
}

fn n_rows(driver: &mut SqliteDriver<'_>, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {}", driver.dialect().quote(table));
    match driver.query(&sql, &[]).unwrap().rows[0][0] {
        Value::Integer(rows) => rows,
        _ => -1,
    }
}

/// Asserts that the database has the schema that these tables would have.
#[track_caller]
fn assert_is(driver: &mut SqliteDriver<'_>, schema: &Schema) {
    let facts = driver.as_connection().facts().unwrap();
    let stored = schema.tables.values();
    let stored = stored.map(|table| driver.as_connection().as_kept(table, None).unwrap().unwrap());
    let stored = Schema::from_tables(stored.collect::<Vec<_>>());
    let mut actual = driver.as_connection().catalog(None).unwrap();
    assert_eq!(actual.unreadable, []);
    let comparing = driver.dialect().comparing(&facts);
    let declared = Declared::nothing(comparing.folding);
    let described = Described { expected: &stored, all: &stored, declared: &declared };
    let found = drift(&comparing, described, &actual);
    assert_eq!(found.differences.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    actual.schema.tables.remove("dbmigrate_version");
    assert_eq!(orders(&actual.schema), orders(schema));
    assert_eq!(found.others, [ObjectName::new(ObjectKind::Table, "dbmigrate_version")]);
}

fn words(operations: &[Operation]) -> String {
    operations.iter().map(|operation| format!("{operation}\n")).collect()
}

/// Whether existing rows prevented it, or SQLite has a bug of its own.
fn is_about_rows(report: &str) -> bool {
    [
        "SQLite itself fails",
        "constraint failed",
        "cannot store",
        "datatype mismatch",
        "do not fit",
        "foreign key violations",
        "is NULL in",
    ]
    .iter()
    .any(|text| report.contains(text))
}

fn all_holds(from: &Schema, to: &Schema, with_renames: bool) {
    let changes = answer(from, &of_schema(to), with_renames);
    let back = way_back(&changes.operations, from, &Sqlite, &[]).unwrap();
    let first = diff::diff(&Schema::default(), from);
    let migrations = Migrations::new(vec![
        migration("r1", &[], &first, &[]),
        migration("r2", &["r1"], &changes.operations, &back.operations),
    ])
    .unwrap();
    let mut driver = SqliteDriver::open_in_memory().unwrap();
    run(&mut driver, &migrations, Direction::Upgrade, "r1").unwrap();
    assert_is(&mut driver, from);
    fill(&mut driver, from);
    let before = state(&mut driver);
    if let Err(err) = run(&mut driver, &migrations, Direction::Upgrade, "r2") {
        // Existing rows may prevent it; then nothing has changed.
        let report = err.report();
        assert!(is_about_rows(&report), "{report}\n{}{before}", words(&changes.operations));
        assert_eq!(state(&mut driver), before);
        return;
    }
    let mut reached = from.clone();
    replay(&mut reached, &changes.operations).unwrap();
    assert_is(&mut driver, &reached);
    if let Err(err) = run(&mut driver, &migrations, Direction::Downgrade, "r1") {
        let report = err.report();
        assert!(is_about_rows(&report), "{report}\n{}{before}", words(&changes.operations));
        return;
    }
    let mut again = reached.clone();
    replay(&mut again, &back.operations).unwrap();
    assert_is(&mut driver, &again);
    for table in from.tables.keys().filter(|text| to.table(text).is_some()) {
        let line = format!("{} rows in table {table}:", n_rows(&mut driver, table));
        assert!(before.contains(&line), "{line}\n{before}");
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_difference_is_made_and_undone((from, to) in arbitrary::pair()) {
        all_holds(&from, &to, false);
    }

    #[test]
    fn a_difference_with_renames_is_made_and_undone((from, to) in arbitrary::pair()) {
        all_holds(&from, &to, true);
    }
}
