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
    /// Its plain samples: a range of [`Batch::samples`](super::Batch::samples). Histograms are in `rest` alone.
    pub samples: Range<u32>,
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

/// One plain sample of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Name, such as `system.memory.total`.
    pub name: Text,
    /// Value.
    pub value: f64,
}
