//! What a shell completes besides commands and options: revisions, labels, databases and tables, of
//! the project that the shell is in. Nothing is compiled, and no database is opened.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, Command, CommandFactory as _};

use crate::cli::{Cli, ColorChoice, Format, Global};
use crate::config::{ALL, DEFAULT};
use crate::context::Context;
use crate::history::{History, message};
use crate::output::Output;

/// The first argument with which the scripts ask for values. People don't use it.
pub const ASKED: &str = "__complete";

/// A value, and what it is.
type Candidate = (String, String);

/// Prints the values that fit the last of these words, each with a description after a tab. The
/// words are a command line up to the cursor. If anything fails, the shell gets no values.
pub fn run(words: &[OsString]) -> ExitCode {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let out = Output::new(Format::Text, ColorChoice::Never, false, true);
    let candidates = candidates(&words, out).unwrap_or_default();
    let lines = candidates.into_iter().map(|(value, about)| {
        let about = about.replace(char::is_control, " ");
        if about.is_empty() { value } else { format!("{value}\t{about}") }
    });
    lines.for_each(|line| out.text(&format!("{line}\n")));
    ExitCode::SUCCESS
}

fn candidates(words: &[&str], out: Output) -> Option<Vec<Candidate>> {
    let (last, before) = own(words).split_last()?;
    let mut command = Cli::command();
    command.build();
    let line = Line::of(&command, before);
    let (arg, written, last) = line.expected(last)?;
    let cx = Context::new(line.global(), out).ok()?;
    let cx = match cx.global.database.clone() {
        Some(name) if name != ALL => cx.with_database(&name).ok()?,
        _ => cx,
    };
    let name = arg.get_value_names().and_then(|names| names.first()).map_or("", |name| name);
    let fitting = match (line.command.get_name(), arg.get_id().as_str(), name) {
        (_, "database", _) => databases(&cx),
        ("diff", "from" | "to", _) => {
            let schemas = ["models", "migrations", "database"].map(|name| (name.into(), "".into()));
            schemas.into_iter().chain(revisions(&cx)?).collect()
        }
        ("inspect", "tables", _) => tables(&cx)?,
        (_, "branch_label", _) => return None,
        (_, _, "REV" | "FROM:TO") => revisions(&cx)?,
        _ => return None,
    };
    // Of a range or of several schemas, only what comes after the colon is still to be completed.
    let (kept, typed) = match last.rsplit_once(':') {
        Some((from, to)) if name == "FROM:TO" || line.takes_ranges() => {
            (format!("{written}{from}:"), to)
        }
        _ => (written.to_owned(), last),
    };
    let fitting = fitting.into_iter().filter(|(value, _)| value.starts_with(typed));
    Some(fitting.map(|(value, about)| (format!("{kept}{value}"), about)).collect())
}

/// The words after the program's name, which may be `cargo-dbmigrate` or `cargo dbmigrate`.
fn own<'w, 'a>(words: &'w [&'a str]) -> &'w [&'a str] {
    let is_own = |word: &&str| *word == "dbmigrate" || word.ends_with("cargo-dbmigrate");
    let start = words.iter().position(is_own).map_or(0, |at| at + 1);
    words.get(start..).unwrap_or_default()
}

/// A command line up to the word at the cursor.
struct Line<'c> {
    command: &'c Command,
    /// How many arguments without a name were given.
    n_positional: usize,
    /// The option whose value comes next.
    waiting: Option<&'c Arg>,
    /// The options with their values.
    given: Vec<(&'c str, String)>,
}

