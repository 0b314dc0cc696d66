//! The kinds of databases that a migration can be written for.

use std::fmt;

/// A kind of database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backend {
    /// SQLite, which needs no server.
    #[default]
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

impl Backend {
    /// All kinds.
    pub const ALL: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::Mysql];

    /// The name in attributes, in encoded operations and in `Db::dialect`.
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
            Backend::Mysql => "mysql",
        }
    }

    /// The database's name as people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Backend::Sqlite => "SQLite",
            Backend::Postgres => "PostgreSQL",
            Backend::Mysql => "MySQL",
        }
    }

    /// The schemes of its URLs, such as `sqlite`.
    pub const fn schemes(self) -> &'static [&'static str] {
        match self {
            Backend::Sqlite => &["sqlite"],
            Backend::Postgres => &["postgres", "postgresql"],
            Backend::Mysql => &["mysql", "mariadb"],
        }
    }

    /// The feature of this crate that enables its driver; `None` where this version has no driver.
    pub const fn feature(self) -> Option<&'static str> {
        match self {
            Backend::Sqlite => Some("sqlite"),
            Backend::Postgres => Some("postgres"),
            Backend::Mysql => None,
        }
    }

    /// The backend with this name.
    pub fn by_name(name: &str) -> Option<Backend> {
        Backend::ALL.into_iter().find(|backend| backend.name() == name)
    }

    /// The backend whose URLs have this scheme.
    pub fn by_scheme(scheme: &str) -> Option<Backend> {
        Backend::ALL.into_iter().find(|backend| backend.schemes().contains(&scheme))
    }
}

/// Writes the title.
impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
