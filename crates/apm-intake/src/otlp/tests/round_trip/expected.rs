//! The structures that a message is to be read as, made without reading it.

use std::borrow::Cow;

use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::logs::v1 as logs;
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::resource::v1 as resource;
use opentelemetry_proto::tonic::trace::v1 as trace;

use crate::otlp::model;

fn text(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

fn value(value: Option<&common::AnyValue>) -> model::Value<'_> {
    use common::any_value::Value;
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(value)) => model::Value::Text(text(value)),
        Some(Value::BoolValue(flag)) => model::Value::Bool(*flag),
        Some(Value::IntValue(int)) => model::Value::Int(*int),
        Some(Value::DoubleValue(double)) => model::Value::Double(*double),
        Some(Value::ArrayValue(array)) => model::Value::Array(
            array
                .values
                .iter()
                .map(|element| self::value(Some(element)))
                .collect(),
        ),
        Some(Value::KvlistValue(list)) => model::Value::Map(attributes(&list.values)),
        Some(Value::BytesValue(_)) => model::Value::Bytes,
        _ => model::Value::Empty,
    }
}

fn attributes(list: &[common::KeyValue]) -> Vec<model::KeyValue<'_>> {
    let pair = |pair| -> model::KeyValue<'_> {
        let common::KeyValue { key, value, .. }: &common::KeyValue = pair;
        model::KeyValue {
            key: text(key),
            value: self::value(value.as_ref()),
        }
    };
    list.iter().map(pair).collect()
}

fn trace_id(bytes: &[u8]) -> Option<[u8; 16]> {
    bytes.try_into().ok().filter(|id| *id != [0; 16])
}

fn span_id(bytes: &[u8]) -> Option<u64> {
    bytes
        .try_into()
        .ok()
        .map(u64::from_be_bytes)
        .filter(|id| *id != 0)
}

fn heads(resource: &resource::Resource, scope: &common::InstrumentationScope) -> Vec<String> {
    let resource = model::Resource {
        attributes: attributes(&resource.attributes),
    };
    let scope = model::Scope {
        name: text(&scope.name),
        version: text(&scope.version),
        attributes: attributes(&scope.attributes),
    };
    vec![format!("{resource:?}"), format!("{scope:?}")]
}

pub(super) fn expected_spans(
    resource: &resource::Resource,
    scope: &common::InstrumentationScope,
    spans: &[trace::Span],
) -> Vec<String> {
    let span = |span: &trace::Span| {
        let event = |event| {
            let trace::span::Event {
                time_unix_nano,
                name,
                attributes,
                ..
            }: &trace::span::Event = event;
            model::SpanEvent {
                time_unix_nano: *time_unix_nano,
                name: text(name),
                attributes: self::attributes(attributes),
            }
        };
        let link = |link| {
            let trace::span::Link {
                trace_id,
                span_id,
                attributes,
                ..
            }: &trace::span::Link = link;
            model::Link {
                trace_id: self::trace_id(trace_id),
                span_id: self::span_id(span_id),
                attributes: self::attributes(attributes),
            }
        };
        let status = span.status.as_ref();
        let read = model::Span {
            trace_id: trace_id(&span.trace_id),
            span_id: span_id(&span.span_id),
            trace_state: text(&span.trace_state),
            parent_span_id: span_id(&span.parent_span_id),
            name: text(&span.name),
            kind: span.kind,
            start_time_unix_nano: span.start_time_unix_nano,
            end_time_unix_nano: span.end_time_unix_nano,
            attributes: attributes(&span.attributes),
            dropped_attributes_count: span.dropped_attributes_count,
            events: span.events.iter().map(event).collect(),
            dropped_events_count: span.dropped_events_count,
            links: span.links.iter().map(link).collect(),
            dropped_links_count: span.dropped_links_count,
            status: model::Status {
                message: text(status.map_or("", |status| &status.message)),
                code: status.map_or(0, |status| status.code),
            },
        };
        format!("{read:?}")
    };
    heads(resource, scope)
        .into_iter()
        .chain(spans.iter().map(span))
        .collect()
}

