//! The cost of making events of spans that came by OTLP.
//!
//! ```sh
//! cargo bench -p pocket-apm-intake --bench otlp
//! ```
//!
//! Bodies are those of an SDK's batch processor: 512 spans of one resource, in traces of about ten, a third of them
//! with a SQL statement. Beside it stands what the messages of `opentelemetry-proto` need to read the same bytes,
//! without making anything of them. Times are for one body: throughput says spans per second.

use std::hint::black_box;

use apm_intake::otlp::{Encoding, Signal, decode};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

/// Spans of a body.
const SPANS: u32 = 512;
/// 2026-11-29T12:00:00Z, ns since the epoch.
const NOW: u64 = 1_795_953_600_000_000_000;

fn main_benches(criterion: &mut Criterion) {
    let request = request();
    let protobuf = request.encode_to_vec();
    let json = serde_json::to_vec(&request).expect("a message can be written");
    let received = i64::try_from(NOW / 1000).expect("microseconds fit");
    let mut group = criterion.benchmark_group("otlp");
    group.throughput(Throughput::Elements(SPANS.into()));
    for (name, encoding, body) in [
        ("protobuf to events", Encoding::Protobuf, &protobuf),
        ("json to events", Encoding::Json, &json),
    ] {
        let export = decode(Signal::Traces, encoding, body, received).expect("a body");
        assert_eq!(
            export
                .batches
                .iter()
                .map(|batch| batch.events.len())
                .sum::<usize>(),
            SPANS as usize
        );
        group.bench_function(name, |bencher| {
            bencher.iter(|| decode(Signal::Traces, encoding, black_box(body), received));
        });
    }
    group.bench_function("prost, messages alone", |bencher| {
        bencher.iter(|| ExportTraceServiceRequest::decode(black_box(&*protobuf)));
    });
    group.finish();
}

fn request() -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![
            text("service.name", "storefront"),
            text("service.version", "1.2.0"),
            text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.language", "rust"),
            text("telemetry.sdk.version", "0.33.0"),
            text("host.name", "shop-1"),
        ],
        ..Resource::default()
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
                spans: (0..SPANS).map(span).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn span(number: u32) -> Span {
    let place = number % 10;
    let start = NOW - u64::from(number) * 1_000_000;
    let (name, kind, attributes) = match place {
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
    };
    let trace = u128::from(number / 10 + 1) << 64 | 0x5eed;
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: u64::from(number + 1).to_be_bytes().to_vec(),
        parent_span_id: match place {
            0 => Vec::new(),
            _ => u64::from(number - place + 1).to_be_bytes().to_vec(),
        },
        name,
        kind,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_500_000,
        attributes,
        ..Span::default()
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

criterion_group!(benches, main_benches);
criterion_main!(benches);
