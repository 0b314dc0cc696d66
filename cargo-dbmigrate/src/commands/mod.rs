//! The commands, a file each: gather, decide, act, report.

mod branches;
mod check;
mod completions;
mod current;
mod databases;
mod diff;
mod downgrade;
mod edit;
mod ensure_version;
mod heads;
mod history;
mod init;
mod list_templates;
mod man;
mod merge;
pub mod new_revision;
mod rebase;
mod redo;
mod reset;
mod show;
mod squash;
mod stamp;
mod undo;
mod upgrade;
mod upgrade_all;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::cli::{self, Cli, ColorChoice, Command, other_tools};
use crate::context::Context;
use crate::edits::Restored;
use crate::error::Result;
use crate::interrupt;
use crate::output::{self, Output};
use crate::project::Project;

/// What a command that ran says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is done, or the answer is yes. Exit code 0.
    Done,
    /// The answer is no. Exit code 1.
    No,
    /// Some of it failed, which is said already. Exit code 3.
    Failed,
}

/// Exit code of a command that failed.
const FAILED: u8 = 3;

/// Runs the command that the arguments ask for.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.collect();
    // Cargo starts `cargo-dbmigrate dbmigrate ...`; a person may start `cargo-dbmigrate ...`.
    if args.get(1).is_some_and(|it| it == "dbmigrate") {
        args.remove(1);
    }
    let command = cli::command().color(color(&args));
    let words: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let parsed = command.try_get_matches_from(args).and_then(|it| Cli::from_arg_matches(&it));
    let cli = match parsed {
        Ok(it) => it,
        Err(err) => return misused(&other_tools::explained(err, &words)),
    };
    if let Some(err) = conflict(&cli) {
        return misused(&err);
    }
    let global = cli.global;
    let out = Output::new(global.format, global.color, global.verbose, global.quiet);
    let name = cli.command.name();
    let res = match &cli.command {
        // These work without a project.
        Command::Completions(args) => Ok(completions::run(out, args)),
        Command::Man(args) => man::run(out, args),
        Command::ListTemplates => Ok(list_templates::run(out)),
        it => Context::new(global, out).and_then(|cx| whole(cx, it)),
    };
    let res = res.and_then(with_its_results);
    match res {
        Ok(Answer::Done) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::FAILURE,
        Ok(Answer::Failed) => ExitCode::from(FAILED),
        Err(err) => {
            out.error(name, &err);
            ExitCode::from(FAILED)
        }
    }
}

/// Runs a command of a project. One that fails leaves every file of the project as it was.
fn whole(cx: Context, command: &Command) -> Result<Answer> {
    let project = cx.project.clone();
    let (edits, out) = (cx.edits.clone(), cx.out);
    let interrupted = (project.clone(), edits.clone());
    interrupt::before_end(move || {
        let (project, edits) = interrupted;
        say_restored(&project, out, edits.restore_at_end(), "the command was interrupted");
    });
    let res = databases::run(cx, command).and_then(with_its_results);
    if res.is_ok() {
        edits.keep();
        return res;
    }
    say_restored(&project, out, edits.restore(), "the command failed");
    res
}

/// Says which files are as they were before, since that happened.
fn say_restored(project: &Project, out: Output, restored: Restored, since: &str) {
    let shown = |path: &Path| project.shown(path).to_string();
    if !restored.paths.is_empty() {
        let paths: Vec<_> = restored.paths.iter().map(|path| shown(path)).collect();
        out.note(format!("since {since}, these are as they were before: `{}`", paths.join("`, `")));
    }
    for (path, why) in &restored.failures {
        out.warning(format!("failed to put `{}` back as it was before: {why}", shown(path)));
    }
}

/// A command whose results could not be written has failed.
fn with_its_results(answer: Answer) -> Result<Answer> {
    match output::lost_results() {
        None => Ok(answer),
        Some(err) => Err(err),
    }
}

