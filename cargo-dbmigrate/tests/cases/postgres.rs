//! Runs a case on the PostgreSQL servers that the environment names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use dbmigrate_runtime::engine::dialect::{Alone, Dialect as _, Postgres, Task};
use dbmigrate_runtime::engine::drift::Difference;
use dbmigrate_runtime::engine::driver::postgres::PostgresDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection as _, Driver as _};
use dbmigrate_runtime::engine::url::{Location, Url};
use dbmigrate_runtime::engine::{plan, sql};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{Direction, Value};

use super::case::{Case, OnServer};
use super::migrate::Revision;
use super::run::{self, Change, Ran, replayed};
use super::state::{Rows, State, drift, words};
use super::{by_turns, check};

/// The dialect, for planning without a database.
pub const POSTGRES: &Postgres = &Postgres;

/// The version that is planned for without a database, and whose results are expected.
const PLANNED_FOR: &str = "PostgreSQL 15";

/// The servers' names and URLs; empty if none was started and none is demanded.
pub fn servers() -> &'static [(String, String)] {
    static SERVERS: OnceLock<Vec<(String, String)>> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let named = std::env::vars().filter_map(|(variable, url)| {
            let version = variable.strip_prefix("DBMIGRATE_TEST_POSTGRES")?;
            Some((format!("PostgreSQL {version}"), url))
        });
        let mut servers: Vec<_> = named.collect();
        servers.sort();
        super::demand(&servers, "PostgreSQL");
        servers
    })
}

