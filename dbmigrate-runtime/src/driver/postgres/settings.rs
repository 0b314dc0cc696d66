//! What is known about a server before connecting: the URL, then a service file, the environment
//! and libpq's defaults.

mod files;
mod surroundings;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::server::{BadUrl, PARAMETERS, Server};
#[cfg(feature = "postgres-tls")]
pub(super) use surroundings::is_open_to_others;
pub(super) use surroundings::{Surroundings, with_own};

/// How to connect to a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// The servers, in the order in which they are tried.
    pub(super) hosts: Vec<Host>,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) options: Option<String>,
    pub(super) application_name: String,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keepalives: Keepalives,
    pub(super) target: Target,
    pub(super) is_random: bool,
    pub(super) channel_binding: ChannelBinding,
    pub(super) tls: Tls,
    /// Where the password is from.
    pub(super) password_origin: Option<String>,
    /// Why a password file wasn't used.
    pub(super) passfile_note: Option<String>,
}

/// One server.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) place: Place,
    pub(super) port: u16,
    pub(super) password: Option<String>,
}

/// Leaves the password out.
impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let password = self.password.as_ref().map(|_| "...");
        let mut shown = f.debug_struct("Host");
        shown.field("place", &self.place).field("port", &self.port);
        shown.field("password", &password).finish()
    }
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// On a socket in this directory.
    Socket(PathBuf),
    /// On the port of a host.
    Tcp {
        /// The name, which a certificate has to be for.
        name: String,
        /// The address, if the name isn't looked up.
        address: Option<IpAddr>,
    },
}

/// The server for messages: its host and port, or its socket.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port;
        match &self.place {
            Place::Socket(dir) => write!(f, "{}", dir.join(socket(port)).display()),
            Place::Tcp { name, .. } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Place::Tcp { name, .. } => write!(f, "{name}:{port}"),
        }
    }
}

/// How a connection without traffic is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keepalives {
    pub(super) is_on: bool,
    pub(super) idle: Option<Duration>,
    pub(super) interval: Option<Duration>,
    pub(super) count: Option<u32>,
    pub(super) user_timeout: Option<Duration>,
}

/// Which server is wanted (`target_session_attrs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// Whether the password's exchange is bound to the TLS connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChannelBinding {
    Disable,
    Prefer,
    Require,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) mode: SslMode,
    /// Whether encryption starts without asking the server (`sslnegotiation=direct`).
    pub(super) is_direct: bool,
    pub(super) roots: Roots,
    pub(super) client: Option<ClientCertificate>,
    /// A file of revoked certificates.
    pub(super) revoked: Option<PathBuf>,
    /// Whether the server is told the host's name.
    pub(super) has_sni: bool,
    /// The lowest and the highest version of TLS.
    pub(super) versions: (TlsVersion, TlsVersion),
}

/// libpq's `sslmode`, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SslMode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The certificates that a server's certificate may be signed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// None: the server's certificate isn't verified.
    Unverified,
    /// Those that the operating system trusts.
    System,
    /// Those of this file.
    File(PathBuf),
}

/// The files of a client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientCertificate {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TlsVersion {
    V12,
    V13,
}

/// The name of a server's socket.
pub(super) fn socket(port: u16) -> String {
    format!(".s.PGSQL.{port}")
}

/// A parameter's value, and where it is from.
struct Given {
    value: String,
    origin: String,
}

impl Given {
    /// An error about this value, which isn't shown.
    fn bad(&self, name: &str, expected: &str) -> BadUrl {
        BadUrl::new(
            format!("`{name}` in {} is not {expected}", self.origin),
            format!("correct `{name}` in {}", self.origin),
        )
    }
}

/// All that gives parameters, in the order in which they count.
struct Sources<'a> {
    server: &'a Server,
    service: BTreeMap<&'static str, String>,
    service_origin: String,
    around: &'a Surroundings<'a>,
}

