//! Trust in servers: the system's authorities, those of a file, one pinned certificate, or anybody.

use std::fmt;
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

/// The servers to trust, from the options of the same names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trust {
    /// The server's certificate must be this very one; nothing else is checked. Beats the others.
    pub(crate) server_cert: Option<PathBuf>,
    /// The authorities to trust instead of the system's.
    pub(crate) server_ca_cert_file: Option<PathBuf>,
    /// Whether the certificate is checked at all.
    pub(crate) verify: bool,
    /// Whether there is a server to talk to over TLS: otherwise no certificate store needs to be opened.
    pub(crate) needed: bool,
}

/// Why no TLS client can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TlsError {
    #[error("{path} holds no certificate in PEM form that can be used")]
    Certificate {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the system's certificate store cannot be used; name one by server_ca_cert_file")]
    System(#[from] rustls::Error),
}

/// Makes the client's side of TLS: always with our own provider, as a process-wide one may be missing or another's.
pub(crate) fn config(trust: &Trust) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    // Without TLS nothing is verified, and no certificate has to be read for that.
    let builder = if !trust.needed {
        builder.with_root_certificates(RootCertStore::empty())
    } else if let Some(path) = &trust.server_cert {
        let pinned = certificates(path)?.remove(0);
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Lenient {
                provider,
                pinned: Some(pinned),
            }))
    } else if !trust.verify {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Lenient {
                provider,
                pinned: None,
            }))
    } else if let Some(path) = &trust.server_ca_cert_file {
        let unusable = |source: Box<dyn std::error::Error + Send + Sync>| TlsError::Certificate {
            path: path.clone(),
            source,
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path)? {
            roots
                .add(certificate)
                .map_err(|error| unusable(error.into()))?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| unusable(error.into()))?;
        builder.with_webpki_verifier(verifier)
    } else {
        builder.with_platform_verifier()?
    };
    Ok(builder.with_no_client_auth())
}

/// The certificates of a PEM file; at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = |source| TlsError::Certificate {
        path: path.to_owned(),
        source,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found = found.map_err(|error| unusable(error.into()))?;
    if found.is_empty() {
        Err(unusable("the file has no CERTIFICATE section".into()))
    } else {
        Ok(found)
    }
}

/// Accepts one certificate, or any. The handshake itself is still checked: the server must hold the certificate's key.
struct Lenient {
    provider: Arc<CryptoProvider>,
    pinned: Option<CertificateDer<'static>>,
}

impl fmt::Debug for Lenient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lenient")
            .field("pinned", &self.pinned.is_some())
            .finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.pinned {
            Some(pinned) if pinned != end_entity => Err(rustls::Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            )),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
