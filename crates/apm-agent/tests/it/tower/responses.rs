//! Responses: bodies to their end, errors, panics, and requests that are given up.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::tower::util::ServiceExt as _;
use ::tower::{Layer as _, service_fn};
use apm_agent::tower::{ApmLayer, ServerTiming};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get as answer;
use futures_util::FutureExt as _;
use http_body::Frame;
use http_body_util::BodyExt as _;
use serde_json::json;

use super::{Frames, answers, call, get, only};
use crate::support::Checked;

fn three() -> Frames {
    Frames {
        data: 3,
        ..Frames::default()
    }
}

#[tokio::test]
async fn a_streamed_body_is_timed_to_its_end_and_runs_in_context() {
    let recorder = Checked::uncompressed();
    let service = ApmLayer::new(&recorder.agent()).layer(answers(200, "text/plain", three));
    assert_eq!(call(service, get("/")).await.1.len(), 15);
    let recorded = recorder.take();
    assert!(only(&recorded)["duration"].as_f64().unwrap() >= 15.0);
    assert_eq!(recorded.spans.len(), 4);
    assert!(only(&recorded)["context"]["response"]["finished"].is_null());
}

#[tokio::test]
async fn trailers_pass_through() {
    let recorder = Checked::default();
    let service = answers(200, "text/plain", || Frames {
        trailers: Some(
            [("x-sum".parse().unwrap(), "7".parse().unwrap())]
                .into_iter()
                .collect(),
        ),
        ..three()
    });
    let service = ApmLayer::new(&recorder.agent()).layer(service);
    let response = service.oneshot(get("/")).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-sum"], "7");
    assert!(only(&recorder.take())["context"]["response"]["finished"].is_null());
}

#[tokio::test]
async fn a_body_that_is_given_up_says_so() {
    let recorder = Checked::default();
    let service = ApmLayer::new(&recorder.agent()).layer(answers(200, "text/plain", three));
    drop(service.oneshot(get("/")).await.unwrap());
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["context"]["response"]["finished"], false);
    assert_eq!(only(&recorded)["outcome"], "success");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failure() {
    let recorder = Checked::default();
    let service = answers(200, "text/plain", || Frames {
        breaks: true,
        ..three()
    });
    let service = ApmLayer::new(&recorder.agent()).layer(service);
    let response = service.oneshot(get("/")).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["context"]["response"]["finished"], false);
    assert_eq!(only(&recorded)["outcome"], "failure");
}

#[tokio::test]
async fn responses_that_send_no_body_are_complete_without_one() {
    let head = Request::head("/").body(Body::empty()).unwrap();
    for (request, status) in [(head, 200), (get("/"), 204), (get("/"), 304)] {
        let recorder = Checked::default();
        let service = ApmLayer::new(&recorder.agent()).layer(answers(status, "text/plain", three));
        drop(service.oneshot(request).await.unwrap());
        let recorded = recorder.take();
        assert!(only(&recorded)["context"]["response"]["finished"].is_null());
    }
}

#[tokio::test]
async fn a_body_of_known_length_is_complete_when_it_is_read() {
    let recorder = Checked::default();
    let service = Router::new().fallback(async || "hello");
    let service = ApmLayer::new(&recorder.agent()).layer(service);
    let response = service.oneshot(get("/")).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(http_body::Body::size_hint(&body).exact(), Some(5));
    // A server that has seen all the bytes does not ask again.
    assert!(body.frame().await.is_some());
    drop(body);
    assert!(only(&recorder.take())["context"]["response"]["finished"].is_null());
}

#[tokio::test]
async fn streams_without_end_end_their_transaction_at_the_head() {
    for (status, kind) in [(200, "text/event-stream"), (101, "text/plain")] {
        let recorder = Checked::default();
        let service = ApmLayer::new(&recorder.agent()).layer(answers(status, kind, three));
        let response = service.oneshot(get("/")).await.unwrap();
        assert_eq!(recorder.take().transactions.len(), 1);
        drop(response);
        assert!(recorder.take().transactions.is_empty());
    }
}

#[tokio::test]
async fn a_status_of_500_is_a_failure() {
    let recorder = Checked::default();
    let router = Router::new().fallback(async || StatusCode::BAD_GATEWAY);
    call(ApmLayer::new(&recorder.agent()).layer(router), get("/")).await;
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["result"], "HTTP 5xx");
    assert_eq!(only(&recorded)["outcome"], "failure");
}

