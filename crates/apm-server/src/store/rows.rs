//! The rows that events become, and the statements that insert them.

use diesel::QueryResult;
use diesel::sql_types::{BigInt, Binary, Bool, Double, Integer, Nullable, Text};

use super::block::Facts;
use super::insert::{Row, Values};
use crate::event::{Batch, Id};

/// An event's identifier on its way into a column.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowId<'a> {
    Short(i64),
    Long([u8; 16]),
    Other(&'a str),
}

impl<'a> RowId<'a> {
    pub(super) fn of(batch: &'a Batch, id: Id) -> Self {
        match id {
            Id::Short(id) => Self::Short(id.cast_signed()),
            Id::Long(id) => Self::Long(id),
            Id::Other(text) => Self::Other(batch.text(text)),
        }
    }
}

impl<'b> Values<'_, 'b> {
    /// An identifier, as the type that its form has.
    fn push_id(&mut self, id: &'b RowId<'_>) -> QueryResult<()> {
        match id {
            RowId::Short(id) => self.push::<BigInt, _>(id),
            RowId::Long(id) => self.push::<Binary, _>(&id[..]),
            RowId::Other(id) => self.push::<Text, _>(*id),
        }
    }

    fn push_opt_id(&mut self, id: &'b Option<RowId<'_>>) -> QueryResult<()> {
        match id {
            Some(id) => self.push_id(id),
            None => self.push::<Nullable<BigInt>, _>(&None::<i64>),
        }
    }
}

#[derive(Debug)]
pub(super) struct TxRow<'a> {
    pub(super) seq: i64,
    pub(super) group: i64,
    pub(super) resource: i64,
    pub(super) ts: i64,
    pub(super) duration: i64,
    pub(super) trace_id: RowId<'a>,
    pub(super) id: RowId<'a>,
    pub(super) parent_id: Option<RowId<'a>>,
    pub(super) outcome: i32,
    pub(super) result: Option<i64>,
    pub(super) sampled: bool,
    pub(super) sample_rate: Option<f64>,
    pub(super) status: Option<i32>,
    pub(super) spans_started: Option<i64>,
    pub(super) spans_dropped: Option<i64>,
}

impl Row for TxRow<'_> {
    type Statement = TxRow<'static>;
    const INTO: &'static str = "INSERT OR FAIL INTO tx (seq, group_id, resource_id, ts, duration, trace_id, id, parent_id, outcome, \
        result_id, sampled, sample_rate, status, spans_started, spans_dropped) VALUES";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.seq)?;
        values.push::<BigInt, _>(&self.group)?;
        values.push::<BigInt, _>(&self.resource)?;
        values.push::<BigInt, _>(&self.ts)?;
        values.push::<BigInt, _>(&self.duration)?;
        values.push_id(&self.trace_id)?;
        values.push_id(&self.id)?;
        values.push_opt_id(&self.parent_id)?;
        values.push::<Integer, _>(&self.outcome)?;
        values.push::<Nullable<BigInt>, _>(&self.result)?;
        values.push::<Bool, _>(&self.sampled)?;
        values.push::<Nullable<Double>, _>(&self.sample_rate)?;
        values.push::<Nullable<Integer>, _>(&self.status)?;
        values.push::<Nullable<BigInt>, _>(&self.spans_started)?;
        values.push::<Nullable<BigInt>, _>(&self.spans_dropped)
    }
}

#[derive(Debug)]
pub(super) struct SpanRow<'a> {
    pub(super) seq: i64,
    pub(super) group: i64,
    pub(super) resource: i64,
    pub(super) ts: i64,
    pub(super) duration: i64,
    pub(super) trace_id: RowId<'a>,
    pub(super) id: RowId<'a>,
    pub(super) transaction_id: Option<RowId<'a>>,
    pub(super) parent_id: RowId<'a>,
    pub(super) outcome: i32,
    pub(super) destination: Option<i64>,
    pub(super) statement: Option<i64>,
    pub(super) status: Option<i32>,
    pub(super) composite_count: Option<i64>,
    pub(super) composite_sum: Option<i64>,
    pub(super) sample_rate: Option<f64>,
}

impl Row for SpanRow<'_> {
    type Statement = SpanRow<'static>;
    const INTO: &'static str = "INSERT OR FAIL INTO span (seq, group_id, resource_id, ts, duration, trace_id, id, transaction_id, \
        parent_id, outcome, destination_id, statement_id, status, composite_count, composite_sum, sample_rate) VALUES";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.seq)?;
        values.push::<BigInt, _>(&self.group)?;
        values.push::<BigInt, _>(&self.resource)?;
        values.push::<BigInt, _>(&self.ts)?;
        values.push::<BigInt, _>(&self.duration)?;
        values.push_id(&self.trace_id)?;
        values.push_id(&self.id)?;
        values.push_opt_id(&self.transaction_id)?;
        values.push_id(&self.parent_id)?;
        values.push::<Integer, _>(&self.outcome)?;
        values.push::<Nullable<BigInt>, _>(&self.destination)?;
        values.push::<Nullable<BigInt>, _>(&self.statement)?;
        values.push::<Nullable<Integer>, _>(&self.status)?;
        values.push::<Nullable<BigInt>, _>(&self.composite_count)?;
        values.push::<Nullable<BigInt>, _>(&self.composite_sum)?;
        values.push::<Nullable<Double>, _>(&self.sample_rate)
    }
}

