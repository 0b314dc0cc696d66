//! Questions that two schemas leave open, in words and with the flags that answer them.

use std::fmt;

use super::fill::Need;

/// A question that the difference leaves open.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    Rename(Rename),
    Fill(Box<Need>),
}

/// Whether something that was removed has a new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    pub is_table: bool,
    /// `table` or `table.column`
    pub old: String,
    /// The possible new names, most likely first.
    pub candidates: Vec<String>,
    /// Whether the first one is clearly the best.
    pub is_likely: bool,
}

impl Rename {
    /// `column`
    pub fn what(&self) -> &'static str {
        if self.is_table { "table" } else { "column" }
    }

    /// What is lost if it isn't renamed.
    pub fn loss(&self) -> &'static str {
        if self.is_table { "its rows are discarded" } else { "its values are discarded" }
    }

    /// The `--rename` that gives this answer.
    pub fn flag(&self, new: &str) -> String {
        format!("{}:{new}", self.old)
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::Rename(rename) => {
                let new: Vec<_> =
                    rename.candidates.iter().map(|candidate| format!("`{candidate}`")).collect();
                let (what, old, loss) = (rename.what(), &rename.old, rename.loss());
                let new = new.join(" or ");
                write!(f, "{what} `{old}` is gone: was it renamed to {new}, or dropped ({loss})?")
            }
            Question::Fill(need) => need.fmt(f),
        }
    }
}

/// A flag with its value, quoted for a shell.
pub fn shell(flag: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/=,@%+".contains(c);
    if value.chars().all(is_plain) {
        format!("{flag} {value}")
    } else if value.contains(['"', '$', '`', '\\', '!']) {
        format!("{flag} '{}'", value.replace('\'', "'\\''"))
    } else {
        format!("{flag} \"{value}\"")
    }
}
