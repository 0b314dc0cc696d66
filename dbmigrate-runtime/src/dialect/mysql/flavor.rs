//! MySQL or MariaDB: what the shared code has to tell apart.

use crate::backend::Backend;
use crate::sql::Lexicon;

use super::{MARIADB, MYSQL};

/// Which of the two databases statements are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// MySQL, from version 8.0.23 on.
    Mysql,
    /// MariaDB, from version 10.6 on.
    Mariadb,
}

/// The character set of all texts.
pub(super) const CHARSET: &str = "utf8mb4";

impl Flavor {
    pub(super) fn is_mariadb(self) -> bool {
        self == Flavor::Mariadb
    }

    pub(super) fn backend(self) -> Backend {
        match self {
            Flavor::Mysql => Backend::Mysql,
            Flavor::Mariadb => Backend::Mariadb,
        }
    }

    /// The database's name as people write it.
    pub(super) fn title(self) -> &'static str {
        self.backend().title()
    }

    pub(super) fn lexicon(self) -> &'static Lexicon {
        match self {
            Flavor::Mysql => &MYSQL,
            Flavor::Mariadb => &MARIADB,
        }
    }

    /// The collation of texts: it compares them exactly, trailing spaces included, as the other
    /// databases do.
    pub(super) fn collation(self) -> &'static str {
        match self {
            Flavor::Mysql => "utf8mb4_0900_bin",
            Flavor::Mariadb => "utf8mb4_nopad_bin",
        }
    }

    /// The version that is assumed without a database.
    pub(super) fn offline_version(self) -> u32 {
        match self {
            Flavor::Mysql => 8_004_000,
            Flavor::Mariadb => 10_011_000,
        }
    }
}

/// An identifier in backticks, which names are in whatever the session's settings are.
pub(crate) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Several identifiers, with commas between them.
pub(super) fn quoted(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// A text as a literal.
pub(super) fn text(value: &str) -> String {
    MYSQL.quote_text(value)
}

/// An expression that other SQL can follow: a comment at its end must not hide what follows.
pub(super) fn closed(expression: &str) -> String {
    let end = if expression.contains("--") || expression.contains('#') { "\n" } else { "" };
    format!("{expression}{end}")
}
