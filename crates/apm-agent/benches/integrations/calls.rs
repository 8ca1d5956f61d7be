//! Requests to other services, which are answered where they would leave the process.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll};

use ::awc::error::SendRequestError;
use ::awc::middleware::Transform;
use ::awc::test::TestResponse;
use ::awc::{ConnectRequest, ConnectResponse};
use ::tower::util::ServiceExt as _;
use ::tower::{Layer as _, service_fn};
use actix_web::dev::Service;
use actix_web::rt::System;
use apm_agent::tower::ApmClientLayer;
use axum::body::Body;
use axum::http::{Extensions, Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use tokio::runtime::Builder;

use crate::Run;

const URL: &str = "http://stock.example/items/7";

/// Takes the place of awc's connections.
#[derive(Clone, Copy)]
struct Answered;

impl<S> Transform<S, ConnectRequest> for Answered
where
    S: Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError> + 'static,
{
    type Transform = Self;

    fn new_transform(self, _: S) -> Self {
        self
    }
}

impl Service<ConnectRequest> for Answered {
    type Response = ConnectResponse;
    type Error = SendRequestError;
    type Future = Ready<Result<ConnectResponse, SendRequestError>>;

    fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), SendRequestError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&self, request: ConnectRequest) -> Self::Future {
        drop(black_box(request));
        ready(Ok(ConnectResponse::Client(
            TestResponse::default().finish(),
        )))
    }
}

pub(crate) fn awc(run: &Run) {
    let builder = ::awc::Client::builder().disable_timeout().wrap(Answered);
    let client = if run.watched.is_on() {
        builder
            .wrap(apm_agent::awc::ApmClientMiddleware::new())
            .finish()
    } else {
        builder.finish()
    };
    System::new().block_on(run.within_async(async || {
        let response = client.get(URL).send().await;
        black_box(response.expect("an answer").status());
    }));
}

/// Takes the place of reqwest's connections.
struct Answers;

#[async_trait::async_trait]
impl Middleware for Answers {
    async fn handle(
        &self,
        request: ::reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<::reqwest::Response> {
        drop(black_box(request));
        Ok(Response::new("found").into())
    }
}

pub(crate) fn reqwest(run: &Run) {
    let tls = rustls::crypto::ring::default_provider().install_default();
    tls.expect("nobody has chosen one before");
    let builder = ClientBuilder::new(::reqwest::Client::new());
    let builder = if run.watched.is_on() {
        builder.with(apm_agent::reqwest::ApmClientMiddleware)
    } else {
        builder
    };
    let client = builder.with(Answers).build();
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(run.within_async(async || {
        let response = client.get(URL).send().await;
        black_box(response.expect("an answer").status());
    }));
}

pub(crate) fn tower(run: &Run) {
    let service = service_fn(|request: Request<Body>| {
        drop(black_box(request));
        ready(Ok::<_, Infallible>(Response::new(Body::from("found"))))
    });
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let request = || Request::get(URL).body(Body::empty()).expect("a request");
    if run.watched.is_on() {
        let service = ApmClientLayer::new().layer(service);
        runtime.block_on(run.within_async(async || {
            drop(black_box(service.clone().oneshot(request()).await));
        }));
    } else {
        runtime.block_on(run.within_async(async || {
            drop(black_box(service.oneshot(request()).await));
        }));
    }
}
