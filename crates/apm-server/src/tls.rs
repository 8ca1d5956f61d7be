//! Encrypted connections: the certificate and its key, read again when they are renewed.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::config::TlsFiles;
use crate::watched::{self, Watched};

/// Largest file of certificates or of a key.
const MOST: u64 = 1 << 20;

/// The TLS configuration of the listeners. HTTP/1.1 alone is offered: actix bounds neither streams nor windows of
/// HTTP/2 as `grpc` does.
///
/// # Errors
/// The file that cannot be used, and why.
pub(crate) fn config(files: &TlsFiles) -> Result<Arc<ServerConfig>, String> {
    let TlsFiles { certificate, key } = files.clone();
    let watched = Watched::open(vec![certificate.clone(), key.clone()], move || {
        read(&certificate, &key)
    })?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = builder
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Renewed(watched)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The same for a listener that speaks gRPC.
pub(crate) fn for_grpc(config: &ServerConfig) -> Arc<ServerConfig> {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

/// Gives each new connection the certificate that the files have now.
#[derive(Debug)]
struct Renewed(Watched<CertifiedKey>);

impl ResolvesServerCert for Renewed {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.get())
    }
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let wrong = |file: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
    let chain = watched::text(certificate, MOST)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(
            certificate,
            &"no certificate in it: it has to be PEM, `-----BEGIN CERTIFICATE-----`",
        ));
    }
    let private = watched::text(key, MOST)?;
    let private = PrivateKeyDer::from_pem_slice(private.as_bytes()).map_err(|error| {
        wrong(
            key,
            &format!("no private key in it that can be read, which has to be PEM: {error}"),
        )
    })?;
    let private = ring::sign::any_supported_type(&private).map_err(|error| wrong(key, &error))?;
    let certified = CertifiedKey::new(chain, private);
    match certified.keys_match() {
        // Some keys do not tell whether they match; then the first handshake does.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(certified)
        }
        Err(error) => Err(wrong(
            key,
            &format!("it is not the key of {}: {error}", certificate.display()),
        )),
    }
}
