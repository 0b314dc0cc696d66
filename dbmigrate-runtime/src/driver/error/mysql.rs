//! What only a connection to MySQL or MariaDB can fail by.

use super::certificate::BadCertificate;

/// Why no connection to MySQL or MariaDB could be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MysqlFault {
    /// There is no such socket.
    NoSocket {
        /// The socket.
        place: String,
    },
    /// What listens doesn't speak the protocol, or hung up.
    NotAServer {
        /// The server.
        place: String,
    },
    /// The password is wrong, or the account doesn't exist.
    WrongPassword {
        /// The user.
        user: String,
        /// Where the password is from; `None` if there is none.
        origin: Option<&'static str>,
        /// Whether the connection is a socket, where the system's user may decide.
        is_socket: bool,
        /// Whether the account may be one that is only accepted with TLS.
        wants_tls: bool,
        /// Whether the account may be one that is only accepted with a client certificate.
        wants_certificate: bool,
    },
    /// The database doesn't exist.
    NoDatabase {
        /// The database.
        name: String,
        /// The shell's command that creates it.
        command: String,
        /// The SQL that creates it.
        sql: String,
    },
    /// The user has no right to use the database, which may not exist.
    NoRight {
        /// The user.
        user: String,
        /// The database.
        database: String,
        /// The SQL that gives the right.
        sql: String,
    },
    /// The server accepts no connections from this machine.
    HostRefused {
        /// Whether it does so after too many failed ones.
        is_blocked: bool,
    },
    /// The account's password has expired.
    Expired {
        /// The user.
        user: String,
    },
    /// The account is locked.
    Locked {
        /// The user.
        user: String,
    },
    /// The account authenticates in a way that this program doesn't know or allow.
    Authentication {
        /// The user.
        user: String,
        /// The driver's words.
        why: String,
    },
    /// TLS is wanted, and this program was built without it.
    NoTls {
        /// The value of `ssl-mode`.
        mode: &'static str,
    },
    /// TLS is wanted, and the server doesn't offer it.
    TlsNotOffered {
        /// The value of `ssl-mode`.
        mode: &'static str,
    },
    /// The server wants TLS.
    TlsWanted,
    /// The server's certificate isn't accepted.
    Certificate(BadCertificate),
    /// The TLS handshake failed.
    Handshake {
        /// The server.
        place: String,
        /// The value of `ssl-mode`.
        mode: &'static str,
        /// The library's words.
        why: String,
    },
    /// The server's version isn't supported.
    TooOld {
        /// The product and its version.
        server: String,
    },
    /// The server ignores checks.
    ChecksIgnored {
        /// The product and its version.
        server: String,
    },
    /// The product isn't supported.
    Unsupported {
        /// The product and its version.
        server: String,
    },
}
