//! The corpus: what `migrate` writes for a change of the models and what that does to a database,
//! as data in `tests/cases`. Every case must lead there and back, lose no row that it keeps, leave
//! nothing behind, and leave no difference.

mod case;
mod invariants;
mod migrate;
pub mod mysql;
pub mod project;
mod run;
mod older_sqlite;
pub mod postgres;
mod state;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;

use cargo_dbmigrate::internals::{Format, Models, Output, Result};
use dbmigrate_runtime::engine::recording::encode;
use dbmigrate_runtime::operations::Operation;
use dbmigrate_runtime::schema::Schema;
use expect_test::expect_file;

use case::{Case, Outcome};
use invariants::{Invariants, Names};
use migrate::Revision;
use postgres::Databases;
use run::{Change, PASSES, Ran};

/// What a case prints: nothing.
pub const QUIET: Output = Output {
    format: Format::Text,
    verbose: false,
    quiet: true,
    database: None,
    is_part: false,
    is_brief: false,
};

#[test]
fn every_case_leads_there_and_back_and_loses_nothing() {
    let cases = Case::all();
    let mut package = project::Package::new("cases", &cases);
    let models = package.models(&cases);
    let revisions: Vec<_> = cases
        .iter()
        .zip(&models)
        .map(|(case, [before, after])| migrate::revision(case, &before.schema, after))
        .collect();
    let modules: Vec<(String, String)> = cases
        .iter()
        .zip(&revisions)
        .filter_map(|(case, candidate)| {
            Some((module_name(case), candidate.as_ref().ok()?.text.clone()))
        })
        .collect();
    let broken = Mutex::new(Vec::new());
    let say = |case: &str, text: String| broken.lock().unwrap().push(format!("{case}: {text}"));
    let mut outcomes: Vec<Option<Outcome>> = vec![None; cases.len()];
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        // One thread compiles what was rendered while the others run on databases.
        scope.spawn(|| {
            let recorded = package.recorded(&modules);
            let expected = revisions.iter().filter_map(|revision| revision.as_ref().ok());
            for ((expected, recorded), (name, _)) in expected.zip(&recorded).zip(&modules) {
                let pairs = [
                    (&expected.upgrade, &recorded.upgrade.operations),
                    (&expected.downgrade, &recorded.downgrade.operations),
                ];
                for (expected, recorded) in pairs {
                    if expected != recorded || encode(expected) != encode(recorded) {
                        let text = "the module records something else than it was rendered from";
                        say(name, format!("{text}: {expected:?}\n    {recorded:?}"));
                    }
                }
            }
        });
        let (sender, receiver) = mpsc::channel();
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            let (sender, next) = (sender.clone(), &next);
            let (cases, models, revisions, say) = (&cases, &models, &revisions, &say);
            scope.spawn(move || {
                let mut databases = (Databases::new(), mysql::Databases::new());
                while let Some((idx, case)) = {
                    let idx = next.fetch_add(1, Ordering::Relaxed);
                    cases.get(idx).map(|case| (idx, case))
                } {
                    let mut say = |text| say(&case.name, text);
                    let work = || {
                        let databases = (&mut databases.0, &mut databases.1);
                        let written = (&models[idx], &revisions[idx]);
                        outcome(case, written, databases, &mut say)
                    };
                    match catch_unwind(AssertUnwindSafe(work)) {
                        Ok(outcome) => sender.send((idx, outcome)).unwrap(),
                        // The others' results are worth having, too.
                        Err(_) => {
                            say("panics, as told above".to_owned());
                            databases = (Databases::new(), mysql::Databases::new());
                        }
                    }
                }
            });
        }
        drop(sender);
        receiver.iter().for_each(|(idx, outcome)| outcomes[idx] = Some(outcome));
    });
    let mut broken = broken.into_inner().unwrap();
    for (case, outcome) in cases.iter().zip(outcomes) {
        let Some(outcome) = outcome else { continue };
        let text = case.text(&outcome);
        let compare = || expect_file![&case.path].assert_eq(&text);
        if catch_unwind(AssertUnwindSafe(compare)).is_err() {
            broken.push(format!("{}: something else is expected", case.name));
        }
    }
    broken.sort();
    assert!(broken.is_empty(), "{} are broken:\n{}", broken.len(), broken.join("\n"));
}

/// Says that no server of a kind was started. Without one, the cases aren't run there, which is a
/// failure if `DBMIGRATE_TEST_SERVERS` demands one.
fn demand(servers: &[(String, String)], kind: &str) {
    if servers.is_empty() {
        let is_demanded = std::env::var_os("DBMIGRATE_TEST_SERVERS").is_some();
        assert!(!is_demanded, "no server of {kind} was started");
        // Not with `eprintln!`, which the test harness captures.
        let _ = writeln!(std::io::stderr(), "left out, for want of a server of {kind}: the cases");
    }
}

/// The servers of one dialect on which a case runs: always the version whose results are expected, and
/// half of the others, by turns. All of them in the long mode, and if only some cases are wanted.
fn by_turns<'a, D: 'a>(
    case: &Case,
    servers: impl IntoIterator<Item = &'a mut (String, D)>,
    expected: &str,
) -> Vec<&'a mut (String, D)> {
    let is_long = std::env::var_os("DBMIGRATE_LONG").is_some_and(|value| value == "1");
    let is_thorough = is_long || std::env::var_os("DBMIGRATE_CASES").is_some();
    let mut others = 0;
    let is_its_turn = |(name, _): &&mut (String, D)| {
        if is_thorough || name == expected {
            return true;
        }
        others += 1;
        (case.number + others) % 2 == 0
    };
    servers.into_iter().filter(is_its_turn).collect()
}

