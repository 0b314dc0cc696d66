//! SQL that a person writes: one text for all databases, or one for each.

use std::fmt;
use std::ops::Deref;

use crate::backend::Backend;

/// SQL that is used as it is written: one text for all databases, or one for each dialect.
///
/// Wherever revisions take SQL, a plain text is one for all databases.
///
/// # Example
///
/// ```
/// use dbmigrate_runtime::operations::Sql;
/// use dbmigrate_runtime::schema::Check;
///
/// let code = Sql::new().sqlite("code GLOB '[A-Z]*'").postgres("code ~ '^[A-Z]'");
/// let check = Check::new("ck_item_code", code);
/// let plain = Check::new("ck_item_price", "price >= 0");
/// # assert_ne!(check.expression, plain.expression);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sql {
    /// The text for dialects without a text of their own.
    pub any: Option<String>,
    /// Texts by dialect: `sqlite`, `postgres`, `mysql`, `mariadb`.
    pub by_dialect: Vec<(String, String)>,
}

impl Sql {
    /// SQL without any text yet.
    pub fn new() -> Sql {
        Sql::default()
    }

    /// The text for SQLite.
    #[must_use]
    pub fn sqlite(self, sql: &str) -> Sql {
        self.on(Backend::Sqlite, sql)
    }

    /// The text for PostgreSQL.
    #[must_use]
    pub fn postgres(self, sql: &str) -> Sql {
        self.on(Backend::Postgres, sql)
    }

    /// The text for MySQL, and for MariaDB unless it has its own.
    #[must_use]
    pub fn mysql(self, sql: &str) -> Sql {
        self.on(Backend::Mysql, sql)
    }

    /// The text for MariaDB.
    #[must_use]
    pub fn mariadb(self, sql: &str) -> Sql {
        self.on(Backend::Mariadb, sql)
    }

    fn on(mut self, backend: Backend, sql: &str) -> Sql {
        self.by_dialect.retain(|(dialect, _)| dialect != backend.name());
        self.by_dialect.push((backend.name().to_owned(), sql.to_owned()));
        self.by_dialect.sort();
        self
    }

    /// Whether there is nothing to run: no text, or only white space.
    pub fn is_empty(&self) -> bool {
        self.texts().all(|text| text.trim().is_empty())
    }

    /// The text for this kind of database.
    #[doc(hidden)]
    pub fn text(&self, backend: Backend) -> Option<&str> {
        let of = |backend: Backend| {
            let is_own = |(dialect, _): &&(String, String)| dialect == backend.name();
            self.by_dialect.iter().find(is_own).map(|(_, sql)| sql)
        };
        let own = of(backend).or_else(|| of(backend.fallback()?));
        own.or(self.any.as_ref()).map(String::as_str)
    }

    /// The text, once there is only one: dialects get tables and operations in which every text is
    /// the one of their database.
    #[doc(hidden)]
    pub fn as_str(&self) -> &str {
        self.texts().next().unwrap_or_default()
    }

    /// Every text, whichever database it is for.
    #[doc(hidden)]
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.any.iter().chain(self.by_dialect.iter().map(|(_, text)| text)).map(String::as_str)
    }

    /// The same with every text rewritten.
    #[doc(hidden)]
    pub fn map(&self, rewrite: impl Fn(&str) -> String) -> Sql {
        Sql {
            any: self.any.as_deref().map(&rewrite),
            by_dialect: self
                .by_dialect
                .iter()
                .map(|(dialect, text)| (dialect.clone(), rewrite(text)))
                .collect(),
        }
    }

    /// Whether both have texts for the same databases, and each pair of texts is the same.
    #[doc(hidden)]
    pub fn is_same(&self, other: &Sql, same: impl Fn(&str, &str) -> bool) -> bool {
        let same_any = match (&self.any, &other.any) {
            (Some(a), Some(b)) => same(a, b),
            (a, b) => a == b,
        };
        same_any
            && self.by_dialect.len() == other.by_dialect.len()
            && self
                .by_dialect
                .iter()
                .zip(&other.by_dialect)
                .all(|((dialect, a), (other, b))| dialect == other && same(a, b))
    }
}

impl From<&str> for Sql {
    fn from(sql: &str) -> Sql {
        Sql::from(sql.to_owned())
    }
}

impl From<&&str> for Sql {
    fn from(sql: &&str) -> Sql {
        Sql::from(*sql)
    }
}

impl From<&String> for Sql {
    fn from(sql: &String) -> Sql {
        Sql::from(sql.clone())
    }
}

impl From<String> for Sql {
    fn from(sql: String) -> Sql {
        Sql { any: Some(sql), by_dialect: Vec::new() }
    }
}

impl From<&Sql> for Sql {
    fn from(sql: &Sql) -> Sql {
        sql.clone()
    }
}

/// As [`Sql::as_str`].
impl Deref for Sql {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Sql {
    fn as_ref(&self) -> &str {
        self
    }
}

impl PartialEq<str> for Sql {
    fn eq(&self, other: &str) -> bool {
        self.by_dialect.is_empty() && self.any.as_deref() == Some(other)
    }
}

impl PartialEq<&str> for Sql {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

/// A text for all databases is shown as a text.
impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.any, self.by_dialect.as_slice()) {
            (Some(any), []) => fmt::Debug::fmt(any, f),
            (any, by_dialect) => {
                f.debug_struct("Sql").field("any", any).field("by_dialect", &by_dialect).finish()
            }
        }
    }
}

impl fmt::Display for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.by_dialect.iter().map(|(dialect, text)| format!("{dialect}: {text}"));
        let texts: Vec<String> = self.any.iter().cloned().chain(own).collect();
        f.write_str(&texts.join("; "))
    }
}
