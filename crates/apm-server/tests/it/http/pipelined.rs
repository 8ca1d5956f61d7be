//! Requests that are sent before the one before is answered.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::server::TestServer;

const METADATA: &str =
    r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#;

/// The answer to some bytes that are sent in pieces, until the server ends the connection.
async fn said(server: &TestServer, bytes: Vec<u8>, size: usize) -> String {
    let addr = server.running.addr();
    let said = actix_web::rt::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(addr).expect("connects");
        let limit = Some(Duration::from_secs(20));
        stream.set_read_timeout(limit).expect("a limit");
        let mut writes = stream.try_clone().expect("the same");
        let sender = std::thread::spawn(move || {
            for piece in bytes.chunks(size) {
                writes.write_all(piece).expect("sent");
            }
        });
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("an end");
        sender.join().expect("sent");
        String::from_utf8(said).expect("UTF-8")
    });
    said.await.expect("a thread")
}

#[actix_web::test]
async fn requests_in_a_row_are_answered_in_their_order_whatever_their_bodies_are() {
    let server = TestServer::start();
    let event =
        |number: u32| format!("{METADATA}\n{{\"log\":{{\"message\":\"{number}\"}}}}\n\n\r\n");
    let mut all = Vec::new();
    let mut expected = Vec::new();
    for number in 0..40 {
        let event = event(number);
        let head = "POST /intake/v2/events?verbose HTTP/1.1\r\nHost: localhost\r\n";
        let request = match number % 4 {
            0 => "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(),
            1 => format!("{head}Content-Length: {}\r\n\r\n{event}", event.len()),
            2 => {
                let (first, second) = event.split_at(number as usize);
                format!(
                    "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x};a=b\r\n{second}\r\n0\r\n\r\n",
                    first.len(),
                    second.len(),
                )
            }
            // Waits until it is told to go on; a client that does not wait is understood as well.
            _ => format!(
                "{head}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n{event}",
                event.len()
            ),
        };
        all.extend_from_slice(request.as_bytes());
        expected.push(if number % 4 == 0 { "200" } else { "202" });
    }
    all.extend_from_slice(b"GET /nope HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    expected.push("404");
    for size in [7, 1000, all.len()] {
        let said = said(&server, all.clone(), size).await;
        let statuses: Vec<_> = said
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|answer| &answer[..3])
            .filter(|status| *status != "100")
            .collect();
        assert_eq!(statuses, expected, "in pieces of {size}: {said}");
        assert_eq!(said.matches("\"accepted\":1").count(), 30, "{said}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn what_follows_a_request_that_is_refused_ends_with_its_connection() {
    let server = TestServer::start();
    let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for (request, status) in [
        ("GET / HTTP/1.1\r\nNo colon\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        (
            "POST /intake/v2/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: \
                chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
    ] {
        let said = said(&server, format!("{request}{next}").into_bytes(), 4096).await;
        assert!(
            said.starts_with(&format!("HTTP/1.1 {status}")) && !said.contains("HTTP/1.1 200"),
            "{request:?}: {said}"
        );
    }
    server.stop().await;
}
