//! `pocket-apm health`, by which a container is checked.

use std::net::TcpListener;
use std::time::Instant;

use super::{Ended, command, fails, run, succeeds};
use crate::support::DEADLINE;

const TLS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/crates/apm-server/tests/it/http/tls"
);

/// Starts the APM server alone with more options, and returns it with its URL.
fn server(dir: &tempfile::TempDir, options: &[&str]) -> (Ended, String) {
    let line = ["server", "--apm-listen", "127.0.0.1:0"];
    let mut server = Ended::start(command(dir).args(line).args(options));
    let said = server.lines().next().unwrap();
    (server, said.split_whitespace().last().unwrap().to_owned())
}

#[test]
fn a_server_that_stores_is_healthy_and_one_that_lost_its_file_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, url) = server(&dir, &[]);
    let ask = ["health", "--server", &url];
    assert!(succeeds(&dir, &ask).contains("\"ok\""));

    // The server looks after its files once a second.
    std::fs::remove_file(dir.path().join("apm.db")).unwrap();
    let started = Instant::now();
    let output = loop {
        let output = run(&dir, &ask);
        if !output.status.success() {
            break output;
        }
        assert!(started.elapsed() < DEADLINE, "it is healthy without a file");
    };
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("503") && error.contains("deleted"),
        "{error}"
    );
}

#[test]
fn the_options_of_the_server_lead_the_check_to_it_and_no_secret_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("token"), "s3cret-s3cret-s3cret").unwrap();
    let (certificate, key) = (format!("{TLS}/first.pem"), format!("{TLS}/first.key"));
    let encrypted = ["--apm-tls-cert", &certificate, "--apm-tls-key", &key];
    let token = ["--apm-secret-token-file", "token"];
    let (_server, url) = server(&dir, &[&encrypted[..], &token].concat());
    let address = url.strip_prefix("https://").unwrap();
    // A container may hide the token from its check.
    std::fs::remove_file(dir.path().join("token")).unwrap();
    let options = [&["health", "--apm-listen", address][..], &encrypted, &token].concat();
    assert!(succeeds(&dir, &options).contains("\"ok\""));
    // In a container the options are variables.
    let output = command(&dir)
        .arg("health")
        .envs([
            ("APM_LISTEN", address),
            ("APM_TLS_CERT", &certificate),
            ("APM_TLS_KEY", &key),
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    // The certificate is for another name, so that it has to be given.
    let error = fails(&dir, &["health", "--server", &url]);
    assert!(error.contains("--server-ca-file"), "{error}");
}

#[test]
fn a_server_that_is_not_there_or_says_nothing_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // The system takes the connection, and nobody answers.
    let error = fails(&dir, &["health", "--apm-listen", &address]);
    assert!(error.contains("has not answered within 5 s"), "{error}");
    drop(listener);
    let error = fails(&dir, &["health", "--apm-listen", &address]);
    assert!(
        error.contains(&address) && error.contains("cannot reach"),
        "{error}"
    );
}
