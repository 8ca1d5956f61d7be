//! The layer under hyper itself: on a socket, by HTTP/1 and HTTP/2.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use apm_agent::testing::{Recorded, Recorder};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use http_body_util::BodyExt as _;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use services::with_hyper;
use tokio::net::{TcpListener, TcpStream};

/// Starts the service on a free port.
async fn start(recorder: &Recorder) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let agent = recorder.agent();
    tokio::spawn(async move { with_hyper::serve(listener, &agent).await });
    address
}

fn request(method: Method, path: &str, content_type: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "dogs.example");
    let request = request.header("content-type", content_type);
    request.body(Body::empty()).expect("a request")
}

async fn stream(address: SocketAddr) -> TokioIo<TcpStream> {
    TokioIo::new(TcpStream::connect(address).await.expect("it listens"))
}

/// The status, the body and the trailers of an answer by HTTP/2.
async fn by_http2(address: SocketAddr, request: Request<Body>) -> (u16, Vec<u8>, HeaderMap) {
    let handshake = http2::handshake(TokioExecutor::new(), stream(address).await);
    let (mut client, connection) = handshake.await.expect("HTTP/2");
    tokio::spawn(connection);
    let response = client.send_request(request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a whole body");
    let trailers = body.trailers().cloned().unwrap_or_default();
    (status, body.to_bytes().to_vec(), trailers)
}

/// The one transaction, which ends on a task of the server.
async fn transaction(recorder: &Recorder) -> Value {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let Recorded { transactions, .. } = recorder.take();
        if let [transaction] = &transactions[..] {
            return transaction.clone();
        }
        assert_eq!(transactions.len(), 0, "{transactions:#?}");
        assert!(Instant::now() < deadline, "no transaction in ten seconds");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_trailers_of_a_call_by_grpc_arrive_and_decide_its_outcome() {
    for (method, status, result, outcome) in [
        ("Find", "0", "OK", "success"),
        ("Break", "13", "INTERNAL", "failure"),
    ] {
        let recorder = Recorder::default();
        let address = start(&recorder).await;
        let path = format!("http://dogs.example/dogs.Directory/{method}");
        let call = request(Method::POST, &path, "application/grpc");
        let (http_status, body, trailers) = by_http2(address, call).await;
        assert_eq!((http_status, &body[..]), (200, &b"\0\0\0\0\x03Rex"[..]));
        assert_eq!(trailers["grpc-status"], status);
        let transaction = transaction(&recorder).await;
        assert_eq!(transaction["name"], format!("dogs.Directory/{method}"));
        assert_eq!(transaction["result"], result);
        assert_eq!(transaction["outcome"], outcome);
    }
}

#[tokio::test]
async fn a_service_of_hyper_alone_is_recorded_over_http_1_and_2() {
    for (path, name, status) in [
        ("/dogs/Rex", "GET /dogs/{name}", 200),
        ("/cats/Tib", "GET unknown route", 404),
    ] {
        let recorder = Recorder::default();
        let address = start(&recorder).await;
        let handshake = http1::handshake(stream(address).await);
        let (mut client, connection) = handshake.await.expect("HTTP/1");
        tokio::spawn(connection);
        let asked = client.send_request(request(Method::GET, path, "text/plain"));
        let response = asked.await.expect("an answer");
        assert_eq!(response.status().as_u16(), status);
        let body = response.into_body().collect().await;
        body.expect("a whole body");
        let by_1 = transaction(&recorder).await;
        let path = format!("http://dogs.example{path}");
        let by_2 = by_http2(address, request(Method::GET, &path, "text/plain")).await;
        assert_eq!(by_2.0, status);
        let by_2 = transaction(&recorder).await;
        for (transaction, version) in [(&by_1, "1.1"), (&by_2, "2.0")] {
            assert_eq!(transaction["name"], name);
            let context = &transaction["context"];
            assert_eq!(context["request"]["http_version"], json!(version));
            assert_eq!(context["response"]["status_code"], status);
            // The body was read to its end.
            assert!(context["response"]["finished"].is_null());
            assert_eq!(context["request"]["url"]["hostname"], "dogs.example");
        }
    }
}
