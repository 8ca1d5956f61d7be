//! Points of metrics.

use std::borrow::Cow;

use serde::Deserialize;

use super::KeyValue;
use crate::otlp::lenient;

/// The metric that a point is of.
#[derive(Debug, Default)]
pub(in crate::otlp) struct Metric<'a> {
    pub(in crate::otlp) name: Cow<'a, str>,
    pub(in crate::otlp) unit: Cow<'a, str>,
    pub(in crate::otlp) kind: MetricKind,
}

/// The kind of metric, with the properties that all its points share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::otlp) enum MetricKind {
    #[default]
    Gauge,
    Sum {
        temporality: Temporality,
        is_monotonic: bool,
    },
    Histogram(Temporality),
    ExponentialHistogram(Temporality),
    Summary,
}

/// Whether a point counts since the one before it, or since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::otlp) enum Temporality {
    #[default]
    Unspecified,
    Delta,
    Cumulative,
}

impl Temporality {
    pub(in crate::otlp) fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Delta,
            2 => Self::Cumulative,
            _ => Self::Unspecified,
        }
    }
}

/// One point of a metric.
#[derive(Debug, Default)]
pub(in crate::otlp) struct Point<'a> {
    pub(in crate::otlp) start: u64,
    pub(in crate::otlp) time: u64,
    pub(in crate::otlp) attributes: Vec<KeyValue<'a>>,
    /// Bit 0: there is no recorded value.
    pub(in crate::otlp) flags: u32,
    pub(in crate::otlp) value: PointValue,
}

/// The measured value.
#[derive(Debug, Default, PartialEq)]
pub(in crate::otlp) enum PointValue {
    #[default]
    None,
    Int(i64),
    Double(f64),
    Histogram(Histogram),
    Exponential(Exponential),
    Summary(Summary),
}

/// Counts of the values between explicit bounds.
#[derive(Debug, Default, PartialEq)]
pub(in crate::otlp) struct Histogram {
    pub(in crate::otlp) count: u64,
    pub(in crate::otlp) sum: Option<f64>,
    pub(in crate::otlp) min: Option<f64>,
    pub(in crate::otlp) max: Option<f64>,
    /// One more than there are bounds, or none.
    pub(in crate::otlp) bucket_counts: Vec<u64>,
    pub(in crate::otlp) explicit_bounds: Vec<f64>,
}

/// Counts of the values between powers of a base.
#[derive(Debug, Default, PartialEq)]
pub(in crate::otlp) struct Exponential {
    pub(in crate::otlp) count: u64,
    pub(in crate::otlp) sum: Option<f64>,
    pub(in crate::otlp) min: Option<f64>,
    pub(in crate::otlp) max: Option<f64>,
    /// The base is 2 to the power of 2 to the power of -scale.
    pub(in crate::otlp) scale: i32,
    pub(in crate::otlp) zero_count: u64,
    pub(in crate::otlp) positive: Buckets,
    pub(in crate::otlp) negative: Buckets,
}

/// The number of values, their sum, and the values below which shares of them lay.
#[derive(Debug, Default, PartialEq)]
pub(in crate::otlp) struct Summary {
    pub(in crate::otlp) count: u64,
    pub(in crate::otlp) sum: f64,
    pub(in crate::otlp) quantile_values: Vec<Quantile>,
}

/// Buckets in a row, of an exponential histogram.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct Buckets {
    /// The index of the first one.
    #[serde(deserialize_with = "lenient::number")]
    pub(in crate::otlp) offset: i32,
    #[serde(deserialize_with = "lenient::counts")]
    pub(in crate::otlp) bucket_counts: Vec<u64>,
}

/// The value below which a share of all values lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct Quantile {
    /// 0 to 1.
    #[serde(deserialize_with = "lenient::double")]
    pub(in crate::otlp) quantile: f64,
    #[serde(deserialize_with = "lenient::double")]
    pub(in crate::otlp) value: f64,
}
