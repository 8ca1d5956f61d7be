//! The messages of OTLP, as far as they are read: what both encodings are decoded to.
//!
//! Texts are borrowed from the body where it holds them as they are. Times are nanoseconds since the epoch, 0 where
//! none was sent. An id of another length than its kind has, or of zeros alone, is absent.

mod point;
mod value;

use std::borrow::Cow;

use serde::Deserialize;

pub(super) use crate::conventions::{KeyValue, Value};
pub(super) use point::{
    Buckets, Exponential, Histogram, Metric, MetricKind, Point, PointValue, Quantile, Summary,
    Temporality,
};

use super::lenient;

/// The sender: a process, mostly.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Resource<'a> {
    #[serde(deserialize_with = "lenient::attributes")]
    pub(super) attributes: Vec<KeyValue<'a>>,
}

/// The library that made the telemetry.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Scope<'a> {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Cow<'a, str>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) version: Cow<'a, str>,
    #[serde(deserialize_with = "lenient::attributes")]
    pub(super) attributes: Vec<KeyValue<'a>>,
}

/// One operation.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Span<'a> {
    #[serde(deserialize_with = "lenient::trace_id")]
    pub(super) trace_id: Option<[u8; 16]>,
    #[serde(deserialize_with = "lenient::span_id")]
    pub(super) span_id: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) trace_state: Cow<'a, str>,
    #[serde(deserialize_with = "lenient::span_id")]
    pub(super) parent_span_id: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Cow<'a, str>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) kind: i32,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) start_time_unix_nano: u64,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) end_time_unix_nano: u64,
    #[serde(deserialize_with = "lenient::attributes")]
    pub(super) attributes: Vec<KeyValue<'a>>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) dropped_attributes_count: u32,
    #[serde(deserialize_with = "lenient::list")]
    pub(super) events: Vec<SpanEvent<'a>>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) dropped_events_count: u32,
    #[serde(deserialize_with = "lenient::list")]
    pub(super) links: Vec<Link<'a>>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) dropped_links_count: u32,
    #[serde(deserialize_with = "lenient::or_default")]
    pub(super) status: Status<'a>,
}

/// Something that happened at one time of a span.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct SpanEvent<'a> {
    #[serde(deserialize_with = "lenient::number")]
    pub(super) time_unix_nano: u64,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) name: Cow<'a, str>,
    #[serde(deserialize_with = "lenient::attributes")]
    pub(super) attributes: Vec<KeyValue<'a>>,
}

/// A span that has to do with this one, and is not its parent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Link<'a> {
    #[serde(deserialize_with = "lenient::trace_id")]
    pub(super) trace_id: Option<[u8; 16]>,
    #[serde(deserialize_with = "lenient::span_id")]
    pub(super) span_id: Option<u64>,
    #[serde(deserialize_with = "lenient::attributes")]
    pub(super) attributes: Vec<KeyValue<'a>>,
}

/// Whether the operation succeeded, where its author said so.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Status<'a> {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) message: Cow<'a, str>,
    /// 1: it succeeded, 2: it failed.
    #[serde(deserialize_with = "lenient::number")]
    pub(super) code: i32,
}

/// One line of a log.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct LogRecord<'a> {
    #[serde(deserialize_with = "lenient::number")]
    pub(super) time_unix_nano: u64,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) observed_time_unix_nano: u64,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) severity_number: i32,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) severity_text: Cow<'a, str>,
    #[serde(deserialize_with = "lenient::or_default")]
    pub(super) body: Value<'a>,
    #[serde(deserialize_with = "lenient::attributes")]
    pub(super) attributes: Vec<KeyValue<'a>>,
    #[serde(deserialize_with = "lenient::number")]
    pub(super) dropped_attributes_count: u32,
    #[serde(deserialize_with = "lenient::trace_id")]
    pub(super) trace_id: Option<[u8; 16]>,
    #[serde(deserialize_with = "lenient::span_id")]
    pub(super) span_id: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) event_name: Cow<'a, str>,
}
