//! Database URLs. A URL may contain a password, so no message shows one completely.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::backend::Backend;
pub use crate::driver::Access;
pub use crate::server::Server;

/// Which database a URL names, and how it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// The kind of database.
    pub backend: Backend,
    /// Where it is.
    pub location: Location,
    /// The access mode given as `?mode=`.
    pub access: Option<Access>,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In memory, for as long as the connection lives.
    Memory,
    /// In the file at this path, as it was written.
    File(PathBuf),
    /// On a server.
    Server(Server),
}

impl Url {
    /// Parses `sqlite:app.db`, `sqlite://app.db`, `sqlite:///abs/app.db`, `sqlite::memory:`, each
    /// with an optional `?mode=rwc|rw|ro`, a bare path, or the URL of a [`Server`].
    ///
    /// # Errors
    ///
    /// When the URL belongs to another database, or contains something unknown.
    pub fn parse(url: &str) -> Result<Url, Error> {
        let of = |location, access| Url { backend: Backend::Sqlite, location, access };
        let rest = match url.split_once(':') {
            Some((scheme, rest)) if Backend::by_scheme(scheme) == Some(Backend::Sqlite) => {
                rest.strip_prefix("//").unwrap_or(rest)
            }
            Some((scheme, _)) if Backend::by_scheme(scheme) == Some(Backend::Postgres) => {
                let server =
                    Server::parse(url).map_err(|err| Error::url(&err.message, &err.hint))?;
                let location = Location::Server(server);
                return Ok(Url { backend: Backend::Postgres, location, access: None });
            }
            Some((scheme, _)) if Backend::by_scheme(scheme).is_some_and(Backend::is_mysql_like) => {
                let server =
                    Server::parse_mysql(url).map_err(|err| Error::url(&err.message, &err.hint))?;
                let backend = Backend::by_scheme(scheme).unwrap_or(Backend::Mysql);
                return Ok(Url { backend, location: Location::Server(server), access: None });
            }
            // A letter and a colon are the beginning of a Windows path.
            Some((scheme, _))
                if scheme.len() > 1
                    && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
            {
                return Err(Error::url(
                    &format!("`{scheme}:` databases are not supported by this version"),
                    "use `sqlite:path/to/file.db`, `postgres://user@host/database` or \
                     `mysql://user@host/database`",
                ));
            }
            _ => url,
        };
        if rest == ":memory:" {
            return Ok(of(Location::Memory, None));
        }
        let is_url = rest.len() != url.len();
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) if is_url => (path, query),
            _ => (rest, ""),
        };
        if path.is_empty() {
            return Err(Error::url("the database URL has no path", "use `sqlite:path/to/file.db`"));
        }
        let path = if is_url { percent_decoded(path)? } else { path.to_owned() };
        let mut access = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            access = match pair {
                "mode=rwc" => Some(Access::Create),
                "mode=rw" => Some(Access::ReadWrite),
                "mode=ro" => Some(Access::ReadOnly),
                "mode=memory" => return Ok(of(Location::Memory, None)),
                other => {
                    // The value may be a secret.
                    let key = other.split('=').next().unwrap_or_default();
                    return Err(Error::url(
                        &format!("the database URL has an unknown parameter or value at `{key}`"),
                        "use `?mode=rwc`, `?mode=rw` or `?mode=ro`",
                    ));
                }
            };
        }
        Ok(of(Location::File(path.into()), access))
    }

    /// A database file at a path.
    pub fn file(path: &Path) -> Url {
        let location = Location::File(path.to_owned());
        Url { backend: Backend::Sqlite, location, access: None }
    }
}

fn percent_decoded(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|tail| std::str::from_utf8(tail).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| {
        Error::url("the database URL is not valid UTF-8", "write the path without percent-encoding")
    })
}
