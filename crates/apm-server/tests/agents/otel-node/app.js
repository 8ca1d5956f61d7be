// A service under OpenTelemetry's SDK for Node.js, which exports over HTTP. `app.js ENDPOINT`
process.env.OTEL_EXPORTER_OTLP_ENDPOINT = process.argv[2];
process.env.OTEL_EXPORTER_OTLP_PROTOCOL = process.argv[3];
process.env.OTEL_SERVICE_NAME = "otel-node";
process.env.OTEL_RESOURCE_ATTRIBUTES = "deployment.environment.name=test";
process.env.OTEL_METRICS_EXPORTER = "otlp";
process.env.OTEL_LOGS_EXPORTER = "otlp";
process.env.OTEL_LOG_LEVEL = "warn";
const { NodeSDK } = require("@opentelemetry/sdk-node");
const { SpanKind, SpanStatusCode, metrics, trace } = require("@opentelemetry/api");
const { SeverityNumber, logs } = require("@opentelemetry/api-logs");

const sdk = new NodeSDK();
sdk.start();
const tracer = trace.getTracer("shop");
const server = { kind: SpanKind.SERVER };
tracer.startActiveSpan("GET /people/{id}", server, (span) => {
  span.setAttributes({ "http.request.method": "GET", "http.response.status_code": 200, kind: "people" });
  const attributes = { "db.system.name": "sqlite", "db.query.text": "SELECT 1 WHERE 1 <= ?" };
  tracer.startSpan("SELECT", { kind: SpanKind.CLIENT, attributes }).end();
  metrics.getMeter("shop").createCounter("shop.asked").add(1, { kind: "people" });
  logs
    .getLogger("shop")
    .emit({ severityNumber: SeverityNumber.WARN, severityText: "WARN", body: "the shelf is empty" });
  span.end();
});
tracer.startActiveSpan("GET /broken", server, (span) => {
  span.setAttributes({ "http.request.method": "GET", "http.response.status_code": 500 });
  span.recordException(new TypeError("nothing is no city"));
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
});
sdk.shutdown();
