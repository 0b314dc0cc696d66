//! Opens a connection: one server after the other, encrypted as the settings say.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::{IpAddr, ToSocketAddrs as _};

use postgres::config::{self, LoadBalanceHosts, SslNegotiation};
use postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::error::{in_full, in_words, unconnected};
use super::settings::{ChannelBinding, Host, Place, Settings, SslMode, Target};
use super::settings::{resolve, with_own};
#[cfg(feature = "postgres-tls")]
use super::tls;
use crate::driver::{DatabaseError, ErrorKind, Unconnected, opened_within};
use crate::server::{BadUrl, Server};

/// A connection that isn't encrypted, or by what it is.
#[derive(Clone)]
pub(super) enum Encryption {
    None,
    #[cfg(feature = "postgres-tls")]
    Tls(tls::Connector),
}

impl Encryption {
    pub(super) fn is_on(&self) -> bool {
        !matches!(self, Encryption::None)
    }
}

/// Why an attempt failed.
struct Failure {
    err: DatabaseError,
    /// Whether the server was reached and said no, so that others aren't tried.
    is_final: bool,
}

/// Connects to a server, with what the environment and libpq's files add to its URL.
pub(super) fn connect(server: &Server) -> Result<Client, DatabaseError> {
    let settings = with_own(|around| resolve(server, around)).map_err(of_settings)?;
    connect_with(&settings)
}

fn of_settings(BadUrl { message, hint }: BadUrl) -> DatabaseError {
    fault(Unconnected::Settings { message, hint })
}

/// An error that only we know of.
pub(super) fn fault(unconnected: Unconnected) -> DatabaseError {
    DatabaseError::of(ErrorKind::Unconnected(Box::new(unconnected)), "")
}

fn connect_with(settings: &Settings) -> Result<Client, DatabaseError> {
    let encryption = encryption(settings)?;
    let mut hosts: Vec<&Host> = settings.hosts.iter().collect();
    if settings.is_random {
        shuffle(&mut hosts);
    }
    let mut failures = Vec::new();
    let targets = match settings.target {
        Target::PreferStandby => vec![Target::Standby, Target::Any],
        target => vec![target],
    };
    for target in targets {
        failures.clear();
        for host in &hosts {
            match connect_to(host, target, settings, &encryption) {
                Ok(client) => return Ok(client),
                Err(failure) if failure.is_final => return Err(failure.err),
                Err(failure) => failures.push((host.to_string(), failure.err)),
            }
        }
    }
    if failures.len() == 1 {
        return Err(failures.remove(0).1);
    }
    let servers = failures.into_iter().map(|(place, err)| match err.kind() {
        ErrorKind::Unconnected(unconnected) => (place, (**unconnected).clone()),
        _ => (place, Unconnected::Other),
    });
    Err(fault(Unconnected::All { servers: servers.collect() }))
}

/// What connections to these servers are encrypted by.
fn encryption(settings: &Settings) -> Result<Encryption, DatabaseError> {
    let has_tcp = settings.hosts.iter().any(|host| matches!(host.place, Place::Tcp { .. }));
    if !has_tcp || settings.tls.mode == SslMode::Disable {
        return Ok(Encryption::None);
    }
    #[cfg(feature = "postgres-tls")]
    return tls::Connector::new(&settings.tls).map(Encryption::Tls).map_err(of_settings);
    #[cfg(not(feature = "postgres-tls"))]
    match settings.tls.mode {
        SslMode::Disable | SslMode::Allow | SslMode::Prefer => Ok(Encryption::None),
        mode => Err(fault(Unconnected::NoTls { mode: mode.name() })),
    }
}

impl SslMode {
    pub(super) fn name(self) -> &'static str {
        match self {
            SslMode::Disable => "disable",
            SslMode::Allow => "allow",
            SslMode::Prefer => "prefer",
            SslMode::Require => "require",
            SslMode::VerifyCa => "verify-ca",
            SslMode::VerifyFull => "verify-full",
        }
    }
}

