//! Uploaded files: decoded as they arrive, few at a time, within a time and a size.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::server::{TestServer, eventually};

const METADATA: &str =
    "{\"metadata\":{\"service\":{\"name\":\"s\",\"agent\":{\"name\":\"a\",\"version\":\"1\"}}}}\n";
const LOG: &str = "{\"log\":{\"message\":\"m\"}}\n";

/// The beginning of an upload of some length, and of its file.
fn begin(addr: SocketAddr, length: usize) -> TcpStream {
    let part =
        "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"t.ndjson\"\r\n\r\n";
    let mut stream = TcpStream::connect(addr).expect("connects");
    let head = format!(
        "POST /settings/import HTTP/1.1\r\nHost: {addr}\r\nOrigin: http://{addr}\r\n\
         Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: {length}\r\n\r\n{part}"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream
}

async fn said(mut stream: TcpStream) -> String {
    let read = actix_web::rt::task::spawn_blocking(move || {
        let limit = Some(Duration::from_secs(20));
        stream.set_read_timeout(limit).expect("a limit");
        let (mut said, mut piece) = (Vec::new(), [0; 4096]);
        while let Ok(length @ 1..) = stream.read(&mut piece) {
            said.extend_from_slice(&piece[..length]);
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    read.await.expect("a thread")
}

async fn stored(server: &TestServer) -> u64 {
    let found = server
        .get("/api/v1/discover?q=&from=now-1h&to=now%2B1m")
        .await;
    found.json()["total"].as_u64().unwrap_or_default()
}

#[actix_web::test]
async fn a_file_is_stored_as_it_arrives_and_one_that_stops_ends() {
    let server = TestServer::with(|config| config.read_timeout = Duration::from_secs(3));
    let mut stream = begin(server.running.addr(), 60 << 20);
    // More than the decoder collects before it sends.
    stream.write_all(METADATA.as_bytes()).expect("sent");
    let lines = LOG.repeat(100_000);
    stream.write_all(lines.as_bytes()).expect("sent");
    eventually("events of the open file", async || {
        stored(&server).await > 10_000
    })
    .await;
    let said = said(stream).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("did not arrive in time"), "{said}");
    server.stop().await;
}

#[actix_web::test]
async fn few_files_are_taken_at_a_time_and_the_others_are_told() {
    let server = TestServer::with(|config| config.read_timeout = Duration::from_secs(3));
    let addr = server.running.addr();
    let unfinished: Vec<_> = (0..60)
        .map(|_| {
            let mut stream = begin(addr, 60 << 20);
            stream.write_all(METADATA.as_bytes()).expect("sent");
            stream
        })
        .collect();
    let mut answers = Vec::new();
    for stream in unfinished {
        answers.push(said(stream).await);
    }
    let count = |status: &str| {
        answers
            .iter()
            .filter(|said| said.starts_with(status))
            .count()
    };
    assert_eq!(
        (count("HTTP/1.1 503"), count("HTTP/1.1 408")),
        (58, 2),
        "{answers:#?}"
    );
    assert!(
        answers
            .iter()
            .any(|said| said.contains("try again when they are done"))
    );
    // The places are free again.
    let form = format!("{METADATA}{LOG}\r\n--cut--\r\n");
    let mut stream = begin(addr, form.len() + 79);
    stream.write_all(form.as_bytes()).expect("sent");
    let said = said(stream).await;
    assert!(
        said.starts_with("HTTP/1.1 303") && said.contains("imported=1"),
        "{said}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_file_that_breaks_off_keeps_what_came_and_frees_its_place() {
    let server = TestServer::start();
    for _ in 0..4 {
        let mut stream = begin(server.running.addr(), 60 << 20);
        stream.write_all(METADATA.as_bytes()).expect("sent");
        stream
            .write_all(LOG.repeat(60_000).as_bytes())
            .expect("sent");
        drop(stream);
    }
    let form = format!("{METADATA}{LOG}\r\n--cut--\r\n");
    eventually("a place", async || {
        let mut stream = begin(server.running.addr(), form.len() + 79);
        stream.write_all(form.as_bytes()).expect("sent");
        said(stream).await.starts_with("HTTP/1.1 303")
    })
    .await;
    assert!(stored(&server).await > 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_file_that_is_too_large_is_refused_and_a_line_that_is_too_long_costs_nothing() {
    let server = TestServer::start();
    let headers = [
        ("Content-Type", "multipart/form-data; boundary=cut"),
        ("Origin", &server.running.url()),
    ];
    let form = |file: &str| {
        format!(
            "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"t\"\r\n\r\n{file}\r\n--cut--\r\n"
        )
    };
    let long = format!("{METADATA}{}\n{LOG}", "x".repeat(20 << 20));
    let taken = server
        .send("POST", "/settings/import", &headers, form(&long))
        .await;
    assert!(
        taken.header("location").contains("imported=1&refused=1"),
        "{taken:?}"
    );
    let large = format!("{METADATA}{}", "x".repeat(65 << 20));
    let refused = server
        .send("POST", "/settings/import", &headers, form(&large))
        .await;
    assert_eq!(refused.status, 413, "{refused:?}");
    assert!(
        refused.text.contains("larger than 64 MiB"),
        "{}",
        refused.text
    );
    let empty = server
        .send("POST", "/settings/import", &headers, form(""))
        .await;
    assert_eq!(empty.status, 400);
    assert!(empty.text.contains("no file was sent"), "{}", empty.text);
    let metadata = server
        .send("POST", "/settings/import", &headers, form(METADATA))
        .await;
    assert!(metadata.text.contains("no events"), "{}", metadata.text);
    server.stop().await;
}
