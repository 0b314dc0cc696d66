//! What is around a program: its environment, its files and its user. A value, so that tests have
//! surroundings of their own.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{Place, socket};

/// The environment, the files and the user of a program.
pub(in crate::driver::postgres) struct Surroundings<'a> {
    /// The value of an environment variable.
    pub(in crate::driver::postgres) variables: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file.
    pub(in crate::driver::postgres) files: &'a dyn Fn(&Path) -> io::Result<File>,
    /// Whether there is a file or a socket with this path.
    pub(in crate::driver::postgres) has_file: &'a dyn Fn(&Path) -> bool,
    /// The home directory.
    pub(in crate::driver::postgres) home: Option<PathBuf>,
    /// The user's name in the operating system.
    pub(in crate::driver::postgres) user: Option<String>,
}

/// A file's text.
#[derive(Debug, Clone)]
pub(in crate::driver::postgres) struct File {
    pub(in crate::driver::postgres) text: String,
    /// Whether others than its owner may read or write it.
    pub(in crate::driver::postgres) is_open_to_others: bool,
}

/// The directories that servers have their sockets in, by Debian and by PostgreSQL itself.
const SOCKET_DIRS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

impl Surroundings<'_> {
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return None;
        }
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    pub(super) fn read(&self, path: &Path) -> io::Result<File> {
        (self.files)(path)
    }

    pub(super) fn exists(&self, path: &Path) -> bool {
        (self.has_file)(path)
    }

    /// The directory of libpq's own files.
    pub(super) fn settings_dir(&self) -> Option<PathBuf> {
        if cfg!(windows) {
            return self.variable("APPDATA").map(|dir| Path::new(&dir).join("postgresql"));
        }
        self.home.as_ref().map(|home| home.join(".postgresql"))
    }

    /// The user's file with passwords.
    pub(super) fn passfile(&self) -> Option<PathBuf> {
        if cfg!(windows) {
            return self.settings_dir().map(|dir| dir.join("pgpass.conf"));
        }
        self.home.as_ref().map(|home| home.join(".pgpass"))
    }

    /// The user's file with services.
    pub(super) fn service_file(&self) -> Option<PathBuf> {
        if cfg!(windows) {
            return self.settings_dir().map(|dir| dir.join(".pg_service.conf"));
        }
        self.home.as_ref().map(|home| home.join(".pg_service.conf"))
    }

    /// Where a server is expected if no host is given.
    pub(super) fn usual_place(&self, port: u16) -> Place {
        if cfg!(windows) {
            return Place::Tcp { name: "localhost".to_owned(), address: None };
        }
        let has_socket = |dir: &&&str| self.exists(&Path::new(dir).join(socket(port)));
        Place::Socket(SOCKET_DIRS.iter().find(has_socket).unwrap_or(&SOCKET_DIRS[0]).into())
    }

    /// Whether servers usually have their sockets in this directory.
    pub(super) fn is_usual(dir: &Path) -> bool {
        SOCKET_DIRS.iter().any(|usual| Path::new(usual) == dir)
    }
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("home", &self.home).finish_non_exhaustive()
    }
}

/// Calls the function with the surroundings of this program.
pub(in crate::driver::postgres) fn with_own<T>(work: impl FnOnce(&Surroundings<'_>) -> T) -> T {
    let variables = |name: &str| std::env::var(name).ok();
    let files = |path: &Path| {
        // A device or a pipe could block, or never end.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
        Ok(File { text, is_open_to_others: is_open_to_others(path)? })
    };
    work(&Surroundings {
        variables: &variables,
        files: &files,
        has_file: &|path| path.exists(),
        home: std::env::var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
            .filter(|home| !home.is_empty())
            .map(PathBuf::from),
        user: whoami::username().ok().filter(|name| !name.is_empty()),
    })
}

#[cfg(unix)]
pub(in crate::driver::postgres) fn is_open_to_others(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(std::fs::metadata(path)?.mode() & 0o077 != 0)
}

/// Access isn't a matter of a file's mode there, and libpq doesn't check either.
#[cfg(not(unix))]
pub(in crate::driver::postgres) fn is_open_to_others(_: &Path) -> io::Result<bool> {
    Ok(false)
}
