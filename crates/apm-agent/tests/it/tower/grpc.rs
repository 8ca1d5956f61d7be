//! Calls by gRPC: named after their method, judged by the status at their end.

use ::tower::Layer as _;
use ::tower::util::ServiceExt as _;
use apm_agent::tower::ApmLayer;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};

use super::{Frames, answers, call, only};
use crate::support::Checked;

fn find() -> Request<Body> {
    Request::post("/people.Directory/Find")
        .header("content-type", "application/grpc+proto")
        .body(Body::empty())
        .unwrap()
}

fn status(number: &'static str) -> HeaderMap {
    HeaderMap::from_iter([("grpc-status".parse().unwrap(), number.parse().unwrap())])
}

#[tokio::test]
async fn the_trailers_decide_result_and_outcome() {
    let table = [
        ("0", "OK", "success", "people.Directory/Find"),
        ("5", "NOT_FOUND", "success", "people.Directory/Find"),
        ("13", "INTERNAL", "failure", "people.Directory/Find"),
        ("12", "UNIMPLEMENTED", "success", "POST unknown route"),
        ("none", "UNKNOWN", "failure", "people.Directory/Find"),
    ];
    for (number, result, outcome, name) in table {
        let recorder = Checked::default();
        let service = answers(200, "application/grpc", move || Frames {
            data: 1,
            trailers: Some(status(number)),
            breaks: false,
        });
        call(ApmLayer::new(&recorder.agent()).layer(service), find()).await;
        let recorded = recorder.take();
        let transaction = only(&recorded);
        assert_eq!(transaction["name"], name);
        assert_eq!(transaction["type"], "request");
        assert_eq!(transaction["result"], result);
        assert_eq!(transaction["outcome"], outcome, "{number}");
    }
}

#[tokio::test]
async fn a_call_that_fails_at_once_has_its_status_in_the_headers() {
    let recorder = Checked::default();
    let service = ::tower::service_fn(async |_: Request<Body>| {
        let response = Response::builder()
            .header("content-type", "application/grpc")
            .header("grpc-status", "3");
        Ok::<_, std::convert::Infallible>(response.body(Body::empty()).unwrap())
    });
    call(ApmLayer::new(&recorder.agent()).layer(service), find()).await;
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["result"], "INVALID_ARGUMENT");
    assert_eq!(only(&recorded)["name"], "people.Directory/Find");
}

#[tokio::test]
async fn a_call_that_ends_without_a_status_has_failed_and_one_that_is_left_is_cancelled() {
    let recorder = Checked::default();
    let layer = ApmLayer::new(&recorder.agent());
    let frames = || Frames {
        data: 1,
        ..Frames::default()
    };
    let service = layer.layer(answers(200, "application/grpc", frames));
    call(service.clone(), find()).await;
    drop(service.oneshot(find()).await.unwrap());
    let recorded = recorder.take();
    let [ended, left] = &recorded.transactions[..] else {
        panic!("{recorded:#?}")
    };
    assert_eq!(
        (&ended["result"], &ended["outcome"]),
        (&"UNKNOWN".into(), &"failure".into())
    );
    assert_eq!(
        (&left["result"], &left["outcome"]),
        (&"cancelled".into(), &"unknown".into())
    );
    // The method is known by now.
    assert_eq!(left["name"], "people.Directory/Find");
}

#[tokio::test]
async fn an_answer_that_is_none_of_grpc_is_one_of_http() {
    let recorder = Checked::default();
    let service = answers(404, "text/html", Frames::default);
    call(ApmLayer::new(&recorder.agent()).layer(service), find()).await;
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "POST unknown route");
    assert_eq!(only(&recorded)["result"], "HTTP 4xx");
}
