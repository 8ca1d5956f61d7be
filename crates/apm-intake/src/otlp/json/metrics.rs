//! Metrics, point by point.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::parse;
use super::parts::{each, members};
use crate::otlp::bounds::MAX_ITEM;
use crate::otlp::lenient::{self, Double, Int};
use crate::otlp::malformed::Malformed;
use crate::otlp::model::{
    Buckets, Exponential, Histogram, KeyValue, Metric, MetricKind, Point, PointValue, Quantile,
    Summary, Temporality,
};
use crate::otlp::sink::Sink;

/// The name and unit of a metric.
#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Head<'a> {
    #[serde(deserialize_with = "lenient::text")]
    name: Cow<'a, str>,
    #[serde(deserialize_with = "lenient::text")]
    unit: Cow<'a, str>,
}

/// The fields that all points of a metric share.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Shared {
    #[serde(deserialize_with = "lenient::number")]
    aggregation_temporality: i32,
    #[serde(deserialize_with = "lenient::or_default")]
    is_monotonic: bool,
}

/// A point of any kind: each kind has other fields than these, but none of the same name and another type.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct AnyPoint<'a> {
    #[serde(deserialize_with = "lenient::number")]
    start_time_unix_nano: u64,
    #[serde(deserialize_with = "lenient::number")]
    time_unix_nano: u64,
    #[serde(deserialize_with = "lenient::attributes")]
    attributes: Vec<KeyValue<'a>>,
    #[serde(deserialize_with = "lenient::number")]
    flags: u32,
    as_int: Option<Int>,
    as_double: Option<Double>,
    #[serde(deserialize_with = "lenient::number")]
    count: u64,
    #[serde(deserialize_with = "lenient::some_double")]
    sum: Option<f64>,
    #[serde(deserialize_with = "lenient::some_double")]
    min: Option<f64>,
    #[serde(deserialize_with = "lenient::some_double")]
    max: Option<f64>,
    #[serde(deserialize_with = "lenient::counts")]
    bucket_counts: Vec<u64>,
    #[serde(deserialize_with = "lenient::doubles")]
    explicit_bounds: Vec<f64>,
    #[serde(deserialize_with = "lenient::number")]
    scale: i32,
    #[serde(deserialize_with = "lenient::number")]
    zero_count: u64,
    #[serde(deserialize_with = "lenient::or_default")]
    positive: Buckets,
    #[serde(deserialize_with = "lenient::or_default")]
    negative: Buckets,
    #[serde(deserialize_with = "lenient::list")]
    quantile_values: Vec<Quantile>,
}

/// Hands on the points of a metric.
pub(super) fn metric(text: &str, sink: &mut impl Sink) -> Result<(), Malformed> {
    const KINDS: [&str; 5] = [
        "gauge",
        "sum",
        "histogram",
        "exponentialHistogram",
        "summary",
    ];
    let head: Head<'_> = serde_json::from_str(text).map_err(super::parts::wrong)?;
    let found = members(text, KINDS)?;
    let Some((at, data)) = found
        .into_iter()
        .enumerate()
        .find_map(|(at, data)| data.map(|data| (at, data)))
    else {
        return Ok(());
    };
    let shared: Shared = parse(data)?;
    let temporality = Temporality::from_number(shared.aggregation_temporality);
    let kind = match at {
        0 => MetricKind::Gauge,
        1 => MetricKind::Sum {
            temporality,
            is_monotonic: shared.is_monotonic,
        },
        2 => MetricKind::Histogram(temporality),
        3 => MetricKind::ExponentialHistogram(temporality),
        _ => MetricKind::Summary,
    };
    let metric = Metric {
        name: head.name,
        unit: head.unit,
        kind,
    };
    let [points] = members(data.get(), ["dataPoints"])?;
    each(points, "dataPoints", |raw| {
        if raw.get().len() > MAX_ITEM {
            sink.oversized(raw.get().len());
            return Ok(());
        }
        sink.point(&metric, &point(raw, kind)?);
        Ok(())
    })
}

fn point(raw: &RawValue, kind: MetricKind) -> Result<Point<'_>, Malformed> {
    let any: AnyPoint<'_> = parse(raw)?;
    let value = match kind {
        MetricKind::Gauge | MetricKind::Sum { .. } => match (any.as_int, any.as_double) {
            (Some(int), _) => PointValue::Int(int.0),
            (None, Some(double)) => PointValue::Double(double.0),
            (None, None) => PointValue::None,
        },
        MetricKind::Histogram(_) => PointValue::Histogram(Histogram {
            count: any.count,
            sum: any.sum,
            min: any.min,
            max: any.max,
            bucket_counts: any.bucket_counts,
            explicit_bounds: any.explicit_bounds,
        }),
        MetricKind::ExponentialHistogram(_) => PointValue::Exponential(Exponential {
            count: any.count,
            sum: any.sum,
            min: any.min,
            max: any.max,
            scale: any.scale,
            zero_count: any.zero_count,
            positive: any.positive,
            negative: any.negative,
        }),
        MetricKind::Summary => PointValue::Summary(Summary {
            count: any.count,
            sum: any.sum.unwrap_or_default(),
            quantile_values: any.quantile_values,
        }),
    };
    Ok(Point {
        start: any.start_time_unix_nano,
        time: any.time_unix_nano,
        attributes: any.attributes,
        flags: any.flags,
        value,
    })
}