impl<'c> Line<'c> {
    fn of(root: &'c Command, words: &[&str]) -> Line<'c> {
        let mut line = Line { command: root, n_positional: 0, waiting: None, given: Vec::new() };
        words.iter().for_each(|word| line.read(word));
        line
    }

    fn read(&mut self, word: &str) {
        if let Some(arg) = self.waiting.take() {
            self.given.push((arg.get_id().as_str(), word.to_owned()));
        } else if let Some((arg, value)) = self.option(word) {
            match value {
                Some(value) => self.given.push((arg.get_id().as_str(), value.to_owned())),
                None => self.waiting = Some(arg),
            }
        } else if is_option(word) {
            // An option without a value.
        } else if let Some(command) = self.command.find_subcommand(word) {
            self.command = command;
            self.n_positional = 0;
        } else {
            self.n_positional += 1;
        }
    }

    /// The option that a word begins with, if it takes a value, and that value if the word has it.
    fn option<'w>(&self, word: &'w str) -> Option<(&'c Arg, Option<&'w str>)> {
        let mut options = self.command.get_arguments().filter(|arg| takes_value(arg));
        if let Some(long) = word.strip_prefix("--") {
            let (long, value) = match long.split_once('=') {
                Some((long, value)) => (long, Some(value)),
                None => (long, None),
            };
            return options.find(|arg| arg.get_long() == Some(long)).map(|arg| (arg, value));
        }
        let mut letters = word.strip_prefix('-')?.chars();
        let short = letters.next()?;
        let arg = options.find(|arg| arg.get_short() == Some(short))?;
        let rest = letters.as_str();
        Some((arg, Some(rest).filter(|rest| !rest.is_empty())))
    }

    /// What the word at the cursor is a value of, and that word in two parts: what is already
    /// written before the value, such as `--database=`, and the value so far.
    fn expected<'w>(&self, last: &'w str) -> Option<(&'c Arg, &'w str, &'w str)> {
        if let Some(arg) = self.waiting {
            return Some((arg, "", last));
        }
        if let Some((arg, Some(value))) = self.option(last) {
            let (written, value) = last.split_at(last.len() - value.len());
            return Some((arg, written, value));
        }
        if is_option(last) {
            return None;
        }
        let positionals: Vec<&Arg> = self.command.get_positionals().collect();
        let takes_more = |arg: &&&Arg| {
            arg.get_num_args().is_some_and(|range| range.max_values() > 1)
                || matches!(arg.get_action(), clap::ArgAction::Append)
        };
        let nth = positionals.get(self.n_positional);
        nth.or_else(|| positionals.last().filter(takes_more)).map(|arg| (*arg, "", last))
    }

    /// Whether a revision of this command may be a range.
    fn takes_ranges(&self) -> bool {
        ["plan", "upgrade", "downgrade", "stamp", "lint", "erd"].contains(&self.command.get_name())
    }

    /// The options that say which project and which of its databases are meant.
    fn global(&self) -> Global {
        let value = |id: &str| {
            self.given.iter().rev().find(|(given, _)| *given == id).map(|(_, value)| value.clone())
        };
        let mut global = Global {
            directory: value("directory").map(PathBuf::from),
            database: value("database"),
            ..Global::default()
        };
        global.cargo.manifest_path = value("manifest_path").map(PathBuf::from);
        global.cargo.package = value("package");
        global
    }
}

fn takes_value(arg: &Arg) -> bool {
    !arg.is_positional() && arg.get_action().takes_values()
}

/// Whether a word is an option, and not a revision such as `-1`.
fn is_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn databases(cx: &Context) -> Vec<Candidate> {
    let of_word = |name: &str, about: &str| (name.to_owned(), about.to_owned());
    let further = cx.config.databases.keys().map(|name| of_word(name, "a database of its own"));
    let default = of_word(DEFAULT, "the database that every project has");
    [default].into_iter().chain(further).chain([of_word(ALL, "each of them")]).collect()
}

/// The words that name revisions, the labels, and the ids from the newest to the oldest.
fn revisions(cx: &Context) -> Option<Vec<Candidate>> {
    let history = History::at_hand(cx).ok()?;
    let words = [
        ("head", "the newest revision"),
        ("heads", "all heads"),
        ("base", "before the first revision"),
        ("current", "what the database is at"),
    ];
    let words = words.map(|(word, about)| (word.to_owned(), about.to_owned()));
    let labels = history.graph.branch_labels();
    let labels = labels.map(|(label, id)| (label.to_owned(), format!("branch, from {id}")));
    let ids = history.graph.revisions().iter().rev();
    let ids = ids.map(|revision| (revision.id.clone(), message(&revision.message).to_owned()));
    Some(words.into_iter().chain(labels).chain(ids).collect())
}

/// The tables that the migrations build.
fn tables(cx: &Context) -> Option<Vec<Candidate>> {
    let schema = History::at_hand(cx).ok()?.migrations().ok()?.replay(None).ok()?;
    Some(schema.tables.keys().map(|name| (name.clone(), String::new())).collect())
}
