//! What can be wrong with a server's certificate.

/// Why a server's certificate isn't accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadCertificate {
    /// No trusted root certificate has signed it.
    UnknownIssuer {
        /// The file with the root certificates; `None` for those of the operating system.
        roots: Option<String>,
    },
    /// It is for other hosts.
    OtherName {
        /// The host.
        host: String,
    },
    /// It is no longer valid, or not yet.
    Expired,
    /// It was revoked.
    Revoked,
    /// Anything else.
    Other,
}