/// Removes the module of a case's models, whose number depends on which cases run.
fn without_module(text: &str) -> String {
    let mut parts = text.split("cases::after");
    let mut without = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        without += part.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches("::");
    }
    without
}

fn module_name(case: &Case) -> String {
    format!("case_{}", case.name.replace('-', "_"))
}

fn outcome(
    case: &Case,
    ([before, after], revision): (&[Models; 2], &Result<Revision>),
    (databases, mysql): (&mut Databases, &mut mysql::Databases),
    say: &mut dyn FnMut(String),
) -> Outcome {
    let revision = match revision {
        Ok(revision) => revision,
        Err(err) => {
            let operations = without_module(&format!("error: {err}\n"));
            return Outcome { operations, ..Outcome::default() };
        }
    };
    if revision.upgrade.is_empty() {
        let operations = "No changes in schema detected.\n".to_owned();
        return Outcome { operations, ..Outcome::default() };
    }
    let module = &revision.text[revision.text.find("pub fn upgrade").unwrap()..];
    let warnings = revision.overruled.iter().map(|warning| format!("warning: {warning}\n"));
    let warnings: String = warnings.collect();
    let mut outcome = Outcome {
        operations: migrate::words(&revision.upgrade) + &without_module(&warnings),
        module: Some(module.to_owned()),
        ..Outcome::default()
    };
    let reached = run::replayed(&before.schema, revision);
    match migrate::second(&reached, after) {
        Ok(operations) if operations.is_empty() => {}
        Ok(operations) => say(format!("a second `migrate` finds {}", migrate::words(&operations))),
        Err(err) => say(format!("a second `migrate` fails: {err}")),
    }
    let first = migrate::second(&Schema::default(), before).unwrap();
    let schemas = [&before.schema, &after.schema];
    let change = Change { schemas, first: &first, second: revision };
    if case.is_for("postgres") {
        outcome.on_postgres = postgres::outcome(case, databases, change, say);
    }
    if case.is_for("mysql") {
        let [on_mysql, on_mariadb] = mysql::outcomes(case, mysql, change, say);
        (outcome.on_mysql, outcome.ran_mysql) = on_mysql;
        (outcome.on_mariadb, outcome.ran_mariadb) = on_mariadb;
    }
    if !case.is_for("sqlite") {
        return outcome;
    }
    let planned = run::offline(&first, revision);
    if let Ok(drift) = &planned {
        drift
            .iter()
            .for_each(|difference| say(format!("the script does not lead there: {difference}")));
    }
    let mut refused = Vec::new();
    for (idx, pass) in PASSES.into_iter().enumerate() {
        let mut ran = run::run(case, pass, change);
        let schemas = [&before.schema, &reached];
        // Existing objects keep their names after a change of settings.
        if case.config.is_some() {
            ran.from_models.retain(|difference| !difference.is_of_names());
        }
        let mut say_of_pass = |name| say(format!("{}: {name}", pass.name));
        check(&ran, schemas, &revision.upgrade, &mut say_of_pass);
        if let (Err(why), Ok(_)) = (&planned, &ran.after) {
            say(format!("{}: is done, but not planned offline: {why}", pass.name));
        }
        if let Err(failure) = &ran.after {
            refused.push((pass.name, format!("error: {}\n", failure.0.report())));
        }
        let refused_back = match &ran.back {
            Some(Err(back)) => Some(format!("error: {}\n", back.0.report())),
            _ => None,
        };
        if idx > 0 {
            if ran.after.is_ok() && refused_back != outcome.downgrade {
                say(format!("{}: another end of the way back: {refused_back:?}", pass.name));
            }
            continue;
        }
        outcome.downgrade = refused_back;
        outcome.sql = std::mem::replace(&mut ran.sql, Ok(String::new())).ok();
        let has_rows = ran.before.rows.values().any(|rows| !rows.rows.is_empty());
        if let (Ok(after), true) = (&ran.after, case.setup.is_some() && has_rows) {
            outcome.rows = Some(after.dump());
        }
    }
    if let Some((_, text)) = refused.first() {
        let mut section = text.clone();
        if refused.len() != PASSES.len() {
            say(format!("is refused by some only: {refused:?}"));
        }
        let newest =
            refused.iter().find(|(name, candidate)| candidate != text && *name == "newest");
        if let Some((_, text)) = newest {
            section += &format!("in the newest version:\n{text}");
        }
        outcome.error = Some(section);
    }
    outcome
}

/// Checks the invariants.
fn check(ran: &Ran, schemas: [&Schema; 2], operations: &[Operation], say: &mut dyn FnMut(String)) {
    let fresh = ran.fresh.as_ref().unwrap_or(&ran.before.drift);
    if !fresh.is_empty() {
        say(format!("the first revision does not lead there: {fresh:?}"));
    }
    let names = Names::new(&ran.before, operations);
    match &ran.after {
        Ok(after) => {
            let mut invariants = Invariants { names: &names, before: &ran.before, broken: say };
            invariants.there(after, schemas);
            invariants.models(&ran.from_models);
            match &ran.back {
                Some(Ok(back)) => invariants.back(back, schemas[0], ran.dialect),
                Some(Err(failure)) if failure.1 != *after && !stopped_halfway(ran, &failure.0) => {
                    say("the refused way back has changed something".to_owned());
                }
                _ => {}
            }
        }
        Err(failure) if failure.1 != ran.before && !stopped_halfway(ran, &failure.0) => {
            say(format!("is refused and has changed something: {:?}", ran.before));
        }
        Err(_) => {}
    }
}

/// Whether a run says that it stopped in the middle, where each change commits by itself.
fn stopped_halfway(ran: &Ran, err: &dbmigrate_runtime::Error) -> bool {
    ran.dialect.capabilities().commits_definitions && err.report().contains("halfway")
}
