//! Encrypted connections by rustls.

use std::sync::Arc;

use postgres::Socket;
use postgres::tls::MakeTlsConnect;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime,
};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, version,
};
use tokio_postgres_rustls::MakeRustlsConnect;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

use super::settings::{ClientCertificate, Roots, SslMode, Tls, TlsVersion, is_open_to_others};
use super::system::of_system;
use crate::driver::{Unconnected, certificates};
use crate::server::BadUrl;

/// What connections to a server are encrypted by.
#[derive(Clone)]
pub(super) struct Connector(MakeRustlsConnect);

impl Connector {
    /// A connector with the certificates that the settings name.
    ///
    /// # Errors
    ///
    /// When a file can't be read, or has no certificate or key.
    pub(super) fn new(settings: &Tls) -> Result<Connector, BadUrl> {
        let provider = Arc::new(ring::default_provider());
        let versions: Vec<_> =
            [(TlsVersion::V12, &version::TLS12), (TlsVersion::V13, &version::TLS13)]
                .into_iter()
                .filter(|(version, _)| {
                    (settings.versions.0..=settings.versions.1).contains(version)
                })
                .map(|(_, version)| version)
                .collect();
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_protocol_versions(&versions).map_err(|err| {
            BadUrl::new(format!("TLS can't be set up: {err}"), "remove the versions of TLS")
        })?;
        let verifier = Arc::new(Verifier::new(settings, provider)?);
        let config = config.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match &settings.client {
            None => config.with_no_client_auth(),
            Some(files) => {
                let (certificates, key) = client_certificate(files)?;
                config.with_client_auth_cert(certificates, key).map_err(|err| {
                    let file = files.key.display();
                    BadUrl::new(
                        format!("the key `{file}` can't be used: {err}"),
                        "it has to be the unencrypted key of the certificate",
                    )
                })?
            }
        };
        config.enable_sni = settings.has_sni;
        if settings.is_direct {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(Connector(MakeRustlsConnect::new(config)))
    }
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;
    type TlsConnect = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
    type Error = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Self::TlsConnect, Self::Error> {
        // A scope such as `fe80::1%eth0` isn't a part of the name.
        let domain = domain.split('%').next().unwrap_or_default();
        MakeTlsConnect::<Socket>::make_tls_connect(&mut self.0, domain)
    }
}

/// Verifies a server's certificate as much as `sslmode` asks for.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None` if nothing is verified.
    chain: Option<Chain>,
    has_name: bool,
}

/// The certificates that a server's certificate may be signed by.
#[derive(Debug)]
struct Chain {
    verifier: Arc<WebPkiServerVerifier>,
    /// Those of the file. A server may have one of them as its own.
    pinned: Vec<CertificateDer<'static>>,
}

impl Verifier {
    fn new(settings: &Tls, provider: Arc<CryptoProvider>) -> Result<Verifier, BadUrl> {
        let has_name = settings.mode == SslMode::VerifyFull;
        let mut roots = RootCertStore::empty();
        let pinned = match &settings.roots {
            Roots::Unverified => return Ok(Verifier { provider, chain: None, has_name }),
            Roots::System => {
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                Vec::new()
            }
            Roots::File(path) => {
                let certificates = certificates::all(path)?;
                roots.add_parsable_certificates(certificates.iter().cloned());
                certificates
            }
        };
        if roots.is_empty() {
            let place = match &settings.roots {
                Roots::File(path) => format!("the file `{}`", path.display()),
                Roots::System | Roots::Unverified => "the operating system".to_owned(),
            };
            return Err(BadUrl::new(
                format!("{place} has no root certificate, so no server can be verified"),
                "name a file with root certificates in PEM with `sslrootcert`",
            ));
        }
        let mut verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        if let Some(path) = &settings.revoked {
            let lists = CertificateRevocationListDer::pem_slice_iter(&certificates::read(path)?)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|_| certificates::not_pem(path))?;
            // As libpq, a server's certificate alone is looked up.
            verifier = verifier.with_crls(lists).only_check_end_entity_revocation();
            verifier = verifier.allow_unknown_revocation_status();
        }
        let verifier = verifier.build().map_err(|err| {
            BadUrl::new(
                format!("TLS can't be set up: {err}"),
                "check the files of `sslrootcert` and `sslcrl`",
            )
        })?;
        Ok(Verifier { provider, chain: Some(Chain { verifier, pinned }), has_name })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        let verified = chain.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // The name is compared after all else.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.has_name => Ok(ServerCertVerified::assertion()),
            // A certificate that signed itself is often its own root, which rustls doesn't accept.
            Err(_) if chain.pinned.iter().any(|pinned| pinned == end_entity) => {
                check_dates(end_entity, now)?;
                if self.has_name {
                    let parsed = ParsedCertificate::try_from(end_entity)?;
                    rustls::client::verify_server_name(&parsed, server_name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            res => res,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Fails if a certificate is no longer valid, or not yet.
fn check_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let parsed = Certificate::from_der(certificate)
        .map_err(|_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let validity = parsed.tbs_certificate.validity;
    let seconds = now.as_secs();
    if seconds < validity.not_before.to_unix_duration().as_secs() {
        return Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYet));
    }
    if seconds > validity.not_after.to_unix_duration().as_secs() {
        return Err(rustls::Error::InvalidCertificate(CertificateError::Expired));
    }
    Ok(())
}

/// Why a connection's encryption failed, if that is why.
pub(super) fn fault(err: &postgres::Error, host: &str, roots: &Roots) -> Option<Unconnected> {
    let err = of_system(err)?.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(fault) = err else { return None };
    let roots = match roots {
        Roots::File(path) => Some(path.display().to_string()),
        Roots::System | Roots::Unverified => None,
    };
    Some(Unconnected::Certificate(certificates::fault(fault, host, roots)))
}

fn client_certificate(
    files: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), BadUrl> {
    let certificates = certificates::all(&files.certificate)?;
    let key = &files.key;
    if is_open_to_others(key).map_err(|err| certificates::unreadable(key, &err))? {
        let shown = key.display();
        return Err(BadUrl::new(
            format!("the key `{shown}` may be read by other users"),
            format!("`chmod 600 {shown}`"),
        ));
    }
    let key = certificates::key(key, "sslkey")?;
    Ok((certificates, key))
}
