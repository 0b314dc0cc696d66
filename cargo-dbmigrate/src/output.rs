//! The only module that prints.
//!
//! Results go to standard output, progress and diagnostics to standard error. With `--format json`
//! standard output holds one JSON document and nothing else.

pub mod style;

use std::collections::BTreeSet;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use dbmigrate_runtime::engine::driver::Waiting;

use anstyle::{AnsiColor, Style};
use indicatif::ProgressBar;

use crate::cli::{ColorChoice, Format};
use crate::error::Error;

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const BOLD: Style = Style::new().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// The version of the JSON documents.
pub const JSON_VERSION: u32 = 1;

/// How much is printed, and in which format.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub format: Format,
    pub verbose: bool,
    pub quiet: bool,
    /// The current database, if a command is about several.
    pub database: Option<&'static str>,
    /// Whether the command is a part of another one, which prints the document.
    pub is_part: bool,
    /// Whether a compiler's errors are shown in one line each, without warnings.
    pub is_brief: bool,
}

impl Output {
    pub fn new(format: Format, color: ColorChoice, verbose: bool, quiet: bool) -> Output {
        match color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Output { format, verbose, quiet, database: None, is_part: false, is_brief: false }
    }

    /// The same for a command that is repeated, in which a compiler's messages are shown briefly.
    pub fn briefly(self) -> Output {
        Output { is_brief: true, ..self }
    }

    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Prints a line of a command's result, unless the result is JSON.
    pub fn line(&self, text: impl AsRef<str>) {
        if !self.is_json() {
            stdout(&format!("{}\n", text.as_ref()));
        }
    }

