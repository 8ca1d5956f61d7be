//! Secrets: API keys and their privileges, files that change, guesses, sessions.

use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use apm_server::api_keys::{NewKey, Privilege};
use apm_server::{Config, SecretToken};
use futures_util::{Stream, StreamExt as _};

use crate::support::server::{Answer, TestServer, eventually};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn key(name: &str, privileges: &[Privilege]) -> NewKey {
    NewKey::make(name, privileges).expect("a key")
}

fn header(key: &NewKey) -> String {
    format!("ApiKey {}", key.encoded)
}

/// A server with files of its own for its secrets.
fn with_files(
    keys: &[&NewKey],
    change: impl FnOnce(&mut Config, &Path),
) -> (TestServer, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    write_keys(directory.path(), keys);
    let server = TestServer::with(|config| {
        config.api_key_file = Some(directory.path().join("keys"));
        change(config, directory.path());
    });
    (server, directory)
}

/// Replaces the file of keys as a whole.
fn write_keys(directory: &Path, keys: &[&NewKey]) {
    let lines: String = keys.iter().map(|key| format!("{}\n", key.line)).collect();
    std::fs::write(directory.join("new"), lines).expect("written");
    std::fs::rename(directory.join("new"), directory.join("keys")).expect("renamed");
}

async fn log_in(server: &TestServer, secret: &str) -> Answer {
    let own = server.running.url();
    let headers = [("Origin", own.as_str()), FORM];
    let secret = secret
        .replace('+', "%2B")
        .replace('=', "%3D")
        .replace('/', "%2F");
    server
        .send("POST", "/login", &headers, format!("token={secret}"))
        .await
}

fn session(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookie = answer.header("set-cookie");
    cookie.split(';').next().expect("a pair").to_owned()
}

#[actix_web::test]
async fn an_api_key_opens_what_its_privileges_name() {
    let sends = key("shop", &[Privilege::Intake, Privilege::Config]);
    let reads = key("ana", &[Privilege::Read]);
    let rules = key("ops", &[Privilege::Admin]);
    let (server, _files) = with_files(&[&sends, &reads, &rules], |_, _| {});
    for (method, path, allowed) in [
        ("POST", "/intake/v2/events", [true, false, false]),
        (
            "GET",
            "/config/v1/agents?service.name=a",
            [true, false, false],
        ),
        ("GET", "/api/v1/services", [false, true, true]),
        ("GET", "/services", [false, true, true]),
        ("GET", "/metrics", [false, true, true]),
        ("POST", "/api/v1/sql", [false, true, true]),
        ("POST", "/api/v1/markers", [false, false, true]),
        ("POST", "/settings/clear", [false, false, true]),
    ] {
        for (key, allowed) in [&sends, &reads, &rules].into_iter().zip(allowed) {
            let header = header(key);
            let headers = [("Authorization", header.as_str()), FORM];
            let answer = server.send(method, path, &headers, "").await;
            let refused = answer.text.contains("lacks the privilege");
            assert_eq!(
                refused, !allowed,
                "{method} {path} {}: {answer:?}",
                key.line
            );
            assert_eq!(
                answer.status == 403,
                !allowed,
                "{method} {path}: {answer:?}"
            );
            assert_ne!(answer.status, 401);
        }
        assert_eq!(
            server.send(method, path, &[FORM], "").await.status,
            if path == "/settings/clear" { 403 } else { 401 }
        );
    }
    // An agent that may only send has to learn the version, too.
    let header = header(&sends);
    let root = server
        .send("GET", "/", &[("Authorization", &header)], "")
        .await;
    assert!(root.text.contains("version"), "{root:?}");
    let metrics = server
        .send(
            "GET",
            "/metrics",
            &[("Authorization", &self::header(&reads))],
            "",
        )
        .await;
    assert!(
        metrics
            .text
            .contains("pocket_apm_requests_refused_total{reason=\"privilege\"} 1"),
        "{}",
        metrics.text
    );
    server.stop().await;
}

#[actix_web::test]
async fn files_of_secrets_are_read_again_and_sessions_end_with_their_secret() {
    let (old, new) = (
        key("ana", &[Privilege::Read]),
        key("ana", &[Privilege::Read]),
    );
    let (server, files) = with_files(&[&old], |config, files| {
        std::fs::write(files.join("token"), "first\n").expect("written");
        config.secret_token_file = Some(files.join("token"));
    });
    let by_token = session(&log_in(&server, "first").await);
    let by_key = session(&log_in(&server, &old.encoded).await);
    let ask = async |name: &str, value: &str| {
        server
            .send("GET", "/api/v1/services", &[(name, value)], "")
            .await
            .status
    };
    for (name, value) in [
        ("Authorization", "Bearer first".to_owned()),
        ("Authorization", header(&old)),
        ("Cookie", by_token.clone()),
        ("Cookie", by_key.clone()),
    ] {
        assert_eq!(ask(name, &value).await, 200, "{name} {value}");
    }
    assert_eq!(ask("Authorization", &header(&new)).await, 401);

    write_keys(files.path(), &[&new]);
    eventually("the new key", async || {
        ask("Authorization", &header(&new)).await == 200
    })
    .await;
    assert_eq!(ask("Authorization", &header(&old)).await, 401);
    assert_eq!(ask("Cookie", &by_key).await, 401, "its key is gone");
    assert_eq!(ask("Cookie", &by_token).await, 200);

    // A mistake changes nothing.
    std::fs::write(files.path().join("keys"), "half a li").expect("written");
    std::fs::write(files.path().join("token"), "second").expect("written");
    eventually("the new token", async || {
        ask("Authorization", "Bearer second").await == 200
    })
    .await;
    assert_eq!(ask("Authorization", "Bearer first").await, 401);
    assert_eq!(ask("Cookie", &by_token).await, 401, "its token is gone");
    assert_eq!(ask("Authorization", &header(&new)).await, 200);
    server.stop().await;
}

