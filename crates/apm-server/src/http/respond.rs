//! Answers as Elastic's server words and lays them out.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;

/// A JSON body: indented where the caller asks for JSON, else compact and labelled as text.
pub(super) fn json(request: &HttpRequest, status: u16, body: &impl Serialize) -> HttpResponse {
    let mut response = HttpResponse::build(code(status));
    // Elastic's server closes the connection with every refusal.
    if status >= 400 {
        response.force_close();
    }
    let text = match accepts(request, "application/json") || accepts(request, "*/*") {
        true => {
            response.insert_header((header::CONTENT_TYPE, "application/json"));
            serde_json::to_string_pretty(body)
        }
        false => {
            response.insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"));
            serde_json::to_string(body)
        }
    };
    response.body(text.unwrap_or_default() + "\n")
}

/// A refusal: `{"error": "…"}`.
pub(super) fn error(request: &HttpRequest, status: u16, message: &str) -> HttpResponse {
    json(request, status, &json!({ "error": message }))
}

/// Nothing but a status.
pub(super) fn empty(status: u16) -> HttpResponse {
    HttpResponse::new(code(status))
}

/// A status that the program chose.
pub(super) fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whether an `Accept` header names a type. A header that is not there names none.
fn accepts(request: &HttpRequest, kind: &str) -> bool {
    let mut values = request.headers().get_all(header::ACCEPT);
    values.any(|value| value.to_str().is_ok_and(|value| value.contains(kind)))
}

/// Whether a browser asks for a page.
pub(super) fn wants_page(request: &HttpRequest) -> bool {
    accepts(request, "text/html")
}
