//! The URL of a database on a server: in the form of libpq, PostgreSQL's own client, or with the
//! parameters of MySQL's.
//!
//! A URL may contain a password, and a part of it may end up anywhere if a character of it isn't
//! percent-encoded. So no message quotes a part of the URL that could be a part of the password.

mod mysql;

use std::collections::BTreeMap;
use std::fmt;

use crate::sql::quote;

/// The parameters of libpq, each with the environment variable that gives it where the URL doesn't.
pub(crate) const PARAMETERS: &[(&str, &str)] = &[
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("client_encoding", "PGCLIENTENCODING"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("dbname", "PGDATABASE"),
    ("fallback_application_name", ""),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("gsslib", "PGGSSLIB"),
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("keepalives", ""),
    ("keepalives_count", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION"),
    ("min_protocol_version", "PGMINPROTOCOLVERSION"),
    ("oauth_client_id", ""),
    ("oauth_client_secret", ""),
    ("oauth_issuer", ""),
    ("oauth_scope", ""),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("password", "PGPASSWORD"),
    ("port", "PGPORT"),
    ("replication", ""),
    ("require_auth", "PGREQUIREAUTH"),
    ("requirepeer", "PGREQUIREPEER"),
    ("scram_client_key", ""),
    ("scram_server_key", ""),
    ("service", "PGSERVICE"),
    ("servicefile", "PGSERVICEFILE"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslkey", "PGSSLKEY"),
    ("sslkeylogfile", ""),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslpassword", ""),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslsni", "PGSSLSNI"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("tcp_user_timeout", ""),
    ("user", "PGUSER"),
];

/// The parameters that messages may show with their values.
const SHOWN: &[&str] =
    &["dbname", "host", "hostaddr", "port", "service", "sslmode", "target_session_attrs", "user"];

/// Names that other clients use for a parameter of libpq.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("database", "dbname"),
    ("keepalivesretries", "keepalives_count"),
    ("sslca", "sslrootcert"),
    ("username", "user"),
];

/// What the URLs of a kind of server consist of.
pub(crate) struct Form {
    /// The parameter with a name.
    parameter: fn(&str) -> Option<&'static str>,
    /// The parameters that messages may show with their values.
    shown: &'static [&'static str],
    /// The parameter that names the database.
    database: &'static str,
    /// What to do about a URL that can't be split into its parts.
    encode: &'static str,
    /// The hint for a parameter that isn't one.
    unknown: fn(&str) -> String,
}

/// The form of libpq's URLs.
const LIBPQ: Form =
    Form { parameter, shown: SHOWN, database: "dbname", encode: ENCODE, unknown: unknown_to_libpq };

/// The database on a server that a URL names.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    parameters: BTreeMap<&'static str, String>,
    shown: String,
}

/// Why a text isn't the URL of a server. Neither text contains a part of the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadUrl {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl BadUrl {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> BadUrl {
        BadUrl { message: message.into(), hint: hint.into() }
    }
}

/// What to do about a URL that can't be split into its parts.
const ENCODE: &str = "write it as `postgres://user:password@host:5432/database`; in a user name and \
                      in a password, percent-encode `@` as `%40`, `/` as `%2F`, `:` as `%3A`, `?` \
                      as `%3F`, `#` as `%23` and `%` as `%25`";

impl Server {
    /// Parses a URL such as `postgres://user:password@host:5432/database?sslmode=require`.
    ///
    /// # Errors
    ///
    /// When the URL can't be split into its parts, or has a parameter that libpq doesn't have.
    pub(crate) fn parse(url: &str) -> Result<Server, BadUrl> {
        Server::parse_as(url, &LIBPQ)
    }

    /// Parses a URL such as `mysql://user:password@host:3306/database?ssl-mode=required`.
    ///
    /// # Errors
    ///
    /// When the URL can't be split into its parts, or has a parameter that isn't known.
    pub(crate) fn parse_mysql(url: &str) -> Result<Server, BadUrl> {
        Server::parse_as(url, &mysql::FORM)
    }

