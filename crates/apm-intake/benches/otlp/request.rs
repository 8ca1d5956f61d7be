//! Bodies of spans, as an SDK exports them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use xxhash_rust::xxh3::xxh3_64;

use crate::across;

/// Spans of a body.
pub(crate) const SPANS: u32 = 512;
/// 2026-11-29T12:00:00Z, ns since the epoch.
pub(crate) const NOW: u64 = 1_795_953_600_000_000_000;

const SERVICES: [&str; 12] = [
    "storefront",
    "cart",
    "checkout",
    "billing",
    "stock",
    "search",
    "mail",
    "login",
    "prices",
    "reviews",
    "shipping",
    "reports",
];

/// The body of a number: others have other ids, times and services.
pub(crate) fn request(body: u64) -> ExportTraceServiceRequest {
    let service = SERVICES[(body % SERVICES.len() as u64) as usize];
    let resource = Resource {
        attributes: vec![
            text("service.name", service),
            text("service.version", "1.2.0"),
            text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.language", "rust"),
            text("telemetry.sdk.version", "0.33.0"),
            text("host.name", "shop-1"),
        ],
        ..Resource::default()
    };
    let spans = match std::env::var_os("POCKET_APM_OTLP_ACROSS") {
        Some(_) => across::spans(body),
        None => (0..SPANS).map(|number| span(body, number)).collect(),
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "shop".to_owned(),
                    version: "0.1".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn span(body: u64, number: u32) -> Span {
    let place = number % 10;
    let id = |number: u32| xxh3_64(&(body << 10 | u64::from(number)).to_be_bytes()).max(1);
    let chance = id(number);
    // A body holds half a second.
    let start = NOW + body * 500_000_000 + u64::from(number) * 1_000_000 + chance % 1_000_000;
    let (name, kind, attributes) = work(place, number);
    let first = number - place;
    let trace = u128::from(id(first)) << 64 | u128::from(id(first).rotate_left(17));
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: chance.to_be_bytes().to_vec(),
        parent_span_id: match place {
            0 => Vec::new(),
            _ => id(first).to_be_bytes().to_vec(),
        },
        name,
        kind,
        start_time_unix_nano: start,
        end_time_unix_nano: start + length(chance),
        attributes,
        ..Span::default()
    }
}

/// From a tenth of a millisecond to some milliseconds, most of them short.
pub(crate) fn length(chance: u64) -> u64 {
    100_000 + (chance >> 20) % 3_000 * ((chance >> 40) % 3_000)
}

/// Name, kind and attributes of a span by its place in a trace.
pub(crate) fn work(place: u32, number: u32) -> (String, i32, Vec<KeyValue>) {
    match place {
        0 => (
            format!("GET /orders/{{id}}/{}", number % 7),
            2,
            vec![
                text("http.request.method", "GET"),
                text("url.scheme", "https"),
                text("url.path", "/orders/17"),
                text("server.address", "shop.example.com"),
                text("http.route", "/orders/{id}"),
                int("http.response.status_code", 200),
                text("user_agent.original", "okhttp/4.12"),
            ],
        ),
        1..4 => (
            "SELECT orders".to_owned(),
            3,
            vec![
                text("db.system.name", "postgresql"),
                text("db.namespace", "shop"),
                text(
                    "db.query.text",
                    "SELECT id, total, created_at FROM orders WHERE customer_id = $1 AND state = $2",
                ),
                text("db.operation.name", "SELECT"),
                text("server.address", "pg.local"),
                int("server.port", 5432),
            ],
        ),
        4..6 => (
            "POST".to_owned(),
            3,
            vec![
                text("http.request.method", "POST"),
                text(
                    "url.full",
                    "https://billing.example.com/charge?currency=eur",
                ),
                int("http.response.status_code", 201),
            ],
        ),
        _ => (
            "render cart".to_owned(),
            1,
            vec![
                text("code.function.name", "shop::cart::render"),
                int("cart.items", number.into()),
                text("tenant", "north"),
            ],
        ),
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
