//! Senders that mean harm, or are merely slow.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::server::TestServer;

const HEAD: &str = "POST /intake/v2/events?verbose HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\
                    Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
const METADATA: &str =
    "{\"metadata\":{\"service\":{\"name\":\"s\",\"agent\":{\"name\":\"a\",\"version\":\"1\"}}}}\n";
const TRANSACTION: &str = concat!(
    r#"{"transaction":{"id":"1","trace_id":"2","type":"request","duration":1,"#,
    r#""span_count":{"started":0}}}"#,
    "\n"
);

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

/// The server's words, until it has said all; as long as it says nothing, `drop` is sent after each pause.
fn dripped(mut socket: TcpStream, drop: &str, pause: Duration, drops: usize) -> String {
    socket.set_read_timeout(Some(pause)).expect("a timeout");
    let (mut text, mut piece) = (String::new(), [0; 4096]);
    for _ in 0..drops {
        match socket.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => text.push_str(&String::from_utf8_lossy(&piece[..length])),
            Err(_) if text.is_empty() && !drop.is_empty() => {
                if socket.write_all(drop.as_bytes()).is_err() {
                    break;
                }
            }
            Err(_) if text.is_empty() => {}
            Err(_) => break,
        }
    }
    text
}

fn open_body(server: &TestServer) -> TcpStream {
    let mut socket = TcpStream::connect(server.running.addr()).expect("a connection");
    let sent = [HEAD.to_owned(), chunk(METADATA), chunk(TRANSACTION)].concat();
    socket
        .write_all(sent.as_bytes())
        .expect("room in the socket");
    socket
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    actix_web::rt::task::spawn_blocking(work)
        .await
        .expect("no panic")
}

async fn open_bodies(server: &TestServer, count: usize) {
    let line = format!("pocket_apm_intake_streams {count}\n");
    crate::support::server::eventually("open bodies", async || {
        let metrics = server.send("GET", "/metrics", &[], "").await;
        metrics.text.contains(&line)
    })
    .await;
}

#[actix_web::test]
async fn a_sender_may_pause_between_events_for_longer_than_a_line_may_take() {
    let server = TestServer::with(|config| config.read_timeout = Duration::from_millis(100));
    let socket = open_body(&server);
    let answer = blocking(move || {
        // Ten times as long.
        let said = dripped(
            socket.try_clone().expect("a socket"),
            "",
            Duration::from_millis(100),
            10,
        );
        assert_eq!(said, "");
        let mut socket = socket;
        let rest = format!("{}0\r\n\r\n", chunk(TRANSACTION));
        socket.write_all(rest.as_bytes()).expect("still open");
        dripped(socket, "", Duration::from_millis(500), 20)
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(answer.contains("\"accepted\": 2"), "{answer}");
    server.stop().await;
}

#[actix_web::test]
async fn a_line_that_drips_ends_and_lines_that_drip_go_on() {
    let server = TestServer::with(|config| config.read_timeout = Duration::from_secs(1));
    let mut socket = open_body(&server);
    socket
        .write_all(chunk("{\"log\":").as_bytes())
        .expect("open");
    let answer =
        blocking(move || dripped(socket, &chunk(" "), Duration::from_millis(20), 1000)).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("a line took longer than 1 s"), "{answer}");
    assert!(answer.contains("\"accepted\": 1"), "{answer}");
    // Each is whole within its second, though all together take longer.
    let socket = open_body(&server);
    let answer = blocking(move || {
        let copy = socket.try_clone().expect("a socket");
        let said = dripped(copy, &chunk(TRANSACTION), Duration::from_millis(100), 20);
        assert_eq!(said, "");
        let mut socket = socket;
        socket.write_all(b"0\r\n\r\n").expect("still open");
        dripped(socket, "", Duration::from_millis(500), 20)
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    server.stop().await;
}

#[actix_web::test]
async fn of_too_many_open_bodies_the_longest_silent_ends_with_all_it_sent_stored() {
    let server = TestServer::with(|config| config.max_streams = 4);
    let mut open = Vec::new();
    for count in 1..=4 {
        open.push(open_body(&server));
        open_bodies(&server, count).await;
    }
    crate::support::server::eventually("all are silent", async || {
        let found = server
            .get("/api/v1/discover?q=&from=now-1h&to=now%2B1m")
            .await;
        found.json()["total"] == 4
    })
    .await;
    let answer = server.intake(METADATA.to_owned() + TRANSACTION).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let first = open.remove(0);
    let answer = blocking(move || dripped(first, "", Duration::from_millis(500), 20)).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(answer.contains("\"accepted\": 1"), "{answer}");
    assert!(
        answer.to_lowercase().contains("connection: close"),
        "{answer}"
    );
    // The others go on.
    for mut socket in open {
        socket.write_all(b"0\r\n\r\n").expect("still open");
        let answer = blocking(move || dripped(socket, "", Duration::from_millis(500), 20)).await;
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_stop_does_not_wait_for_open_bodies_and_tells_them() {
    let server = TestServer::start();
    let open: Vec<_> = (0..8).map(|_| open_body(&server)).collect();
    open_bodies(&server, 8).await;
    let answers = actix_web::rt::task::spawn_blocking(move || {
        let read = |socket| dripped(socket, "", Duration::from_millis(500), 40);
        open.into_iter().map(read).collect::<Vec<_>>()
    });
    let start = std::time::Instant::now();
    server.stop().await;
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    for answer in answers.await.expect("no panic") {
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("server is shutting down"), "{answer}");
        assert!(answer.contains("\"accepted\": 1"), "{answer}");
    }
}
