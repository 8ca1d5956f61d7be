//! Over gRPC, with HTTP/2 as `h2` speaks it.

use std::time::{Duration, Instant};

use ::http::{HeaderMap, Request};
use actix_web::rt;
use actix_web::rt::net::TcpStream;
use actix_web::web::Bytes;
use apm_server::SecretToken;
use apm_server::api_keys::{NewKey, Privilege};
use h2::client::SendRequest;

use super::http::begin;
use super::{gzip, metric, start};
use crate::support::otlp::{Span, gauge, log, traces};
use crate::support::server::{TestServer, eventually};

pub(super) const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(super) const GRPC: (&str, &str) = ("content-type", "application/grpc");

/// A connection, and what ends with it.
async fn connect(server: &TestServer) -> (SendRequest<Bytes>, rt::task::JoinHandle<()>) {
    let port = server.running.receivers().grpc.expect("it listens");
    let stream = TcpStream::connect(port).await.expect("the server listens");
    let (client, connection) = h2::client::handshake(stream).await.expect("a handshake");
    let connection = rt::spawn(async move {
        // The calls on it see how it ends.
        let _ = connection.await;
    });
    (client, connection)
}

/// The answer to a call.
pub(super) struct Answer {
    http: u16,
    message: Vec<u8>,
    /// The trailers, or the headers where nothing but these came.
    trailers: HeaderMap,
}

impl Answer {
    pub(super) fn status(&self) -> &str {
        self.trailer("grpc-status")
    }

    fn trailer(&self, name: &str) -> &str {
        let value = self.trailers.get(name);
        value.map_or("", |value| value.to_str().expect("ASCII"))
    }
}

pub(super) fn framed(flag: u8, message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len())
        .expect("a short message")
        .to_be_bytes();
    [&[flag][..], &length, message].concat().into()
}

/// A message that is right and holds nothing to store.
fn no_spans() -> Bytes {
    framed(0, &traces("shop", &[]))
}

