//! Requests that a service answers.

use std::convert::Infallible;
use std::hint::black_box;

use actix_web::dev::Service as _;
use actix_web::middleware::Condition;
use actix_web::rt::System;
use actix_web::{App, test, web};
use apm_agent::tower::ApmLayer;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Response};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::runtime::Builder;
use tower::util::ServiceExt as _;
use tower::{Layer as _, service_fn};

use crate::Run;

/// A route with a parameter, and a body of three bytes.
pub(crate) fn actix(run: &Run) {
    let system = System::new();
    let find = async |name: web::Path<String>| name.into_inner();
    let app = App::new()
        .route("/people/{name}", web::get().to(find))
        .wrap(Condition::new(run.watched.is_on(), run.agent.middleware()));
    let service = system.block_on(test::init_service(app));
    for _ in 0..run.count {
        let request = test::TestRequest::get().uri("/people/Ada");
        let request = request.insert_header(("Host", "shop.example")).to_request();
        // The response's body goes here, and with it ends the transaction.
        drop(black_box(
            system.block_on(service.call(request)).expect("an answer"),
        ));
    }
}

/// The same on axum.
pub(crate) fn axum(run: &Run) {
    let find = async |axum::extract::Path(name): axum::extract::Path<String>| name;
    let router = Router::new().route("/people/{name}", axum::routing::get(find));
    let router = if run.watched.is_on() {
        router.layer(ApmLayer::new(&run.agent))
    } else {
        router
    };
    let request = || {
        let request = Request::get("/people/Ada").header("Host", "shop.example");
        request.body(Body::empty()).expect("a request")
    };
    answer(run, router, request);
}

/// A body of one message, and trailers with a status.
pub(crate) fn grpc(run: &Run) {
    let service = service_fn(|_: Request<Body>| {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let frames = [
            Frame::data(Bytes::from_static(b"\0\0\0\0\x03Ada")),
            Frame::trailers(trailers),
        ];
        let frames = frames.map(Ok::<_, Infallible>);
        let response = Response::builder()
            .header("content-type", "application/grpc")
            .body(StreamBody::new(futures_util::stream::iter(frames)));
        std::future::ready(Ok::<_, Infallible>(response.expect("a response")))
    });
    let request = || {
        let request = Request::post("/people.Directory/Find").header("Host", "shop.example");
        let request = request.header("content-type", "application/grpc");
        request.body(Body::empty()).expect("a request")
    };
    if run.watched.is_on() {
        answer(run, ApmLayer::new(&run.agent).layer(service), request);
    } else {
        answer(run, service, request);
    }
}

/// Has a service answer requests, and reads the bodies to their end.
fn answer<S, B>(run: &Run, service: S, request: impl Fn() -> Request<Body>)
where
    S: tower_service::Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body,
{
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        for _ in 0..run.count {
            let Ok(response) = service.clone().oneshot(request()).await;
            black_box(response.into_body().collect().await.ok());
        }
    });
}
