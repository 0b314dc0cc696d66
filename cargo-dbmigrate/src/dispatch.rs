//! From the process' arguments to a command, and from its result to an exit code.

mod databases;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use dbmigrate_runtime::engine::secret::without_passwords;

use crate::cli::{self, Cli, ColorChoice, Command, other_tools};
use crate::commands::completions::values;
use crate::commands::{Answer, completions, doctor, list_templates, man};
use crate::context::Context;
use crate::edits::Restored;
use crate::error::Result;
use crate::interrupt;
use crate::output::{self, Output};
use crate::project::Project;

/// The exit code of a command that failed.
const FAILED: u8 = 3;

/// Runs the command that the arguments name.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.collect();
    // Cargo starts `cargo-dbmigrate dbmigrate ...`; a person may start `cargo-dbmigrate ...`.
    if args.get(1).is_some_and(|arg| arg == "dbmigrate") {
        args.remove(1);
    }
    if args.get(1).is_some_and(|arg| arg == values::ASKED) {
        return values::run(args.get(2..).unwrap_or_default());
    }
    let cli = match cli::of_one_command(&args).map_or_else(|| parsed(args), Ok) {
        Ok(cli) => cli,
        Err(err) => return misused(&err),
    };
    if let Some(err) = conflict(&cli) {
        return misused(&err);
    }
    let global = cli.global;
    let out = Output::new(global.format, global.color, global.verbose, global.quiet);
    let name = cli.command.name();
    let res = match &cli.command {
        // These commands work without a project.
        Command::Completions(args) => Ok(completions::run(out, args)),
        Command::Man(args) => man::run(out, args),
        Command::ListTemplates => Ok(list_templates::run(out)),
        Command::Doctor => doctor::run(&global, out),
        command => Context::new(global, out).and_then(|cx| all_or_nothing(cx, command)),
    };
    let res = res.and_then(unless_results_lost);
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

/// Parses the arguments.
fn parsed(args: Vec<OsString>) -> std::result::Result<Cli, clap::Error> {
    let command = cli::command().color(color(&args));
    let words: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let matches = command.try_get_matches_from(args);
    let parsed = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|err| other_tools::explained(err, &words))
}

/// Runs a command on a project. If it fails, all files of the project are restored.
fn all_or_nothing(cx: Context, command: &Command) -> Result<Answer> {
    let project = cx.project.clone();
    let (edits, out) = (cx.edits.clone(), cx.out);
    let interrupted = (project.clone(), edits.clone());
    interrupt::before_end(move || {
        let (project, edits) = interrupted;
        report_restored(&project, out, edits.restore_at_end(), "the command was interrupted");
    });
    let res = databases::run(cx, command).and_then(unless_results_lost);
    if res.is_ok() {
        edits.keep();
        return res;
    }
    report_restored(&project, out, edits.restore(), "the command failed");
    res
}

/// Reports which files were restored, and why.
fn report_restored(project: &Project, out: Output, restored: Restored, since: &str) {
    let shown = |path: &Path| project.shown(path).to_string();
    if !restored.paths.is_empty() {
        let paths: Vec<_> = restored.paths.iter().map(|path| shown(path)).collect();
        out.note(format!("since {since}, these files were restored: `{}`", paths.join("`, `")));
    }
    for (path, why) in &restored.failures {
        out.warning(format!("failed to restore `{}`: {why}", shown(path)));
    }
}

/// A command whose results could not be written has failed.
fn unless_results_lost(answer: Answer) -> Result<Answer> {
    match output::lost_results() {
        None => Ok(answer),
        Some(err) => Err(err),
    }
}

/// The `--color` option for help and for errors about the arguments themselves.
fn color(args: &[OsString]) -> clap::ColorChoice {
    let value = args.iter().enumerate().find_map(|(idx, arg)| match arg.to_str()? {
        "--color" => args.get(idx + 1)?.to_str(),
        arg => arg.strip_prefix("--color="),
    });
    match value {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}

fn misused(err: &clap::Error) -> ExitCode {
    let text = err.render();
    let plain = text.to_string();
    let shown = without_passwords(plain.clone());
    // Only a text without a password is printed in colours.
    let _ = if shown == plain { err.print() } else { writeln!(std::io::stderr(), "{shown}") };
    ExitCode::from(err.exit_code().try_into().unwrap_or(2))
}

/// Arguments that exclude each other, if one is given before the command and the other one after
/// it.
fn conflict(cli: &Cli) -> Option<clap::Error> {
    let is_conflict = match &cli.command {
        Command::Upgrade(upgrade) => !upgrade.all.is_empty(),
        Command::Current(current) => current.several.is_meant(),
        Command::Status(status) => status.several.is_meant(),
        Command::Check(check) => check.several.is_meant(),
        _ => false,
    } && cli.global.url.is_some();
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
