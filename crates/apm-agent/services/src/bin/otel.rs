//! Asks a service on axum and sqlx a few things under OpenTelemetry's SDK for Rust. `otel URL`: where it sends.

use std::error::Error;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{
    FutureExt as _, Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{
    LogExporter, MetricExporter, Protocol, SpanExporter, WithExportConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use services::ask::ask_all;
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The target of the program's own lines.
const TARGET: &str = "shop";
const QUERY: &str = "SELECT 1 WHERE 1 <= ?";

#[derive(Clone)]
struct Shop {
    tracer: SdkTracer,
    pool: SqlitePool,
}

fn main() -> Result<(), Box<dyn Error>> {
    // An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = std::env::args().nth(1).ok_or("otel URL: where it sends")?;
    // The exporters have threads and a runtime of their own, which must not begin within another one.
    let resource = Resource::builder()
        .with_service_name("otel-rust")
        .with_attribute(KeyValue::new("deployment.environment.name", "test"))
        .build();
    let spans = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{url}/v1/traces"))
        .build()?;
    let metrics = MetricExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{url}/v1/metrics"))
        .build()?;
    let lines = LogExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{url}/v1/logs"))
        .build()?;
    let traces = SdkTracerProvider::builder()
        .with_batch_exporter(spans)
        .with_resource(resource.clone())
        .build();
    let meters = SdkMeterProvider::builder()
        .with_periodic_exporter(metrics)
        .with_resource(resource.clone())
        .build();
    let logs = SdkLoggerProvider::builder()
        .with_batch_exporter(lines)
        .with_resource(resource)
        .build();
    // Of the program's own lines alone: the exporters write some as well.
    let own = filter_fn(|line| line.target() == TARGET);
    tracing_subscriber::registry()
        .with(OpenTelemetryTracingBridge::new(&logs).with_filter(own))
        .try_init()?;
    let meter = meters.meter("shop");
    let kind = [KeyValue::new("kind", "people")];
    meter.u64_counter("shop.asked").build().add(1, &kind);
    let latency = meter.f64_histogram("shop.latency").with_unit("s").build();
    latency.record(0.25, &[]);
    let asked = serve(traces.tracer("shop"));
    tokio::runtime::Runtime::new()?.block_on(asked)?;
    traces.shutdown()?;
    meters.shutdown()?;
    logs.shutdown()?;
    Ok(())
}

async fn serve(tracer: SdkTracer) -> Result<(), Box<dyn Error>> {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await?;
    let shop = Shop { tracer, pool };
    let service = Router::new()
        .route("/people/{id}", get(people))
        .route("/broken", get(broken))
        .layer(from_fn_with_state(shop.clone(), watched))
        .with_state(shop);
    ask_all(service, &[("/people/7", 200), ("/broken", 500)]).await?;
    Ok(())
}

/// A server span around a request.
async fn watched(State(shop): State<Shop>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str).to_owned();
    let builder = shop
        .tracer
        .span_builder(format!("GET {route}"))
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("http.route", route),
        ]);
    let context = Context::new().with_span(shop.tracer.build(builder));
    let response = next.run(request).with_context(context.clone()).await;
    let status = response.status();
    let code = i64::from(status.as_u16());
    let span = context.span();
    span.set_attribute(KeyValue::new("http.response.status_code", code));
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
    span.end();
    response
}

async fn people(State(shop): State<Shop>) -> Result<String, StatusCode> {
    let builder = shop
        .tracer
        .span_builder("SELECT")
        .with_kind(SpanKind::Client)
        .with_attributes([
            KeyValue::new("db.system.name", "sqlite"),
            KeyValue::new("db.query.text", QUERY),
        ]);
    let mut span = shop.tracer.build_with_context(builder, &Context::current());
    let found: Result<i64, _> = sqlx::query_scalar(QUERY)
        .bind(7)
        .fetch_one(&shop.pool)
        .await;
    span.end();
    let found = found.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    // The bridge takes the ids of the trace from the context of OpenTelemetry.
    tracing::info!(target: TARGET, found, "people were asked for");
    Ok(found.to_string())
}

async fn broken() -> StatusCode {
    let error = std::io::Error::other("nothing is no city");
    Context::current().span().record_error(&error);
    StatusCode::INTERNAL_SERVER_ERROR
}
