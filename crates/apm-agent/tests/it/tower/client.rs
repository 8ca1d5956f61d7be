//! Requests that clients send.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use ::tower::util::ServiceExt as _;
use ::tower::{Layer as _, ServiceBuilder, service_fn};
use apm_agent::testing::Recorded;
use apm_agent::tower::{ApmClientLayer, ApmLayer};
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{Frames, answers, call, get, only};
use crate::support::Checked;

/// Has a service make a request, and records both.
async fn recorded<S, B>(recorder: &Checked, client: S, request: Request<Body>) -> Recorded
where
    S: tower_service::Service<Request<Body>, Response = Response<B>>,
    B: http_body::Body,
{
    let transaction = recorder.agent().transaction("job", "task");
    let work = async {
        if let Ok(response) = client.oneshot(request).await {
            let _ = response.into_body().collect().await;
        }
    };
    transaction.wrap(work).await;
    recorder.take()
}

#[tokio::test]
async fn a_request_is_an_exit_span_and_the_callee_joins_the_trace() {
    let recorder = Checked::default();
    let called = axum::Router::new().fallback(async || "hello");
    let called = ServiceBuilder::new()
        .layer(ApmClientLayer::new())
        .layer(ApmLayer::new(&recorder.agent()))
        .service(called);
    let request = get("https://ada:s3cret@api.example/people?token=s3cret");
    let recorded = recorded(&recorder, called, request).await;
    let [callee, caller] = &recorded.transactions[..] else {
        panic!("{recorded:#?}")
    };
    let [span] = &recorded.spans[..] else {
        panic!("{recorded:#?}")
    };
    assert_eq!(span["name"], "GET api.example");
    assert_eq!(
        (&span["type"], &span["subtype"]),
        (&json!("external"), &json!("http"))
    );
    assert_eq!(span["parent_id"], caller["id"]);
    assert_eq!(callee["parent_id"], span["id"]);
    assert_eq!(callee["trace_id"], caller["trace_id"]);
    assert_eq!(span["outcome"], "success");
    let context = &span["context"];
    assert!(!context.to_string().contains("s3cret"), "{context}");
    assert_eq!(context["http"]["status_code"], 200);
    assert_eq!(context["service"]["target"]["name"], "api.example:443");
}

#[tokio::test]
async fn refusals_and_errors_are_failures() {
    let recorder = Checked::uncompressed();
    let refusing = ApmClientLayer::new().layer(answers(404, "text/plain", Frames::default));
    let refused = recorded(&recorder, refusing, get("http://api.example/")).await;
    assert_eq!(refused.spans[0]["outcome"], "failure");
    let broken = service_fn(async |_: Request<Body>| {
        Err::<Response<Body>, _>(std::io::Error::other("connection refused"))
    });
    let failed = recorded(
        &recorder,
        ApmClientLayer::new().layer(broken),
        get("http://h/"),
    )
    .await;
    assert_eq!(failed.spans[0]["outcome"], "failure");
    assert!(failed.spans[0]["context"]["http"]["status_code"].is_null());
}

#[tokio::test]
async fn a_call_by_grpc_is_named_after_its_method_and_judged_by_its_status() {
    for (number, outcome) in [("0", "success"), ("5", "failure")] {
        let recorder = Checked::default();
        let service = answers(200, "application/grpc", move || Frames {
            data: 1,
            trailers: Some(HeaderMap::from_iter([(
                "grpc-status".parse().unwrap(),
                number.parse().unwrap(),
            )])),
            breaks: false,
        });
        let client = ApmClientLayer::new()
            .origin("http://directory.example:50051/")
            .layer(service);
        let request = Request::post("/people.Directory/Find")
            .header("content-type", "application/grpc")
            .body(Body::empty());
        let recorded = recorded(&recorder, client, request.unwrap()).await;
        let named = |span: &&Value| span["name"] == "people.Directory/Find";
        let span = recorded.spans.iter().find(named).unwrap();
        assert_eq!(
            (&span["type"], &span["subtype"]),
            (&json!("external"), &json!("grpc"))
        );
        assert_eq!(span["outcome"], outcome);
        assert_eq!(
            span["context"]["service"]["target"],
            json!({"type": "grpc", "name": "directory.example:50051"})
        );
        // The trailers came after the frame.
        assert!(span["duration"].as_f64().unwrap() >= 5.0);
    }
}

#[tokio::test]
async fn headers_are_sent_only_where_they_are_wanted() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let service = service_fn(|request: Request<Body>| {
        seen.lock()
            .unwrap()
            .push(request.headers().get("traceparent").cloned());
        std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    let recorder = Checked::default();
    let silent = ApmClientLayer::new().without_headers();
    let recorded = recorded(&recorder, silent.layer(service), get("http://h/")).await;
    assert_eq!((recorded.spans.len(), recorded.transactions.len()), (1, 1));
    // Outside of a transaction nothing is recorded, and nothing is sent.
    call(ApmClientLayer::new().layer(service), get("http://h/")).await;
    assert!(recorder.take().spans.is_empty());
    assert_eq!(*seen.lock().unwrap(), [None, None]);
    let _ = only(&recorded);
}
