//! What every answer has in common.
//!
//! * Telemetry is untrusted text: the headers that keep a browser from running it.
//! * Large bodies go in portions (see `body`).
//! * A handler that panics is answered for; the connection and the worker live on.

use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use futures_util::FutureExt as _;
use serde_json::json;

use super::body::Portions;

/// Passes a request on and finishes the answer.
pub(super) async fn protect<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Only the answer of this request is lost, and what handlers share is built to bear it.
    let called = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let Ok(answered) = called else {
        return Err(panicked());
    };
    let mut response = answered?.map_into_boxed_body();
    keep_safe(response.headers_mut());
    Ok(response.map_body(|_, body| BoxBody::new(Portions::new(body, None))))
}

/// Adds what is missing of the headers: a handler may have set its own.
fn keep_safe(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; \
                          base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let wanted = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in wanted {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

fn panicked() -> Error {
    // The panic itself has been printed by its hook.
    log::error!("a request was not answered, as its handler panicked");
    let mut response = HttpResponse::InternalServerError();
    let mut response = response
        .force_close()
        .json(json!({"error": "panic handling request"}));
    keep_safe(response.headers_mut());
    InternalError::from_response("panic handling request", response).into()
}
