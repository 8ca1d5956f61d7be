//! Request bodies, where `capture_body` wants them: copied while the service reads them, never read ahead.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::Stream;

use crate::config::{CaptureBody, Settings};
use crate::recording::transaction::request_body::RequestBody;

/// Begins to watch the body of a request; `None` if it is not wanted, or there is none that could be shown.
pub(super) fn body(request: &mut ServiceRequest, settings: &Settings) -> Option<Arc<RequestBody>> {
    if settings.capture_body == CaptureBody::Off {
        return None;
    }
    let headers = request.headers();
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let body = Arc::new(RequestBody::new(content_type, settings)?);
    let watched = Watched {
        payload: request.take_payload(),
        body: Arc::clone(&body),
    };
    request.set_payload(Payload::Stream {
        payload: Box::pin(watched),
    });
    Some(body)
}

/// A payload of which the agent sees what passes.
struct Watched {
    payload: Payload,
    body: Arc<RequestBody>,
}

impl Stream for Watched {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut self.payload).poll_next(task);
        if let Poll::Ready(Some(Ok(part))) = &polled {
            self.body.saw(part);
        }
        polled
    }
}
