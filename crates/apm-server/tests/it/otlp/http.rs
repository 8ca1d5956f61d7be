//! Over HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use actix_http::header::HeaderMap;
use actix_web::web::Bytes;
use apm_server::SecretToken;
use apm_server::api_keys::{NewKey, Privilege};
use serde_json::{Value, json};

use super::{gzip, metric, start};
use crate::support::otlp::{Span, gauge, log, traces};
use crate::support::server::TestServer;

pub(super) const PROTOBUF: (&str, &str) = ("Content-Type", "application/x-protobuf");
pub(super) const JSON: (&str, &str) = ("Content-Type", "application/json");

/// An answer: status, headers, body.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("ASCII"))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a body to an address of the port for OTLP.
pub(super) async fn send(
    server: &TestServer,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let port = server.running.receivers().http.expect("it listens");
    let url = format!("http://{port}{path}");
    send_to(server, method, &url, headers, body).await
}

async fn send_to(
    server: &TestServer,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let method = method.parse().expect("a method");
    let mut request = server.client.request(method, url).no_decompress();
    for header in headers {
        request = request.insert_header(*header);
    }
    let mut response = request.send_body(body.into()).await.expect("an answer");
    let body = response.body().await.expect("its body");
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body,
    }
}

#[actix_web::test]
async fn what_is_answered_200_is_stored_on_either_port_and_in_each_encoding() {
    let server = start(|_| {});
    let own = server.url("/v1/traces");
    let port = server.running.receivers().http.expect("it listens");
    let other = format!("http://{port}/v1/traces");
    let zstd = |body: &[u8]| zstd(body);
    let deflate = |body: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    type Pack<'p> = &'p dyn Fn(&[u8]) -> Vec<u8>;
    let packed: [(&str, Pack<'_>); 4] = [
        ("identity", &|body| body.to_vec()),
        ("gzip", &gzip),
        ("deflate", &deflate),
        ("zstd", &zstd),
    ];
    let mut trace = 1_u128 << 64;
    for url in [&own, &other] {
        for (encoding, pack) in packed {
            trace += 1;
            let body = pack(&traces("shop", &[Span::root(trace, "GET /cart")]));
            let headers = [PROTOBUF, ("Content-Encoding", encoding)];
            let answer = send_to(&server, "POST", url, &headers, body).await;
            assert_eq!(answer.status, 200, "{url} {encoding}: {}", answer.text());
            assert_eq!(answer.header("content-type"), PROTOBUF.1);
            assert!(answer.body.is_empty());
            // At once: nothing is answered before it is stored.
            let stored = server.found(&format!("trace.id:{trace:032x}")).await;
            assert_eq!(stored.len(), 1, "{url} {encoding}");
            assert_eq!(stored[0]["service"]["name"], "shop");
        }
    }
    assert_eq!(
        metric(
            &server,
            "pocket_apm_wire_events_accepted_total{wire=\"otlp_http\"}"
        )
        .await,
        8
    );
    assert_eq!(
        metric(
            &server,
            "pocket_apm_wire_requests_total{wire=\"intake_v2\"}"
        )
        .await,
        0
    );
    server.stop().await;
}

fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::encode_all(body, 1).expect("memory")
}