#[tokio::test]
async fn an_error_of_the_service_is_an_error_of_its_transaction() {
    let recorder = Checked::default();
    let service = service_fn(async |_: Request<Body>| {
        Err::<Response<Body>, _>(std::io::Error::other("the disk is gone"))
    });
    let service = ApmLayer::new(&recorder.agent()).layer(service);
    assert!(service.oneshot(get("/")).await.is_err());
    let recorded = recorder.take();
    let transaction = only(&recorded);
    assert_eq!(transaction["result"], "HTTP 5xx");
    assert_eq!(transaction["outcome"], "failure");
    let [error] = &recorded.errors[..] else {
        panic!("{:?}", recorded.errors)
    };
    assert_eq!(error["exception"]["message"], "the disk is gone");
    assert_eq!(error["transaction_id"], transaction["id"]);
    assert_eq!(error["transaction"]["name"], "GET unknown route");
}

async fn panics() -> &'static str {
    panic!("no such person")
}

#[tokio::test]
async fn a_panicking_handler_still_ends_its_transaction() {
    let recorder = Checked::default();
    let router = Router::new().route("/people/{id}", answer(panics));
    let router = router.layer(ApmLayer::new(&recorder.agent()));
    let unwound = AssertUnwindSafe(router.oneshot(get("/people/7"))).catch_unwind();
    assert!(unwound.await.is_err());
    let recorded = recorder.take();
    let transaction = only(&recorded);
    assert_eq!(transaction["name"], "GET /people/{id}");
    assert_eq!(transaction["result"], "HTTP 5xx");
    assert_eq!(transaction["outcome"], "failure");
    assert_eq!(recorded.errors[0]["exception"]["message"], "no such person");
    assert_eq!(recorded.errors[0]["transaction_id"], transaction["id"]);
}

#[tokio::test]
async fn a_panic_is_answered_where_that_is_asked_for() {
    let recorder = Checked::default();
    let layer = ApmLayer::new(&recorder.agent()).catch_panics(true);
    let router = Router::new().route("/", answer(panics)).layer(layer);
    assert_eq!(call(router, get("/")).await, (500, "".into()));
    let recorded = recorder.take();
    assert_eq!(
        only(&recorded)["context"]["response"],
        json!({"status_code": 500})
    );
    assert_eq!(recorded.errors.len(), 1);
}

#[tokio::test]
async fn a_request_that_is_given_up_is_cancelled() {
    let recorder = Checked::default();
    let router = Router::new()
        .route("/slow", answer(std::future::pending::<()>))
        .layer(ApmLayer::new(&recorder.agent()));
    assert!(router.oneshot(get("/slow")).now_or_never().is_none());
    let recorded = recorder.take();
    let transaction = only(&recorded);
    assert_eq!(transaction["name"], "GET /slow");
    assert_eq!(transaction["result"], "cancelled");
    assert_eq!(transaction["outcome"], "unknown");
}

/// A body that panics.
#[derive(Debug)]
struct Panics;

impl http_body::Body for Panics {
    type Data = bytes::Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, Self::Error>>> {
        panic!("no more people")
    }
}

#[tokio::test]
async fn a_body_that_panics_ends_its_transaction_whoever_keeps_what_is_left_of_it() {
    let recorder = Checked::default();
    let service = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Panics)));
    let service = ApmLayer::new(&recorder.agent()).layer(service);
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    let unwound = AssertUnwindSafe(body.frame()).catch_unwind();
    assert!(unwound.await.is_err());
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["outcome"], "failure");
    assert_eq!(only(&recorded)["context"]["response"]["finished"], false);
    drop(body);
}

#[tokio::test]
async fn server_timing_names_the_trace_and_counts_queries() {
    let recorder = Checked::default();
    let inner = ServerTiming.layer(service_fn(async |_: Request<Body>| {
        drop(apm_agent::span_db("postgresql", Some("shop"), "SELECT 1"));
        Ok::<_, Infallible>(Response::new(Body::empty()))
    }));
    let service = ApmLayer::new(&recorder.agent()).layer(inner);
    let response = service.oneshot(get("/")).await.unwrap();
    let timing = response.headers().get("server-timing").unwrap().clone();
    drop(response);
    let recorded = recorder.take();
    let trace = only(&recorded)["trace_id"].as_str().unwrap();
    let start = format!("trace;desc=\"{trace}\", sql;desc=\"1\";dur=");
    assert!(timing.to_str().unwrap().starts_with(&start), "{timing:?}");
}
