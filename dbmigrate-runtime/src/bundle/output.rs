//! What is printed: results to standard output, progress and failures to standard error. With
//! `--format json` standard output holds one document and nothing else.

use std::cell::RefCell;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::rc::Rc;

use super::arguments::{Arguments, Verb};
use super::{Answer, FAILED};
use crate::Error;
use crate::barriers::Barrier;
use crate::operations::Json;
use crate::revision::GraphError;
use crate::secret::without_passwords;

/// The version of the documents.
const JSON_VERSION: i64 = 1;

/// Why a command failed, and what to do next.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    pub cause: Option<String>,
    pub hint: Option<String>,
}

impl Failure {
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure { message: message.into(), cause: None, hint: Some(hint.into()) }
    }
}

impl From<Error> for Failure {
    fn from(err: Error) -> Failure {
        let cause = std::error::Error::source(&err).map(ToString::to_string);
        Failure { message: err.to_string(), cause, hint: err.hint().map(str::to_owned) }
    }
}

impl From<GraphError> for Failure {
    fn from(err: GraphError) -> Failure {
        Error::from(err).into()
    }
}

/// How much is printed, and in which format.
#[derive(Debug, Clone)]
pub struct Output {
    pub program: String,
    pub is_json: bool,
    pub is_verbose: bool,
    is_quiet: bool,
    /// The database's URL, without its password.
    pub url: Option<String>,
    /// Why a result could not be written.
    lost: Rc<RefCell<Option<String>>>,
}

impl Output {
    pub fn new(program: String, args: &Arguments) -> Output {
        let Arguments { is_json, is_verbose, is_quiet, .. } = *args;
        Output { program, is_json, is_verbose, is_quiet, url: None, lost: Rc::default() }
    }

    /// Prints a line of a command's result, unless the result is a document.
    pub fn line(&self, text: &str) {
        if !self.is_json {
            self.result(text);
        }
    }

    /// Prints a line about what was done, unless `--quiet` is given.
    pub fn done(&self, text: &str) {
        if !self.is_quiet {
            self.line(text);
        }
    }

    /// Prints progress.
    pub fn progress(&self, text: &str) {
        if !self.is_quiet {
            diagnostic(&self.with_own_name(text));
        }
    }

    /// Prints a detail for `-v`.
    pub fn detail(&self, text: &str) {
        if self.is_verbose {
            diagnostic(text);
        }
    }

    pub fn note(&self, text: &str) {
        self.progress(&format!("note: {text}"));
    }

    /// Prints the command's document, if that was requested.
    pub fn json<'a>(&self, verb: Verb, members: impl IntoIterator<Item = (&'a str, Json<'a>)>) {
        self.document(verb.name(), members);
    }

    /// Reports a failure.
    pub fn failure(&self, command: &str, failure: &Failure) {
        let failure = Failure {
            message: self.with_own_name(&failure.message),
            cause: failure.cause.clone(),
            hint: failure.hint.as_deref().map(|hint| self.with_own_name(hint)),
        };
        print_failure(&failure);
        let error = Json::object([
            ("message", Some(Json::text(failure.message.as_str()))),
            ("causes", Some(Json::texts(failure.cause.as_deref()))),
            ("hint", Some(failure.hint.as_deref().map_or(Json::Null, Json::text))),
        ]);
        self.document(command, [("error", error)]);
    }

    fn document<'a>(
        &self,
        command: &'a str,
        members: impl IntoIterator<Item = (&'a str, Json<'a>)>,
    ) {
        if !self.is_json {
            return;
        }
        let mut all = vec![
            ("version", Some(Json::Int(JSON_VERSION))),
            ("command", Some(Json::text(command))),
        ];
        all.extend(members.into_iter().map(|(key, value)| (key, Some(value))));
        let url = self.url.clone();
        all.push(("url", url.map(Json::text)));
        self.result(&Json::object(all).to_string());
    }

    fn result(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{text}").and_then(|()| out.flush()) {
            // The reader has seen enough.
            Ok(()) => {}
            Err(err) if err.kind() == ErrorKind::BrokenPipe => {}
            Err(err) => *self.lost.borrow_mut() = Some(err.to_string()),
        }
    }

    /// A command that did its work but could not write its results has failed.
    pub fn unless_lost(&self, answer: Answer) -> Result<Answer, Failure> {
        match &*self.lost.borrow() {
            None => Ok(answer),
            Some(why) => {
                let message = format!("failed to write to standard output: {why}");
                Err(Failure { message, cause: None, hint: None })
            }
        }
    }

    /// A message of the engine, in which the revisions and the commands that this executable has are
    /// its own.
    fn with_own_name(&self, text: &str) -> String {
        named(text, &self.program)
    }
}

fn named(text: &str, program: &str) -> String {
    // The rest may be the words of a revision.
    let phrases = ["in this project", "which this project does not", "but this project does not"];
    let text = phrases.iter().fold(text.to_owned(), |text, phrase| {
        text.replace(
            &format!(" {phrase}"),
            &format!(" {}", phrase.replace("project", "executable")),
        )
    });
    Verb::ALL.iter().fold(text, |text, verb| {
        let (tool, own) =
            (format!("`cargo dbmigrate {}", verb.name()), format!("`{program} {}", verb.name()));
        text.replace(&tool, &own)
    })
}

/// The member of a document with the barriers that an upgrade stops before, if there are any.
pub fn barriers_member(barriers: &[Barrier]) -> Option<(&'static str, Json<'static>)> {
    let json = |barrier: &Barrier| {
        let Barrier { id, message, reason } = barrier;
        let members = [("id", id), ("message", message), ("reason", reason)];
        Json::object(members.map(|(key, text)| (key, Some(Json::text(text.clone())))))
    };
    let all = || Json::Array(barriers.iter().map(json).collect());
    (!barriers.is_empty()).then(|| ("barriers", all()))
}

/// Prints a text that is all that was asked for.
pub fn whole(text: &str) -> ExitCode {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(err) if err.kind() != ErrorKind::BrokenPipe => ExitCode::from(FAILED),
        _ => ExitCode::SUCCESS,
    }
}

/// Reports wrong arguments.
pub fn misuse(program: &str, misuse: &str) {
    let misuse = without_passwords(misuse.to_owned());
    diagnostic(&format!("error: {misuse}\n\nFor more information, try `{program} --help`."));
}

/// Reports a failure before a command began.
pub fn failure(program: &str, failure: &Failure) {
    let hint = failure.hint.as_deref().map(|hint| named(hint, program));
    print_failure(&Failure {
        message: named(&failure.message, program),
        cause: failure.cause.clone(),
        hint,
    });
}

fn print_failure(failure: &Failure) {
    let mut text = format!("error: {}", failure.message);
    if let Some(cause) = &failure.cause {
        text += &format!("\n  caused by: {}", cause.replace('\n', "\n    "));
    }
    if let Some(hint) = &failure.hint {
        text += &format!("\n  hint: {hint}");
    }
    diagnostic(&text);
}

/// A failure to write here can't be reported to anyone.
fn diagnostic(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hint_names_the_executable_where_that_has_the_command() {
        let text = "`cargo dbmigrate history` lists them, `cargo dbmigrate stamp head` marks them";
        let own = "`./migrate history` lists them, `cargo dbmigrate stamp head` marks them";
        assert_eq!(super::named(text, "./migrate"), own);
    }
}