/// A database of its own on each server.
pub struct Databases(Vec<(String, PostgresDriver<'static>)>);

impl Databases {
    /// Creates them.
    pub fn new() -> Databases {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let create = |(name, url): &(String, String)| {
            let nth = COUNT.fetch_add(1, Ordering::Relaxed);
            let database = format!("cases_{}_{nth}", std::process::id());
            let (server, _) = url.rsplit_once('/').expect("a URL names a database");
            let mut driver = connect(url);
            driver.batch(&format!("CREATE DATABASE {database} TEMPLATE template0")).unwrap();
            (name.clone(), connect(&format!("{server}/{database}")))
        };
        Databases(servers().iter().map(create).collect())
    }
}

fn connect(url: &str) -> PostgresDriver<'static> {
    match Url::parse(url).unwrap().location {
        Location::Server(server) => PostgresDriver::connect(&server).unwrap(),
        other => panic!("{other:?} is not on a server"),
    }
}

/// What a case does on PostgreSQL. Without a server only the statements are known.
pub fn outcome(
    case: &Case,
    databases: &mut Databases,
    change: Change<'_>,
    say: &mut dyn FnMut(String),
) -> OnServer {
    let Change { schemas: [before, _], first, second } = change;
    let mut schema = before.clone();
    let planned = plan::offline(&second.upgrade, &mut schema, POSTGRES);
    let sql = planned.as_ref().ok().map(|tasks| tasks.iter().map(run::line).collect());
    let refusal = planned.err().map(|refusal| refusal.message);
    if databases.0.is_empty() {
        return OnServer { sql, ..case.on_postgres.clone() };
    }
    let mut results = Vec::new();
    for (name, driver) in by_turns(case, &mut databases.0, PLANNED_FOR) {
        let mut say = |text| say(format!("{name}: {text}"));
        let found = if refusal.is_none() { offline(driver, first, second) } else { Ok(Vec::new()) };
        let Some(mut ran) = ran(case, driver, change, &mut say) else {
            continue;
        };
        // Existing objects keep their names after a change of settings.
        if case.config.is_some() {
            ran.from_models.retain(|difference| !difference.is_of_names());
        }
        match (found, &ran.back) {
            (Ok(found), _) => found.iter().for_each(|difference| {
                say(format!("the script does not lead there: {difference}"))
            }),
            (Err(why), Some(Ok(_))) => say(format!("the script fails: {why}")),
            // What can't be done fails in a script as well.
            (Err(_), _) => {}
        }
        let reached = replayed(before, second);
        check(&ran, [before, &reached], &second.upgrade, &mut say);
        if let (Some(why), Ok(_)) = (&refusal, &ran.after) {
            // A later version may do more than the one that is planned for.
            if !why.contains(PLANNED_FOR) {
                say(format!("is done, but not planned offline: {why}"));
            }
        }
        let version = driver.as_connection().facts().unwrap().version;
        let (major, minor) = (version / 10_000, version % 10_000);
        let report = |failure: &(dbmigrate_runtime::Error, State)| {
            let text = failure.0.report();
            let without_minor = text
                .replace(&format!("PostgreSQL {major}.{minor}"), &format!("PostgreSQL {major}"));
            format!("error: {without_minor}\n")
        };
        let has_rows = ran.before.rows.values().any(|rows| !rows.rows.is_empty());
        let this = OnServer {
            sql: sql.clone(),
            rows: ran.after.as_ref().ok().filter(|_| has_rows).map(State::dump),
            error: ran.after.as_ref().err().map(|failure| report(failure)),
            downgrade: match &ran.back {
                Some(Err(failure)) => Some(report(failure)),
                Some(Ok(_)) | None => None,
            },
        };
        results.push((name.as_str(), this));
    }
    let expected = results.iter().find(|(name, _)| *name == PLANNED_FOR);
    let Some((_, expected)) = expected else {
        return OnServer { sql, ..case.on_postgres.clone() };
    };
    // Versions word errors differently, and a newer one may do what this one refuses.
    let is_of_version =
        |result: &OnServer| result.error.as_ref().is_some_and(|text| text.contains(PLANNED_FOR));
    // A column that is dropped and added again is the last one.
    let values = |result: &OnServer| {
        let text = result.rows.clone().unwrap_or_default();
        let mut values: Vec<_> = text.split([',', ' ', '\n']).map(str::to_owned).collect();
        values.sort_unstable();
        values
    };
    for (name, this) in results.iter().filter(|_| !is_of_version(expected)) {
        if values(this) != values(expected)
            || this.error.is_some() != expected.error.is_some()
            || this.downgrade.is_some() != expected.downgrade.is_some()
        {
            say(format!("{name}: has another result: {this:?}"));
        }
    }
    expected.clone()
}

/// Empties the database.
fn reset(driver: &mut PostgresDriver<'static>) {
    driver.rollback();
    let reset = "DISCARD TEMP; DROP SCHEMA IF EXISTS public, billing, crm CASCADE; \
                 CREATE SCHEMA public";
    reset.split("; ").for_each(|sql| driver.batch(sql).unwrap());
    // Objects that are gone leave rows in the catalog, which every reading then goes through.
    static RESETS: AtomicUsize = AtomicUsize::new(0);
    if RESETS.fetch_add(1, Ordering::Relaxed) % 40 < 4 {
        driver.batch("VACUUM").unwrap();
    }
}

fn ran(
    case: &Case,
    driver: &mut PostgresDriver<'static>,
    change: Change<'_>,
    say: &mut dyn FnMut(String),
) -> Option<Ran> {
    let Change { schemas: [before, models], first, second } = change;
    reset(driver);
    let migrations = run::migrations(first, second);
    if let Err(err) = run::take(driver, &migrations[0], Direction::Upgrade, "head") {
        say(format!("the first revision fails: {}", err.report()));
        return None;
    }
    let named = migrations[1].qualified();
    let state =
        |driver: &mut PostgresDriver<'static>, schema: &Schema| state(driver, schema, &named);
    let setup = case.setup_postgres.as_ref().or(case.setup.as_ref());
    let fresh = setup.map(|_| state(driver, before).drift);
    if let Some(Err(err)) = setup.map(|setup| driver.batch(setup)) {
        say(format!("the setup fails: {err}"));
        return None;
    }
    let was = state(driver, before);
    let reached = replayed(before, second);
    let after = match run::take(driver, &migrations[1], Direction::Upgrade, "head") {
        Ok(()) => Ok(state(driver, &reached)),
        Err(err) => Err(Box::new((err, state(driver, before)))),
    };
    let from_models = after
        .as_ref()
        .map_or_else(|_| Vec::new(), |state: &State| drift(driver, models, &state.found));
    let back = after.as_ref().ok().map(|_| {
        match run::take(driver, &migrations[1], Direction::Downgrade, "before") {
            Ok(()) => Ok(state(driver, before)),
            Err(err) => Err(Box::new((err, state(driver, &reached)))),
        }
    });
    let (dialect, sql) = (POSTGRES, Ok(String::new()));
    Some(Ran { dialect, fresh, before: was, sql, after, from_models, back })
}

/// Runs both directions as they are planned without a database. Returns the differences from the
/// schemas that they should lead to, or why they fail.
fn offline(
    driver: &mut PostgresDriver<'static>,
    first: &[Operation],
    second: &Revision,
) -> Result<Vec<Difference>, String> {
    reset(driver);
    let mut schema = Schema::default();
    let mut drifted = Vec::new();
    let [_, migrations] = run::migrations(first, second);
    // The first revision is looked at where it is applied.
    for (operations, is_read) in
        [(first, false), (&second.upgrade, true), (&second.downgrade, true)]
    {
        let tasks = plan::offline(operations, &mut schema, POSTGRES).map_err(|err| err.message)?;
        for task in tasks {
            let (Task::Statement(statement) | Task::Alone(Alone { statement, .. })) = task else {
                continue;
            };
            driver.batch(&statement.sql).map_err(|err| format!("{}: {err}", statement.sql))?;
        }
        if is_read {
            let found = driver.as_connection().catalog_with(None, &migrations.qualified()).unwrap();
            drifted.extend(drift(driver, &schema, &found));
        }
    }
    Ok(drifted)
}

/// Reads the whole database, which should have this schema according to the migrations, with these
/// tables of other schemas.
fn state(driver: &mut PostgresDriver<'static>, schema: &Schema, named: &BTreeSet<String>) -> State {
    let mut objects = driver.as_connection().objects_with(named).unwrap();
    objects.retain(|object| object.table != "dbmigrate_version");
    let mut found = driver.as_connection().catalog_with(None, named).unwrap();
    found.objects.clone_from(&objects);
    found.schema.tables.remove("dbmigrate_version");
    let tables: Vec<_> = found.schema.tables.values().collect();
    let rows: BTreeMap<String, Rows> = tables
        .into_iter()
        .map(|table| {
            let columns: Vec<String> =
                table.columns.iter().map(|column| column.name.clone()).collect();
            (table.name.clone(), rows(driver, &table.name, columns))
        })
        .collect();
    State {
        drift: words(&drift(driver, schema, &found)),
        violations: Vec::new(),
        integrity: Vec::new(),
        settings: Vec::new(),
        objects,
        rows,
        sequence: BTreeMap::new(),
        found,
    }
}

fn rows(driver: &mut PostgresDriver<'static>, table: &str, columns: Vec<String>) -> Rows {
    let quoted: Vec<_> = columns.iter().map(|column| sql::quote(column)).collect();
    // Booleans and numbers as they are, and all other values as their texts.
    let shown = quoted.iter().map(|column| {
        format!(
            "CASE WHEN pg_typeof({column})::text ~ '^(bool|small|int|big|double)' \
                 THEN to_jsonb({column}) ELSE to_jsonb({column}::text) END"
        )
    });
    let shown: Vec<_> = shown.collect();
    // A temporary table may have the same name.
    let in_public = if table.contains('.') { "" } else { "public." };
    let text = format!("SELECT {} FROM {in_public}{}", shown.join(", "), POSTGRES.relation(table));
    let found =
        if columns.is_empty() { Vec::new() } else { driver.query(&text, &[]).unwrap().rows };
    let value = |value: Value| match value {
        Value::Text(json) => match serde_json::from_str(&json).unwrap() {
            serde_json::Value::String(text) => Value::Text(text),
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(number) => Value::Integer(number),
                None => Value::Real(number.as_f64().unwrap()),
            },
            other => panic!("{other}"),
        },
        other => other,
    };
    let mut rows: Vec<(Option<i64>, Vec<Value>)> =
        found.into_iter().map(|row| (None, row.into_iter().map(value).collect())).collect();
    rows.sort_by_key(|row| format!("{row:?}"));
    Rows { columns, rows }
}
