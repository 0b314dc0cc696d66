//! What a URL and the environment say about a connection to MySQL or MariaDB, as a value.

use std::path::PathBuf;
use std::time::Duration;

use crate::server::{BadUrl, Server};

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Socket(PathBuf),
    Tcp { host: String, port: u16 },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Socket(path) => write!(f, "{}", path.display()),
            Place::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Place::Tcp { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// How much a connection is encrypted and verified, from the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SslMode {
    Disabled,
    Preferred,
    Required,
    VerifyCa,
    VerifyIdentity,
}

/// The values of `ssl-mode`, each followed by the one of libpq's `sslmode`.
const MODES: [(&str, &str, SslMode); 5] = [
    ("disabled", "disable", SslMode::Disabled),
    ("preferred", "prefer", SslMode::Preferred),
    ("required", "require", SslMode::Required),
    ("verify_ca", "verify-ca", SslMode::VerifyCa),
    ("verify_identity", "verify-full", SslMode::VerifyIdentity),
];

impl SslMode {
    fn of(text: &str) -> Option<SslMode> {
        let text = text.to_ascii_lowercase();
        let is = |(own, other, _): &&(&str, &str, SslMode)| {
            text.replace('-', "_") == *own || text.replace('_', "-") == *other
        };
        MODES.iter().find(is).map(|(_, _, mode)| *mode)
    }

    /// The value of `ssl-mode`.
    pub(super) fn name(self) -> &'static str {
        MODES.iter().find(|(_, _, mode)| *mode == self).map_or("", |(name, ..)| name)
    }
}

/// All that a connection needs.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) place: Place,
    pub(super) user: String,
    pub(super) password: Option<String>,
    /// Where the password is from.
    pub(super) origin: Option<&'static str>,
    pub(super) database: String,
    pub(super) ssl_mode: SslMode,
    pub(super) ssl_ca: Option<PathBuf>,
    /// The files with the client's certificate and with its key.
    pub(super) client: Option<(PathBuf, PathBuf)>,
    pub(super) connect_timeout: Option<Duration>,
}

/// The operating system's default, which the servers' packages of most systems have.
const SOCKETS: [&str; 3] =
    ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];

