//! The parts that all answers have in common.
//!
//! * Telemetry is untrusted text: the headers that keep a browser from running it.
//! * Large bodies go in portions (see `body`), and together have a budget (see `response_budget`).
//! * Its connection is not closed for another while the request makes progress (see `connections`).
//! * A handler that panics is answered for; the connection and the worker live on.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use futures_util::FutureExt as _;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::body::Portions;
use super::response_budget::ResponseBudget;
use super::{Shared, respond};
use crate::connections::UnderWay;
use crate::front::Front;
use crate::unread::Unfinished;

/// Passes a request on and finishes the answer.
pub(super) async fn protect<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let under_way = UnderWay::begin(request.request());
    // Only the answer of this request is lost, and what handlers share is built to bear it.
    let called = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let Ok(answered) = called else {
        return Err(panicked());
    };
    let mut response = counted(answered?.map_into_boxed_body()).await;
    keep_safe(response.headers_mut());
    // Elsewhere browsers complain of it, and ignore it.
    if Front::from_request(response.request()).is_https {
        keep_apart(response.headers_mut());
    }
    Ok(response.map_body(|_, body| BoxBody::new(body.until_sent(under_way))))
}

/// Finds room for an answer. A permit that its handler had is given back when there is some.
async fn counted(response: ServiceResponse<BoxBody>) -> ServiceResponse<Portions> {
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    // Given back at the end of this function, when the answer has found its room.
    let _permit = request.extensions_mut().remove::<OwnedSemaphorePermit>();
    let unread = request.extensions_mut().remove::<Unfinished>();
    let budget = request
        .app_data::<web::Data<Shared>>()
        .map(|shared| Arc::clone(&shared.response_budget));
    let size = match body.size() {
        BodySize::Sized(size) => size,
        _ => 0,
    };
    let response = match budget {
        Some(budget) if ResponseBudget::counts(size) => match body.try_into_bytes() {
            Ok(bytes) => match budget.take(bytes).await {
                Some(answer) => response.set_body(Portions::large(answer, size)),
                None => respond::busy(&request).map_body(|_, body| Portions::new(body, unread)),
            },
            Err(body) => response.set_body(Portions::new(body, unread)),
        },
        _ => response.set_body(Portions::new(body, unread)),
    };
    ServiceResponse::new(request, response)
}

/// Adds what is missing of the headers: a handler may have set its own.
fn keep_safe(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; \
                          base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
    let all = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    let of_documents = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    // A browser obeys these for documents. A page has some 25 files, and would load them 25 times.
    let documents = match is_part_of_page(headers) {
        true => &of_documents[..0],
        false => &of_documents[..],
    };
    for (name, value) in all.into_iter().chain(documents.iter().cloned()) {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// Another site's page that opens this one in a window learns nothing of it from the window.
fn keep_apart(headers: &mut HeaderMap) {
    if !is_part_of_page(headers) {
        let name = HeaderName::from_static("cross-origin-opener-policy");
        headers.insert(name, HeaderValue::from_static("same-origin"));
    }
}

/// Whether it is a script or a style sheet, which are files of ours and hold no telemetry.
fn is_part_of_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/javascript") || kind.starts_with("text/css")
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
