//! Runs a case on the MySQL and MariaDB servers that the environment names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use dbmigrate_runtime::engine::dialect::{Alone, Dialect, Flavor, Mysql, Task};
use dbmigrate_runtime::engine::drift::Difference;
use dbmigrate_runtime::engine::driver::mysql::MysqlDriver;
use dbmigrate_runtime::engine::driver::{AsConnection as _, Connection as _, Driver as _};
use dbmigrate_runtime::engine::plan;
use dbmigrate_runtime::engine::url::{Location, Url};
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;
use dbmigrate_runtime::{Direction, Value};

use super::case::{Case, OnServer};
use super::migrate::Revision;
use super::run::{self, Change, Ran, replayed};
use super::state::{Rows, State, drift, words};
use super::{by_turns, check};

/// The two dialects, each with the server whose results are expected.
const DIALECTS: [(&Mysql, &str); 2] =
    [(&Mysql(Flavor::Mysql), "MYSQL9"), (&Mysql(Flavor::Mariadb), "MARIADB1011")];

/// The servers' names and URLs; empty if none was started and none is demanded.
pub fn servers() -> &'static [(String, String)] {
    static SERVERS: OnceLock<Vec<(String, String)>> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let named = std::env::vars().filter_map(|(variable, url)| {
            let name = variable.strip_prefix("DBMIGRATE_TEST_")?;
            let is_one = name.starts_with("MYSQL") || name.starts_with("MARIADB");
            is_one.then(|| (name.to_owned(), url))
        });
        let mut servers: Vec<_> = named.collect();
        servers.sort();
        super::demand(&servers, "MySQL or MariaDB");
        servers
    })
}