#[derive(Debug)]
pub(super) struct ErrorRow<'a> {
    pub(super) seq: i64,
    pub(super) group: i64,
    pub(super) resource: i64,
    pub(super) ts: i64,
    pub(super) trace_id: Option<RowId<'a>>,
    pub(super) id: RowId<'a>,
    pub(super) transaction_id: Option<RowId<'a>>,
    pub(super) parent_id: Option<RowId<'a>>,
    pub(super) tx_group: Option<i64>,
}

impl Row for ErrorRow<'_> {
    type Statement = ErrorRow<'static>;
    const INTO: &'static str = "INSERT OR FAIL INTO error (seq, group_id, resource_id, ts, trace_id, id, transaction_id, parent_id, \
        tx_group_id) VALUES";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.seq)?;
        values.push::<BigInt, _>(&self.group)?;
        values.push::<BigInt, _>(&self.resource)?;
        values.push::<BigInt, _>(&self.ts)?;
        values.push_opt_id(&self.trace_id)?;
        values.push_id(&self.id)?;
        values.push_opt_id(&self.transaction_id)?;
        values.push_opt_id(&self.parent_id)?;
        values.push::<Nullable<BigInt>, _>(&self.tx_group)
    }
}

#[derive(Debug)]
pub(super) struct LogRow<'a> {
    pub(super) seq: i64,
    pub(super) service: i64,
    pub(super) resource: i64,
    pub(super) ts: i64,
    pub(super) trace_id: Option<RowId<'a>>,
    pub(super) transaction_id: Option<RowId<'a>>,
    pub(super) span_id: Option<RowId<'a>>,
    pub(super) level: &'a str,
}

impl Row for LogRow<'_> {
    type Statement = LogRow<'static>;
    const INTO: &'static str = "INSERT OR FAIL INTO log (seq, service_id, resource_id, ts, trace_id, transaction_id, span_id, level) \
        VALUES";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.seq)?;
        values.push::<BigInt, _>(&self.service)?;
        values.push::<BigInt, _>(&self.resource)?;
        values.push::<BigInt, _>(&self.ts)?;
        values.push_opt_id(&self.trace_id)?;
        values.push_opt_id(&self.transaction_id)?;
        values.push_opt_id(&self.span_id)?;
        values.push::<Text, _>(self.level)
    }
}

#[derive(Debug)]
pub(super) struct MetricsetRow {
    pub(super) seq: i64,
    pub(super) service: i64,
    pub(super) resource: i64,
    pub(super) ts: i64,
}

impl Row for MetricsetRow {
    type Statement = Self;
    const INTO: &'static str =
        "INSERT OR FAIL INTO metricset (seq, service_id, resource_id, ts) VALUES";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.seq)?;
        values.push::<BigInt, _>(&self.service)?;
        values.push::<BigInt, _>(&self.resource)?;
        values.push::<BigInt, _>(&self.ts)
    }
}

#[derive(Debug)]
pub(super) struct SampleRow {
    pub(super) service: i64,
    pub(super) name: i64,
    pub(super) ts: i64,
    pub(super) seq: i64,
    pub(super) value: Option<f64>,
}

impl Row for SampleRow {
    type Statement = Self;
    const INTO: &'static str =
        "INSERT OR FAIL INTO metric_sample (service_id, name_id, ts, seq, value) VALUES";
    /// A metricset may name a sample twice.
    const THEN: &'static str = "ON CONFLICT DO NOTHING";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.service)?;
        values.push::<BigInt, _>(&self.name)?;
        values.push::<BigInt, _>(&self.ts)?;
        values.push::<BigInt, _>(&self.seq)?;
        values.push::<Nullable<Double>, _>(&self.value)
    }
}

#[derive(Debug)]
pub(super) struct TraceAtRow {
    pub(super) key: i64,
    pub(super) block: i64,
}

impl Row for TraceAtRow {
    type Statement = Self;
    const INTO: &'static str = "INSERT OR FAIL INTO trace_at (key, block) VALUES";
    /// A block that is filled by several commits may meet a trace again.
    const THEN: &'static str = "ON CONFLICT DO NOTHING";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.key)?;
        values.push::<BigInt, _>(&self.block)
    }
}

/// A block and what is said of it; written again while it is filled.
#[derive(Debug)]
pub(super) struct BlockRow {
    id: i64,
    received: i64,
    ts_min: i64,
    ts_max: i64,
    events: i32,
    data: Vec<u8>,
}

impl BlockRow {
    pub(super) fn new(id: i64, facts: Facts, data: Vec<u8>) -> Self {
        Self {
            id,
            received: facts.received,
            ts_min: facts.ts_min,
            ts_max: facts.ts_max,
            events: facts.events as i32,
            data,
        }
    }
}

impl Row for BlockRow {
    type Statement = Self;
    const INTO: &'static str =
        "INSERT OR FAIL INTO block (id, received, ts_min, ts_max, events, data) VALUES";
    const THEN: &'static str = "ON CONFLICT (id) DO UPDATE SET received = excluded.received, ts_min = excluded.ts_min, \
        ts_max = excluded.ts_max, events = excluded.events, data = excluded.data";

    fn values<'b>(&'b self, values: &mut Values<'_, 'b>) -> QueryResult<()> {
        values.push::<BigInt, _>(&self.id)?;
        values.push::<BigInt, _>(&self.received)?;
        values.push::<BigInt, _>(&self.ts_min)?;
        values.push::<BigInt, _>(&self.ts_max)?;
        values.push::<Integer, _>(&self.events)?;
        values.push::<Binary, _>(&self.data[..])
    }
}