    fn parse_as(url: &str, form: &Form) -> Result<Server, BadUrl> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(BadUrl::new("the database URL has no `//` after its scheme", form.encode));
        };
        let decoded = |text: &str| decoded(text).map_err(|what| BadUrl::new(what, form.encode));
        let mut parameters = BTreeMap::new();
        let mut give = |name: &'static str, value: String| {
            // An empty value is the same as none, as for libpq's most important parameters.
            if value.is_empty() { None } else { parameters.insert(name, value) }
        };
        let end = rest.find('/').unwrap_or(rest.len());
        let (credentials, rest) = match rest[..end].split_once('@') {
            Some((credentials, _)) => (credentials, &rest[credentials.len() + 1..]),
            None => ("", rest),
        };
        let (raw_user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
        give("user", decoded(raw_user)?);
        give("password", decoded(password)?);
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
        // It is a part of a password with a character that isn't encoded.
        if place.contains('@') {
            return Err(BadUrl::new(
                "the database URL has an `@` or a `/` that is not percent-encoded",
                form.encode,
            ));
        }
        let (host, port) = hosts_and_ports(hosts, form)?;
        give("host", host);
        give("port", port);
        give(form.database, decoded(database)?);
        let at = if credentials.is_empty() { "" } else { "@" };
        let mut shown = format!("{scheme}://{raw_user}{at}{place}");
        let mut separator = '?';
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decoded(key)?, decoded(value)?);
            if key == "ssl" && value == "true" && form.database == "dbname" {
                give("sslmode", "require".to_owned());
                continue;
            }
            let name =
                (form.parameter)(&key).ok_or_else(|| unknown(&key, form, query.contains('@')))?;
            give(name, value);
            if form.shown.contains(&name) {
                shown.push(separator);
                shown.push_str(pair);
                separator = '&';
            }
        }
        Ok(Server { parameters, shown })
    }

    /// The value that the URL gives a parameter, percent-decoded.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The same database with connections in which unqualified names are those of a schema. If the
    /// URL sets `search_path` in its options, the schemas in it come after this one.
    pub fn in_schema(&self, schema: &str) -> Server {
        let options = self.get("options").unwrap_or_default();
        let mut path = quote(schema);
        // In options, a backslash makes the next character a part of the word.
        path = path.replace('\\', "\\\\").replace(' ', "\\ ");
        if let Some(given) = search_path(options).filter(|given| !given.is_empty()) {
            path.push_str(&format!(",{given}"));
        }
        let options = format!("{options} -c search_path={path}");
        let mut server = self.clone();
        server.parameters.insert("options", options.trim_start().to_owned());
        server
    }

    /// The value that the URL's options give `search_path`.
    #[cfg(feature = "postgres")]
    pub(crate) fn search_path(&self) -> Option<String> {
        let mut path = String::new();
        let mut is_escaped = false;
        for c in search_path(self.get("options")?)?.chars() {
            is_escaped = c == '\\' && !is_escaped;
            if !is_escaped {
                path.push(c);
            }
        }
        Some(path)
    }

    /// The URL without its password and other secrets, for messages.
    pub fn shown(&self) -> String {
        self.shown.clone()
    }
}

/// The last value that options give `search_path`, with its backslashes.
fn search_path(options: &str) -> Option<&str> {
    let (_, rest) = options.rsplit_once("search_path=")?;
    let mut is_escaped = false;
    let end = rest.find(|c: char| {
        let ends = c.is_ascii_whitespace() && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    Some(&rest[..end.unwrap_or(rest.len())])
}

/// The URL of another database on the same server. The given URL is one that can be parsed.
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    allow(dead_code, reason = "no driver connects")
)]
pub(crate) fn with_database(url: &str, name: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let end = rest.find('/').unwrap_or(rest.len());
    // In a password, a `?` need not be encoded.
    let host = rest[..end].find('@').map_or(0, |at| at + 1);
    let (place, query) = rest[host..].split_once('?').unwrap_or((&rest[host..], ""));
    let hosts = place.split('/').next().unwrap_or_default();
    let is_database = |pair: &&str| {
        let key = pair.split('=').next().unwrap_or_default();
        decoded(key).is_ok_and(|key| ["dbname", "database", "schema"].contains(&key.as_str()))
    };
    let query: Vec<&str> = query.split('&').filter(|pair| !is_database(pair)).collect();
    let query = query.join("&");
    let separator = if query.is_empty() { "" } else { "?" };
    format!("{scheme}://{}{hosts}/{name}{separator}{query}", &rest[..host])
}

/// Leaves the password out.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.shown).finish_non_exhaustive()
    }
}

/// The parameter with this name.
pub(crate) fn parameter(name: &str) -> Option<&'static str> {
    let found = PARAMETERS.binary_search_by_key(&name, |(known, _)| known).ok()?;
    Some(PARAMETERS[found].0)
}

fn unknown(key: &str, form: &Form, may_be_secret: bool) -> BadUrl {
    // After an `@`, what looks like a name may be a part of a password.
    let is_name = key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if may_be_secret || key.is_empty() || !is_name {
        return BadUrl::new("the database URL has an unknown parameter", form.encode);
    }
    let message = format!("the database URL has an unknown parameter `{key}`");
    BadUrl::new(message, (form.unknown)(key))
}

/// A name in which spellings don't differ.
fn folded(name: &str) -> String {
    name.replace(['-', '_'], "").to_ascii_lowercase()
}