#[actix_web::test]
async fn each_signal_is_taken_in_protobuf_and_in_json() {
    let server = start(|_| {});
    for (path, body) in [
        (
            "/v1/traces",
            traces("shop", &[Span::root(7 << 64 | 7, "GET /")]),
        ),
        ("/v1/logs", log("shop", "the shelf is empty")),
        ("/v1/metrics", gauge("shop", "queue.size", 5.0)),
    ] {
        let answer = send(&server, "POST", path, &[PROTOBUF], body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let resource =
        json!({"attributes": [{"key": "service.name", "value": {"stringValue": "till"}}]});
    let span = json!({
        "traceId": "0123456789ABCDEF0123456789abcdef", "spanId": "0123456789abcdef", "name": "GET /", "kind": 2,
        "startTimeUnixNano": "1796000000000000000", "endTimeUnixNano": 1_796_000_000_001_000_000_u64,
    });
    let scope = json!({"resource": resource, "scopeSpans": [{"spans": [span]}]});
    let body = json!({"resourceSpans": [scope]}).to_string();
    let headers = [("Content-Type", "application/json; charset=utf-8")];
    let answer = send(&server, "POST", "/v1/traces", &headers, body).await;
    assert_eq!((answer.status, answer.text()), (200, "{}".to_owned()));
    assert_eq!(answer.header("content-type"), JSON.1);
    for (query, count) in [
        ("service.name:shop and processor.event:transaction", 1),
        ("service.name:shop and processor.event:metric", 1),
        ("service.name:shop and message:shelf", 1),
    ] {
        assert_eq!(server.found(query).await.len(), count, "{query}");
    }
    let trace = server
        .get("/api/v1/traces/0123456789abcdef0123456789abcdef")
        .await;
    assert_eq!(trace.status, 200, "{}", trace.text);
    server.stop().await;
}

#[actix_web::test]
async fn a_part_that_cannot_be_stored_is_counted_and_the_rest_is_stored() {
    let server = start(|_| {});
    let spans = [
        Span::root(9 << 64 | 9, "whole"),
        Span {
            id: 0,
            ..Span::root(9 << 64 | 8, "without an id")
        },
    ];
    let body = traces("shop", &spans);
    let answer = send(&server, "POST", "/v1/traces", &[PROTOBUF], body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // partial_success { rejected_spans: 1, error_message: … }
    assert_eq!(
        (answer.body[0], &answer.body[2..5]),
        (0x0a, &[8, 1, 0x12][..])
    );
    assert_eq!(server.found("service.name:shop").await.len(), 1);
    let rejected = "pocket_apm_wire_events_rejected_total{wire=\"otlp_http\"}";
    assert_eq!(metric(&server, rejected).await, 1);
    server.stop().await;
}

#[actix_web::test]
async fn a_body_that_cannot_be_read_is_refused_in_its_own_encoding_with_the_remedy() {
    let server = start(|config| config.max_export_size = 64 * 1024);
    let gzipped = ("Content-Encoding", "gzip");
    let large = vec![b' '; 65 * 1024];
    for (path, headers, body, status, words) in [
        (
            "/v1/traces",
            vec![PROTOBUF],
            b"\x0a\xff\xff".to_vec(),
            400,
            "",
        ),
        (
            "/v1/logs",
            vec![JSON],
            b"{\"resourceLogs\":".to_vec(),
            400,
            "",
        ),
        (
            "/v1/traces",
            vec![PROTOBUF, gzipped],
            b"\x0a\x00".to_vec(),
            400,
            "gzip",
        ),
        (
            "/v1/traces",
            vec![],
            b"".to_vec(),
            415,
            "application/x-protobuf or application/json",
        ),
        (
            "/v1/traces",
            vec![("Content-Type", "text/plain")],
            b"x".to_vec(),
            415,
            "'text/plain'",
        ),
        (
            "/v1/traces",
            vec![JSON, ("Content-Encoding", "snappy")],
            b"x".to_vec(),
            415,
            "send gzip",
        ),
        ("/v1/metrics", vec![JSON], large.clone(), 413, "65536 bytes"),
        (
            "/v1/metrics",
            vec![JSON, gzipped],
            gzip(&vec![b' '; 8 << 20]),
            413,
            "65536 bytes",
        ),
    ] {
        let answer = send(&server, "POST", path, &headers, body).await;
        let text = answer.text();
        assert_eq!(answer.status, status, "{path} {headers:?}: {text}");
        assert!(text.contains(words), "{words}: {text}");
        assert_eq!(answer.header("retry-after"), "", "{path} {headers:?}");
        let code = if status == 413 { 8 } else { 3 };
        match headers.contains(&PROTOBUF) {
            true => assert_eq!(answer.body[..3], [8, code, 0x12], "{text}"),
            false => {
                let status: Value = serde_json::from_slice(&answer.body).expect(&text);
                assert_eq!(status["code"], code, "{text}");
            }
        }
    }
    let answer = send(&server, "GET", "/v1/traces", &[], "").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    for (name, count) in [("malformed", 3), ("oversized", 2)] {
        let name = format!("pocket_apm_events_rejected_total{{reason=\"{name}\"}}");
        assert_eq!(metric(&server, &name).await, count, "{name}");
    }
    server.stop().await;
}

#[actix_web::test]
async fn a_sender_needs_the_token_or_a_key_that_may_send() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys");
    let key = |name: &str, privilege| NewKey::make(name, &[privilege]).unwrap();
    let (sends, reads) = (
        key("sends", Privilege::Intake),
        key("reads", Privilege::Read),
    );
    std::fs::write(&file, [sends.line, reads.line].join("\n")).unwrap();
    let server = start(|config| {
        config.secret_token = SecretToken::new("hush");
        config.api_key_file = Some(file);
    });
    let body = || traces("shop", &[Span::root(3 << 64 | 3, "GET /")]);
    for (authorization, status) in [
        ("", 401),
        ("Bearer wrong", 401),
        ("Bearer hush", 200),
        (&format!("ApiKey {}", sends.encoded), 200),
        (&format!("ApiKey {}", reads.encoded), 403),
    ] {
        let mut headers = vec![PROTOBUF];
        if !authorization.is_empty() {
            headers.push(("Authorization", authorization));
        }
        let answer = send(&server, "POST", "/v1/traces", &headers, body()).await;
        assert_eq!(answer.status, status, "{authorization}: {}", answer.text());
        if status != 200 {
            let code = if status == 401 { 16 } else { 7 };
            assert_eq!(answer.header("content-type"), PROTOBUF.1);
            assert_eq!(answer.body[..2], [8, code], "{authorization}");
        }
    }
    server.stop().await;
}

#[actix_web::test]
async fn the_port_for_otlp_has_nothing_else_and_answers_to_this_machine_alone() {
    let server = start(|_| {});
    for path in [
        "/",
        "/services",
        "/api/v1/status",
        "/intake/v2/events",
        "/v1/traces/",
    ] {
        let answer = send(&server, "GET", path, &[], "").await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(
            answer.text().contains("/v1/traces"),
            "{path}: {}",
            answer.text()
        );
    }
    let body = traces("shop", &[]);
    let foreign = [PROTOBUF, ("Host", "evil.example")];
    let answer = send(&server, "POST", "/v1/traces", &foreign, body).await;
    assert_eq!(answer.status, 403, "{}", answer.text());
    server.stop().await;
}

/// Sends the head of a request, and a part of its body.
pub(super) fn begin(server: &TestServer) -> TcpStream {
    let port = server.running.receivers().http.expect("it listens");
    let mut stream = TcpStream::connect(port).expect("the server listens");
    let timeout = Some(Duration::from_secs(20));
    stream.set_read_timeout(timeout).expect("a time limit");
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: {port}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).expect("the server reads");
    stream
}

#[actix_web::test]
async fn a_body_that_does_not_come_in_time_is_told_to_come_back() {
    let server = start(|config| config.read_timeout = Duration::from_millis(300));
    let mut slow = begin(&server);
    let answer = actix_web::rt::task::spawn_blocking(move || {
        let mut text = String::new();
        slow.read_to_string(&mut text).map(|_| text)
    });
    let answer = answer.await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.contains("retry-after: 2\r\n") && answer.contains("\"code\":14"),
        "{answer}"
    );
    server.stop().await;
}

#[actix_web::test]
async fn a_server_with_too_many_open_bodies_tells_others_to_come_back() {
    let server = start(|config| config.max_streams = 1);
    let slow = begin(&server);
    crate::support::server::eventually("the slow body is open", async || {
        metric(&server, "pocket_apm_intake_streams ").await == 1
    })
    .await;
    let body = traces("shop", &[Span::root(5 << 64 | 5, "GET /")]);
    let answer = send(&server, "POST", "/v1/traces", &[PROTOBUF], body.clone()).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "2"));
    assert_eq!(answer.body[..2], [8, 14]);
    drop(slow);
    crate::support::server::eventually("the body is taken", async || {
        send(&server, "POST", "/v1/traces", &[PROTOBUF], body.clone())
            .await
            .status
            == 200
    })
    .await;
    server.stop().await;
}
