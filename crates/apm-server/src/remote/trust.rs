//! Trust in certificates of servers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// The certificates of servers that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those that the authorities of this system vouch for.
    System,
    /// Those that the authorities in a PEM file vouch for, or a certificate in it that vouches for itself.
    Authorities(PathBuf),
    /// The first one of a PEM file, whatever name the server is reached by: that of a server on this machine.
    Certificate(PathBuf),
}

/// The client's side of TLS. `is_needed`: without it no certificate is looked at, and no file is opened.
///
/// # Errors
/// The file that cannot be used, and why.
pub(super) fn config(trust: &Trust, is_needed: bool) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match trust {
        _ if !is_needed => builder.with_root_certificates(RootCertStore::empty()),
        Trust::System => builder.with_platform_verifier().map_err(|error| {
            format!("the certificates of this system cannot be used ({error}): name a file of them with \
                --server-ca-file")
        })?,
        Trust::Authorities(file) => {
            let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| wrong(&error))?;
            }
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_webpki_verifier(verifier.build().map_err(|error| wrong(&error))?)
        }
        Trust::Certificate(file) => {
            let known = certificates(file)?.swap_remove(0);
            let verifier = Arc::new(Known { provider, known });
            builder.dangerous().with_custom_certificate_verifier(verifier)
        }
    };
    Ok(builder.with_no_client_auth())
}

/// The certificates of a PEM file; at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<_, _>>);
    let found: Vec<_> =
        found.map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    match found.is_empty() {
        true => Err(format!(
            "{}: no certificate in it: it has to be PEM, `-----BEGIN CERTIFICATE-----`",
            file.display()
        )),
        false => Ok(found),
    }
}

/// Trusts one certificate. The server must also show that it has its key.
#[derive(Debug)]
struct Known {
    provider: Arc<CryptoProvider>,
    known: CertificateDer<'static>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.known == *shown {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        known.supported_schemes()
    }
}
