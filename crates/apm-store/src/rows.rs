//! The rows that events become, and the statements that insert them.

use diesel::QueryResult;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::block::Facts;
use super::checksum::Checksum;
use super::insert::{Column, Values, row};
use crate::event::{Batch, Id};

/// An event's identifier on its way into a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum RowId<'a> {
    Short(i64),
    Long([u8; 16]),
    Other(&'a str),
    /// In the place of the id of a trace: it is in `span_trace`.
    Shared,
}

impl<'a> RowId<'a> {
    pub(super) fn new(batch: &'a Batch, id: Id) -> Self {
        match id {
            Id::Short(id) => Self::Short(id.cast_signed()),
            Id::Long(id) => Self::Long(id),
            Id::Other(text) => Self::Other(batch.text(text)),
        }
    }
}

impl Column for RowId<'_> {
    /// As the type that its form has.
    #[inline]
    fn push<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        match self {
            Self::Short(id) => values.push::<BigInt, _>(id),
            Self::Long(id) => values.push::<Binary, _>(&id[..]),
            Self::Other(id) => values.push::<Text, _>(*id),
            Self::Shared => values.push::<Binary, [u8]>(&[]),
        }
    }

    #[inline]
    fn add_to(&self, sum: &mut Checksum) {
        match self {
            Self::Short(id) => sum.int(*id),
            Self::Long(id) => sum.blob(id),
            Self::Other(id) => sum.text(id),
            Self::Shared => sum.blob(&[]),
        }
    }
}

impl Column for Option<RowId<'_>> {
    #[inline]
    fn push<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        match self {
            Some(id) => id.push(values),
            None => values.push::<Nullable<BigInt>, _>(&None::<i64>),
        }
    }

    #[inline]
    fn add_to(&self, sum: &mut Checksum) {
        match self {
            Some(id) => id.add_to(sum),
            None => sum.null(),
        }
    }
}

row! {
    pub(super) struct TxRow<'a> in "tx" {
        seq: i64,
        group_id: i64,
        resource_id: i64,
        ts: i64,
        duration: i64,
        trace_id: RowId<'a>,
        id: RowId<'a>,
        parent_id: Option<RowId<'a>>,
        outcome: i32,
        result_id: Option<i64>,
        sampled: bool,
        sample_rate: Option<f64>,
        status: Option<i32>,
        spans_started: Option<i64>,
        spans_dropped: Option<i64>,
    } once [sampled, sample_rate]
}

row! {
    /// Made with its own ids, of which its checksum is made, too. See `apply::shared_ids`.
    pub(super) struct SpanRow<'a> in "span_row" {
        seq: i64,
        group_id: i64,
        resource_id: i64,
        ts: i64,
        duration: i64,
        trace_id: RowId<'a>,
        id: RowId<'a>,
        transaction_id: Option<RowId<'a>>,
        parent_id: Option<RowId<'a>>,
        outcome: i32,
        destination_id: Option<i64>,
        statement_id: Option<i64>,
        status: Option<i32>,
        composite_count: Option<i64>,
        composite_sum: Option<i64>,
        sample_rate: Option<f64>,
        steps: Option<i64>,
        scan_steps: Option<i64>,
        sorts: Option<i64>,
        autoindex_steps: Option<i64>,
        rows_returned: Option<i64>,
    } read as "span_whole" tail [steps, scan_steps, sorts, autoindex_steps, rows_returned]
        once [composite_count, composite_sum, sample_rate]
}

row! {
    /// A trace and a transaction that several spans of a block share.
    pub(super) struct SpanTraceRow<'a> in "span_trace" {
        id: i64,
        trace_id: RowId<'a>,
        transaction_id: RowId<'a>,
    }
}

row! {
    pub(super) struct ErrorRow<'a> in "error" {
        seq: i64,
        group_id: i64,
        resource_id: i64,
        ts: i64,
        trace_id: Option<RowId<'a>>,
        id: RowId<'a>,
        transaction_id: Option<RowId<'a>>,
        parent_id: Option<RowId<'a>>,
        tx_group_id: Option<i64>,
    }
}

row! {
    pub(super) struct LogRow<'a> in "log" {
        seq: i64,
        service_id: i64,
        resource_id: i64,
        ts: i64,
        trace_id: Option<RowId<'a>>,
        transaction_id: Option<RowId<'a>>,
        span_id: Option<RowId<'a>>,
        level: &'a str,
    }
}

row! {
    pub(super) struct MetricsetRow in "metricset" {
        seq: i64,
        service_id: i64,
        resource_id: i64,
        ts: i64,
    }
}

row! {
    /// The time that an event was sent with, where the time of arrival stands for it.
    pub(super) struct SentTimeRow in "sent_time" {
        seq: i64,
        sent: i64,
    }
}

row! {
    /// A metricset may name a sample twice.
    pub(super) struct SampleRow in "metric_sample" {
        service_id: i64,
        name_id: i64,
        ts: i64,
        seq: i64,
        value: Option<f64>,
    } then "ON CONFLICT DO NOTHING"
}

row! {
    /// A block that is filled by several commits may meet a trace again.
    pub(super) struct TraceAtRow in "trace_at" {
        key: i64,
        block: i64,
    } then "ON CONFLICT DO NOTHING"
}

row! {
    /// A block and what is said of it; written again while it is filled.
    pub(super) struct BlockRow in "block" {
        id: i64,
        received: i64,
        ts_min: i64,
        ts_max: i64,
        events: i32,
        data: Vec<u8>,
        sums: Vec<u8>,
        tx_longest: i64,
        span_longest: i64,
    } then "ON CONFLICT (id) DO UPDATE SET received = excluded.received, ts_min = excluded.ts_min, \
        ts_max = excluded.ts_max, events = excluded.events, data = excluded.data, sums = excluded.sums, \
        tx_longest = excluded.tx_longest, span_longest = excluded.span_longest"
}

/// A longest duration as it is stored: -1 where there is none, which no other one is.
fn longest(duration: Option<i64>) -> i64 {
    duration.map_or(-1, |duration| duration.max(0))
}

impl BlockRow {
    pub(super) fn new(id: i64, facts: Facts, data: Vec<u8>, sums: Vec<u8>) -> Self {
        Self {
            id,
            received: facts.received,
            ts_min: facts.ts_min,
            ts_max: facts.ts_max,
            events: facts.events as i32,
            data,
            sums,
            tx_longest: longest(facts.tx_longest),
            span_longest: longest(facts.span_longest),
        }
    }
}
