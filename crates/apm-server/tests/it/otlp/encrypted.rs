//! gRPC over TLS.

use std::sync::Arc;

use ::http::Request;
use actix_web::rt;
use actix_web::rt::net::TcpStream;
use apm_server::TlsFiles;
use apm_server::analytics::trace::read;
use apm_store::{Store, StoreError, StoreOptions};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::grpc::{GRPC, TRACES, call, framed};
use super::start;
use crate::support::otlp::{Span, traces};

const CERTIFICATE: &str = include_str!("../http/tls/first.pem");
const KEY: &str = include_str!("../http/tls/first.key");

const TRACE: u128 = 7 << 64 | 7;

/// A client that trusts the certificate and speaks HTTP/2 alone.
fn connector() -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("PEM");
    roots.add(certificate).expect("a root");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsConnector::from(Arc::new(config))
}

#[actix_web::test]
async fn spans_come_by_grpc_over_an_encrypted_connection_and_over_no_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let files = TlsFiles {
        certificate: directory.path().join("cert.pem"),
        key: directory.path().join("key.pem"),
    };
    std::fs::write(&files.certificate, CERTIFICATE).expect("written");
    std::fs::write(&files.key, KEY).expect("written");
    let database = directory.path().join("apm.db");
    let server = start(|config| {
        config.tls = Some(files);
        config.database = database.clone();
    });
    let port = server.running.receivers().grpc.expect("it listens");
    let span = traces("shop", &[Span::root(TRACE, "GET /cart")]);

    let stream = TcpStream::connect(port).await.expect("the server listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = connector()
        .connect(name, stream)
        .await
        .expect("it is trusted");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut client, connection) = h2::client::handshake(stream).await.expect("a handshake");
    let connection = rt::spawn(async move {
        // The call on it sees how it ends.
        let _ = connection.await;
    });
    let answer = call(&mut client, TRACES, &[GRPC], framed(0, &span)).await;
    assert_eq!(answer.status(), "0");
    drop(client);
    connection.await.expect("it ended");

    // Without TLS the connection ends before a call is answered.
    let plain = TcpStream::connect(port).await.expect("the server listens");
    let (mut client, connection) = h2::client::handshake(plain)
        .await
        .expect("nothing was read yet");
    rt::spawn(async move {
        // The call on it sees how it ends.
        let _ = connection.await;
    });
    let request = Request::post("http://localhost/")
        .body(())
        .expect("a request");
    let answered = match client.send_request(request, true) {
        Ok((response, _)) => response.await.is_ok(),
        Err(_) => false,
    };
    assert!(!answered, "only what is encrypted is answered");
    server.stop().await;
    let store = Store::open(StoreOptions::new(database)).expect("its database");
    let stored = store.read::<_, StoreError>(|conn| read::trace(conn, &format!("{TRACE:032x}")));
    assert!(stored.expect("a reading").is_some(), "it is stored");
}
