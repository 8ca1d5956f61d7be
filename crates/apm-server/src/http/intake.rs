//! `POST /intake/v2/events`

use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use apm_intake::{Report, Stream};

use super::{Shared, body, respond};
use crate::front::Front;

/// The events of a backend agent.
pub(super) async fn events(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    if let Err(message) = check(&request) {
        let mut report = Report::default();
        report.add(400, message, b"");
        return body::refused(answer(&request, &report), payload).await;
    }
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    let encoding = encoding.and_then(|value| value.to_str().ok());
    let counters = Arc::clone(&shared.intake.counters);
    let limit = shared.config.max_event_size;
    // The peer, or the address that a trusted proxy names.
    let client = Front::from_request(&request).client;
    let stream = Stream::new(encoding, limit, client, counters);
    receive(&request, payload, &shared, stream).await
}

/// Reads a body to its end, and answers what became of it.
pub(super) async fn receive(
    request: &HttpRequest,
    mut payload: web::Payload,
    shared: &Shared,
    stream: Stream,
) -> HttpResponse {
    let report = shared.intake.receive(&mut payload, stream).await;
    if report.early {
        return body::closed(answer(request, &report), payload);
    }
    if report.status() >= 400 {
        return body::refused(answer(request, &report), payload).await;
    }
    answer(request, &report)
}

pub(super) fn check(request: &HttpRequest) -> Result<(), String> {
    if request.method() != Method::POST {
        return Err("only POST requests are supported".to_owned());
    }
    let kind = request.headers().get(header::CONTENT_TYPE);
    match kind.map(|value| String::from_utf8_lossy(value.as_bytes())) {
        Some(kind) if !kind.is_empty() && !kind.contains("application/x-ndjson") => {
            let head = &kind[..kind.floor_char_boundary(128)];
            Err(format!("invalid content type: '{head}'"))
        }
        _ => Ok(()),
    }
}

/// 202 has a body only when it is asked for; a refusal always has one.
pub(super) fn answer(request: &HttpRequest, report: &Report) -> HttpResponse {
    let status = report.status();
    let mut names = request
        .query_string()
        .split('&')
        .map(|pair| pair.split('=').next());
    match status < 400 && !names.any(|name| name == Some("verbose")) {
        true => respond::empty(status),
        false => respond::json(request, status, report),
    }
}
