//! Messages that the types of Rust's SDK write, in both encodings, are read as they were.

mod expected;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1 as metrics;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use proptest::prelude::*;
use prost::Message;

use super::super::model::{self, Metric, Point};
use super::super::sink::Sink;
use super::super::{Signal, json, protobuf};
use expected::{expected_logs, expected_metrics, expected_spans};

/// All that was handed on, as text.
#[derive(Debug, Default)]
struct Lines(Vec<String>);

impl Sink for Lines {
    fn resource(&mut self, resource: &model::Resource<'_>) {
        self.0.push(format!("{resource:?}"));
    }

    fn scope(&mut self, scope: &model::Scope<'_>) {
        self.0.push(format!("{scope:?}"));
    }

    fn span(&mut self, span: &model::Span<'_>) {
        self.0.push(format!("{span:?}"));
    }

    fn log(&mut self, record: &model::LogRecord<'_>) {
        self.0.push(format!("{record:?}"));
    }

    fn point(&mut self, metric: &Metric<'_>, point: &Point<'_>) {
        self.0.push(format!("{metric:?} {point:?}"));
    }

    fn oversized(&mut self, length: usize) {
        panic!("an item of {length} bytes");
    }
}

fn check(
    signal: Signal,
    request: &(impl Message + serde::Serialize),
    expected: &[String],
) -> Result<(), TestCaseError> {
    let mut lines = Lines::default();
    protobuf::read(signal, &request.encode_to_vec(), &mut lines)
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(&lines.0, expected);
    let text = serde_json::to_string(request).unwrap();
    let mut lines = Lines::default();
    json::read(signal, &text, &mut lines)
        .map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    prop_assert_eq!(&lines.0, expected, "{}", text);
    Ok(())
}

fn value() -> impl Strategy<Value = AnyValue> {
    use any_value::Value;
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::StringValue),
        any::<bool>().prop_map(Value::BoolValue),
        any::<i64>().prop_map(Value::IntValue),
        (-1e300..1e300).prop_map(Value::DoubleValue),
        any::<Vec<u8>>().prop_map(Value::BytesValue),
    ];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        let value = inner.prop_map(|value| AnyValue { value: Some(value) });
        let pair = (any::<String>(), value.clone()).prop_map(|(key, value)| KeyValue {
            key,
            value: Some(value),
            ..KeyValue::default()
        });
        prop_oneof![
            prop::collection::vec(value, 0..3)
                .prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            prop::collection::vec(pair, 0..3)
                .prop_map(|values| Value::KvlistValue(KeyValueList { values })),
        ]
    });
    value.prop_map(|value| AnyValue { value: Some(value) })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let pair = (any::<String>(), value()).prop_map(|(key, value)| KeyValue {
        key,
        value: Some(value),
        ..KeyValue::default()
    });
    prop::collection::vec(pair, 0..4)
}

fn ids() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let trace = prop_oneof![
        any::<[u8; 16]>().prop_map(Vec::from),
        Just(vec![0; 16]),
        Just(Vec::new())
    ];
    let span = prop_oneof![
        any::<[u8; 8]>().prop_map(Vec::from),
        Just(vec![0; 8]),
        Just(Vec::new())
    ];
    (trace, span)
}

fn events() -> impl Strategy<Value = Vec<span::Event>> {
    let event = (any::<u64>(), any::<String>(), attributes()).prop_map(
        |(time_unix_nano, name, attributes)| span::Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count: 1,
        },
    );
    prop::collection::vec(event, 0..3)
}

fn links() -> impl Strategy<Value = Vec<span::Link>> {
    let link = (ids(), attributes()).prop_map(|((trace_id, span_id), attributes)| span::Link {
        trace_id,
        span_id,
        attributes,
        trace_state: "a=b".to_owned(),
        ..span::Link::default()
    });
    prop::collection::vec(link, 0..3)
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let numbers = (0..6i32, any::<u64>(), any::<u64>(), any::<u32>());
    let status = prop::option::of(
        (any::<String>(), 0..3i32).prop_map(|(message, code)| Status { message, code }),
    );
    let texts = (any::<String>(), any::<String>());
    let span = (
        ids(),
        ids(),
        texts,
        numbers,
        attributes(),
        events(),
        links(),
        status,
    )
        .prop_map(
            |(
                own,
                parent,
                (name, trace_state),
                (kind, start, end, dropped),
                attributes,
                events,
                links,
                status,
            )| Span {
                trace_id: own.0,
                span_id: own.1,
                parent_span_id: parent.1,
                name,
                trace_state,
                kind,
                start_time_unix_nano: start,
                end_time_unix_nano: end,
                attributes,
                dropped_attributes_count: dropped,
                events,
                dropped_events_count: dropped / 2,
                links,
                dropped_links_count: dropped / 3,
                status,
                flags: dropped,
            },
        );
    prop::collection::vec(span, 0..4)
}

fn heads() -> impl Strategy<Value = (Resource, InstrumentationScope)> {
    (attributes(), attributes(), any::<String>(), any::<String>()).prop_map(
        |(resource, scope, name, version)| {
            let resource = Resource {
                attributes: resource,
                ..Resource::default()
            };
            let scope = InstrumentationScope {
                name,
                version,
                attributes: scope,
                ..InstrumentationScope::default()
            };
            (resource, scope)
        },
    )
}