impl Sources<'_> {
    fn get(&self, name: &str) -> Option<Given> {
        if let Some(value) = self.server.get(name) {
            return Some(Given { value: value.to_owned(), origin: "the database URL".to_owned() });
        }
        if let Some(value) = self.service.get(name) {
            return Some(Given { value: value.clone(), origin: self.service_origin.clone() });
        }
        let variable = PARAMETERS.iter().find(|(known, _)| *known == name)?.1;
        let value = self.around.variable(variable)?;
        Some(Given { value, origin: format!("the environment variable {variable}") })
    }

    fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(|given| given.value)
    }

    /// The value of a parameter that has one of a few.
    fn one_of<T: Copy>(&self, name: &str, values: &[(&str, T)]) -> Result<Option<T>, BadUrl> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let found = values.iter().find(|(text, _)| *text == given.value);
        let names: Vec<_> = values.iter().map(|(text, _)| format!("`{text}`")).collect();
        let expected = format!("one of {}", names.join(", "));
        found.map(|(_, value)| Some(*value)).ok_or_else(|| given.bad(name, &expected))
    }

    fn number(&self, name: &str) -> Result<Option<u32>, BadUrl> {
        let Some(given) = self.get(name) else { return Ok(None) };
        match given.value.trim().parse::<i64>() {
            // No limit; libpq takes all these for its default.
            Ok(..=0) => Ok(Some(0)),
            Ok(number) => Ok(Some(u32::try_from(number).unwrap_or(u32::MAX))),
            Err(_) => Err(given.bad(name, "a whole number")),
        }
    }

    /// A number that counts if it isn't 0.
    fn positive(&self, name: &str) -> Result<Option<u32>, BadUrl> {
        Ok(self.number(name)?.filter(|number| *number > 0))
    }

    fn seconds(&self, name: &str) -> Result<Option<Duration>, BadUrl> {
        let seconds = self.positive(name)?;
        Ok(seconds.map(|seconds| Duration::from_secs(seconds.into())))
    }

    /// The parts of a parameter that is a list.
    fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        if text.is_empty() { Vec::new() } else { text.split(',').map(str::to_owned).collect() }
    }
}

/// The settings for a URL, given what is around the program.
///
/// # Errors
///
/// When a parameter has no meaning, or one that isn't supported.
pub(super) fn resolve(server: &Server, around: &Surroundings<'_>) -> Result<Settings, BadUrl> {
    let mut sources =
        Sources { server, service: BTreeMap::new(), service_origin: String::new(), around };
    if let Some(name) = sources.text("service") {
        let file = sources.text("servicefile");
        let (service, path) = files::service(&name, file.as_deref(), around)?;
        sources.service_origin = format!("service `{name}` of `{}`", path.display());
        sources.service = service;
    }
    refuse_unsupported(&sources)?;
    let user = sources.text("user").or_else(|| around.user.clone());
    let user = user.ok_or_else(|| {
        BadUrl::new(
            "the database URL has no user, and the operating system doesn't say who you are",
            "write the user into the URL: `postgres://user@host/database`",
        )
    })?;
    let database = sources.text("dbname").unwrap_or_else(|| user.clone());
    let mut hosts = hosts(&sources)?;
    let mut passfile_note = None;
    let password = sources.get("password");
    let password_origin = password.as_ref().map(|given| given.origin.clone());
    match password {
        Some(given) => {
            hosts.iter_mut().for_each(|host| host.password = Some(given.value.clone()));
        }
        None => {
            let given = sources.text("passfile");
            let login = files::Login { user: &user, database: &database };
            passfile_note = files::fill_passwords(&mut hosts, given.as_deref(), login, around);
        }
    }
    let name = sources.text("application_name");
    let name = name.or_else(|| sources.text("fallback_application_name"));
    let milliseconds = sources.positive("tcp_user_timeout")?;
    let keepalives = Keepalives {
        is_on: sources.number("keepalives")? != Some(0),
        idle: sources.seconds("keepalives_idle")?,
        interval: sources.seconds("keepalives_interval")?,
        count: sources.positive("keepalives_count")?,
        user_timeout: milliseconds.map(|number| Duration::from_millis(number.into())),
    };
    let targets = [
        ("any", Target::Any),
        ("read-write", Target::ReadWrite),
        ("read-only", Target::ReadOnly),
        ("primary", Target::Primary),
        ("standby", Target::Standby),
        ("prefer-standby", Target::PreferStandby),
    ];
    let bindings = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    let orders = [("disable", false), ("random", true)];
    Ok(Settings {
        tls: tls(&sources, &hosts)?,
        hosts,
        user,
        database,
        options: sources.text("options"),
        application_name: name.unwrap_or_else(|| "dbmigrate".to_owned()),
        connect_timeout: sources.seconds("connect_timeout")?,
        keepalives,
        target: sources.one_of("target_session_attrs", &targets)?.unwrap_or(Target::Any),
        is_random: sources.one_of("load_balance_hosts", &orders)?.unwrap_or(false),
        channel_binding: sources
            .one_of("channel_binding", &bindings)?
            .unwrap_or(ChannelBinding::Prefer),
        password_origin,
        passfile_note,
    })
}