pub(super) fn expected_logs(
    resource: &resource::Resource,
    scope: &common::InstrumentationScope,
    records: &[logs::LogRecord],
) -> Vec<String> {
    let record = |record: &logs::LogRecord| {
        let read = model::LogRecord {
            time_unix_nano: record.time_unix_nano,
            observed_time_unix_nano: record.observed_time_unix_nano,
            severity_number: record.severity_number,
            severity_text: text(&record.severity_text),
            body: value(record.body.as_ref()),
            attributes: attributes(&record.attributes),
            dropped_attributes_count: record.dropped_attributes_count,
            trace_id: trace_id(&record.trace_id),
            span_id: span_id(&record.span_id),
            event_name: text(&record.event_name),
        };
        format!("{read:?}")
    };
    heads(resource, scope)
        .into_iter()
        .chain(records.iter().map(record))
        .collect()
}

pub(super) fn expected_metrics(
    resource: &resource::Resource,
    scope: &common::InstrumentationScope,
    metric: &metrics::Metric,
) -> Vec<String> {
    use metrics::metric::Data;
    let mut out = heads(resource, scope);
    let mut add = |kind, points: Vec<model::Point<'_>>| {
        let metric = model::Metric {
            name: text(&metric.name),
            unit: text(&metric.unit),
            kind,
        };
        out.extend(points.iter().map(|point| format!("{metric:?} {point:?}")));
    };
    let temporality = |number| match number {
        1 => model::Temporality::Delta,
        2 => model::Temporality::Cumulative,
        _ => model::Temporality::Unspecified,
    };
    match metric.data.as_ref().expect("a metric has data") {
        Data::Gauge(gauge) => add(
            model::MetricKind::Gauge,
            gauge.data_points.iter().map(number).collect(),
        ),
        Data::Sum(sum) => {
            let kind = model::MetricKind::Sum {
                temporality: temporality(sum.aggregation_temporality),
                is_monotonic: sum.is_monotonic,
            };
            add(kind, sum.data_points.iter().map(number).collect());
        }
        Data::Histogram(histogram) => {
            let kind = model::MetricKind::Histogram(temporality(histogram.aggregation_temporality));
            add(
                kind,
                histogram.data_points.iter().map(self::histogram).collect(),
            );
        }
        Data::ExponentialHistogram(histogram) => {
            let kind = model::MetricKind::ExponentialHistogram(temporality(
                histogram.aggregation_temporality,
            ));
            add(
                kind,
                histogram.data_points.iter().map(exponential).collect(),
            );
        }
        Data::Summary(summary) => {
            add(
                model::MetricKind::Summary,
                summary.data_points.iter().map(self::summary).collect(),
            );
        }
    }
    out
}

fn number(point: &metrics::NumberDataPoint) -> model::Point<'_> {
    use metrics::number_data_point::Value;
    model::Point {
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        attributes: attributes(&point.attributes),
        flags: point.flags,
        value: match point.value {
            Some(Value::AsInt(int)) => model::PointValue::Int(int),
            Some(Value::AsDouble(double)) => model::PointValue::Double(double),
            None => model::PointValue::None,
        },
    }
}

fn histogram(point: &metrics::HistogramDataPoint) -> model::Point<'_> {
    model::Point {
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        attributes: attributes(&point.attributes),
        flags: point.flags,
        value: model::PointValue::Histogram(model::Histogram {
            count: point.count,
            sum: point.sum,
            min: point.min,
            max: point.max,
            bucket_counts: point.bucket_counts.clone(),
            explicit_bounds: point.explicit_bounds.clone(),
        }),
    }
}

fn exponential(point: &metrics::ExponentialHistogramDataPoint) -> model::Point<'_> {
    let buckets = |buckets: Option<&metrics::exponential_histogram_data_point::Buckets>| {
        buckets.map_or_else(model::Buckets::default, |buckets| model::Buckets {
            offset: buckets.offset,
            bucket_counts: buckets.bucket_counts.clone(),
        })
    };
    model::Point {
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        attributes: attributes(&point.attributes),
        flags: point.flags,
        value: model::PointValue::Exponential(model::Exponential {
            count: point.count,
            sum: point.sum,
            min: point.min,
            max: point.max,
            scale: point.scale,
            zero_count: point.zero_count,
            positive: buckets(point.positive.as_ref()),
            negative: buckets(point.negative.as_ref()),
        }),
    }
}

fn summary(point: &metrics::SummaryDataPoint) -> model::Point<'_> {
    let quantiles = point
        .quantile_values
        .iter()
        .map(|quantile| model::Quantile {
            quantile: quantile.quantile,
            value: quantile.value,
        });
    model::Point {
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        attributes: attributes(&point.attributes),
        flags: point.flags,
        value: model::PointValue::Summary(model::Summary {
            count: point.count,
            sum: point.sum,
            quantile_values: quantiles.collect(),
        }),
    }
}
