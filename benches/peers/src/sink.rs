//! A server that takes Elastic's intake v2 and OTLP over HTTP and does nothing but count.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::json;

/// The largest body that is taken.
const MAX_BODY: usize = 64 << 20;

/// Events so far. Spans and transactions of Elastic and spans of OpenTelemetry alike; what else comes is counted apart.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) events: AtomicU64,
    pub(crate) others: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

/// Serves until the process ends. Prints its address.
pub(crate) fn run(listen: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen)?;
    println!("{}", listener.local_addr()?);
    serve(listener, Arc::default())
}

/// Serves on a listener, on the calling thread and one worker.
pub(crate) fn serve(listener: TcpListener, counts: Arc<Counts>) -> anyhow::Result<()> {
    let counts = web::Data::from(counts);
    actix_web::rt::System::new().block_on(async move {
        HttpServer::new(move || {
            App::new()
                .app_data(counts.clone())
                .app_data(web::PayloadConfig::new(MAX_BODY))
                .route("/", web::get().to(about))
                .route("/counts", web::get().to(show))
                .route("/intake/v2/events", web::post().to(intake))
                .route("/v1/traces", web::post().to(traces))
        })
        .workers(1)
        .listen(listener)?
        .run()
        .await?;
        Ok(())
    })
}

/// Tells an agent the server's version, which it asks for.
async fn about() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "version": "9.0.0" }))
}

async fn show(counts: web::Data<Counts>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "events": counts.events.load(Ordering::Relaxed),
        "others": counts.others.load(Ordering::Relaxed),
        "bytes": counts.bytes.load(Ordering::Relaxed),
    }))
}

async fn intake(body: web::Bytes, counts: web::Data<Counts>) -> HttpResponse {
    let (mut events, mut others) = (0, 0);
    for line in body.split(|byte| *byte == b'\n') {
        if line.starts_with(b"{\"transaction\"") || line.starts_with(b"{\"span\"") {
            events += 1;
        } else if !line.is_empty() && !line.starts_with(b"{\"metadata\"") {
            others += 1;
        }
    }
    counts.add(events, others, &body);
    HttpResponse::Accepted().finish()
}

async fn traces(body: web::Bytes, counts: web::Data<Counts>) -> HttpResponse {
    // ExportTraceServiceRequest.resource_spans = 1, ResourceSpans.scope_spans = 2, ScopeSpans.spans = 2.
    match count_fields(&body, &[1, 2, 2]) {
        Some(spans) => {
            counts.add(spans, 0, &body);
            HttpResponse::Ok()
                .content_type("application/x-protobuf")
                .finish()
        }
        None => HttpResponse::BadRequest().body("this is no protobuf message"),
    }
}

impl Counts {
    fn add(&self, events: u64, others: u64, body: &[u8]) {
        self.events.fetch_add(events, Ordering::Relaxed);
        self.others.fetch_add(others, Ordering::Relaxed);
        self.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
    }
}

/// The number of a nested field's occurrences in a protobuf message; `None` if the bytes are no such message.
fn count_fields(mut message: &[u8], path: &[u64]) -> Option<u64> {
    let (first, rest) = path.split_first()?;
    let mut count = 0;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let skip = match key & 7 {
            0 => {
                varint(&mut message)?;
                0
            }
            1 => 8,
            2 => usize::try_from(varint(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (field, after) = message.split_at_checked(skip)?;
        if key >> 3 == *first && key & 7 == 2 {
            count += if rest.is_empty() {
                1
            } else {
                count_fields(field, rest)?
            };
        }
        message = after;
    }
    Some(count)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = message.split_first()?;
        *message = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_fields_are_counted_and_others_are_skipped() {
        // Two resources: one with a fixed32 and two scopes of one and two spans, one with an empty scope.
        let spans = |n: u8| [vec![0x12, 2 * n], [0x12, 0].repeat(n.into())].concat();
        let first = [vec![0x1d, 1, 2, 3, 4], spans(1), spans(2)].concat();
        let second = spans(0);
        let message = [
            vec![0x0a, first.len() as u8],
            first,
            vec![0x0a, second.len() as u8],
            second,
            vec![0x10, 0x96, 0x01],
        ]
        .concat();
        assert_eq!(count_fields(&message, &[1, 2, 2]), Some(3));
        assert_eq!(
            count_fields(&message[..message.len() - 1], &[1, 2, 2]),
            None
        );
    }
}