/// The settings for a server. `variable` is a variable of the environment, `user` the operating
/// system's user.
pub(super) fn resolve(
    server: &Server,
    variable: impl Fn(&str) -> Option<String>,
    user: impl FnOnce() -> Option<String>,
) -> Result<Settings, BadUrl> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let given = |name: &str| server.get(name).map(str::to_owned);
    let host = given("host").or_else(|| variable("MYSQL_HOST"));
    if host.as_ref().is_some_and(|host| host.contains(',')) {
        return Err(BadUrl::new(
            "the database URL names more than one host",
            "name the server that takes the writes",
        ));
    }
    let port = given("port").or_else(|| variable("MYSQL_TCP_PORT"));
    let port = match port {
        None => 3306,
        Some(text) => text.parse().map_err(|_| {
            let message = "the port of the server is not a number from 1 to 65535";
            BadUrl::new(message, "correct it in the URL, or in the variable MYSQL_TCP_PORT")
        })?,
    };
    let socket = given("socket").or_else(|| match &host {
        // As a socket of libpq is written.
        Some(host) if host.starts_with('/') => Some(host.clone()),
        Some(_) => None,
        None => variable("MYSQL_UNIX_PORT"),
    });
    let default_socket = || {
        let is_default = host.is_none() && server.get("port").is_none();
        SOCKETS.iter().find(|path| is_default && std::path::Path::new(path).exists())
    };
    let place = match (socket, &host) {
        (Some(socket), _) => Place::Socket(socket.into()),
        (None, Some(host)) => Place::Tcp { host: host.clone(), port },
        (None, None) => match default_socket() {
            Some(path) => Place::Socket(path.into()),
            None => Place::Tcp { host: "localhost".to_owned(), port },
        },
    };
    let (password, origin) = match (given("password"), variable("MYSQL_PWD")) {
        (Some(password), _) => (Some(password), Some("the database URL")),
        (None, Some(password)) => (Some(password), Some("the environment variable MYSQL_PWD")),
        (None, None) => (None, None),
    };
    let ssl_mode = match server.get("ssl-mode") {
        None if server.get("ssl-ca").is_some() => SslMode::VerifyCa,
        None => SslMode::Preferred,
        Some(text) => SslMode::of(text).ok_or_else(|| {
            BadUrl::new(
                "`ssl-mode` in the database URL has an unknown value",
                "use `disabled`, `preferred`, `required`, `verify_ca` or `verify_identity`",
            )
        })?,
    };
    let client = match (given("ssl-cert"), given("ssl-key")) {
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        (None, None) => None,
        _ => {
            return Err(BadUrl::new(
                "the database URL has only one of `ssl-cert` and `ssl-key`",
                "name both files: the client's certificate and its key",
            ));
        }
    };
    let connect_timeout = match server.get("connect-timeout") {
        None => None,
        Some(text) => Some(text.parse().map(Duration::from_secs).map_err(|_| {
            let message = "`connect-timeout` in the database URL is not a number of seconds";
            BadUrl::new(message, "write it as `connect-timeout=10`")
        })?),
    };
    let Some(database) = given("database") else {
        return Err(BadUrl::new(
            "the database URL names no database",
            "name one, as in `mysql://user@host/database`",
        ));
    };
    Ok(Settings {
        place,
        user: given("user").or_else(user).unwrap_or_else(|| "root".to_owned()),
        password,
        origin,
        database,
        ssl_mode,
        ssl_ca: given("ssl-ca").map(PathBuf::from),
        client,
        connect_timeout,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(url: &str, variables: &[(&str, &str)]) -> Result<Settings, BadUrl> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        resolve(&Server::parse_mysql(url).unwrap(), variable, || Some("ada".to_owned()))
    }

    #[test]
    fn a_url_counts_before_the_environment() {
        let shown = |url, variables: &[_]| {
            let settings = resolved(url, variables).unwrap();
            let password = settings.password.as_deref().unwrap_or("-");
            format!("{}@{} {password} {}", settings.user, settings.place, settings.ssl_mode.name())
        };
        let around = [("MYSQL_HOST", "db"), ("MYSQL_TCP_PORT", "3307"), ("MYSQL_PWD", "s3cret")];
        assert_eq!(shown("mysql:///app", &around), "ada@db:3307 s3cret preferred");
        assert_eq!(shown("mysql://bob:x@h:1/app", &around), "bob@h:1 x preferred");
        assert_eq!(shown("mysql://[::1]/app?sslmode=require", &[]), "ada@[::1]:3306 - required");
        assert_eq!(shown("mysql://h/app?socket=/tmp/s", &[]), "ada@/tmp/s - preferred");
        assert_eq!(shown("mysql://%2Ftmp%2Fs/app", &[]), "ada@/tmp/s - preferred");
        assert_eq!(shown("mysql:///app", &[("MYSQL_UNIX_PORT", "/x")]), "ada@/x - preferred");
        assert_eq!(shown("mysql://h/app?ssl-ca=ca.pem", &[]), "ada@h:3306 - verify_ca");
        assert_eq!(
            shown("mysql://h/app?ssl-mode=VERIFY_IDENTITY", &[]),
            "ada@h:3306 - verify_identity"
        );
    }

    #[test]
    fn what_has_no_meaning_is_named() {
        let message = |url| resolved(url, &[]).err().map(|err| err.message).unwrap_or_default();
        assert_eq!(message("mysql://h"), "the database URL names no database");
        assert_eq!(message("mysql://a,b/app"), "the database URL names more than one host");
        assert_eq!(
            message("mysql://h/app?ssl-mode=some"),
            "`ssl-mode` in the database URL has an unknown value"
        );
        assert_eq!(
            message("mysql://h/app?ssl-key=k"),
            "the database URL has only one of `ssl-cert` and `ssl-key`"
        );
        assert_eq!(
            message("mysql://h/app?connect-timeout=soon"),
            "`connect-timeout` in the database URL is not a number of seconds"
        );
    }
}
