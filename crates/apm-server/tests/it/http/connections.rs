//! Callers together cannot take all connections, threads or memory.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use apm_server::SecretToken;
use serde_json::Value;

use crate::support::server::{TestServer, eventually};

/// A number of `/metrics`.
async fn metric(server: &TestServer, name: &str) -> f64 {
    let headers = [("Authorization", "Bearer hush")];
    let text = server.send("GET", "/metrics", &headers, "").await.text;
    let line = format!("pocket_apm_{name} ");
    let value = text.lines().find_map(|found| found.strip_prefix(&line));
    value
        .unwrap_or_else(|| panic!("no {name} in {text}"))
        .parse()
        .expect("a number")
}

fn sent(addr: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).expect("connects");
    stream.write_all(text.as_bytes()).expect("sent");
    stream
}

/// Asks on a connection of its own: one that is kept would be closed with the idle ones. With the name of a metric,
/// also its value.
async fn asked(addr: SocketAddr, what: &str) -> (String, f64) {
    let path = if what.starts_with('/') {
        what
    } else {
        "/metrics"
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let said = said(sent(addr, &request), Duration::from_secs(20)).await;
    let line = format!("pocket_apm_{what} ");
    let value = said.lines().find_map(|found| found.strip_prefix(&line));
    let value = value.map_or(0.0, |value| value.parse().expect("a number"));
    (said, value)
}

/// The server's words until it ended the connection, or went silent for the time.
async fn said(mut stream: TcpStream, within: Duration) -> String {
    let read = actix_web::rt::task::spawn_blocking(move || {
        stream.set_read_timeout(Some(within)).expect("a limit");
        let (mut said, mut piece) = (Vec::new(), [0; 4096]);
        while let Ok(length @ 1..) = stream.read(&mut piece) {
            said.extend_from_slice(&piece[..length]);
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    read.await.expect("a thread")
}

#[actix_web::test]
async fn those_who_hold_connections_and_say_nothing_do_not_stall_others() {
    let server = TestServer::with(|config| config.max_connections = 64);
    let addr = server.running.addr();
    // It accepts from the first time on that its task runs, on this thread.
    asked(addr, "/healthz").await;
    for beginning in [
        "",
        "GET /healthz HTTP/1.1\r\nX-Drip: ",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let held: Vec<_> = (0..512).map(|_| sent(addr, beginning)).collect();
        let start = Instant::now();
        let (healthy, _) = asked(addr, "/healthz").await;
        let took = start.elapsed();
        assert!(
            healthy.starts_with("HTTP/1.1 200"),
            "{beginning:?}: {healthy}"
        );
        assert!(took < Duration::from_secs(5), "{beginning:?}: {took:?}");
        let (_, open) = asked(addr, "connections").await;
        assert!((1.0..=64.0).contains(&open), "{open}");
        drop(held);
    }
    let (_, evicted) = asked(addr, "connections_evicted_total").await;
    assert!(evicted >= 3.0 * (512.0 - 64.0), "{evicted}");
    server.stop().await;
}

#[actix_web::test]
async fn a_request_that_is_under_way_outlives_a_flood_of_idle_connections() {
    let server = TestServer::with(|config| {
        config.max_connections = 32;
        config.secret_token = SecretToken::new("hush");
    });
    let addr = server.running.addr();
    let head = "POST /intake/v2/events?verbose HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer hush\r\n\
                Accept: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let metadata = "{\"metadata\":{\"service\":{\"name\":\"s\",\"agent\":{\"name\":\"a\",\"version\":\"1\"}}}}\n";
    let mut agent = sent(
        addr,
        &format!("{head}{:x}\r\n{metadata}\r\n", metadata.len()),
    );
    eventually("the body is open", async || {
        metric(&server, "intake_streams").await == 1.0
    })
    .await;
    let held: Vec<_> = (0..200).map(|_| sent(addr, "GET / HT")).collect();
    assert_eq!(server.get("/healthz").await.status, 200);
    let event = "{\"log\":{\"message\":\"still here\"}}\n";
    let rest = format!("{:x}\r\n{event}\r\n0\r\n\r\n", event.len());
    agent.write_all(rest.as_bytes()).expect("it is still open");
    let said = said(agent, Duration::from_secs(2)).await;
    assert!(
        said.starts_with("HTTP/1.1 202") && said.contains("\"accepted\": 1"),
        "{said}"
    );
    drop(held);
    server.stop().await;
}

#[actix_web::test]
async fn places_are_left_for_those_who_have_the_token() {
    let server = TestServer::with(|config| {
        config.max_connections = 64;
        config.secret_token = SecretToken::new("hush");
    });
    let addr = server.running.addr();
    // The body of a log-in is read from anyone, for up to 30 s.
    let login = format!(
        "POST /login HTTP/1.1\r\nHost: {addr}\r\nOrigin: http://{addr}\r\nContent-Length: 9\r\n\r\n"
    );
    let held: Vec<_> = (0..64).map(|_| sent(addr, &login)).collect();
    let start = Instant::now();
    let token = [
        ("Authorization", "Bearer hush"),
        ("Accept", "application/json"),
    ];
    let answer = server.send("GET", "/api/v1/services", &token, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    let mut refused = 0;
    for stream in held {
        let said = said(stream, Duration::from_millis(20)).await;
        refused += usize::from(said.starts_with("HTTP/1.1 503"));
    }
    // Of 64 places, an eighth.
    assert!((7..=16).contains(&refused), "{refused}");
    server.stop().await;
}

#[actix_web::test]
async fn a_request_for_another_protocol_is_answered_at_once() {
    let server = TestServer::start();
    let addr = server.running.addr();
    for head in [
        "GET /healthz HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
        "GET /services HTTP/1.1\r\nAccept: text/html\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "GET /api/v1/services HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    ] {
        let start = Instant::now();
        let stream = sent(addr, &format!("{head}Host: {addr}\r\n\r\n"));
        let said = said(stream, Duration::from_secs(2)).await;
        assert!(said.starts_with("HTTP/1.1 200"), "{head}: {said}");
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{head}: {:?}",
            start.elapsed()
        );
    }
    // A tunnel is not offered.
    let stream = sent(
        addr,
        &format!("CONNECT {addr} HTTP/1.1\r\nHost: {addr}\r\n\r\n"),
    );
    let said = said(stream, Duration::from_secs(2)).await;
    assert!(said.starts_with("HTTP/1.1 4"), "{said}");
    server.stop().await;
}

#[actix_web::test]
async fn http_2_is_not_spoken() {
    let server = TestServer::start();
    let addr = server.running.addr();
    // The preface of a client that knows beforehand, with the frame of its settings.
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
    let said = said(sent(addr, preface), Duration::from_secs(2)).await;
    assert!(said.starts_with("HTTP/1.1 4"), "{said:?}");
    server.stop().await;
}

#[actix_web::test]
async fn large_answers_that_nobody_reads_have_a_budget() {
    let server = TestServer::start();
    let mut body = r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#
        .to_owned()
        + "\n";
    let text = "x".repeat(7000);
    for number in 0..1000 {
        body.push_str(&format!(
            "{{\"log\":{{\"message\":\"{text}\",\"trace.id\":\"7\",\"labels\":{{\"n\":\"{number}\"}}}}}}\n"
        ));
    }
    assert_eq!(server.intake(body).await.status, 202);
    let path = "/api/v1/discover?size=1000&from=now-15m";
    let size = server.get(path).await.text.len();
    assert!(size > 4_000_000, "{size}");
    // Some 280 MB, if all were held.
    let addr = server.running.addr();
    let held: Vec<_> = (0..40)
        .map(|_| {
            sent(
                addr,
                &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            )
        })
        .collect();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut most: f64 = 0.0;
    loop {
        most = most.max(metric(&server, "unsent_bytes").await);
        let given_up = metric(&server, "unsent_given_up_total").await;
        if given_up >= 10.0 {
            break;
        }
        assert!(Instant::now() < deadline, "given up: {given_up}");
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(most > 30e6 && most <= f64::from(64 << 20), "{most}");
    // A client that reads gets all of it.
    let whole: Value = serde_json::from_str(&server.get(path).await.text).expect("JSON to its end");
    assert_eq!(whole["hits"].as_array().map(Vec::len), Some(1000));
    drop(held);
    eventually("all is given back", async || {
        metric(&server, "unsent_bytes").await == 0.0
    })
    .await;
    server.stop().await;
}
