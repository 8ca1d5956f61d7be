//! Commands that send to a running APM server or ask it, over an encrypted connection and with an API key.

use super::{Ended, command, fails, succeeds};

/// The certificate of the tests of the server, and one of somebody else.
const TLS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/crates/apm-server/tests/it/http/tls"
);

#[test]
fn commands_reach_an_encrypted_server_with_a_token_of_a_file_or_an_api_key() {
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = (format!("{TLS}/first.pem"), format!("{TLS}/first.key"));
    let other = format!("{TLS}/second.pem");
    std::fs::write(dir.path().join("token"), "hush\n").unwrap();
    let keys = ["--apm-api-key-file", "keys"];
    let create = |name: &str, privilege: &str| {
        let line = ["apikey", "create", name, "--privileges", privilege];
        let made = succeeds(&dir, &[&line[..], &keys].concat());
        made.trim().to_owned()
    };
    let (sends, reads) = (create("sends", "intake"), create("reads", "read"));
    let encrypted = ["--apm-tls-cert", &certificate, "--apm-tls-key", &key];
    let token = ["--apm-secret-token-file", "token"];
    let listen = ["server", "--apm-listen", "127.0.0.1:0"];
    let mut server = command(&dir);
    server.args(listen).args(encrypted).args(keys).args(token);
    let mut server = Ended::start(&mut server);
    let said = server.lines().next().unwrap();
    let url = said.split_whitespace().last().unwrap();
    assert!(url.starts_with("https://"), "{said}");
    let address = url.trim_start_matches("https://");

    let generate = ["generate", "--traces", "50", "--window", "10m"];
    let (at, here) = (["--server", url], ["--apm-listen", address]);
    let trusted = ["--server-ca-file", &certificate];
    // With the server's options, its address and its certificate are known.
    let sent = succeeds(&dir, &[&generate[..], &here, &encrypted, &token].concat());
    assert!(sent.contains(" stored, 0 refused"), "{sent}");
    let by_key = ["--api-key", &sends];
    let sent = succeeds(&dir, &[&generate[..], &at, &trusted, &by_key].concat());
    assert!(sent.contains(" stored, 0 refused"), "{sent}");
    let recorded = dir.path().join("recorded.ndjson");
    let metadata = r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;
    let log = r#"{"log":{"message":"hello"}}"#;
    std::fs::write(&recorded, format!("{metadata}\n{log}\n")).unwrap();
    let import = ["import", "recorded.ndjson"];
    let sent = succeeds(&dir, &[&import[..], &at, &trusted, &by_key].concat());
    assert!(sent.contains("1 event stored"), "{sent}");
    let check = ["check", "--max-statements-per-request", "100000"];
    let reading = ["--api-key", &reads];
    let read = succeeds(&dir, &[&check[..], &at, &trusted, &reading].concat());
    assert!(read.contains("ok"), "{read}");
    succeeds(&dir, &[&check[..], &at, &trusted, &token].concat());

    // Each failure names the option that mends it.
    for (line, said) in [
        (
            [&import[..], &at, &by_key].concat(),
            &["--server-ca-file", url][..],
        ),
        (
            [&import[..], &at, &["--server-ca-file", &other], &by_key].concat(),
            &["--server-ca-file"],
        ),
        ([&import[..], &at, &trusted].concat(), &["401", "--api-key"]),
        (
            [&import[..], &at, &trusted, &reading].concat(),
            &["403", "intake", "--api-key"],
        ),
        (
            [&check[..], &at, &trusted, &by_key].concat(),
            &["403", "read"],
        ),
        (
            [&import[..], &here, &token].concat(),
            &["http://", "is a server running there"],
        ),
        (
            [&import[..], &at, &["--server-ca-file", "token"], &by_key].concat(),
            &["--server-ca-file", "no certificate"],
        ),
    ] {
        let error = fails(&dir, &line);
        for word in said {
            assert!(error.contains(word), "{line:?}: no {word} in {error}");
        }
        for secret in [&sends, &reads, "hush"] {
            assert!(!error.contains(secret), "{line:?} shows a secret: {error}");
        }
    }
}