/// A database of its own on each server.
pub struct Databases(Vec<(String, MysqlDriver<'static>)>);

impl Databases {
    /// Creates them.
    pub fn new() -> Databases {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let create = |(name, url): &(String, String)| {
            let nth = COUNT.fetch_add(1, Ordering::Relaxed);
            let database = format!("cases_{}_{nth}", std::process::id());
            let (server, _) = url.rsplit_once('/').expect("a URL names a database");
            connect(url).batch(&format!("CREATE DATABASE {database}")).unwrap();
            (name.clone(), connect(&format!("{server}/{database}")))
        };
        Databases(servers().iter().map(create).collect())
    }
}

/// Connects to a server.
pub fn connect(url: &str) -> MysqlDriver<'static> {
    match Url::parse(url).unwrap().location {
        Location::Server(server) => MysqlDriver::connect(&server).unwrap(),
        other => panic!("{other:?} is not on a server"),
    }
}

/// What a case does on MySQL and on MariaDB, and whether a server was asked. Without one only the
/// statements are known.
pub fn outcomes(
    case: &Case,
    databases: &mut Databases,
    change: Change<'_>,
    say: &mut dyn FnMut(String),
) -> [(OnServer, bool); 2] {
    let mut is_halfway = false;
    let outcomes = DIALECTS.map(|(dialect, expected)| {
        outcome(case, (dialect, expected), (databases, change), say, &mut is_halfway)
    });
    match (&case.halfway_mysql, is_halfway) {
        (None, true) => say("stops halfway, without the reason in `halfway mysql`".to_owned()),
        (Some(_), false) if !databases.0.is_empty() => {
            say("does not stop halfway, although `halfway mysql` says why it does".to_owned());
        }
        _ => {}
    }
    outcomes
}

fn outcome(
    case: &Case,
    (dialect, expected): (&'static Mysql, &str),
    (databases, change): (&mut Databases, Change<'_>),
    say: &mut dyn FnMut(String),
    is_halfway: &mut bool,
) -> (OnServer, bool) {
    let Change { schemas: [before, _], first, second } = change;
    let mut schema = before.clone();
    let planned = plan::offline(&second.upgrade, &mut schema, dialect);
    let sql = planned.as_ref().ok().map(|tasks| tasks.iter().map(run::line).collect());
    let refusal = planned.err().map(|refusal| refusal.message);
    let mut results = Vec::new();
    // Some tables can't be there in the first place.
    if let Err(refusal) = plan::offline(first, &mut Schema::default(), dialect) {
        let error = Some(format!("error: the first revision: {}\n", refusal.message));
        return (OnServer { sql: None, error, ..OnServer::default() }, true);
    }
    let is_of_dialect = |(_, driver): &&mut (String, MysqlDriver<'static>)| {
        driver.dialect().backend() == dialect.backend()
    };
    let servers = databases.0.iter_mut().filter(is_of_dialect);
    for (name, driver) in by_turns(case, servers, expected) {
        let mut say = |text| say(format!("{name}: {text}"));
        let found = if refusal.is_none() {
            offline(dialect, driver, first, second)
        } else {
            Ok(Vec::new())
        };
        let Some(mut ran) = ran(case, dialect, driver, change, &mut say) else { continue };
        // Existing objects keep their names after a change of settings.
        if case.config.is_some() {
            ran.from_models.retain(|difference| !difference.is_of_names());
        }
        match (found, &ran.back) {
            (Ok(found), _) => found.iter().for_each(|difference| {
                say(format!("the script does not lead there: {difference}"));
            }),
            (Err(why), Some(Ok(_))) => say(format!("the script fails: {why}")),
            // What can't be done fails in a script as well.
            (Err(_), _) => {}
        }
        check(&ran, [before, &replayed(before, second)], &second.upgrade, &mut say);
        *is_halfway |= stops_halfway(&ran);
        if let (Some(why), Ok(_)) = (&refusal, &ran.after) {
            say(format!("is done, but not planned offline: {why}"));
        }
        let database = driver.query("SELECT DATABASE()", &[]).unwrap().texts().next().unwrap();
        let report = |failure: &(dbmigrate_runtime::Error, State)| {
            let text = failure.0.report().replace(&database, "cases");
            format!("error: {}\n", without_scratch_names(&text))
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
        results.push((name.clone(), this));
    }
    let found = results.iter().find(|(name, _)| name == expected);
    let Some((_, found)) = found else { return (OnServer { sql, ..OnServer::default() }, false) };
    for (name, this) in &results {
        if this.rows != found.rows
            || this.error.is_some() != found.error.is_some()
            || this.downgrade.is_some() != found.downgrade.is_some()
        {
            say(format!("{name}: has another result: {this:?}"));
        }
    }
    (found.clone(), true)
}

/// Whether one of the runs has stopped in the middle.
fn stops_halfway(ran: &Ran) -> bool {
    let failures =
        [ran.after.as_ref().err(), ran.back.as_ref().and_then(|back| back.as_ref().err())];
    failures.into_iter().flatten().any(|failure| failure.0.report().contains("halfway"))
}

/// Removes the random part of the names that a server gives to the tables it copies to.
fn without_scratch_names(text: &str) -> String {
    let mut parts = text.split("#sql-");
    let mut without = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        without += "#sql-";
        without += part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-_".contains(c));
    }
    without
}

/// Empties the database.
fn reset(driver: &mut MysqlDriver<'static>) {
    driver.rollback();
    driver.batch("DROP TEMPORARY TABLE IF EXISTS dbmigrate_kept").unwrap();
    let dialect = driver.dialect();
    // A temporary table hides the one that it is named like.
    for _ in 0..2 {
        let (statements, _) = dialect.emptying(driver.as_connection(), &BTreeSet::new()).unwrap();
        statements.iter().for_each(|sql| driver.batch(sql).unwrap());
    }
}

fn ran(
    case: &Case,
    dialect: &'static Mysql,
    driver: &mut MysqlDriver<'static>,
    change: Change<'_>,
    say: &mut dyn FnMut(String),
) -> Option<Ran> {
    let Change { schemas: [before, models], first, second } = change;
    reset(driver);
    if case.not_on_mysql.is_some() {
        return None;
    }
    let migrations = run::migrations(first, second);
    if let Err(err) = run::take(driver, &migrations[0], Direction::Upgrade, "head") {
        say(format!("the first revision fails: {}", err.report()));
        return None;
    }
    let setup = case.setup_mysql.as_ref().or(case.setup.as_ref());
    let fresh = setup.map(|_| state(driver, before).drift);
    if let Some(Err(err)) = setup.map(|setup| driver.batch(setup)) {
        say(format!("the setup fails, and needs another text in `setup mysql`: {err}"));
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
    Some(Ran { dialect, fresh, before: was, sql: Ok(String::new()), after, from_models, back })
}

/// Runs both directions as they are planned without a database. Returns the differences from the
/// schemas that they should lead to, or why they fail.
fn offline(
    dialect: &'static Mysql,
    driver: &mut MysqlDriver<'static>,
    first: &[Operation],
    second: &Revision,
) -> Result<Vec<Difference>, String> {
    reset(driver);
    let mut schema = Schema::default();
    let mut drifted = Vec::new();
    // The first revision is looked at where it is applied.
    for (operations, is_read) in
        [(first, false), (&second.upgrade, true), (&second.downgrade, true)]
    {
        let tasks = plan::offline(operations, &mut schema, dialect).map_err(|err| err.message)?;
        for task in tasks {
            let (Task::Statement(statement) | Task::Alone(Alone { statement, .. })) = task else {
                continue;
            };
            driver.batch(&statement.sql).map_err(|err| format!("{}: {err}", statement.sql))?;
        }
        if is_read {
            let found = driver.as_connection().catalog(None).unwrap();
            drifted.extend(drift(driver, &schema, &found));
        }
    }
    Ok(drifted)
}

/// Reads the whole database, which should have this schema according to the migrations.
fn state(driver: &mut MysqlDriver<'static>, schema: &Schema) -> State {
    let own = ["dbmigrate_version", "dbmigrate_step"];
    let mut objects = driver.as_connection().objects().unwrap();
    objects.retain(|object| !own.contains(&object.table.as_str()));
    // A text tells what a table has besides its parts.
    let mut found = driver.as_connection().catalog(None).unwrap();
    found.objects.clone_from(&objects);
    own.iter().for_each(|name| {
        found.schema.tables.remove(name);
    });
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

fn rows(driver: &mut MysqlDriver<'static>, table: &str, columns: Vec<String>) -> Rows {
    let dialect = driver.dialect();
    let quoted: Vec<_> = columns.iter().map(|column| dialect.quote(column)).collect();
    let text = format!("SELECT {} FROM {}", quoted.join(", "), dialect.quote(table));
    let found =
        if columns.is_empty() { Vec::new() } else { driver.query(&text, &[]).unwrap().rows };
    let mut rows: Vec<(Option<i64>, Vec<Value>)> =
        found.into_iter().map(|row| (None, row)).collect();
    rows.sort_by_key(|row| format!("{row:?}"));
    Rows { columns, rows }
}
