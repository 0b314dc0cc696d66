//! The command line of an executable that contains a project's migrations, and nothing else of the
//! project: for deployments without cargo.
//!
//! `cargo dbmigrate bundle` writes its main function, which calls [`main`]. The commands have the
//! names, the messages, the documents and the exit codes of `cargo dbmigrate`.

mod arguments;
mod database;
mod output;
mod readings;
mod running;

use std::process::ExitCode;
use std::time::Duration;

use self::arguments::{Arguments, Asked, Verb};
use self::database::Database;
use self::output::{Failure, Output};
use crate::direction::Direction;
use crate::executor::{Halfway, Options};
use crate::migration::Migrations;
use crate::migrator::Migrator;

/// What was known when the executable was built.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The environment variable with the database's URL.
    pub variable: &'static str,
    /// The names of the kinds of databases that the history is for.
    pub backends: &'static [&'static str],
    /// The version table's name.
    pub version_table: &'static str,
    /// The schema of the version table; empty for the connection's own schema.
    pub version_table_schema: &'static str,
    /// Whether each revision gets its own transaction.
    pub transaction_each: bool,
    /// For how many seconds to wait for another process's lock.
    pub lock_timeout: u64,
    /// For how many milliseconds to pause after each piece of a step in pieces.
    pub batch_pause: u64,
    /// A hash of the revisions, `migrations::SCHEMA_HASH`.
    pub schema_hash: &'static str,
}

/// The answer of a command that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It is done, or the answer is yes.
    Done,
    /// The answer is no.
    No,
}

/// The exit code for wrong arguments.
const MISUSED: u8 = 2;
/// The exit code of a command that failed.
const FAILED: u8 = 3;

/// What a command works with.
struct Bundle {
    migrator: Migrator,
    migrations: Migrations,
    settings: Settings,
    arguments: Arguments,
    out: Output,
    database: Database,
    options: Options,
}

/// Runs the command that the process' arguments name.
pub fn main(migrator: Migrator, settings: Settings) -> ExitCode {
    let mut args = std::env::args_os();
    // As it was typed, so that the commands in hints can be copied.
    let program = args.next().filter(|program| !program.is_empty());
    let program = program.unwrap_or_else(|| "migrator".into()).to_string_lossy().into_owned();
    let asked = args.map(|arg| arg.into_string().map_err(|arg| arg.to_string_lossy().into_owned()));
    let asked = asked.collect::<Result<Vec<_>, _>>();
    let asked = asked.map_err(|arg| format!("the argument `{arg}` is not UTF-8"));
    match asked.and_then(|args| arguments::parse(&args)) {
        Err(misuse) => {
            output::misuse(&program, &misuse);
            ExitCode::from(MISUSED)
        }
        Ok(Asked::Help) => output::whole(&arguments::help(&program, settings.variable)),
        Ok(Asked::Version) => match version(migrator, settings) {
            Ok(text) => output::whole(&text),
            Err(failure) => {
                output::failure(&program, &failure);
                ExitCode::from(FAILED)
            }
        },
        Ok(Asked::Run(arguments)) => run(migrator, settings, arguments, program),
    }
}

/// Which revisions the executable contains.
fn version(migrator: Migrator, settings: Settings) -> Result<String, Failure> {
    let migrations = migrator.migrations()?;
    let heads = match migrations.graph().heads().as_slice() {
        [] => "none".to_owned(),
        heads => heads.join(", "),
    };
    Ok(format!(
        "dbmigrate {}\nschema {}\nrevisions {}\nheads {heads}\ndatabases {}\n",
        env!("CARGO_PKG_VERSION"),
        settings.schema_hash,
        migrator.modules().len(),
        settings.backends.join(", "),
    ))
}

fn run(migrator: Migrator, settings: Settings, args: Arguments, program: String) -> ExitCode {
    let verb = args.verb;
    let mut out = Output::new(program, &args);
    let is_dry = args.dry_run;
    let res = Bundle::new(migrator, settings, args, &mut out).and_then(|bundle| match verb {
        Verb::Upgrade if is_dry => readings::dry_run(&bundle, Direction::Upgrade),
        Verb::Downgrade if is_dry => readings::dry_run(&bundle, Direction::Downgrade),
        Verb::Upgrade => running::upgrade(&bundle),
        Verb::Downgrade => running::downgrade(&bundle),
        Verb::Plan => readings::plan(&bundle),
        Verb::Status => readings::status(&bundle),
        Verb::Current => readings::current(&bundle),
        Verb::History => readings::history(&bundle),
    });
    let res = res.and_then(|answer| out.unless_lost(answer));
    match res {
        Ok(Answer::Done) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::FAILURE,
        Err(failure) => {
            out.failure(verb.name(), &failure);
            ExitCode::from(FAILED)
        }
    }
}

impl Bundle {
    fn new(
        migrator: Migrator,
        settings: Settings,
        arguments: Arguments,
        out: &mut Output,
    ) -> Result<Bundle, Failure> {
        let database = Database::find(&arguments, &settings)?;
        out.url = Some(database.shown());
        out.detail(&format!("Database: {}", database.shown()));
        let migrations = migrator.migrations()?;
        let options = options(&arguments, &settings);
        let out = out.clone();
        Ok(Bundle { migrator, migrations, settings, arguments, out, database, options })
    }
}

/// The options of a run, from the arguments, or else as they were when the executable was built.
fn options(arguments: &Arguments, settings: &Settings) -> Options {
    Options {
        transaction_each: arguments.transaction_each.unwrap_or(settings.transaction_each),
        lock_timeout: Duration::from_secs(arguments.lock_timeout.unwrap_or(settings.lock_timeout)),
        args: arguments.args.clone(),
        version_table: settings.version_table.to_owned(),
        version_table_schema: settings.version_table_schema.to_owned(),
        past_barriers: arguments.past_barriers,
        batch_pause: Duration::from_millis(arguments.batch_pause.unwrap_or(settings.batch_pause)),
        halfway: match (arguments.resume, arguments.restart) {
            (true, _) => Halfway::Resume,
            (false, true) => Halfway::Restart,
            (false, false) => Halfway::Continue,
        },
        ..Options::default()
    }
}
