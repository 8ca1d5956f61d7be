"""A service under OpenTelemetry's SDK, which exports over HTTP or gRPC: `app.py http|grpc ENDPOINT`."""

import logging
import sqlite3
import sys

from opentelemetry import metrics, trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# Complaints of the SDK go to standard error, which the test reads.
logging.basicConfig(level=logging.WARNING)
wire, endpoint = sys.argv[1:]
if wire == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    def options(_):
        return {"endpoint": endpoint, "insecure": True}
else:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    def options(path):
        return {"endpoint": endpoint + path}


resource = Resource.create({"service.name": f"otel-python-{wire}", "deployment.environment.name": "test"})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**options("/v1/traces"))))
trace.set_tracer_provider(traces)
reader = PeriodicExportingMetricReader(OTLPMetricExporter(**options("/v1/metrics")))
meters = MeterProvider(resource=resource, metric_readers=[reader])
metrics.set_meter_provider(meters)
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**options("/v1/logs"))))
SQLite3Instrumentor().instrument()

tracer = trace.get_tracer("shop")
asked = metrics.get_meter("shop").create_counter("shop.asked", unit="{request}")
server = trace.SpanKind.SERVER
with tracer.start_as_current_span("GET /people/{id}", kind=server, attributes={"http.route": "/people/{id}"}) as span:
    span.set_attribute("http.request.method", "GET")
    span.set_attribute("http.response.status_code", 200)
    span.set_attribute("kind", "people")
    database = sqlite3.connect(":memory:")
    cursor = database.cursor()
    cursor.execute("SELECT 1 WHERE 1 <= ?", (7,)).fetchall()
    asked.add(1, {"kind": "people"})
    logs.get_logger("shop").emit(severity_number=SeverityNumber.WARN, severity_text="WARN", body="the shelf is empty")
try:
    with tracer.start_as_current_span("GET /broken", kind=server) as span:
        span.set_attribute("http.request.method", "GET")
        span.set_attribute("http.response.status_code", 500)
        print({}["nothing"])
except KeyError:
    pass
traces.shutdown()
meters.shutdown()
logs.shutdown()