fn records() -> impl Strategy<Value = Vec<LogRecord>> {
    let texts = (any::<String>(), any::<String>());
    let numbers = (any::<u64>(), any::<u64>(), 0..25i32, any::<u32>());
    let record = (
        ids(),
        texts,
        numbers,
        prop::option::of(value()),
        attributes(),
    )
        .prop_map(
            |(
                (trace_id, span_id),
                (severity_text, event_name),
                (time, observed, severity, dropped),
                body,
                attributes,
            )| {
                LogRecord {
                    time_unix_nano: time,
                    observed_time_unix_nano: observed,
                    severity_number: severity,
                    severity_text,
                    body,
                    attributes,
                    dropped_attributes_count: dropped,
                    flags: dropped,
                    trace_id,
                    span_id,
                    event_name,
                }
            },
        );
    prop::collection::vec(record, 0..4)
}

/// A point of each kind, of the same numbers.
fn data() -> impl Strategy<Value = metrics::metric::Data> {
    use metrics::metric::Data;
    use metrics::number_data_point::Value;
    let counts = prop::collection::vec(any::<u64>(), 0..5);
    let bounds = prop::collection::vec(-1e9..1e9, 0..5);
    let some = prop::option::of(-1e9..1e9f64);
    let numbers = (
        any::<u64>(),
        any::<u64>(),
        any::<u64>(),
        any::<i32>(),
        0..3i32,
    );
    (
        0..6,
        attributes(),
        counts,
        bounds,
        (some.clone(), some),
        numbers,
    )
        .prop_map(
            |(
                which,
                attributes,
                counts,
                bounds,
                (some, other),
                (start, time, count, index, temporality),
            )| {
                let number = |value| metrics::NumberDataPoint {
                    attributes: attributes.clone(),
                    start_time_unix_nano: start,
                    time_unix_nano: time,
                    flags: count as u32,
                    value,
                    ..Default::default()
                };
                match which {
                    0 => Data::Gauge(metrics::Gauge {
                        data_points: vec![number(some.map(Value::AsDouble)), number(None)],
                    }),
                    1 => Data::Sum(metrics::Sum {
                        data_points: vec![number(Some(Value::AsInt(count as i64)))],
                        aggregation_temporality: temporality,
                        is_monotonic: index > 0,
                    }),
                    2 => Data::Histogram(metrics::Histogram {
                        data_points: vec![metrics::HistogramDataPoint {
                            attributes,
                            start_time_unix_nano: start,
                            time_unix_nano: time,
                            count,
                            sum: some,
                            bucket_counts: counts,
                            explicit_bounds: bounds,
                            min: other,
                            ..Default::default()
                        }],
                        aggregation_temporality: temporality,
                    }),
                    3 => Data::ExponentialHistogram(metrics::ExponentialHistogram {
                        data_points: vec![metrics::ExponentialHistogramDataPoint {
                            attributes,
                            start_time_unix_nano: start,
                            time_unix_nano: time,
                            count,
                            sum: some,
                            scale: index,
                            zero_count: start,
                            positive: Some(metrics::exponential_histogram_data_point::Buckets {
                                offset: index,
                                bucket_counts: counts,
                            }),
                            max: other,
                            ..Default::default()
                        }],
                        aggregation_temporality: temporality,
                    }),
                    _ => Data::Summary(metrics::Summary {
                        data_points: vec![metrics::SummaryDataPoint {
                            attributes,
                            start_time_unix_nano: start,
                            time_unix_nano: time,
                            count,
                            sum: some.unwrap_or_default(),
                            quantile_values: bounds
                                .iter()
                                .map(|value| metrics::summary_data_point::ValueAtQuantile {
                                    quantile: 0.5,
                                    value: *value,
                                })
                                .collect(),
                            flags: 1,
                        }],
                    }),
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn traces_are_read_as_they_were_written((resource, scope) in heads(), spans in spans()) {
        let expected = expected_spans(&resource, &scope, &spans);
        let request = ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(resource),
                scope_spans: vec![ScopeSpans {
                    scope: Some(scope),
                    spans,
                    schema_url: "https://example.com".to_owned(),
                }],
                ..Default::default()
            }],
        };
        check(Signal::Traces, &request, &expected)?;
    }

    #[test]
    fn logs_are_read_as_they_were_written((resource, scope) in heads(), records in records()) {
        let expected = expected_logs(&resource, &scope, &records);
        let request = ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource: Some(resource),
                scope_logs: vec![ScopeLogs { scope: Some(scope), log_records: records, ..Default::default() }],
                ..Default::default()
            }],
        };
        check(Signal::Logs, &request, &expected)?;
    }

    #[test]
    fn metrics_are_read_as_they_were_written((resource, scope) in heads(), name in any::<String>(), data in data()) {
        let metric = metrics::Metric { name, unit: "By".to_owned(), data: Some(data), ..Default::default() };
        let expected = expected_metrics(&resource, &scope, &metric);
        let request = ExportMetricsServiceRequest {
            resource_metrics: vec![metrics::ResourceMetrics {
                resource: Some(resource),
                scope_metrics: vec![metrics::ScopeMetrics {
                    scope: Some(scope),
                    metrics: vec![metric],
                    ..Default::default()
                }],
                ..Default::default()
            }],
        };
        check(Signal::Metrics, &request, &expected)?;
    }
}
