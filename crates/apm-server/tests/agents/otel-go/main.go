// A service under OpenTelemetry's SDK for Go, which exports over HTTP or gRPC. `main http|grpc HOST:PORT`
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	// Complaints of the SDK go to standard error, which the caller reads.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { fmt.Fprintln(os.Stderr, "WARN", err) }))
	ctx, wire, endpoint := context.Background(), os.Args[1], os.Args[2]
	var spans *otlptrace.Exporter
	var metrics sdkmetric.Exporter
	var records sdklog.Exporter
	if wire == "grpc" {
		spans = must(otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(endpoint), otlptracegrpc.WithInsecure()))
		metrics = must(otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpoint(endpoint), otlpmetricgrpc.WithInsecure()))
		records = must(otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(endpoint), otlploggrpc.WithInsecure()))
	} else {
		spans = must(otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(endpoint), otlptracehttp.WithInsecure()))
		metrics = must(otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(endpoint), otlpmetrichttp.WithInsecure()))
		records = must(otlploghttp.New(ctx, otlploghttp.WithEndpoint(endpoint), otlploghttp.WithInsecure()))
	}
	about := resource.NewSchemaless(
		attribute.String("service.name", "otel-go-"+wire),
		attribute.String("telemetry.sdk.language", "go"),
		attribute.String("deployment.environment.name", "test"))
	traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans), sdktrace.WithResource(about))
	meters := sdkmetric.NewMeterProvider(
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(metrics)), sdkmetric.WithResource(about))
	logs := sdklog.NewLoggerProvider(
		sdklog.WithProcessor(sdklog.NewBatchProcessor(records)), sdklog.WithResource(about))
	tracer, meter := traces.Tracer("shop"), meters.Meter("shop")
	server := trace.WithSpanKind(trace.SpanKindServer)

	people, span := tracer.Start(ctx, "GET /people/{id}", server, trace.WithAttributes(
		attribute.String("http.request.method", "GET"), attribute.Int("http.response.status_code", 200)))
	_, query := tracer.Start(people, "SELECT", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.system.name", "sqlite"), attribute.String("db.query.text", "SELECT 1 WHERE 1 <= ?")))
	query.End()
	var shelf log.Record
	shelf.SetSeverity(log.SeverityWarn)
	shelf.SetSeverityText("WARN")
	shelf.SetBody(attribute.StringValue("the shelf is empty"))
	logs.Logger("shop").Emit(people, shelf)
	span.End()
	_, broken := tracer.Start(ctx, "GET /broken", server, trace.WithAttributes(
		attribute.String("http.request.method", "GET"), attribute.Int("http.response.status_code", 500)))
	broken.RecordError(errors.New("nothing is no city"))
	broken.SetStatus(codes.Error, "")
	broken.End()
	must(meter.Int64Counter("shop.asked")).Add(ctx, 1, metric.WithAttributes(attribute.String("kind", "people")))
	must(meter.Float64Histogram("shop.latency", metric.WithUnit("s"))).Record(ctx, 0.25)

	for _, end := range []func(context.Context) error{traces.Shutdown, meters.Shutdown, logs.Shutdown} {
		if err := end(ctx); err != nil {
			panic(err)
		}
	}
	fmt.Println("made transaction=2 span=1 error=1 log=1")
}