/// What `--color` says of help and of what is wrong with the arguments themselves.
fn color(args: &[OsString]) -> clap::ColorChoice {
    let value = args.iter().enumerate().find_map(|(idx, it)| match it.to_str()? {
        "--color" => args.get(idx + 1)?.to_str(),
        it => it.strip_prefix("--color="),
    });
    match value {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}

fn misused(err: &clap::Error) -> ExitCode {
    let _ = err.print();
    ExitCode::from(err.exit_code().try_into().unwrap_or(2))
}

/// Arguments that exclude each other, where one of them may stand before the command and the other
/// behind it.
fn conflict(cli: &Cli) -> Option<clap::Error> {
    let is_conflict = match &cli.command {
        Command::Upgrade(it) => !it.all.is_empty() && cli.global.url.is_some(),
        _ => false,
    };
    let message = "the argument '--all <PATTERN>' cannot be used with '--url <URL>'";
    let command = || {
        cli::command().color(match cli.global.color {
            ColorChoice::Auto => clap::ColorChoice::Auto,
            ColorChoice::Always => clap::ColorChoice::Always,
            ColorChoice::Never => clap::ColorChoice::Never,
        })
    };
    let err = || command().error(clap::error::ErrorKind::ArgumentConflict, message);
    is_conflict.then(err)
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Command::Init(_) => "init",
            Command::ListTemplates => "list-templates",
            Command::Migrate(_) => "migrate",
            Command::Revision(_) => "revision",
            Command::Merge(_) => "merge",
            Command::Rebase(_) => "rebase",
            Command::Upgrade(_) => "upgrade",
            Command::Downgrade(_) => "downgrade",
            Command::Undo(_) => "undo",
            Command::Redo(_) => "redo",
            Command::Reset(_) => "reset",
            Command::Current(_) => "current",
            Command::History(_) => "history",
            Command::Heads(_) => "heads",
            Command::Branches => "branches",
            Command::Show(_) => "show",
            Command::Squash(_) => "squash",
            Command::Stamp(_) => "stamp",
            Command::Check(_) => "check",
            Command::Diff(_) => "diff",
            Command::Edit(_) => "edit",
            Command::Completions(_) => "completions",
            Command::Man(_) => "man",
            Command::EnsureVersion(_) => "ensure-version",
        }
    }

    fn run(&self, cx: &Context) -> Result<Answer> {
        match self {
            Command::Init(args) => init::run(cx, args),
            Command::ListTemplates => Ok(list_templates::run(cx.out)),
            Command::Migrate(args) => new_revision::run(cx, &args.new, true, self.name()),
            Command::Revision(args) => {
                new_revision::run(cx, &args.new, args.autogenerate, self.name())
            }
            Command::Upgrade(args) if !args.all.is_empty() => upgrade_all::run(cx, args),
            Command::Merge(args) => merge::run(cx, args),
            Command::Rebase(args) => rebase::run(cx, args),
            Command::Upgrade(args) => upgrade::run(cx, args),
            Command::Downgrade(args) => downgrade::run(cx, args),
            Command::Undo(args) => undo::run(cx, args),
            Command::Redo(args) => redo::run(cx, args),
            Command::Reset(args) => reset::run(cx, args),
            Command::Current(args) => current::run(cx, args),
            Command::History(args) => history::run(cx, args),
            Command::Heads(args) => heads::run(cx, args),
            Command::Branches => branches::run(cx),
            Command::Show(args) => show::run(cx, args),
            Command::Squash(args) => squash::run(cx, args),
            Command::Stamp(args) => stamp::run(cx, args),
            Command::Check(args) => check::run(cx, args),
            Command::Diff(args) => diff::run(cx, args),
            Command::Edit(args) => edit::run(cx, args),
            Command::Completions(args) => Ok(completions::run(cx.out, args)),
            Command::Man(args) => man::run(cx.out, args),
            Command::EnsureVersion(args) => ensure_version::run(cx, args),
        }
    }
}