/// One attempt: where, and how encrypted.
struct Attempt<'a> {
    settings: &'a Settings,
    host: &'a Host,
    address: Option<IpAddr>,
    encryption: &'a Encryption,
}

fn connect_to(
    host: &Host,
    target: Target,
    settings: &Settings,
    encryption: &Encryption,
) -> Result<Client, Failure> {
    let mut addresses = match &host.place {
        Place::Socket(_) => vec![None],
        Place::Tcp { address: Some(address), .. } => vec![Some(*address)],
        Place::Tcp { name, address: None } => {
            let found = (name.as_str(), host.port).to_socket_addrs().map_err(|err| {
                let unknown = Unconnected::UnknownHost { host: name.clone() };
                let kind = ErrorKind::Unconnected(Box::new(unknown));
                Failure { err: DatabaseError::of(kind, err.to_string()), is_final: false }
            })?;
            found.map(|address| Some(address.ip())).collect()
        }
    };
    if settings.is_random {
        shuffle(&mut addresses);
    }
    let mut last = None;
    for address in addresses {
        let attempt = Attempt { settings, host, address, encryption };
        match attempt.made() {
            Ok(mut client) => match is_target(&mut client, target) {
                Ok(true) => return Ok(client),
                Ok(false) => {
                    let err = fault(Unconnected::WrongTarget { wanted: settings.target.name() });
                    last = Some(Failure { err, is_final: false });
                }
                Err(err) => last = Some(attempt.failure(&err, false)),
            },
            Err(failure) if failure.is_final => return Err(failure),
            Err(failure) => last = Some(failure),
        }
    }
    let Place::Tcp { name, .. } = &host.place else {
        return Err(
            last.unwrap_or_else(|| Failure { err: fault(Unconnected::Other), is_final: false })
        );
    };
    let unknown = || fault(Unconnected::UnknownHost { host: name.clone() });
    Err(last.unwrap_or_else(|| Failure { err: unknown(), is_final: false }))
}

