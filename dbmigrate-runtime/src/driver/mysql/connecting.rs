//! Opens a connection, encrypted as the settings say.

use std::collections::HashMap;

use mysql::consts::CapabilityFlags;
use mysql::{Conn, OptsBuilder};

use super::error::{in_words, unconnected};
use super::settings::{Place, Settings, SslMode, resolve};
#[cfg(feature = "mysql-tls")]
use crate::driver::certificates;
use crate::driver::{DatabaseError, ErrorKind, Unconnected, opened_within};
use crate::server::{BadUrl, Server};

/// Connects to a server, with what the environment adds to its URL.
pub(super) fn connect(server: &Server) -> Result<Conn, DatabaseError> {
    let variable = |name: &str| std::env::var(name).ok();
    let user = || variable("USER").or_else(|| variable("USERNAME"));
    let bad = |err: BadUrl| fault(Unconnected::Settings { message: err.message, hint: err.hint });
    let settings = resolve(server, variable, user).map_err(bad)?;
    let opened = open(&settings, settings.ssl_mode);
    let opened = match opened {
        // What is only preferred need not be possible.
        Err(err) if settings.ssl_mode == SslMode::Preferred && is_of_tls(&err) => {
            open(&settings, SslMode::Disabled)
        }
        opened => opened,
    };
    opened.map_err(|opening| match opening {
        Opening::NoTls => {
            let mode = settings.ssl_mode.name();
            fault(Unconnected::Mysql(crate::driver::MysqlFault::NoTls { mode }))
        }
        Opening::Settings(err) => bad(err),
        Opening::Failed(err) => {
            let message = in_words(&err);
            let kind = ErrorKind::Unconnected(Box::new(unconnected(&err, &settings)));
            DatabaseError::of(kind, message)
        }
    })
}

/// An error that only we know of.
pub(super) fn fault(unconnected: Unconnected) -> DatabaseError {
    DatabaseError::of(ErrorKind::Unconnected(Box::new(unconnected)), "")
}

enum Opening {
    #[cfg_attr(feature = "mysql-tls", allow(dead_code, reason = "TLS is there"))]
    NoTls,
    #[cfg_attr(not(feature = "mysql-tls"), allow(dead_code, reason = "no file is read"))]
    Settings(BadUrl),
    Failed(mysql::Error),
}

fn is_of_tls(opening: &Opening) -> bool {
    match opening {
        Opening::NoTls => true,
        Opening::Settings(_) => false,
        Opening::Failed(mysql::Error::DriverError(mysql::DriverError::TlsNotSupported)) => true,
        #[cfg(feature = "mysql-tls")]
        Opening::Failed(mysql::Error::TlsError(_)) => true,
        #[cfg(feature = "mysql-tls")]
        Opening::Failed(err) => super::error::io_error(err).is_some_and(super::error::is_of_tls),
        #[cfg(not(feature = "mysql-tls"))]
        Opening::Failed(_) => false,
    }
}

fn open(settings: &Settings, mode: SslMode) -> Result<Conn, Opening> {
    let mut opts = OptsBuilder::new()
        .user(Some(settings.user.as_str()))
        .pass(settings.password.as_deref())
        .db_name(Some(settings.database.as_str()))
        // Otherwise it would look for the server's socket, and connect again.
        .prefer_socket(false)
        .tcp_connect_timeout(settings.connect_timeout)
        // An update that changes nothing has found its rows.
        .additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS)
        .connect_attrs(Some(HashMap::from([("program_name", "dbmigrate")])));
    opts = match &settings.place {
        Place::Socket(path) => {
            opts.socket(Some(path.to_string_lossy())).ip_or_hostname(None::<String>)
        }
        Place::Tcp { host, port } => opts.ip_or_hostname(Some(host.as_str())).tcp_port(*port),
    };
    let is_tcp = matches!(settings.place, Place::Tcp { .. });
    if is_tcp && mode != SslMode::Disabled {
        opts = encrypted(opts, settings, mode)?;
    }
    let open = move || Conn::new(opts);
    let opened = match settings.connect_timeout {
        None => open(),
        Some(limit) => opened_within(limit, open)
            .unwrap_or(Err(mysql::Error::DriverError(mysql::DriverError::ConnectTimeout))),
    };
    opened.map_err(Opening::Failed)
}

#[cfg(not(feature = "mysql-tls"))]
fn encrypted(_: OptsBuilder, _: &Settings, _: SslMode) -> Result<OptsBuilder, Opening> {
    Err(Opening::NoTls)
}

#[cfg(feature = "mysql-tls")]
fn encrypted(
    opts: OptsBuilder,
    settings: &Settings,
    mode: SslMode,
) -> Result<OptsBuilder, Opening> {
    use mysql::{ClientIdentity, SslOpts};
    use rustls::crypto::{CryptoProvider, ring};

    // The crate asks for the process's provider, and panics where a program has compiled two and
    // chosen none.
    if CryptoProvider::get_default().is_none() {
        let _ = ring::default_provider().install_default();
    }
    // The crate also trusts the web's root certificates. So the host is always verified with who
    // signed, or anybody's certificate would do.
    let mut ssl = SslOpts::default().with_danger_accept_invalid_certs(mode < SslMode::VerifyCa);
    // The crate doesn't say which file it can't read.
    if let Some(roots) = &settings.ssl_ca {
        certificates::all(roots).map_err(Opening::Settings)?;
        ssl = ssl.with_root_cert_path(Some(roots.clone()));
    }
    if let Some((certificate, key)) = &settings.client {
        certificates::all(certificate).map_err(Opening::Settings)?;
        certificates::key(key, "ssl-key").map_err(Opening::Settings)?;
        ssl = ssl.with_client_identity(Some(ClientIdentity::new(certificate.clone(), key.clone())));
    }
    Ok(opts.ssl_opts(Some(ssl)))
}
