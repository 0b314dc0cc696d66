//! Files with certificates, and what is wrong with a server's certificate.

use std::path::Path;
use std::{fs, io};

use rustls::CertificateError;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::BadCertificate;
use crate::server::BadUrl;

pub(super) fn read(path: &Path) -> Result<Vec<u8>, BadUrl> {
    fs::read(path).map_err(|err| unreadable(path, &err))
}

pub(super) fn unreadable(path: &Path, err: &io::Error) -> BadUrl {
    BadUrl::new(
        format!("the file `{}` can't be read: {err}", path.display()),
        "check its path and its permissions",
    )
}

pub(super) fn not_pem(path: &Path) -> BadUrl {
    BadUrl::new(
        format!("the file `{}` is not in PEM, or has not what it is named for", path.display()),
        "it begins with a line such as `-----BEGIN CERTIFICATE-----`",
    )
}

/// The certificates of a file, of which there is at least one.
pub(super) fn all(path: &Path) -> Result<Vec<CertificateDer<'static>>, BadUrl> {
    let found = CertificateDer::pem_slice_iter(&read(path)?).collect::<Result<Vec<_>, _>>();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| not_pem(path))
}

/// The key in a file that the URL names with this parameter.
pub(super) fn key(path: &Path, parameter: &str) -> Result<PrivateKeyDer<'static>, BadUrl> {
    let text = read(path)?;
    if text.windows(9).any(|word| word == b"ENCRYPTED") {
        return Err(BadUrl::new(
            format!("the key `{}` is encrypted", path.display()),
            format!(
                "decrypt it into another file, such as by `openssl pkey`, and name that with \
                 `{parameter}`"
            ),
        ));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| not_pem(path))
}

/// Why a certificate isn't accepted.
pub(super) fn fault(err: &CertificateError, host: &str, roots: Option<String>) -> BadCertificate {
    match err {
        // A certificate that signed itself, and isn't the root: rustls has no error of its own for it.
        CertificateError::Other(other) if !format!("{other:?}").contains("CaUsedAsEndEntity") => {
            BadCertificate::Other
        }
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::Other(_) => BadCertificate::UnknownIssuer { roots },
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            BadCertificate::OtherName { host: host.to_owned() }
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => BadCertificate::Expired,
        CertificateError::Revoked => BadCertificate::Revoked,
        _ => BadCertificate::Other,
    }
}