    /// Prints a line about what was done, unless `--quiet` is given.
    pub fn done(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Prints styled text of several lines, without its colours where they aren't wanted.
    pub fn styled(&self, text: &str) {
        if !self.is_json() {
            stdout(text);
        }
    }

    /// Prints text unchanged, such as a script.
    pub fn text(&self, text: &str) {
        if !self.is_json() {
            // An escape sequence in a text of the script belongs to that text, so it is not
            // removed.
            print(text, &mut std::io::stdout().lock());
        }
    }

    /// Prints the command's result as JSON, if that was requested. The document starts with the
    /// version of the format and the command's name.
    pub fn json(&self, command: &str, mut members: serde_json::Value) {
        if !self.is_json() || self.is_part {
            return;
        }
        if let Some(members) = members.as_object_mut() {
            members.insert("version".into(), JSON_VERSION.into());
            members.insert("command".into(), command.into());
            if let Some(name) = self.database {
                members.insert("database".into(), name.into());
            }
            if let Some(url) = &*lock(&DATABASE_URL) {
                members.insert("url".into(), url.as_str().into());
            }
        }
        stdout(&format!("{members:#}\n"));
    }

    /// Makes further output refer to one of several databases, and prints a heading. With `--quiet`
    /// the heading is omitted if no line follows.
    pub fn begin_database(&mut self, database: &str) {
        self.set_database(database);
        if self.is_json() {
            return;
        }
        let heading = format!("{BOLD}Database `{database}`{BOLD:#}\n");
        if self.quiet {
            *lock(&HEADING) = Some(heading);
        } else {
            stdout(&heading);
        }
    }

    /// Makes further documents name the database that they are about.
    pub fn set_database(&mut self, database: &str) {
        // There are few databases, and the program ends soon.
        self.database = Some(String::leak(database.to_owned()));
    }

    /// Makes further documents name the database that the command uses, and prints it with `-v`.
    /// The URL contains no password.
    pub fn set_url(&self, url: &str) {
        let before = lock(&DATABASE_URL).replace(url.to_owned());
        if before.as_deref() != Some(url) {
            self.detail(database_line(url));
        }
    }

    /// Prints which database the command uses, if the answer depends on it.
    pub fn print_url(&self) {
        if let (Some(url), false) = (&*lock(&DATABASE_URL), self.verbose) {
            self.progress(database_line(url));
        }
    }

    /// Prints progress, on standard error.
    pub fn progress(&self, text: impl AsRef<str>) {
        if !self.quiet {
            stderr(&format!("{}\n", text.as_ref()));
        }
    }

    /// Prints a hint below a line, on standard error.
    pub fn hint(&self, hint: &str) {
        self.progress(format!("  hint: {hint}"));
    }

    /// Prints a detail for `-v`, on standard error.
    pub fn detail(&self, text: impl AsRef<str>) {
        if self.verbose {
            stderr(&format!("{}\n", text.as_ref()));
        }
    }

    /// Reports that the command waits for another process.
    pub fn waiting(&self, waiting: &Waiting) {
        self.progress(waiting.to_string());
    }

    pub fn note(&self, text: impl AsRef<str>) {
        if !self.quiet {
            stderr(&format!("{CYAN}note{CYAN:#}: {}\n", text.as_ref()));
        }
    }

    /// Prints output of a compiler or a migration unchanged, on standard error.
    pub fn diagnostic(&self, text: &str) {
        stderr(&format!("{}\n", text.strip_suffix('\n').unwrap_or(text)));
    }

    pub fn warning(&self, text: impl AsRef<str>) {
        stderr(&format!("{YELLOW}warning{YELLOW:#}: {}\n", text.as_ref()));
    }

    /// Prints a warning only once, even if a command reaches it several times.
    pub fn warning_once(&self, text: String) {
        if lock(&WARNED).insert(text.clone()) {
            self.warning(text);
        }
    }

    /// Prints an error; with `--format json` also a document on standard output.
    pub fn error(&self, command: &str, err: &Error) {
        self.failure(err.to_string());
        let mut members = serde_json::json!({ "error": error_json(err) });
        if let (Some(name), Some(members)) = (err.database(), members.as_object_mut()) {
            members.insert("database".into(), name.into());
        }
        self.json(command, members);
    }

    /// Prints one of several failures of a command that continues, on standard error.
    pub fn failure(&self, text: impl AsRef<str>) {
        stderr(&format!("{RED}error{RED:#}: {}\n", text.as_ref()));
    }
}

/// An error as part of a document.
pub fn error_json(err: &Error) -> serde_json::Value {
    serde_json::json!({
        "message": err.message(),
        "causes": err.causes(),
        "hint": err.get_hint(),
    })
}

fn database_line(url: &str) -> String {
    format!("Database: {url}")
}

/// The URL of the database that the command uses, without its password.
static DATABASE_URL: Mutex<Option<String>> = Mutex::new(None);

/// The heading to print before the next line.
static HEADING: Mutex<Option<String>> = Mutex::new(None);

/// The warnings that were already printed.
static WARNED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A value stays valid after another thread panicked with the lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The progress bar. Output of any thread is printed above it.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Keeps a bar below all further output, until it is removed.
pub fn keep_below(bar: Option<ProgressBar>) {
    *lock(&BAR) = bar;
}

fn above_bar<T>(print: impl FnOnce() -> T) -> T {
    match &*lock(&BAR) {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// The value of `--color` for cargo's own output; `None` if cargo should decide.
pub fn color() -> Option<&'static str> {
    match anstream::ColorChoice::global() {
        anstream::ColorChoice::Auto => None,
        anstream::ColorChoice::Never => Some("never"),
        anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => Some("always"),
    }
}

/// Whether there is a person to ask.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether the reader of standard output has closed it, so that nothing more is written to it. The
/// command continues, since it may be in the middle of its work.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Why a result could not be written.
static LOST: OnceLock<String> = OnceLock::new();

fn stdout(text: &str) {
    print(text, &mut anstream::stdout().lock());
}

fn print(text: &str, out: &mut dyn std::io::Write) {
    if CLOSED.load(Ordering::Relaxed) {
        return;
    }
    let heading = lock(&HEADING).take().unwrap_or_default();
    let text = heading + text;
    match above_bar(|| out.write_all(text.as_bytes()).and_then(|()| out.flush())) {
        Ok(()) => {}
        Err(err) if err.kind() == ErrorKind::BrokenPipe => CLOSED.store(true, Ordering::Relaxed),
        Err(err) => drop(LOST.set(err.to_string())),
    }
}

/// The error for a command that did its work but could not write its results.
pub fn lost_results() -> Option<Error> {
    let why = LOST.get()?;
    Some(Error::new(format!("failed to write to standard output: {why}")))
}

/// A failure to write here can't be reported to anyone.
fn stderr(text: &str) {
    let _ = above_bar(|| anstream::stderr().lock().write_all(text.as_bytes()));
}

pub fn count(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}