fn unknown_to_libpq(key: &str) -> String {
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == folded(key)).map(|(_, name)| *name);
    let similar = PARAMETERS.iter().map(|(name, _)| *name).find(|name| folded(name) == folded(key));
    match other.or(similar) {
        Some(name) => format!("libpq's name for it is `{name}`"),
        None => {
            "remove it; the parameters are those of libpq, such as `sslmode` and `options`, and \
                 a parameter of another library needs a URL of its own"
                .to_owned()
        }
    }
}

/// The hosts and the ports of a URL, each separated by commas, as libpq's parameters have them.
fn hosts_and_ports(text: &str, form: &Form) -> Result<(String, String), BadUrl> {
    let encode = form.encode;
    let decoded = |text: &str| decoded(text).map_err(|what| BadUrl::new(what, encode));
    let mut hosts = Vec::new();
    let mut ports = Vec::new();
    for part in text.split(',') {
        let (host, port) = match part.strip_prefix('[') {
            Some(part) => match part.split_once(']') {
                Some((host, "")) => (host, ""),
                Some((host, port)) if port.starts_with(':') => (host, &port[1..]),
                Some(_) | None => {
                    let message = "an IPv6 address in the database URL has no end";
                    return Err(BadUrl::new(message, "write it in brackets: `[::1]:5432`"));
                }
            },
            None => part.split_once(':').unwrap_or((part, "")),
        };
        if port.contains(':') {
            let message = "a host in the database URL has more than one `:`";
            let hint = format!("write an IPv6 address in brackets: `[::1]:5432`; {encode}");
            return Err(BadUrl::new(message, hint));
        }
        let port = decoded(port)?;
        if !port.is_empty() && !port.parse::<u16>().is_ok_and(|number| number > 0) {
            let message = "the port in the database URL is not a number from 1 to 65535";
            return Err(BadUrl::new(message, encode));
        }
        hosts.push(decoded(host)?);
        ports.push(port);
    }
    let joined = |parts: Vec<String>| {
        if parts.iter().all(String::is_empty) { String::new() } else { parts.join(",") }
    };
    Ok((joined(hosts), joined(ports)))
}

