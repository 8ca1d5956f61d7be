//! The layers for services and clients that are made of `tower`.

use std::convert::Infallible;
use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::tower::util::ServiceExt as _;
use apm_agent::testing::Recorded;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower_service::Service;

mod badge;
mod client;
mod grpc;
mod requests;
mod responses;

/// Calls a service and reads its body to the end.
async fn call<S, B>(service: S, request: Request<Body>) -> (u16, Bytes)
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Display,
    B: http_body::Body,
{
    match service.oneshot(request).await {
        Ok(response) => {
            let status = response.status().as_u16();
            let body = response.into_body().collect().await;
            (status, body.map(|body| body.to_bytes()).unwrap_or_default())
        }
        Err(error) => panic!("{error}"),
    }
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn only(recorded: &Recorded) -> &Value {
    let [transaction] = &recorded.transactions[..] else {
        panic!("{recorded:#?}")
    };
    transaction
}

/// A body of frames, and of an error at its end if there is one.
#[derive(Debug, Default)]
struct Frames {
    data: u8,
    trailers: Option<HeaderMap>,
    breaks: bool,
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        drop(apm_agent::span("frame", "app"));
        Poll::Ready(if self.data > 0 {
            self.data -= 1;
            std::thread::sleep(std::time::Duration::from_millis(5));
            Some(Ok(Frame::data(Bytes::from_static(b"frame"))))
        } else if self.breaks {
            Some(Err(std::io::Error::other("the disk is gone")))
        } else {
            self.trailers
                .take()
                .map(|trailers| Ok(Frame::trailers(trailers)))
        })
    }
}

/// A service that answers each request with this body.
fn answers(
    status: u16,
    content_type: &'static str,
    frames: impl Fn() -> Frames + Clone,
) -> impl Service<Request<Body>, Response = Response<Frames>, Error = Infallible> + Clone {
    ::tower::service_fn(move |_| {
        let response = Response::builder()
            .status(status)
            .header("content-type", content_type)
            .body(frames());
        std::future::ready(Ok(response.unwrap()))
    })
}
