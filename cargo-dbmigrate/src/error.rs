//! The tool's errors, and how they are shown.

use std::fmt;

use dbmigrate_runtime::engine::secret::without_passwords;

/// A command's failure: a message, what caused it, and what to do next.
///
/// The message is one lowercase sentence without a full stop. The exit code is 3.
#[derive(Debug)]
pub struct Error {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    /// The database that it is about, if there are several.
    database: Option<String>,
    /// Whether the cause is the code of a revision file.
    of_revision: bool,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(message: impl Into<String>) -> Error {
        let message = without_passwords(message.into());
        Error { message, causes: Vec::new(), hint: None, database: None, of_revision: false }
    }

    /// Adds a cause, after those that were added before.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Error {
        self.causes.push(cause.to_string());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Puts the name of the database before the message, if there are several databases.
    #[must_use]
    pub fn of_database(mut self, name: &str) -> Error {
        self.message = format!("database `{name}`: {}", self.message);
        self.in_database(name)
    }

    /// Adds the name of the database to the JSON document.
    #[must_use]
    pub fn in_database(mut self, name: &str) -> Error {
        self.database = Some(name.to_owned());
        self
    }

    /// Marks the error as caused by the code of a revision file.
    #[must_use]
    pub fn of_revision(mut self) -> Error {
        self.of_revision = true;
        self
    }

    /// Whether the cause is the code of a revision file: it doesn't compile, or panics.
    pub fn is_of_revision(&self) -> bool {
        self.of_revision
    }

    /// The same error as the cause of another one, with its hint.
    #[must_use]
    pub fn below(mut self, message: impl Into<String>) -> Error {
        let cause = std::mem::replace(&mut self.message, message.into());
        self.causes.insert(0, cause);
        self
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    pub fn get_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// The message, its causes and the hint, each on its own line.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, "\n  caused by: {}", cause.replace('\n', "\n    "))?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl From<dbmigrate_runtime::Error> for Error {
    fn from(err: dbmigrate_runtime::Error) -> Error {
        Error::from(&err)
    }
}

impl From<&dbmigrate_runtime::Error> for Error {
    fn from(err: &dbmigrate_runtime::Error) -> Error {
        let mut error = Error::new(err.to_string());
        if let Some(source) = std::error::Error::source(err) {
            error = error.cause(source);
        }
        Error { hint: err.hint().map(str::to_owned), ..error }
    }
}

impl From<dbmigrate_runtime::engine::revision::GraphError> for Error {
    fn from(err: dbmigrate_runtime::engine::revision::GraphError) -> Error {
        dbmigrate_runtime::Error::from(err).into()
    }
}

/// The location of an error in a TOML file: `path:line:column`, both counted from 1.
pub fn toml_place(path: &std::path::Path, text: &str, err: &toml::de::Error) -> String {
    let before = &text[..err.span().map_or(0, |range| range.start.min(text.len()))];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{}:{line}:{column}", path.display())
}

/// Adds a description of the action to an error of the standard library.
pub trait Doing<T> {
    /// ``failed to read `path`: ...``
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|err| Error::new(format!("failed to {}: {err}", what())))
    }
}
