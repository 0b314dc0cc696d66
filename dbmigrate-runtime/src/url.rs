//! Database URLs. They may hold a password, so no message shows one whole.

use crate::Error;

/// Where a SQLite database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In memory, for as long as the connection lives.
    Memory,
    /// In a file.
    File {
        /// The path, as it was written.
        path: String,
        /// What `?mode=` says.
        #[cfg(feature = "sqlite")]
        mode: Option<crate::driver::sqlite::Mode>,
    },
}

/// Reads `sqlite:app.db`, `sqlite://app.db`, `sqlite:///abs/app.db`, `sqlite::memory:`, with
/// `?mode=rwc|rw|ro`, and a bare path.
///
/// # Errors
///
/// When the URL is another database's, or says something that isn't understood.
pub fn sqlite_path(url: &str) -> Result<Location, Error> {
    let rest = match url.split_once(':') {
        Some(("sqlite", rest)) => rest.strip_prefix("//").unwrap_or(rest),
        // A letter and a colon begin a path on Windows.
        Some((scheme, _))
            if scheme.len() > 1
                && scheme.chars().all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it)) =>
        {
            return Err(Error::url(
                &format!("databases of `{scheme}:` are not supported by this version"),
                "use `sqlite:path/to/file.db`",
            ));
        }
        _ => url,
    };
    if rest == ":memory:" {
        return Ok(Location::Memory);
    }
    let is_url = rest.len() != url.len();
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) if is_url => (path, query),
        _ => (rest, ""),
    };
    if path.is_empty() {
        return Err(Error::url("the database's URL has no path", "use `sqlite:path/to/file.db`"));
    }
    let path = if is_url { percent_decoded(path)? } else { path.to_owned() };
    #[cfg(feature = "sqlite")]
    {
        use crate::driver::sqlite::Mode;
        let mut mode = None;
        for pair in query.split('&').filter(|it| !it.is_empty()) {
            mode = match pair {
                "mode=rwc" => Some(Mode::Create),
                "mode=rw" => Some(Mode::ReadWrite),
                "mode=ro" => Some(Mode::ReadOnly),
                "mode=memory" => return Ok(Location::Memory),
                other => {
                    // What stands behind it may be a secret.
                    let key = other.split('=').next().unwrap_or_default();
                    return Err(Error::url(
                        &format!("the database's URL says `{key}` in a way that is unknown"),
                        "it may say `?mode=rwc`, `?mode=rw` or `?mode=ro`",
                    ));
                }
            };
        }
        Ok(Location::File { path, mode })
    }
    #[cfg(not(feature = "sqlite"))]
    {
        let _ = query;
        Ok(Location::File { path })
    }
}

fn percent_decoded(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        match hex.and_then(|it| u8::from_str_radix(it, 16).ok()) {
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
    String::from_utf8(bytes)
        .map_err(|_| Error::url("the database's URL is no UTF-8", "write the path without `%`"))
}