/// Decodes a part of a URL strictly, so that a wrong password isn't sent for an unencoded one.
fn decoded(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let hex = tail.get(..2).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if byte != 0 => bytes.push(byte),
            _ => {
                return Err("the database URL has a `%` that no two hexadecimal digits follow");
            }
        }
        rest = &tail[2..];
    }
    String::from_utf8(bytes)
        .map_err(|_| "the database URL has percent-encoded bytes that are not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> String {
        match Server::parse(url) {
            Ok(server) => {
                let pair = |(name, value): (&&str, &String)| format!("{name}={value}");
                server.parameters.iter().map(pair).collect::<Vec<_>>().join(" ")
            }
            Err(err) => err.message,
        }
    }

    #[test]
    fn the_parameters_are_sorted() {
        assert!(PARAMETERS.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn urls_have_the_form_of_libpq() {
        let cases = [
            ("postgres://", ""),
            ("postgresql:///app", "dbname=app"),
            ("postgres://localhost", "host=localhost"),
            ("postgres://ada@localhost/", "host=localhost user=ada"),
            (
                "postgres://ada:s3%40cret@db.example:5433/app",
                "dbname=app host=db.example password=s3@cret port=5433 user=ada",
            ),
            ("postgres://ada:a?b@h/app", "dbname=app host=h password=a?b user=ada"),
            ("postgres://h1:1,h2,h3:3/app", "dbname=app host=h1,h2,h3 port=1,,3"),
            ("postgres://[::1]:5432,[fe80::1]/app", "dbname=app host=::1,fe80::1 port=5432,"),
            ("postgres://%2Fvar%2Frun%2Fpostgresql/app", "dbname=app host=/var/run/postgresql"),
            ("postgres:///app?host=/tmp&port=5433", "dbname=app host=/tmp port=5433"),
            ("postgres://%2Ftmp:5433", "host=/tmp port=5433"),
            ("postgres://a/b%20c?user=x%26y", "dbname=b c host=a user=x&y"),
            ("postgres://a?options=-c%20search_path%3Dx", "host=a options=-c search_path=x"),
            ("postgres://a?options=-csearch_path=x", "host=a options=-csearch_path=x"),
            ("postgres://a?ssl=true", "host=a sslmode=require"),
            ("postgres://a/x?dbname=y&sslmode=", "dbname=y host=a"),
            ("postgres://:s3cret@a", "host=a password=s3cret"),
            ("postgres:ada", "the database URL has no `//` after its scheme"),
            ("postgres://a:b:c/x", "a host in the database URL has more than one `:`"),
            ("postgres://[::1/x", "an IPv6 address in the database URL has no end"),
            ("postgres://[::1]x/x", "an IPv6 address in the database URL has no end"),
            ("postgres://a:0/x", "the port in the database URL is not a number from 1 to 65535"),
            (
                "postgres://a/%zz",
                "the database URL has a `%` that no two hexadecimal digits follow",
            ),
            ("postgres://a/%0", "the database URL has a `%` that no two hexadecimal digits follow"),
            ("postgres://a/%ff", "the database URL has percent-encoded bytes that are not UTF-8"),
            ("postgres://a/x?schema=y", "the database URL has an unknown parameter `schema`"),
        ];
        for (url, expected) in cases {
            assert_eq!(parsed(url), expected, "{url}");
        }
    }

    #[test]
    fn another_database_has_the_url_with_its_name() {
        let cases = [
            ("postgres://", "postgres:///x"),
            ("postgres://h:1,i", "postgres://h:1,i/x"),
            (
                "postgres://ada:a?b%40@h/app?sslmode=require",
                "postgres://ada:a?b%40@h/x?sslmode=require",
            ),
            ("postgres:///?host=/tmp&dbname=app&user=ada", "postgres:///x?host=/tmp&user=ada"),
            ("postgresql://h?db%6eame=app", "postgresql://h/x"),
        ];
        for (url, expected) in cases {
            assert_eq!(with_database(url, "x"), expected);
            let server = Server::parse(expected).unwrap();
            assert_eq!(server.get("dbname"), Some("x"));
        }
    }

    #[test]
    fn in_a_schema_unqualified_names_are_its_own() {
        let cases = [
            ("postgres:///app", r#"-c search_path="A\ ""b""#),
            (
                "postgres:///app?options=-csearch_path%3Dx%2C%22y%5C%20z%22%20-c%20a%3Db",
                r#"-csearch_path=x,"y\ z" -c a=b -c search_path="A\ ""b",x,"y\ z""#,
            ),
        ];
        for (url, expected) in cases {
            let server = Server::parse(url).unwrap().in_schema("A \"b");
            assert_eq!(server.get("options"), Some(expected));
            assert_eq!(server.shown(), "postgres:///app");
        }
    }

    #[test]
    fn the_hint_for_a_parameter_of_another_client_has_the_name_that_libpq_has() {
        let hint = |url: &str| Server::parse(url).unwrap_err().hint;
        for (key, name) in [
            ("ssl-mode", "sslmode"),
            ("sslMode", "sslmode"),
            ("ssl-ca", "sslrootcert"),
            ("username", "user"),
            ("keepalives_retries", "keepalives_count"),
        ] {
            let hint = hint(&format!("postgres://a?{key}=x"));
            assert_eq!(hint, format!("libpq's name for it is `{name}`"));
        }
        assert!(hint("postgres://a?pgbouncer=true").starts_with("remove it; "));
    }

    #[test]
    fn no_message_has_a_part_of_the_password() {
        let urls = [
            "postgres://ada:sEcReT@host/app?sslpassword=sEcReT&user=ada&password=sEcReT",
            "postgres://ada:sEcReT@host/app?sEcReT",
            "postgres://ada:x/sEcReT@host/app",
            "postgres://ada:12/sEcReT@host/app",
            "postgres://ada:sEcReT/x@host/app",
            "postgres://ada:x@sEcReT@host/app",
            "postgres://ada:sEcReT@x@host/app",
            "postgres://ada:1/x?sEcReT@host/app",
            "postgres://ada:1?sEcReT/x@host/app",
            "postgres://ada:%sEcReT@host/app",
            "postgres://ada:x#sEcReT@host/app",
            "postgres://ada:x:sEcReT@host/app",
            "postgres:ada:sEcReT@host/app",
            "postgres://ada:[sEcReT/x@host/app",
            "postgres://ada@host/app?options=-capp.key%3DsEcReT",
        ];
        for url in urls {
            let text = match Server::parse(url) {
                Ok(server) => format!("{} {server:?}", server.shown()),
                Err(err) => format!("{err:?}").replace(&format!("`{}`", "sEcReT"), "sEcReT"),
            };
            // A word in the place of a parameter's name is one.
            if url.ends_with("?sEcReT") {
                assert!(text.contains("unknown parameter sEcReT"), "{url}: {text}");
            } else {
                assert!(!text.contains("sEcReT"), "{url}: {text}");
            }
        }
    }

    #[test]
    fn a_url_is_shown_with_what_tells_databases_apart() {
        let cases = [
            ("postgres://ada:x@h:1,i/app", "postgres://ada@h:1,i/app"),
            ("postgres:///app?host=/tmp&options=x", "postgres:///app?host=/tmp"),
            (
                "postgres://h/app?password=x&sslmode=require&port=5433",
                "postgres://h/app?sslmode=require&port=5433",
            ),
            ("postgresql://:x@h", "postgresql://@h"),
        ];
        for (url, expected) in cases {
            assert_eq!(Server::parse(url).unwrap().shown(), expected);
        }
    }
}