pub(super) async fn call(
    client: &mut SendRequest<Bytes>,
    path: &str,
    headers: &[(&str, &str)],
    frame: Bytes,
) -> Answer {
    let mut request = Request::post(format!("http://localhost{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(()).expect("the server listens");
    let (response, mut body) = client.send_request(request, false).expect("a handshake");
    // A refusal may come before all is sent.
    let _ = body.send_data(frame, true);
    let response = response.await.expect("an answer");
    let (head, mut body) = response.into_parts();
    let mut message = Vec::new();
    while let Some(Ok(chunk)) = body.data().await {
        body.flow_control()
            .release_capacity(chunk.len())
            .expect("a chunk that was counted");
        message.extend_from_slice(&chunk);
    }
    let trailers = body.trailers().await.ok().flatten();
    Answer {
        http: head.status.as_u16(),
        message,
        trailers: trailers.unwrap_or(head.headers),
    }
}

#[actix_web::test]
async fn what_is_answered_ok_is_stored() {
    let server = start(|_| {});
    let (mut client, _connection) = connect(&server).await;
    let span = traces("shop", &[Span::root(1 << 64 | 1, "GET /cart")]);
    let packed = traces("shop", &[Span::root(2 << 64 | 2, "GET /cart")]);
    let service = |name: &str, kind: &str| {
        format!("/opentelemetry.proto.collector.{name}.v1.{kind}Service/Export")
    };
    for (path, encoding, frame) in [
        (TRACES.to_owned(), "identity", framed(0, &span)),
        (TRACES.to_owned(), "gzip", framed(1, &gzip(&packed))),
        (
            service("logs", "Logs"),
            "gzip",
            framed(0, &log("shop", "empty")),
        ),
        (
            service("metrics", "Metrics"),
            "gzip",
            framed(1, &gzip(&gauge("shop", "q", 1.0))),
        ),
    ] {
        let headers = [GRPC, ("grpc-encoding", encoding)];
        let answer = call(&mut client, &path, &headers, frame).await;
        assert_eq!(answer.status(), "0", "{path} {:?}", answer.trailers);
        assert_eq!(answer.message, [0; 5], "{path}");
    }
    for (query, count) in [
        ("service.name:shop and processor.event:transaction", 2),
        ("service.name:shop and processor.event:metric", 1),
        ("service.name:shop and message:empty", 1),
    ] {
        assert_eq!(server.found(query).await.len(), count, "{query}");
    }
    assert_eq!(
        metric(
            &server,
            "pocket_apm_wire_requests_total{wire=\"otlp_grpc\"}"
        )
        .await,
        4
    );
    server.stop().await;
}

#[actix_web::test]
async fn what_cannot_be_taken_has_the_status_that_tells_senders_what_to_do() {
    let server = start(|config| config.max_export_size = 64 * 1024);
    let (mut client, _connection) = connect(&server).await;
    let good = no_spans();
    let large = Bytes::from_static(&[0, 0, 2, 0, 0]);
    for (path, headers, frame, status, words) in [
        (
            "/grpc.health.v1.Health/Check",
            vec![GRPC],
            good.clone(),
            "12",
            "not known",
        ),
        (
            TRACES,
            vec![GRPC, ("grpc-encoding", "snappy")],
            good.clone(),
            "12",
            "gzip",
        ),
        (TRACES, vec![GRPC], framed(0, b"\x0a\xff\xff"), "3", ""),
        (
            TRACES,
            vec![GRPC, ("grpc-encoding", "gzip")],
            framed(1, b"\x0a\x00"),
            "3",
            "gzip",
        ),
        (
            TRACES,
            vec![GRPC],
            Bytes::from_static(&[0, 0, 0, 0, 9, 1]),
            "3",
            "too early",
        ),
        (TRACES, vec![GRPC], Bytes::new(), "3", "too early"),
        (TRACES, vec![GRPC], framed(1, b""), "13", "grpc-encoding"),
        (TRACES, vec![GRPC], framed(7, b""), "13", "flag"),
        (TRACES, vec![GRPC], large, "8", "65536 bytes"),
        (
            TRACES,
            vec![GRPC, ("grpc-encoding", "gzip")],
            framed(1, &gzip(&vec![0; 8 << 20])),
            "8",
            "65536 bytes",
        ),
    ] {
        let answer = call(&mut client, path, &headers, frame).await;
        let message = answer.trailer("grpc-message");
        assert_eq!(
            (answer.http, answer.status()),
            (200, status),
            "{path} {headers:?} {message}"
        );
        assert!(message.contains(words), "{words}: {message}");
        assert_eq!(answer.trailer("grpc-status-details-bin"), "", "{message}");
    }
    let headers = [("content-type", "application/x-protobuf")];
    assert_eq!(call(&mut client, TRACES, &headers, good).await.http, 415);
    server.stop().await;
}

#[actix_web::test]
async fn a_sender_over_grpc_needs_the_token_or_a_key_that_may_send() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys");
    let reads = NewKey::make("reads", &[Privilege::Read]).unwrap();
    std::fs::write(&file, &reads.line).unwrap();
    let server = start(|config| {
        config.secret_token = SecretToken::new("hush");
        config.api_key_file = Some(file);
    });
    let (mut client, _connection) = connect(&server).await;
    let key = format!("ApiKey {}", reads.encoded);
    for (authorization, status) in [
        ("", "16"),
        ("Bearer wrong", "16"),
        (&key, "7"),
        ("Bearer hush", "0"),
    ] {
        let mut headers = vec![GRPC];
        if !authorization.is_empty() {
            headers.push(("authorization", authorization));
        }
        let answer = call(&mut client, TRACES, &headers, no_spans()).await;
        assert_eq!(answer.status(), status, "{authorization}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_busy_server_says_when_to_come_back() {
    let server = start(|config| config.max_streams = 1);
    let slow = begin(&server);
    eventually("the slow body is open", async || {
        metric(&server, "pocket_apm_intake_streams ").await == 1
    })
    .await;
    let (mut client, _connection) = connect(&server).await;
    let answer = call(&mut client, TRACES, &[GRPC], no_spans()).await;
    assert_eq!(answer.status(), "14");
    assert!(!answer.trailer("grpc-status-details-bin").is_empty());
    drop(slow);
    server.stop().await;
}

#[actix_web::test]
async fn connections_without_a_call_end_and_a_stop_does_not_wait_for_them() {
    let server = start(|config| config.idle_timeout = Duration::from_millis(200));
    let (_client, connection) = connect(&server).await;
    let ended = rt::time::timeout(Duration::from_secs(10), connection).await;
    assert!(ended.is_ok(), "an idle connection ends");
    server.stop().await;

    let server = start(|_| {});
    let (mut client, connection) = connect(&server).await;
    let answer = call(&mut client, TRACES, &[GRPC], no_spans()).await;
    assert_eq!(answer.status(), "0");
    let start = Instant::now();
    server.stop().await;
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    let ended = rt::time::timeout(Duration::from_secs(10), connection).await;
    assert!(ended.is_ok(), "the connection ends with the server");
}

#[actix_web::test]
async fn a_sender_that_stops_in_the_middle_of_a_message_is_given_up() {
    let server = start(|config| config.read_timeout = Duration::from_millis(300));
    let (mut client, _connection) = connect(&server).await;
    for part in [&[0, 0][..], &[0, 0, 0, 0, 9, 1]] {
        let request = Request::post(format!("http://localhost{TRACES}")).header(GRPC.0, GRPC.1);
        let request = request.body(()).unwrap();
        let (response, mut body) = client.send_request(request, false).unwrap();
        body.send_data(Bytes::copy_from_slice(part), false).unwrap();
        let response = rt::time::timeout(Duration::from_secs(10), response);
        let response = response.await.expect("an answer").unwrap();
        assert_eq!(response.headers()["grpc-status"], "14");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_call_ends_when_the_time_of_its_caller_is_over() {
    let server = start(|_| {});
    let (mut client, _connection) = connect(&server).await;
    let request = Request::post(format!("http://localhost{TRACES}"))
        .header(GRPC.0, GRPC.1)
        .header("grpc-timeout", "50m")
        .body(())
        .expect("a request");
    let (response, mut body) = client.send_request(request, false).expect("a handshake");
    // The rest of the message never comes.
    body.send_data(framed(0, &[0; 100]).slice(..20), false)
        .expect("a stream");
    let response = response.await.expect("an answer");
    assert_eq!(response.headers()["grpc-status"], "4", "{response:?}");
    // Others are not held up, and a time that is long enough bounds nothing.
    let span = traces("shop", &[Span::root(1 << 64 | 1, "GET /cart")]);
    let headers = [GRPC, ("grpc-timeout", "10S")];
    let answer = call(&mut client, TRACES, &headers, framed(0, &span)).await;
    assert_eq!(answer.status(), "0", "{:?}", answer.trailers);
    server.stop().await;
}
