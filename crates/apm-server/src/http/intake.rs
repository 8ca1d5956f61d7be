//! `POST /intake/v2/events`

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use apm_intake::{Report, Stream};
use futures_util::StreamExt as _;
use tokio::time::{Duration, timeout};

use super::body::Portions;
use super::{Shared, respond};
use crate::front::Front;
use crate::unread::Unfinished;

/// Bytes of a refused body that are read and thrown away, so that the caller gets to read the answer.
const DRAINED: usize = 1 << 20;

/// The events of a backend agent.
pub(super) async fn events(
    request: HttpRequest,
    mut payload: web::Payload,
    shared: web::Data<Shared>,
) -> HttpResponse {
    if let Err(message) = check(&request) {
        let mut report = Report::default();
        report.add(400, message, b"");
        return refused(&request, &report, payload).await;
    }
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    let encoding = encoding.and_then(|value| value.to_str().ok());
    let counters = Arc::clone(&shared.intake.counters);
    let limit = shared.config.max_event_size;
    // The peer, or whom a trusted proxy names.
    let client = Front::of(&request).client;
    let stream = Stream::new(encoding, limit, client, counters);
    let report = shared.intake.receive(&mut payload, stream).await;
    if report.early {
        return closed(answer(&request, &report), payload);
    }
    if report.status() >= 400 {
        return refused(&request, &report, payload).await;
    }
    answer(&request, &report)
}

/// An answer that ends the connection, though the body may never end.
async fn refused(
    request: &HttpRequest,
    report: &Report,
    mut payload: web::Payload,
) -> HttpResponse {
    drain(&mut payload).await;
    closed(answer(request, report), payload)
}

/// Ends the connection after an answer, whatever of the body has not come.
fn closed(answer: HttpResponse, payload: web::Payload) -> HttpResponse {
    answer.map_body(|_, body| BoxBody::new(Portions::new(body, Some(Unfinished::new(payload)))))
}

/// The events of a browser: not taken, in the words that agents know.
pub(super) async fn rum(request: HttpRequest) -> HttpResponse {
    respond::error(
        &request,
        403,
        "forbidden request: RUM endpoint is disabled. Configure the `apm-server.rum` section in apm-server.yml to \
         enable ingestion of RUM events. If you are not using the RUM agent, you can safely ignore this error.",
    )
}

fn check(request: &HttpRequest) -> Result<(), String> {
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
fn answer(request: &HttpRequest, report: &Report) -> HttpResponse {
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

async fn drain(payload: &mut web::Payload) {
    let mut left = DRAINED;
    let all = async {
        while let Some(Ok(chunk)) = payload.next().await
            && left > chunk.len()
        {
            left -= chunk.len();
        }
    };
    // A slow sender does not get to hold the connection, so it is all the same whether this ends in time.
    let _ = timeout(Duration::from_secs(1), all).await;
}
