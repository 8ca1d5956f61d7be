//! Callers cannot hold connections without end.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use apm_server::SecretToken;
use futures_util::future::join_all;

use crate::support::server::TestServer;

/// Long enough for the head of a request on a busy machine.
const LIMIT: Duration = Duration::from_millis(1500);

fn hurried() -> TestServer {
    TestServer::with(|config| {
        config.secret_token = SecretToken::new("hush");
        config.read_timeout = LIMIT;
        config.body_timeout = LIMIT;
    })
}

/// The answer to some bytes until the server ends the connection, which it has to.
async fn said(addr: SocketAddr, bytes: &str) -> String {
    let bytes = bytes.to_owned();
    let said = actix_web::rt::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(addr).expect("connects");
        stream.write_all(bytes.as_bytes()).expect("sent");
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a limit");
        let mut said = Vec::new();
        match stream.read_to_end(&mut said) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection stays open: {error}"),
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    said.await.expect("a thread")
}

#[actix_web::test]
async fn a_body_that_does_not_come_does_not_hold_its_connection() {
    let server = hurried();
    let addr = server.running.addr();
    let host = format!("Host: {addr}\r\nOrigin: http://{addr}\r\n");
    let token = "Authorization: Bearer hush\r\n";
    let start = Instant::now();
    let mut asked = Vec::new();
    for (path, extra) in [
        ("/login", ""),
        ("/config/v1/agents", token),
        ("/settings/clear", token),
        ("/api/v1/markers", token),
        ("/api/v1/sql", token),
        ("/nope", ""),
    ] {
        for body in [
            "Content-Length: 100\r\n\r\n",
            "Content-Length: 100\r\n\r\nx",
            "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        ] {
            let request = format!("POST {path} HTTP/1.1\r\n{host}{extra}{body}");
            asked.push(async move { (path, said(addr, &request).await) });
        }
    }
    for (path, said) in join_all(asked).await {
        assert!(said.starts_with("HTTP/1.1 503"), "{path}: {said}");
        assert!(said.contains("request timed out"), "{path}: {said}");
    }
    assert!(start.elapsed() >= LIMIT, "given up early");
    server.stop().await;
}

#[actix_web::test]
async fn an_answer_that_ends_the_connection_does_so_though_the_body_goes_on() {
    let server = hurried();
    let addr = server.running.addr();
    let token = "Authorization: Bearer hush\r\n";
    let endless = "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n";
    for (path, headers, status) in [
        ("/intake/v2/events", "", "401"),
        ("/api/v1/sql", "", "401"),
        ("/settings/import", "", "403"),
        (
            "/intake/v2/events",
            "Authorization: Bearer hush\r\nContent-Type: text/csv\r\n",
            "400",
        ),
        ("/intake/v2/events", token, "503"),
    ] {
        let request = format!("POST {path} HTTP/1.1\r\nHost: {addr}\r\n{headers}{endless}");
        let said = said(addr, &request).await;
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {said}"
        );
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_body_that_is_too_long_is_refused_in_json() {
    let server = hurried();
    let headers = [
        ("Authorization", "Bearer hush"),
        ("Content-Type", "application/json"),
    ];
    let answer = server
        .send("POST", "/api/v1/markers", &headers, vec![b'x'; 3 << 20])
        .await;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert_eq!(answer.json()["error"], "request body too large");
    // One that is as long as bodies may be gets as far as its route.
    let answer = server
        .send("POST", "/api/v1/markers", &headers, vec![b'x'; 900 << 10])
        .await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.json()["error"].is_string(), "{answer:?}");
    server.stop().await;
}

#[actix_web::test]
async fn addresses_that_do_not_exist_are_not_found_by_anyone() {
    let server = hurried();
    for (method, path) in [
        ("GET", "/nope"),
        ("POST", "/nope"),
        ("DELETE", "/nope/it"),
        ("POST", "/v1/traces/"),
        ("POST", "/v1development/profiles"),
        ("GET", "/debug/vars"),
    ] {
        let answer = server.send(method, path, &[], "").await;
        assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        assert_eq!(answer.json()["error"], "404 page not found");
    }
    // A browser that is not signed in is asked to, whatever it looks for.
    let page = [("Sec-Fetch-Mode", "navigate")];
    assert_eq!(server.send("GET", "/nope", &page, "").await.status, 302);
    server.stop().await;
}

/// The longest time that a statement of the console takes.
const CONSOLE: Duration = Duration::from_secs(2);

#[actix_web::test]
async fn two_questions_of_the_console_run_at_a_time_whatever_workers_there_are() {
    let server = TestServer::with(|config| config.workers = 4);
    let endless =
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c";
    let started = Instant::now();
    let url = server.url("/api/v1/sql");
    let asked = (0..12).map(|_| async {
        // A client of its own has a connection of its own.
        let request = awc::Client::builder().disable_timeout().finish().post(&url);
        let request = request.insert_header(("Content-Type", "text/plain"));
        let mut answer = request.send_body(endless).await.expect("an answer");
        let body = answer.body().await.expect("a body");
        let text = String::from_utf8_lossy(&body).into_owned();
        (text.contains("stopped after"), text, started.elapsed())
    });
    let mut ended: Vec<Duration> = Vec::new();
    for (was_run, text, at) in join_all(asked).await {
        assert!(was_run || text.contains("too many questions"), "{text}");
        ended.extend(was_run.then_some(at));
    }
    ended.sort_unstable();
    assert!(!ended.is_empty());
    // Each pair takes the whole time. A busy machine makes it longer, and never shorter.
    for (number, at) in ended.iter().enumerate() {
        let least = CONSOLE * (number as u32 / 2 + 1);
        assert!(
            *at >= least,
            "number {number} ended after {at:?}: {ended:?}"
        );
    }
    server.stop().await;
}
