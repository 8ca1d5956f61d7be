//! The service watched by OpenTelemetry, as its documentation sets it up, and generously where there is a choice: the
//! statement is taken without its values (Diesel formats less), and the queue is so long that nothing is dropped.

use std::fmt::{self, Write as _};
use std::time::Duration;

use diesel::SqliteConnection;
use diesel::connection::{Connection as _, DebugQuery, Instrumentation, InstrumentationEvent};
use diesel::r2d2::{self, CustomizeConnection};
use opentelemetry::global::{self, BoxedSpan, BoxedTracer};
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};

/// Far above the default of 2048, so that nothing is dropped at full load.
const QUEUE: usize = 65_536;

/// Sets up the process: propagation, batch processor on its own thread, OTLP over HTTP in protobuf.
pub(crate) fn start(sink: &str) -> anyhow::Result<SdkTracerProvider> {
    // reqwest is built without one of its own here, because apm-agent shares it. An error says that there is one
    // already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{sink}/v1/traces"))
        .with_timeout(Duration::from_secs(10))
        .build()?;
    let batch = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .build();
    let processor = BatchSpanProcessor::builder(exporter)
        .with_batch_config(batch)
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(processor)
        .with_resource(Resource::builder().with_service_name("peers").build())
        .build();
    global::set_tracer_provider(provider.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());
    Ok(provider)
}

/// Gives each connection of a pool its instrumentation.
#[derive(Debug)]
pub(crate) struct Instrumented;

impl CustomizeConnection<SqliteConnection, r2d2::Error> for Instrumented {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), r2d2::Error> {
        conn.set_instrumentation(Queries {
            tracer: global::tracer("diesel"),
            open: None,
        });
        Ok(())
    }
}

/// A client span per query, after OpenTelemetry's conventions for databases.
struct Queries {
    tracer: BoxedTracer,
    open: Option<BoxedSpan>,
}

impl Instrumentation for Queries {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => self.start(query),
            InstrumentationEvent::FinishQuery { error, .. } => {
                if let Some(mut span) = self.open.take() {
                    if let Some(error) = error {
                        span.set_status(Status::error(error.to_string()));
                    }
                    span.end();
                }
            }
            _ => {}
        }
    }
}

impl Queries {
    fn start(&mut self, query: &dyn DebugQuery) {
        let context = Context::current();
        if !context.span().is_recording() {
            return;
        }
        let mut statement = Statement(String::new());
        // An error is how the values are kept out.
        let _ = write!(statement, "{query}");
        let Statement(statement) = statement;
        let operation = statement.split(' ').next().unwrap_or_default().to_owned();
        let builder = self
            .tracer
            .span_builder(operation)
            .with_kind(SpanKind::Client)
            .with_attributes([
                KeyValue::new("db.system.name", "sqlite"),
                KeyValue::new("db.namespace", "people.db"),
                KeyValue::new("db.query.text", statement),
            ]);
        self.open = Some(self.tracer.build_with_context(builder, &context));
    }
}

/// The text of a query up to its values.
struct Statement(String);

impl fmt::Write for Statement {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if piece == " -- binds: " {
            return Err(fmt::Error);
        }
        self.0.push_str(piece);
        Ok(())
    }
}