/// Parameters that can't be applied, with the values that ask for nothing.
const UNSUPPORTED: &[(&str, &[&str])] = &[
    ("gssencmode", &["disable", "prefer"]),
    ("min_protocol_version", &["3.0"]),
    ("oauth_client_id", &[]),
    ("oauth_client_secret", &[]),
    ("oauth_issuer", &[]),
    ("oauth_scope", &[]),
    ("replication", &["false", "off", "no", "0"]),
    ("require_auth", &[]),
    ("requirepeer", &[]),
    ("scram_client_key", &[]),
    ("scram_server_key", &[]),
    ("sslcertmode", &["allow", "disable"]),
    ("sslcrldir", &[]),
    ("sslkeylogfile", &[]),
    ("sslpassword", &[]),
];

/// A parameter that protects the connection must not be ignored in silence.
fn refuse_unsupported(sources: &Sources<'_>) -> Result<(), BadUrl> {
    for (name, harmless) in UNSUPPORTED {
        let Some(given) = sources.get(name) else { continue };
        if harmless.contains(&given.value.as_str()) {
            continue;
        }
        let origin = &given.origin;
        let (what, hint) = if harmless.is_empty() {
            ("", format!("remove `{name}` from {origin}"))
        } else {
            let values: Vec<_> = harmless.iter().map(|value| format!("`{value}`")).collect();
            let hint =
                format!("remove `{name}` from {origin}, or set it to {}", values.join(" or "));
            ("this value of ", hint)
        };
        let hint = match *name {
            "sslpassword" => format!("decrypt the key's file, and {hint}"),
            "sslcrldir" => format!("name a single file with `sslcrl`, and {hint}"),
            _ => hint,
        };
        let message = format!("dbmigrate does not support {what}`{name}`, in {origin}");
        return Err(BadUrl::new(message, hint));
    }
    Ok(())
}

/// The servers that host, hostaddr and port name.
fn hosts(sources: &Sources<'_>) -> Result<Vec<Host>, BadUrl> {
    let (names, addresses) = (sources.list("host"), sources.list("hostaddr"));
    let ports = sources.list("port");
    let n_hosts = if addresses.is_empty() { names.len().max(1) } else { addresses.len() };
    if !names.is_empty() && names.len() != n_hosts {
        return Err(BadUrl::new(
            format!("there are {} hosts in `host` and {n_hosts} in `hostaddr`", names.len()),
            "give each host an address, or remove `hostaddr`",
        ));
    }
    if ports.len() > 1 && ports.len() != n_hosts {
        return Err(BadUrl::new(
            format!("there are {} ports for {n_hosts} hosts", ports.len()),
            "give each host a port, or one port for all",
        ));
    }
    let mut hosts = Vec::with_capacity(n_hosts);
    for idx in 0..n_hosts {
        let port = match ports.get(idx).or(ports.first()).map(String::as_str) {
            None | Some("") => 5432,
            Some(port) => match port.trim().parse() {
                Ok(port) if port > 0 => port,
                Ok(_) | Err(_) => {
                    let given = sources.get("port");
                    let bad = |given: Given| given.bad("port", "a number from 1 to 65535");
                    return Err(given.map_or_else(|| BadUrl::new("bad port", ""), bad));
                }
            },
        };
        let address = match addresses.get(idx).filter(|address| !address.is_empty()) {
            None => None,
            Some(address) => Some(address.trim().parse::<IpAddr>().map_err(|_| {
                BadUrl::new(
                    "`hostaddr` is not an IP address",
                    "write a name into `host` instead, and an address as in `127.0.0.1` or `::1`",
                )
            })?),
        };
        let name = names.get(idx).map(|name| name.trim()).filter(|name| !name.is_empty());
        let place = match (name, address) {
            (Some(name), None) if name.starts_with('/') => Place::Socket(name.into()),
            (Some(name), address) => Place::Tcp { name: name.to_owned(), address },
            (None, Some(address)) => {
                Place::Tcp { name: address.to_string(), address: Some(address) }
            }
            (None, None) => sources.around.usual_place(port),
        };
        hosts.push(Host { place, port, password: None });
    }
    Ok(hosts)
}

