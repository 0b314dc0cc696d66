//! Failures to make a database for a test, in words.

use std::io;
use std::path::Path;

use super::{Error, Kind};
use crate::driver::{DatabaseError, ErrorKind};

impl Error {
    /// `url` is the server's without its password; `sql` gives the role the right that it needs.
    #[cfg_attr(
        not(any(feature = "postgres", feature = "mysql")),
        allow(dead_code, reason = "for servers")
    )]
    pub(crate) fn test_database(url: &str, sql: Option<&str>, source: DatabaseError) -> Error {
        let message = format!("failed to create a test database on `{url}`");
        let hint = match source.kind() {
            ErrorKind::Denied { .. } => sql.map(|sql| {
                format!(
                    "let an administrator run `{sql}`, or name one that may create databases in \
                     the URL"
                )
            }),
            ErrorKind::InUse => Some(
                "close the connections to the database that it is copied from, such as those of a \
                 psql that is open"
                    .to_owned(),
            ),
            ErrorKind::Pooled => {
                Some("name the server itself in the URL instead of the pooler".to_owned())
            }
            _ => None,
        };
        Error::new(Kind::Other, message).maybe_hint(hint).with_source(source)
    }

    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "for files"))]
    pub(crate) fn test_file(path: &Path, err: &io::Error) -> Error {
        let message = format!("failed to create the test database `{}`: {err}", path.display());
        Error::new(Kind::Other, message).with_hint(
            "make room in the directory for temporary files, or name another one in the \
             environment variable TMPDIR",
        )
    }

    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "for files"))]
    pub(crate) fn test_claim(source: DatabaseError) -> Error {
        Error::new(Kind::Other, "failed to create a test database").with_source(source)
    }
}
