//! A set of metrics.

use std::ops::Range;

use super::{ServiceOverride, Text};

/// Samples of metrics at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Metricset {
    /// Service named by the event itself.
    pub service: ServiceOverride,
    /// When, µs since the epoch.
    pub timestamp: i64,
    /// Set where this is a breakdown of a transaction group's time.
    pub breakdown: Option<Breakdown>,
    /// Its samples: a range of [`Batch::samples`](super::Batch::samples).
    pub samples: Range<u32>,
    /// The labels of its samples as a JSON object whose names are sorted; nothing where there are none.
    pub labels: Option<Text>,
    /// Everything else (the samples too), a JSON object.
    pub rest: Text,
}

/// A breakdown metricset: the time that spans of one type of a transaction group took by themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breakdown {
    /// `transaction.name`
    pub transaction_name: Option<Text>,
    /// `transaction.type`
    pub transaction_kind: Option<Text>,
    /// `span.type`
    pub span_kind: Option<Text>,
    /// `span.subtype`
    pub span_subtype: Option<Text>,
    /// `span.self_time.count`
    pub count: f64,
    /// `span.self_time.sum.us`
    pub sum: f64,
}

/// One sample of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Name, such as `system.memory.total`.
    pub name: Text,
    /// The unit as it was sent, such as `By`.
    pub unit: Option<Text>,
    /// The way in which its values are to be read.
    pub kind: MetricKind,
    /// Whether a value is what was added since the last one, or since [`Self::start`]. Gauges have neither.
    pub is_delta: bool,
    /// The time from which on a counter or distribution counts, µs since the epoch.
    pub start: Option<i64>,
    /// The value that was measured.
    pub value: Measured,
}

impl Sample {
    /// A number of which nothing more is known.
    pub fn gauge(name: Text, value: f64) -> Self {
        Self {
            name,
            unit: None,
            kind: MetricKind::Gauge,
            is_delta: false,
            start: None,
            value: Measured::Number(value),
        }
    }

    /// Memory that it holds beside itself, bytes.
    pub(super) fn heap(&self) -> usize {
        match &self.value {
            Measured::Number(_) => 0,
            Measured::Distribution(values) => {
                (values.bins.capacity() + values.quantiles.capacity()) * size_of::<(f64, f64)>()
            }
        }
    }

    /// Its number, where it has one.
    pub fn number(&self) -> Option<f64> {
        match self.value {
            Measured::Number(number) => Some(number),
            Measured::Distribution(_) => None,
        }
    }
}

/// The way in which the values of a metric are to be read. Its number stands in the database: never to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A value at a time.
    Gauge = 0,
    /// A sum that only grows, until it begins anew.
    Counter = 1,
    /// A sum that grows and shrinks.
    UpDown = 2,
    /// Counts of values by how large they are.
    Histogram = 3,
    /// A count and a sum of values.
    Summary = 4,
    /// A quantile of a summary: a value at a time. Its series has the label `quantile`.
    Quantile = 5,
}

impl MetricKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Gauge,
        Self::Counter,
        Self::UpDown,
        Self::Histogram,
        Self::Summary,
        Self::Quantile,
    ];

    /// The kind of a number in the database.
    pub fn of_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i32 == code)
    }

    /// Its name, as answers tell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::UpDown => "up_down_counter",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Quantile => "quantile",
        }
    }
}

/// The value of a sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// One number.
    Number(f64),
    /// Many numbers by how large they are.
    Distribution(Distribution),
}

/// Counts of values by how large they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distribution {
    /// The number of values.
    pub count: f64,
    /// Their sum; nothing where it was not sent.
    pub sum: Option<f64>,
    /// The least of them; of a cumulative one the least since it began.
    pub min: Option<f64>,
    /// The greatest of them, likewise.
    pub max: Option<f64>,
    /// Values and how often each was met, ascending.
    pub bins: Vec<(f64, f64)>,
    /// Of summaries: shares of the values, 0 to 1, and what so many do not exceed.
    pub quantiles: Vec<(f64, f64)>,
}