/// How the connections to these servers are encrypted.
fn tls(sources: &Sources<'_>, hosts: &[Host]) -> Result<Tls, BadUrl> {
    let modes = [
        ("disable", SslMode::Disable),
        ("allow", SslMode::Allow),
        ("prefer", SslMode::Prefer),
        ("require", SslMode::Require),
        ("verify-ca", SslMode::VerifyCa),
        ("verify-full", SslMode::VerifyFull),
    ];
    let mode = sources.one_of("sslmode", &modes)?;
    let around = sources.around;
    let default_file = |name: &str| {
        let path = around.settings_dir()?.join(name);
        around.exists(&path).then_some(path)
    };
    let root = sources.text("sslrootcert");
    let is_system = root.as_deref() == Some("system");
    let mode = mode.unwrap_or(if is_system { SslMode::VerifyFull } else { SslMode::Prefer });
    if is_system && mode != SslMode::VerifyFull {
        return Err(BadUrl::new(
            "`sslrootcert=system` does not go with a weaker `sslmode` than `verify-full`",
            "set `sslmode=verify-full`: anyone can get a certificate that the system trusts, for a \
             host of their own",
        ));
    }
    let has_tcp = hosts.iter().any(|host| matches!(host.place, Place::Tcp { .. }));
    let roots = match root {
        Some(_) if is_system => Roots::System,
        Some(path) if around.exists(path.as_ref()) => Roots::File(path.into()),
        None if default_file("root.crt").is_some() => {
            Roots::File(default_file("root.crt").unwrap_or_default())
        }
        root if has_tcp && mode >= SslMode::VerifyCa => {
            let default = around.settings_dir().map(|dir| dir.join("root.crt"));
            let path = root.map(PathBuf::from).or(default).unwrap_or_else(|| "root.crt".into());
            return Err(BadUrl::new(
                format!(
                    "the file `{}` with the root certificate doesn't exist, so the server's \
                     certificate can't be verified",
                    path.display()
                ),
                "name the file with `sslrootcert=FILE`, or write `sslrootcert=system` for a \
                 certificate that your system trusts",
            ));
        }
        Some(_) | None => Roots::Unverified,
    };
    let is_sent = sources.text("sslcertmode").as_deref() != Some("disable");
    let certificate = sources.text("sslcert").map(PathBuf::from);
    let certificate = certificate.or_else(|| default_file("postgresql.crt"));
    let key = sources.text("sslkey").map(PathBuf::from);
    let key = key.or_else(|| around.settings_dir().map(|dir| dir.join("postgresql.key")));
    let client = match (certificate, key) {
        (Some(certificate), Some(key)) if is_sent => Some(ClientCertificate { certificate, key }),
        _ => None,
    };
    let revoked = sources.text("sslcrl").map(PathBuf::from);
    let is_direct = sources.one_of("sslnegotiation", &[("postgres", false), ("direct", true)])?;
    if is_direct == Some(true) && has_tcp && mode < SslMode::Require {
        return Err(BadUrl::new(
            "`sslnegotiation=direct` does not go with a weaker `sslmode` than `require`",
            "set `sslmode` to `require`, `verify-ca` or `verify-full`",
        ));
    }
    Ok(Tls {
        mode,
        is_direct: is_direct.unwrap_or(false),
        roots,
        client,
        revoked: revoked.or_else(|| default_file("root.crl")),
        has_sni: sources.number("sslsni")? != Some(0),
        versions: versions(sources)?,
    })
}

/// The versions of TLS that a connection may have. Those before 1.2 aren't supported.
fn versions(sources: &Sources<'_>) -> Result<(TlsVersion, TlsVersion), BadUrl> {
    let least = [
        ("TLSv1", TlsVersion::V12),
        ("TLSv1.1", TlsVersion::V12),
        ("TLSv1.2", TlsVersion::V12),
        ("TLSv1.3", TlsVersion::V13),
    ];
    let least = sources.one_of("ssl_min_protocol_version", &least)?.unwrap_or(TlsVersion::V12);
    let most = [("TLSv1.2", TlsVersion::V12), ("TLSv1.3", TlsVersion::V13)];
    let most = sources.one_of("ssl_max_protocol_version", &most)?.unwrap_or(TlsVersion::V13);
    if least > most {
        return Err(BadUrl::new(
            "`ssl_min_protocol_version` is above `ssl_max_protocol_version`",
            "remove one of them",
        ));
    }
    Ok((least, most))
}

#[cfg(test)]
mod tests;
