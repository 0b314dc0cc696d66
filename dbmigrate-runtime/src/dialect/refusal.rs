//! What a database can't do, said before anything runs.

use std::fmt;

use crate::backend::Backend;
use crate::operations::Operation;
use crate::schema::resolve::NoText;
use crate::written::Mistake;

/// An operation that a database can't run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why, as a sentence that starts in lower case: ``cannot drop ... on SQLite: ...``.
    pub message: String,
    /// What to do about it, if there is something to suggest.
    pub hint: Option<String>,
}

impl Refusal {
    /// The refusal of SQL that has texts for other databases only.
    pub(crate) fn no_text(what: &str, backend: Backend, NoText(sql): &NoText) -> Refusal {
        let name = backend.name();
        Refusal {
            message: format!("cannot {what} on {backend}: {sql} has no SQL for {backend}"),
            hint: Some(format!(
                "write one, as `{name} = \"...\"` in the model and `.{name}(\"...\")` in the \
                 revision"
            )),
        }
    }

    /// The refusal of an operation whose SQL would do something else than was intended.
    pub(crate) fn mistake(operation: &Operation, backend: Backend, mistake: Mistake) -> Refusal {
        Refusal {
            message: format!("cannot {operation} on {backend}: {}", mistake.message),
            hint: Some(mistake.hint),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
