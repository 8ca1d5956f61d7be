//! Encrypted connections.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use apm_server::{Config, SecretToken, Server, TlsFiles};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::server::{TestServer, eventually};

const FIRST: [&str; 2] = [include_str!("tls/first.pem"), include_str!("tls/first.key")];
const SECOND: [&str; 2] = [
    include_str!("tls/second.pem"),
    include_str!("tls/second.key"),
];

fn put(directory: &Path, [certificate, key]: [&str; 2]) -> TlsFiles {
    let files = TlsFiles {
        certificate: directory.join("cert.pem"),
        key: directory.join("key.pem"),
    };
    std::fs::write(&files.key, key).expect("written");
    std::fs::write(&files.certificate, certificate).expect("written");
    files
}

/// The answer to a client that trusts one certificate. Nothing if it does not trust the one that it is shown.
async fn said(
    addr: SocketAddr,
    trusted: &'static str,
    offers: &'static [&'static [u8]],
    request: String,
) -> Option<(String, Option<Vec<u8>>)> {
    let asked = actix_web::rt::task::spawn_blocking(move || {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(trusted.as_bytes()).expect("PEM"))
            .expect("a root");
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder
            .with_safe_default_protocol_versions()
            .expect("versions");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = offers.iter().map(|offer| offer.to_vec()).collect();
        let name = ServerName::try_from("localhost").expect("a name");
        let client = ClientConnection::new(Arc::new(config), name).expect("a client");
        let stream = TcpStream::connect(addr).expect("connects");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a limit");
        let mut stream = StreamOwned::new(client, stream);
        stream.write_all(request.as_bytes()).ok()?;
        let mut said = Vec::new();
        let mut portion = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut portion) {
            said.extend_from_slice(&portion[..read]);
        }
        let spoken = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
        Some((String::from_utf8_lossy(&said).into_owned(), spoken))
    });
    asked.await.expect("a thread")
}

fn get(path: &str, addr: SocketAddr) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")
}

#[actix_web::test]
async fn connections_are_encrypted_and_a_renewed_certificate_is_used_without_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = TestServer::with(|config| {
        config.secret_token = SecretToken::new("hush");
        config.tls = Some(put(directory.path(), FIRST));
    });
    assert!(server.running.url().starts_with("https://"));
    let addr = server.running.addr();
    let healthy = async |trusted| {
        let said = said(addr, trusted, &[], get("/healthz", addr)).await;
        said.is_some_and(|(text, _)| text.starts_with("HTTP/1.1 200"))
    };
    assert!(healthy(FIRST[0]).await && !healthy(SECOND[0]).await);

    // The session goes back only over encrypted connections, and a form of the own page is taken.
    let body = "token=hush";
    let login = format!(
        "POST /login HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let (answer, _) = said(addr, FIRST[0], &[], login).await.expect("trusted");
    assert!(
        answer.starts_with("HTTP/1.1 303") && answer.contains("; Secure"),
        "{answer}"
    );

    put(directory.path(), SECOND);
    eventually("the new certificate", async || healthy(SECOND[0]).await).await;
    assert!(!healthy(FIRST[0]).await);
    server.stop().await;
}

#[actix_web::test]
async fn only_http_1_is_spoken_and_plain_requests_are_not_answered() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = TestServer::with(|config| config.tls = Some(put(directory.path(), FIRST)));
    let addr = server.running.addr();
    let (answer, spoken) = said(addr, FIRST[0], &[b"h2", b"http/1.1"], get("/healthz", addr))
        .await
        .expect("trusted");
    assert_eq!(spoken.as_deref(), Some(&b"http/1.1"[..]));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let refused = said(addr, FIRST[0], &[b"h2"], get("/healthz", addr)).await;
    assert!(
        refused.is_none_or(|(text, _)| text.is_empty()),
        "HTTP/2 alone is no common language"
    );
    let plain = actix_web::rt::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(addr).expect("connects");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a limit");
        stream
            .write_all(get("/healthz", addr).as_bytes())
            .expect("sent");
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        said
    });
    let plain = plain.await.expect("a thread");
    assert!(
        !plain.starts_with(b"HTTP"),
        "{}",
        String::from_utf8_lossy(&plain)
    );
    server.stop().await;
}

/// A number of `/metrics`, asked for over an encrypted connection.
async fn metric(addr: SocketAddr, name: &str) -> f64 {
    let (text, _) = said(addr, FIRST[0], &[], get("/metrics", addr))
        .await
        .expect("an answer");
    let line = format!("pocket_apm_{name} ");
    let value = text.lines().find_map(|found| found.strip_prefix(&line));
    let value = value.unwrap_or_else(|| panic!("no {name} in {text}"));
    value.parse().expect("a number")
}

#[actix_web::test]
async fn connections_without_a_handshake_are_counted_give_way_to_others_and_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = TestServer::with(|config| {
        config.tls = Some(put(directory.path(), FIRST));
        config.max_connections = 16;
        config.read_timeout = Duration::from_millis(1500);
    });
    let addr = server.running.addr();
    let connect = move || TcpStream::connect(addr).expect("connects");
    let mut first = connect();
    eventually("it is counted", async || {
        metric(addr, "connections").await == 2.0
    })
    .await;
    // More than there are places; each begins a handshake.
    let held: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(&[22, 3, 1]).expect("sent");
            stream
        })
        .collect();
    // The answer comes though all places are taken.
    assert!(metric(addr, "connections").await <= 16.0);
    assert!(metric(addr, "connections_evicted_total").await >= 20.0);
    let ended = actix_web::rt::task::spawn_blocking(move || {
        let mut ended = 0;
        for mut stream in held.into_iter().chain([connect()]) {
            let limit = Some(Duration::from_secs(10));
            stream.set_read_timeout(limit).expect("a limit");
            let end = stream.read(&mut [0; 64]);
            ended += usize::from(
                matches!(end, Ok(0))
                    || end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset),
            );
        }
        ended
    });
    assert_eq!(ended.await.expect("a thread"), 41);
    assert_eq!(first.read(&mut [0; 64]).unwrap_or_default(), 0);
    server.stop().await;
}

#[actix_web::test]
async fn a_certificate_that_cannot_be_used_is_named_at_the_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("apm.db");
    for (pair, problem) in [
        ([FIRST[0], SECOND[1]], "it is not the key of"),
        (["nothing", FIRST[1]], "no certificate in it"),
        ([FIRST[0], "nothing"], "no private key in it"),
    ] {
        let files = put(directory.path(), pair);
        let mut config = Config::default();
        config.listen = "127.0.0.1:0".to_owned();
        config.database.clone_from(&database);
        config.tls = Some(files);
        let error = Server::start(config).expect_err(problem).to_string();
        assert!(
            error.contains("--apm-tls-cert") && error.contains(problem),
            "{error}"
        );
    }
    assert!(!database.exists(), "nothing is begun before");
}
