//! The agent and the APM server of one process, where the server asks for a token and speaks TLS only.

use super::{start_with, stored_writes};
use crate::support::{get, signal};

#[actix_web::test]
async fn behind_tls_and_a_token_the_agent_of_the_process_delivers() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "s3cret-s3cret-s3cret\n").unwrap();
    let certificates = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/crates/apm-server/tests/it/http/tls"
    );
    let certificate = format!("{certificates}/first.pem");
    let key = format!("{certificates}/first.key");
    let options = [
        "--apm-tls-cert",
        &certificate,
        "--apm-tls-key",
        &key,
        "--apm-secret-token-file",
        token.to_str().unwrap(),
    ];
    let (mut child, service, apm) = start_with(&dir, &options);
    assert!(apm.starts_with("https://"), "{apm}");
    assert_eq!(get(&format!("{service}/sql-write")).await.status, 200);
    signal(&child, "TERM");
    assert!(child.wait().unwrap().success());

    // Another process reads what that one has stored.
    assert_eq!(stored_writes(&dir).await, 1);
}
