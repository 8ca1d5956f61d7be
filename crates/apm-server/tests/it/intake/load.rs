//! Senders that mean harm, or are merely slow.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::server::TestServer;

const HEAD: &str = "POST /intake/v2/events?verbose HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\
                    Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
const METADATA: &str =
    "{\"metadata\":{\"service\":{\"name\":\"s\",\"agent\":{\"name\":\"a\",\"version\":\"1\"}}}}\n";
const TRANSACTION: &str = "{\"transaction\":{\"id\":\"1\",\"trace_id\":\"2\",\"type\":\"request\",\"duration\":1,\"span_count\":{\"started\":0}}}\n";

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

#[actix_web::test]
async fn slow_senders_hold_nobody_up_and_are_told_to_come_back() {
    let server = TestServer::with(|config| config.read_timeout = Duration::from_secs(2));
    let address = server.running.addr();
    // Each has an event and the beginning of a long line under way.
    let slow: Vec<_> = (0..120)
        .map(|_| {
            let mut socket = TcpStream::connect(address).expect("a connection");
            let long = format!("{{\"span\":{{\"name\":\"{}", "x".repeat(20_000));
            let sent = [
                HEAD.to_owned(),
                chunk(METADATA),
                chunk(TRANSACTION),
                chunk(&long),
            ]
            .concat();
            socket
                .write_all(sent.as_bytes())
                .expect("room in the socket");
            socket
        })
        .collect();
    let answer = server.intake(METADATA.to_owned() + TRANSACTION).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let answers = actix_web::rt::task::spawn_blocking(move || {
        let read = |mut socket: TcpStream| {
            let mut text = String::new();
            let mut piece = [0; 4096];
            socket
                .set_read_timeout(Some(Duration::from_secs(30)))
                .expect("a timeout");
            while !text.ends_with(
                "
}
",
            ) && let Ok(length @ 1..) = socket.read(&mut piece)
            {
                text.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
            text
        };
        slow.into_iter().map(read).collect::<Vec<_>>()
    });
    for answer in answers.await.expect("no panic") {
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("\"accepted\": 1"), "{answer}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn events_of_a_body_that_is_still_open_are_there_before_it_ends() {
    let server = TestServer::start();
    let mut socket = TcpStream::connect(server.running.addr()).expect("a connection");
    let sent = [HEAD.to_owned(), chunk(METADATA), chunk(TRANSACTION)].concat();
    socket
        .write_all(sent.as_bytes())
        .expect("room in the socket");
    crate::support::server::eventually("the event", async || {
        let found = server
            .get("/api/v1/discover?q=&from=now-1h&to=now%2B1m")
            .await;
        found.json()["total"] == 1
    })
    .await;
    socket
        .write_all(format!("{}0\r\n\r\n", chunk(TRANSACTION)).as_bytes())
        .expect("still open");
    let mut answer = [0; 4096];
    let read = actix_web::rt::task::spawn_blocking(move || {
        socket
            .read(&mut answer)
            .map(|length| answer[..length].to_vec())
    });
    let answer =
        String::from_utf8(read.await.expect("no panic").expect("an answer")).expect("text");
    assert!(
        answer.starts_with("HTTP/1.1 202") && answer.contains("\"accepted\": 2"),
        "{answer}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_body_that_grows_without_measure_is_refused() {
    let server = TestServer::start();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder
        .write_all((METADATA.to_owned() + TRANSACTION).as_bytes())
        .expect("memory");
    for _ in 0..48 {
        encoder.write_all(&vec![b' '; 1 << 20]).expect("memory");
    }
    let answer = server.intake(encoder.finish().expect("memory")).await;
    assert_eq!(answer.status, 400);
    let body = answer.json();
    assert_eq!(body["accepted"], 1);
    assert!(
        body["errors"][0]["message"]
            .as_str()
            .is_some_and(|message| message.contains("times its size")),
        "{body}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_body_that_drips_forever_ends_and_what_it_sent_stays() {
    let server = TestServer::with(|config| config.body_timeout = Duration::from_secs(1));
    let mut socket = TcpStream::connect(server.running.addr()).expect("a connection");
    let sent = [HEAD.to_owned(), chunk(METADATA), chunk(TRANSACTION)].concat();
    let answer = actix_web::rt::task::spawn_blocking(move || {
        socket
            .write_all(sent.as_bytes())
            .expect("room in the socket");
        // Each wait for an answer is the pause between two drops.
        let pause = Some(Duration::from_millis(20));
        socket.set_read_timeout(pause).expect("a timeout");
        let (mut text, mut piece) = (String::new(), [0; 4096]);
        for _ in 0..1500 {
            match socket.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => text.push_str(&String::from_utf8_lossy(&piece[..length])),
                Err(_) if text.is_empty() => {
                    if socket.write_all(chunk("\n").as_bytes()).is_err() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        text
    });
    let answer = answer.await.expect("no panic");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(
        answer.contains("took longer than 1 s") && answer.contains("\"accepted\": 1"),
        "{answer}"
    );
    server.stop().await;
}