impl Attempt<'_> {
    /// Tries the ways that the mode allows, one after the other.
    fn made(&self) -> Result<Client, Failure> {
        let plain = &Encryption::None;
        let is_socket = matches!(self.host.place, Place::Socket(_));
        let ways = match self.settings.tls.mode {
            // A socket is never encrypted.
            _ if is_socket || !self.encryption.is_on() => vec![(plain, config::SslMode::Disable)],
            SslMode::Disable => vec![(plain, config::SslMode::Disable)],
            SslMode::Allow => {
                vec![(plain, config::SslMode::Disable), (self.encryption, config::SslMode::Require)]
            }
            SslMode::Prefer => {
                vec![(self.encryption, config::SslMode::Prefer), (plain, config::SslMode::Disable)]
            }
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                vec![(self.encryption, config::SslMode::Require)]
            }
        };
        let mut first: Option<Failure> = None;
        for (encryption, mode) in ways {
            let err = match self.open(encryption, mode) {
                Ok(client) => return Ok(client),
                Err(err) => err,
            };
            // Only a rule about encryption, or a failed handshake, is a reason for the other way.
            let may_differ = match &err {
                Opening::TimedOut => false,
                Opening::Failed(err) => {
                    err.code().is_some_and(|code| code.code() == "28000")
                        || err.as_db_error().is_none() && !is_network(err)
                }
            };
            let failure = match err {
                Opening::TimedOut => {
                    let seconds = self.settings.connect_timeout.map(|limit| limit.as_secs());
                    let place = self.host.to_string();
                    let err = fault(Unconnected::TimedOut { place, seconds });
                    Failure { err, is_final: false }
                }
                Opening::Failed(err) => self.failure(&err, encryption.is_on()),
            };
            first = first.or(Some(failure));
            if !may_differ {
                break;
            }
        }
        Err(first.unwrap_or_else(|| Failure { err: fault(Unconnected::Other), is_final: false }))
    }

    fn failure(&self, err: &postgres::Error, is_encrypted: bool) -> Failure {
        // A server that is starting up may be one of several.
        let code = err.code().map(|code| code.code());
        let is_final = code.is_some_and(|code| code != "57P03");
        let why = unconnected(err, self.host, self.settings, is_encrypted);
        let message = match (err.as_db_error(), &why) {
            (Some(err), _) => in_words(err),
            (None, Unconnected::NoPassword { .. }) => String::new(),
            (None, _) => in_full(err),
        };
        let kind = ErrorKind::Unconnected(Box::new(why));
        Failure { err: DatabaseError::of(kind, message), is_final }
    }

    fn config(&self, mode: config::SslMode) -> Config {
        let Attempt { settings, host, address, .. } = self;
        let mut config = Config::new();
        match &host.place {
            Place::Socket(dir) => config.host(&dir.to_string_lossy()),
            Place::Tcp { name, .. } => config.host(name),
        };
        if let Some(address) = address {
            config.hostaddr(*address);
        }
        config.port(host.port).user(&settings.user).dbname(&settings.database);
        config.application_name(&settings.application_name).ssl_mode(mode);
        if let Some(password) = &host.password {
            config.password(password);
        }
        if let Some(options) = &settings.options {
            config.options(options);
        }
        if let Some(timeout) = settings.connect_timeout {
            config.connect_timeout(timeout);
        }
        let keepalives = &settings.keepalives;
        config.keepalives(keepalives.is_on);
        keepalives.idle.map(|idle| config.keepalives_idle(idle));
        keepalives.interval.map(|interval| config.keepalives_interval(interval));
        keepalives.count.map(|count| config.keepalives_retries(count));
        keepalives.user_timeout.map(|timeout| config.tcp_user_timeout(timeout));
        if settings.tls.is_direct && mode == config::SslMode::Require {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        config.channel_binding(match settings.channel_binding {
            ChannelBinding::Disable => config::ChannelBinding::Disable,
            ChannelBinding::Prefer => config::ChannelBinding::Prefer,
            ChannelBinding::Require => config::ChannelBinding::Require,
        });
        config.load_balance_hosts(LoadBalanceHosts::Disable);
        config
    }

    fn open(&self, encryption: &Encryption, mode: config::SslMode) -> Result<Client, Opening> {
        let config = self.config(mode);
        let encryption = encryption.clone();
        let open = move || match encryption {
            Encryption::None => config.connect(NoTls),
            #[cfg(feature = "postgres-tls")]
            Encryption::Tls(connector) => config.connect(connector),
        };
        let Some(limit) = self.settings.connect_timeout else {
            return open().map_err(Opening::Failed);
        };
        let opened = opened_within(limit, open).ok_or(Opening::TimedOut)?;
        opened.map_err(Opening::Failed)
    }
}

enum Opening {
    TimedOut,
    Failed(postgres::Error),
}

fn is_network(err: &postgres::Error) -> bool {
    err.to_string() == "error connecting to server"
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Target::Any => "any",
            Target::ReadWrite => "read-write",
            Target::ReadOnly => "read-only",
            Target::Primary => "primary",
            Target::Standby => "standby",
            Target::PreferStandby => "prefer-standby",
        }
    }
}

/// Whether a server is of the wanted kind.
fn is_target(client: &mut Client, target: Target) -> Result<bool, postgres::Error> {
    let (question, expected) = match target {
        Target::Any | Target::PreferStandby => return Ok(true),
        Target::ReadWrite => ("SHOW transaction_read_only", "off"),
        Target::ReadOnly => ("SHOW transaction_read_only", "on"),
        Target::Primary => ("SELECT pg_catalog.pg_is_in_recovery()", "f"),
        Target::Standby => ("SELECT pg_catalog.pg_is_in_recovery()", "t"),
    };
    for message in client.simple_query(question)? {
        if let SimpleQueryMessage::Row(row) = message {
            return Ok(row.try_get(0)? == Some(expected));
        }
    }
    Ok(false)
}

/// Puts values into a random order, so that many programs use several servers alike.
fn shuffle<T>(values: &mut [T]) {
    let random = RandomState::new();
    for end in (1..values.len()).rev() {
        let other = random.hash_one(end) % (end as u64 + 1);
        values.swap(end, usize::try_from(other).unwrap_or(0));
    }
}
