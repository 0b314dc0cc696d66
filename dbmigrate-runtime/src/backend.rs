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
    /// MySQL.
    Mysql,
    /// MariaDB, which reads SQL for MySQL where it has none of its own.
    Mariadb,
}

impl Backend {
    /// All kinds.
    pub const ALL: [Backend; 4] =
        [Backend::Sqlite, Backend::Postgres, Backend::Mysql, Backend::Mariadb];

    /// The name in attributes, in encoded operations and in `Db::dialect`.
    pub const fn name(self) -> &'static str {
        match self {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
            Backend::Mysql => "mysql",
            Backend::Mariadb => "mariadb",
        }
    }

    /// The database's name as people write it.
    pub const fn title(self) -> &'static str {
        match self {
            Backend::Sqlite => "SQLite",
            Backend::Postgres => "PostgreSQL",
            Backend::Mysql => "MySQL",
            Backend::Mariadb => "MariaDB",
        }
    }

    /// The backend whose texts count where there is none for this one.
    pub const fn fallback(self) -> Option<Backend> {
        match self {
            Backend::Mariadb => Some(Backend::Mysql),
            Backend::Sqlite | Backend::Postgres | Backend::Mysql => None,
        }
    }

    /// Whether this is MySQL or MariaDB, which have one protocol and one driver.
    pub const fn is_mysql_like(self) -> bool {
        matches!(self, Backend::Mysql | Backend::Mariadb)
    }

    /// A version of the database as people write it, from the number in
    /// [`Facts`](crate::dialect::Facts): `3.46.1`, `15.9`.
    pub fn version_text(self, version: u32) -> String {
        match self {
            Backend::Postgres => format!("{}.{}", version / 10_000, version % 10_000),
            Backend::Sqlite | Backend::Mysql | Backend::Mariadb => {
                let (thousands, last) = (version / 1000, version % 1000);
                format!("{}.{}.{last}", thousands / 1000, thousands % 1000)
            }
        }
    }

    /// Whether a database has several schemas. (On MySQL and MariaDB, `SCHEMA` is another word for a
    /// database.)
    pub const fn has_schemas(self) -> bool {
        matches!(self, Backend::Postgres)
    }

    /// Whether URLs of another kind may lead to this one, since only the server can tell them
    /// apart.
    pub fn is_reached_by(self, other: Backend) -> bool {
        self == other || (self.is_mysql_like() && other.is_mysql_like())
    }

    /// The schemes of its URLs, such as `sqlite`. Both of MySQL and MariaDB name either: only the
    /// server can tell.
    pub const fn schemes(self) -> &'static [&'static str] {
        match self {
            Backend::Sqlite => &["sqlite"],
            Backend::Postgres => &["postgres", "postgresql"],
            Backend::Mysql => &["mysql"],
            Backend::Mariadb => &["mariadb"],
        }
    }

    /// The feature of this crate that enables its driver; `None` where this version has no driver.
    pub const fn feature(self) -> Option<&'static str> {
        match self {
            Backend::Sqlite => Some("sqlite"),
            Backend::Postgres => Some("postgres"),
            Backend::Mysql | Backend::Mariadb => Some("mysql"),
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
