//! Why no connection to a server could be opened.

use super::certificate::BadCertificate;
use super::mysql::MysqlFault;

/// Why no connection to a server could be opened. A `place` is a host with its port, or a socket.
/// No field contains a part of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unconnected {
    /// The URL, a file or the environment has a parameter without a meaning.
    Settings {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// No program listens on the port.
    Refused {
        /// The host and the port.
        place: String,
    },
    /// There is no such socket.
    NoSocket {
        /// The socket.
        place: String,
        /// The server's port.
        port: u16,
    },
    /// The operating system doesn't allow the use of the socket.
    SocketDenied {
        /// The socket.
        place: String,
    },
    /// The host's name isn't known.
    UnknownHost {
        /// The name.
        host: String,
    },
    /// The server didn't answer in time.
    TimedOut {
        /// The server.
        place: String,
        /// The time limit, if it is the URL's.
        seconds: Option<u64>,
    },
    /// The network doesn't lead to the server.
    Unreachable {
        /// The server.
        place: String,
    },
    /// What listens doesn't speak the protocol, or hung up.
    NotAServer {
        /// The host and the port.
        place: String,
    },
    /// The password is wrong.
    WrongPassword {
        /// The role.
        user: String,
        /// Where the password is from.
        origin: Option<String>,
    },
    /// The server asks for a password, and none is given.
    NoPassword {
        /// The role.
        user: String,
        /// Why a password file wasn't used.
        note: Option<String>,
    },
    /// The role doesn't exist.
    NoRole {
        /// The role.
        user: String,
        /// The SQL that creates it.
        sql: String,
    },
    /// The role exists, and may not log in.
    NoLogin {
        /// The role.
        user: String,
        /// The SQL that lets it log in.
        sql: String,
    },
    /// The server's configuration has no rule for this connection.
    NoRule {
        /// The role.
        user: String,
        /// The database.
        database: String,
        /// Whether the connection was encrypted.
        is_encrypted: bool,
        /// Whether this program can encrypt connections.
        can_encrypt: bool,
    },
    /// The server doesn't accept the role by the way that it authenticates this connection.
    NotAuthenticated {
        /// The role.
        user: String,
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
    /// The role has no right to connect to the database.
    NoRight {
        /// The role.
        user: String,
        /// The database.
        database: String,
        /// The SQL that gives the right.
        sql: String,
    },
    /// The database accepts no connections, as a template.
    ClosedDatabase {
        /// The database.
        name: String,
    },
    /// The server, the database or the role has all the connections that it may have.
    TooMany,
    /// The server accepts no connections for a while.
    Unavailable(Unavailable),
    /// TLS is wanted, and this program was built without it.
    NoTls {
        /// The value of `sslmode`.
        mode: &'static str,
    },
    /// TLS is wanted, and the server doesn't offer it.
    TlsNotOffered {
        /// The value of `sslmode`.
        mode: &'static str,
    },
    /// The TLS handshake failed.
    Handshake {
        /// The server.
        place: String,
    },
    /// The server asks for a client certificate.
    NoClientCertificate,
    /// The server's certificate isn't accepted.
    Certificate(BadCertificate),
    /// No server is of the wanted kind.
    WrongTarget {
        /// The value of `target_session_attrs`.
        wanted: &'static str,
    },
    /// The server's version isn't supported.
    TooOld {
        /// The product and its version.
        server: String,
    },
    /// The product isn't supported.
    Unsupported {
        /// The product and its version.
        server: String,
    },
    /// A pooler doesn't pass the URL's options on to the server.
    OptionsLost,
    /// It is a fault that only MySQL and MariaDB have.
    Mysql(MysqlFault),
    /// None of several servers accepted a connection.
    All {
        /// Each server with why it didn't.
        servers: Vec<(String, Unconnected)>,
    },
    /// The server refused the connection for another reason.
    Other,
}

/// Why a server accepts no connections for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// It is starting.
    Starting,
    /// It is shutting down.
    Stopping,
    /// It is recovering, or a standby that doesn't answer queries.
    Recovering,
    /// One of these.
    Unknown,
}
