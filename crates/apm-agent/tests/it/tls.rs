//! The servers that the agent sends to over TLS. The certificates beside this file are for these tests alone.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/server.pem");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/server.key");
const AUTHORITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/authority.pem");

/// A server that accepts everything from those who accept its certificate.
fn server() -> String {
    let certificate = CertificateDer::from_pem_file(SERVER).unwrap();
    let key = PrivateKeyDer::from_pem_file(KEY).unwrap();
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            std::thread::spawn(move || {
                answer(BufReader::new(StreamOwned::new(connection, stream)))
            });
        }
    });
    url
}

fn answer(mut stream: BufReader<StreamOwned<ServerConnection, std::net::TcpStream>>) -> Option<()> {
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        stream.read_exact(&mut vec![0; length]).ok()?;
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            .ok()?;
    }
}

/// Whether an agent with these options can send.
fn sends(options: &[(&str, &str)]) -> bool {
    let mut builder = apm_agent::Agent::builder()
        .service_name("tls")
        .server_url(server())
        .option("cloud_provider", "none")
        .option("metrics_interval", "0s");
    for (key, value) in options {
        builder = builder.option(*key, *value);
    }
    let agent = builder.start();
    drop(agent.transaction("job", "task"));
    let sent = agent.flush(Duration::from_secs(5));
    sent && agent.stats().accepted == 1
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named() {
    assert!(sends(&[("server_ca_cert_file", AUTHORITY)]));
}

#[test]
fn a_pinned_certificate_is_enough_and_must_be_the_very_one() {
    assert!(sends(&[("server_cert", SERVER)]));
    assert!(!sends(&[("server_cert", AUTHORITY)]));
    // The pin is stronger.
    assert!(!sends(&[
        ("server_cert", AUTHORITY),
        ("verify_server_cert", "false")
    ]));
}

#[test]
fn a_stranger_is_refused_unless_nobody_is_to_be_verified() {
    assert!(!sends(&[("server_ca_cert_file", SERVER)]));
    assert!(sends(&[("verify_server_cert", "false")]));
}

#[test]
fn a_file_that_holds_no_certificate_stops_the_recording_and_not_the_service() {
    let agent = apm_agent::Agent::builder()
        .server_url(server())
        .option(
            "server_ca_cert_file",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        )
        .start();
    assert!(!agent.is_recording());
    drop(agent.transaction("job", "task"));
    assert_eq!(agent.stats().recorded, 0);
}