#[actix_web::test]
async fn a_key_that_only_sends_cannot_sign_in() {
    let sends = key("shop", &[Privilege::Intake]);
    let (server, _files) = with_files(&[&sends], |_, _| {});
    let answer = log_in(&server, &sends.encoded).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (403, ""));
    assert!(answer.text.contains("privilege read"), "{}", answer.text);
    server.stop().await;
}

#[actix_web::test]
async fn guesses_at_the_login_have_to_wait_and_others_do_not() {
    let server = TestServer::with(|config| {
        config.secret_token = SecretToken::new("hush");
        config.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    });
    let own = server.running.url();
    let guess = async |from: &str, secret: &str| {
        let headers = [("Origin", own.as_str()), FORM, ("X-Forwarded-For", from)];
        server
            .send("POST", "/login", &headers, format!("token={secret}"))
            .await
    };
    let start = Instant::now();
    let mut looked_at = 0;
    while start.elapsed() < Duration::from_millis(1500) {
        let answer = guess("203.0.113.7", "wrong").await;
        match answer.status {
            403 => looked_at += 1,
            429 => assert!(
                answer
                    .header("retry-after")
                    .parse::<u64>()
                    .is_ok_and(|seconds| seconds >= 1)
            ),
            _ => panic!("{answer:?}"),
        }
        assert_eq!(answer.header("set-cookie"), "");
    }
    assert!((5..12).contains(&looked_at), "{looked_at} guesses in 1.5 s");
    // The right one is not looked at either, so that nobody learns it in this way.
    while guess("203.0.113.7", "wrong").await.status != 429 {}
    let right = guess("203.0.113.7", "hush").await;
    assert_eq!((right.status, right.header("set-cookie")), (429, ""));
    assert_eq!(guess("203.0.113.8", "hush").await.status, 303);
    server.stop().await;
}

#[actix_web::test]
async fn guesses_in_headers_have_to_wait_and_an_agent_with_the_right_token_does_not() {
    let server = TestServer::with(|config| config.secret_token = SecretToken::new("hush"));
    let send = async |token: &str| {
        let header = format!("Bearer {token}");
        server
            .send(
                "POST",
                "/intake/v2/events",
                &[("Authorization", &header)],
                "",
            )
            .await
            .status
    };
    assert_eq!(send("hush").await, 202);
    let start = Instant::now();
    let mut looked_at = 0;
    for number in 0..300 {
        match send(&format!("wrong{number}")).await {
            401 => looked_at += 1,
            429 => assert_eq!(send("hush").await, 202, "it is known from here"),
            status => panic!("{status}"),
        }
    }
    let most = 20 + 4 + start.elapsed().as_secs();
    assert!(
        looked_at >= 20 && looked_at <= most,
        "{looked_at} of 300 guesses"
    );
    server.stop().await;
}

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, awc::error::PayloadError>>>>;

/// The stream of the live page, whose first piece has come.
async fn live(server: &TestServer, header: (&str, &str)) -> Pieces {
    let request = server.client.get(server.url("/live/stream"));
    let answer = request.insert_header(header).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    let mut pieces: Pieces = Box::pin(answer);
    pieces.next().await.expect("a piece").expect("bytes");
    pieces
}

/// Reads a stream until it ends, which it does in time or not.
async fn ends(pieces: &mut Pieces, time: Duration) -> bool {
    let end = async { while let Some(Ok(_)) = pieces.next().await {} };
    actix_web::rt::time::timeout(time, end).await.is_ok()
}

#[actix_web::test]
async fn a_stream_ends_with_the_key_or_the_session_that_it_was_asked_with() {
    let (stays, goes) = (
        key("ana", &[Privilege::Read]),
        key("ops", &[Privilege::Read]),
    );
    let (server, files) = with_files(&[&stays, &goes], |_, _| {});
    let cookie = session(&log_in(&server, &stays.encoded).await);
    let mut kept = live(&server, ("Authorization", &header(&stays))).await;
    let mut revoked = live(&server, ("Authorization", &header(&goes))).await;
    let mut signed_in = live(&server, ("Cookie", &cookie)).await;
    let patience = Duration::from_secs(30);

    let own = server.running.url();
    let headers = [("Origin", own.as_str()), ("Cookie", &cookie), FORM];
    let answer = server.send("POST", "/logout", &headers, "").await;
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(ends(&mut signed_in, patience).await);

    write_keys(files.path(), &[&stays]);
    assert!(ends(&mut revoked, patience).await);

    // Both were judged several times since.
    assert!(!ends(&mut kept, Duration::from_millis(10)).await);
}

#[actix_web::test]
async fn what_only_some_may_read_is_kept_by_no_shared_cache() {
    let reads = key("ana", &[Privilege::Read]);
    let (server, _files) = with_files(&[&reads], |_, _| {});
    let header = header(&reads);
    for path in [
        "/services",
        "/api/v1/services",
        "/api/v1/services?format=csv",
        "/api/v1/status",
        "/metrics",
        "/api/services",
    ] {
        let headers = [("Authorization", header.as_str())];
        let answer = server.send("GET", path, &headers, "").await;
        assert_ne!(answer.status, 401, "{path}");
        let said = answer.header("cache-control");
        let is_kept = !said.contains("private") && !said.contains("no-store");
        assert!(!is_kept, "{path}: {said}");
    }
}
