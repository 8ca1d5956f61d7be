//! Events → rows, documents and counts, inside of the writer's transaction.

use std::cell::RefCell;
use std::collections::HashSet;

use diesel::SqliteConnection;

use super::StoreError;
use super::block::{Builder, Document, Packer, SLOTS};
use super::dictionary::{
    Destination, Dictionary, ErrorGroup, MetricName, Resource, ResultValue, Service, SpanGroup,
    Stack, Statement, TxGroup,
};
use super::insert::Rows;
use super::rows::{
    BlockRow, ErrorRow, LogRow, MetricsetRow, RowId, SampleRow, SpanRow, TraceAtRow, TxRow,
};
use super::trace_index;
use crate::event::{
    Batch, Breakdown, DroppedSpans, ErrorEvent, Event, Kind, Log, Metricset, ServiceOverride, Span,
    Transaction,
};
use crate::fingerprint::Fingerprint;
use crate::rollup::{BreakdownKey, Observation, Rollup, outcome_code, weight};

const KIB: usize = 1024;

/// Statements longer than this are not remembered as they were sent: they would push out many short ones.
const REMEMBERED: usize = 4 * KIB;

/// What the writer remembers from one commit to the next.
#[derive(Debug)]
pub(super) struct Memory {
    names: Names,
    packer: RefCell<Packer>,
    block: Builder,
    /// The number of the next event.
    next: i64,
    /// Traces that have an entry for the block being filled.
    traces: HashSet<i64>,
    /// The block as it was at the last commit, and the number of the event that was next.
    committed: (Builder, i64),
}

/// The dictionaries: together they remember at most 24 MiB.
#[derive(Debug)]
struct Names {
    services: Dictionary,
    resources: Dictionary,
    tx_groups: Dictionary,
    span_groups: Dictionary,
    destinations: Dictionary,
    /// By normalised text, and by text as sent.
    statements: Dictionary,
    statements_sent: Dictionary,
    error_groups: Dictionary,
    results: Dictionary,
    metrics: Dictionary,
    stacks: Dictionary,
}

impl Names {
    fn new() -> Self {
        Self {
            services: Dictionary::new(256 * KIB),
            resources: Dictionary::new(2048 * KIB),
            tx_groups: Dictionary::new(2048 * KIB),
            span_groups: Dictionary::new(2048 * KIB),
            destinations: Dictionary::new(1024 * KIB),
            statements: Dictionary::new(3072 * KIB),
            statements_sent: Dictionary::new(4096 * KIB),
            error_groups: Dictionary::new(512 * KIB),
            results: Dictionary::new(256 * KIB),
            metrics: Dictionary::new(512 * KIB),
            stacks: Dictionary::new(8192 * KIB),
        }
    }

    fn clear(&mut self) {
        let Self {
            services,
            resources,
            tx_groups,
            span_groups,
            destinations,
            statements,
            statements_sent,
            error_groups,
            results,
            metrics,
            stacks,
        } = self;
        for dictionary in [
            services,
            resources,
            tx_groups,
            span_groups,
            destinations,
            statements,
            statements_sent,
            error_groups,
            results,
            metrics,
            stacks,
        ] {
            dictionary.clear();
        }
    }
}

impl Memory {
    /// `next`: the first number that is free, at the start of a block.
    pub(super) fn new(next: i64) -> std::io::Result<Self> {
        Ok(Self {
            names: Names::new(),
            packer: RefCell::new(Packer::new()?),
            block: Builder::default(),
            next,
            traces: HashSet::new(),
            committed: (Builder::default(), next),
        })
    }

    /// Writes the rows and documents of batches; what is left to write is what they count. To be followed by
    /// [`Self::commit`] or [`Self::rollback`].
    pub(super) fn apply<'a>(
        &mut self,
        conn: &mut SqliteConnection,
        batches: impl Iterator<Item = &'a Batch>,
    ) -> Result<Counted, StoreError> {
        let mut pass = Pass::new(self, conn);
        for batch in batches {
            pass.batch(batch)?;
        }
        pass.finish()
    }

    /// What was applied stays.
    pub(super) fn commit(&mut self) {
        self.committed.0.copy_from(&self.block);
        self.committed.1 = self.next;
    }

    /// Begins a new block if the one being filled is among `ids`. Only between commits.
    pub(super) fn leave_block_of(&mut self, ids: &[i64]) {
        if self.block.facts().events > 0 && ids.contains(&((self.next - 1) / SLOTS)) {
            self.block.clear();
            self.traces.clear();
            self.next = ((self.next - 1) / SLOTS + 1) * SLOTS;
            self.commit();
        }
    }

    /// Nothing that was stored is there any more; numbers go on, so that no event gets one that another had.
    pub(super) fn forget(&mut self) {
        self.block.clear();
        self.traces.clear();
        self.names.clear();
        self.next = (self.next + SLOTS - 1) / SLOTS * SLOTS;
        self.commit();
    }

    /// What was applied since the last commit is gone from the database.
    pub(super) fn rollback(&mut self) {
        self.block.copy_from(&self.committed.0);
        self.next = self.committed.1;
        self.traces.clear();
        self.names.clear();
    }
}

/// What batches add to the rollups.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) rollup: Rollup,
    /// When the last batch arrived, seconds since the epoch.
    pub(super) received: i64,
}

/// Who sent the event at hand.
#[derive(Clone, Copy, Debug)]
struct Sender<'a> {
    batch: &'a Batch,
    /// The service of its metadata.
    service: i64,
    resource: i64,
    /// When the batch arrived, seconds since the epoch.
    received: i64,
}

/// One transaction's worth of rows.
struct Pass<'m, 'a> {
    memory: &'m mut Memory,
    conn: &'m mut SqliteConnection,
    rollup: Rollup,
    received: i64,
    tx: Rows<TxRow<'a>>,
    spans: Rows<SpanRow<'a>>,
    errors: Rows<ErrorRow<'a>>,
    logs: Rows<LogRow<'a>>,
    metricsets: Rows<MetricsetRow>,
    samples: Rows<SampleRow>,
    trace_at: Rows<TraceAtRow>,
    blocks: Rows<BlockRow>,
}

impl<'m, 'a> Pass<'m, 'a> {
    fn new(memory: &'m mut Memory, conn: &'m mut SqliteConnection) -> Self {
        Self {
            memory,
            conn,
            rollup: Rollup::default(),
            received: 0,
            tx: Rows::new(),
            spans: Rows::new(),
            errors: Rows::new(),
            logs: Rows::new(),
            metricsets: Rows::new(),
            samples: Rows::new(),
            trace_at: Rows::new(),
            blocks: Rows::new(),
        }
    }

    fn batch(&mut self, batch: &'a Batch) -> Result<(), StoreError> {
        let received = batch.received.div_euclid(1_000_000);
        self.received = self.received.max(received);
        let reporter = &*batch.resource;
        let service = Service {
            name: &reporter.service_name,
            environment: reporter.environment.as_deref().unwrap_or_default(),
            reporter,
        };
        let names = &mut self.memory.names;
        let service_id = names.services.id(self.conn, received, &service)?;
        let resource = Resource {
            service: service_id,
            document: &reporter.document,
        };
        let resource = match names.resources.known(received, &resource) {
            Some(id) => id,
            None => {
                service.refresh(service_id, self.conn)?;
                names.resources.id(self.conn, received, &resource)?
            }
        };
        let sender = Sender {
            batch,
            service: service_id,
            resource,
            received,
        };
        for event in &batch.events {
            match event {
                Event::Transaction(event) => self.transaction(sender, event)?,
                Event::Span(event) => self.span(sender, event)?,
                Event::Error(event) => self.error(sender, event)?,
                Event::Metricset(event) => self.metricset(sender, event)?,
                Event::Log(event) => self.log(sender, event)?,
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Counted, StoreError> {
        if self.memory.block.facts().events > 0 {
            self.put_block()?;
        }
        self.tx.flush(self.conn)?;
        self.spans.flush(self.conn)?;
        self.errors.flush(self.conn)?;
        self.logs.flush(self.conn)?;
        self.metricsets.flush(self.conn)?;
        self.samples.flush(self.conn)?;
        self.trace_at.flush(self.conn)?;
        self.blocks.flush(self.conn)?;
        Ok(Counted {
            rollup: self.rollup,
            received: self.received,
        })
    }

    /// The number of the event at hand.
    fn seq(&self) -> i64 {
        self.memory.next
    }

    /// Stores what is not in columns, and moves on to the next number.
    fn document(
        &mut self,
        sender: Sender<'a>,
        ts: i64,
        trace: Option<RowId<'_>>,
        document: Document<'_>,
    ) -> Result<(), StoreError> {
        let seq = self.seq();
        if let Some(trace) = trace {
            let key = trace_index::key(trace_index::segment(seq), trace.hash());
            if self.memory.traces.insert(key) {
                let block = seq / SLOTS;
                self.trace_at.push(self.conn, TraceAtRow { key, block })?;
            }
        }
        self.memory.block.push(sender.received, ts, document);
        self.memory.next += 1;
        if self.memory.block.is_full() {
            self.put_block()?;
            self.memory.block.clear();
            self.memory.traces.clear();
            // A block that grew large leaves numbers unused.
            self.memory.next = (seq / SLOTS + 1) * SLOTS;
        }
        Ok(())
    }

    fn put_block(&mut self) -> Result<(), StoreError> {
        let block = &self.memory.block;
        let data = self.memory.packer.borrow_mut().pack(block.raw());
        // The next number may already be in the following block; the last one used is not.
        let id = (self.memory.next - 1) / SLOTS;
        let row = BlockRow::new(id, block.facts(), data);
        Ok(self.blocks.push(self.conn, row)?)
    }

    /// The service that an event belongs to: its own, else that of its metadata.
    fn service(&mut self, sender: Sender<'a>, named: ServiceOverride) -> Result<i64, StoreError> {
        if named == ServiceOverride::default() {
            return Ok(sender.service);
        }
        let Sender { batch, .. } = sender;
        let reporter = &*batch.resource;
        let environment = batch
            .opt(named.environment)
            .or(reporter.environment.as_deref());
        let service = Service {
            name: batch.opt(named.name).unwrap_or(&reporter.service_name),
            environment: environment.unwrap_or_default(),
            reporter,
        };
        let services = &mut self.memory.names.services;
        Ok(services.id(self.conn, sender.received, &service)?)
    }

    fn tx_group(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        kind: &str,
        name: &str,
    ) -> Result<i64, StoreError> {
        let group = TxGroup {
            service,
            kind,
            name,
        };
        let groups = &mut self.memory.names.tx_groups;
        Ok(groups.id(self.conn, sender.received, &group)?)
    }

    fn transaction(
        &mut self,
        sender: Sender<'a>,
        event: &'a Transaction,
    ) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let service = self.service(sender, event.service)?;
        let name = batch.opt(event.name).unwrap_or_default();
        let group = self.tx_group(sender, service, batch.text(event.kind), name)?;
        let result = match batch.opt(event.result) {
            Some(result) => {
                let results = &mut self.memory.names.results;
                Some(results.id(self.conn, received, &ResultValue(result))?)
            }
            None => None,
        };
        let trace_id = RowId::of(batch, event.trace_id);
        let row = TxRow {
            seq: self.seq(),
            group,
            resource: sender.resource,
            ts: event.timestamp,
            duration: event.duration,
            trace_id,
            id: RowId::of(batch, event.id),
            parent_id: event.parent_id.map(|id| RowId::of(batch, id)),
            outcome: outcome_code(event.outcome),
            result,
            sampled: event.sampled,
            sample_rate: event.sample_rate,
            status: event.status.and_then(|status| status.try_into().ok()),
            spans_started: Some(event.spans_started),
            spans_dropped: event.spans_dropped,
        };
        self.tx.push(self.conn, row)?;
        let weight = weight(event.sample_rate);
        self.rollup.tx.add(
            group,
            Observation {
                ts: event.timestamp,
                result: result.unwrap_or_default(),
                outcome: event.outcome,
                count: weight,
                n: 1,
                sum: event.duration,
                of: 1,
            },
        );
        for dropped in &batch.dropped[event.dropped.start as usize..event.dropped.end as usize] {
            self.dropped(sender, service, event.timestamp, weight, dropped)?;
        }
        let document = Document {
            kind: Kind::Transaction,
            stack: 0,
            json: batch.text(event.rest),
        };
        self.document(sender, event.timestamp, Some(trace_id), document)
    }

    /// Counts spans that the agent did not send for their destination, as APM Server does.
    fn dropped(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        ts: i64,
        weight: f64,
        dropped: &DroppedSpans,
    ) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let destination = Destination {
            service,
            resource: batch.opt(dropped.resource).unwrap_or_default(),
            target_type: batch.opt(dropped.target_type).unwrap_or_default(),
            target_name: batch.opt(dropped.target_name).unwrap_or_default(),
            span_type: "",
            span_subtype: "",
        };
        let destinations = &mut self.memory.names.destinations;
        let destination = destinations.id(self.conn, received, &destination)?;
        self.rollup.destination.add(
            destination,
            Observation {
                ts,
                result: 0,
                outcome: dropped.outcome,
                count: weight * dropped.count as f64,
                n: 0,
                sum: dropped.sum,
                of: dropped.count,
            },
        );
        Ok(())
    }

    fn span(&mut self, sender: Sender<'a>, event: &'a Span) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let service = self.service(sender, event.service)?;
        let kind = batch.text(event.kind);
        let subtype = batch.opt(event.subtype).unwrap_or_default();
        let group = SpanGroup {
            service,
            name: batch.text(event.name),
            kind,
            subtype,
            action: batch.opt(event.action).unwrap_or_default(),
        };
        let names = &mut self.memory.names;
        let group = names.span_groups.id(self.conn, received, &group)?;
        let target_type = batch.opt(event.target_type).unwrap_or_default();
        let target_name = batch.opt(event.target_name).unwrap_or_default();
        let resource = batch.opt(event.resource).unwrap_or_default();
        let destination = if resource.is_empty() && target_type.is_empty() && target_name.is_empty()
        {
            None
        } else {
            let destination = Destination {
                service,
                resource,
                target_type,
                target_name,
                span_type: kind,
                span_subtype: subtype,
            };
            Some(names.destinations.id(self.conn, received, &destination)?)
        };
        let statement = match batch.opt(event.db_statement) {
            Some(sql) if !sql.is_empty() => Some(self.statement(sender, service, event, sql)?),
            _ => None,
        };
        let stack = match event.stack {
            Some(stack) => self.stack(sender, stack)?,
            None => 0,
        };
        let trace_id = RowId::of(batch, event.trace_id);
        let row = SpanRow {
            seq: self.seq(),
            group,
            resource: sender.resource,
            ts: event.timestamp,
            duration: event.duration,
            trace_id,
            id: RowId::of(batch, event.id),
            transaction_id: event.transaction_id.map(|id| RowId::of(batch, id)),
            parent_id: RowId::of(batch, event.parent_id),
            outcome: outcome_code(event.outcome),
            destination,
            statement,
            status: event.status.and_then(|status| status.try_into().ok()),
            composite_count: event.composite.map(|composite| composite.count),
            composite_sum: event.composite.map(|composite| composite.sum),
            sample_rate: event.sample_rate,
        };
        self.spans.push(self.conn, row)?;
        let seen = observation(event);
        if let Some(destination) = destination {
            self.rollup.destination.add(destination, seen);
        }
        if let Some(statement) = statement {
            self.rollup.statement.add(statement, seen);
        }
        let document = Document {
            kind: Kind::Span,
            stack,
            json: batch.text(event.rest),
        };
        self.document(sender, event.timestamp, Some(trace_id), document)
    }

    fn statement(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        event: &Span,
        sql: &str,
    ) -> Result<i64, StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let instance = batch.opt(event.db_instance).unwrap_or_default();
        let subtype = batch.opt(event.subtype).unwrap_or_default();
        let Names {
            statements,
            statements_sent,
            ..
        } = &mut self.memory.names;
        if sql.len() <= REMEMBERED
            && let Some(id) = statements_sent.kept(received, |key| {
                key.number(service).text(instance).text(subtype).text(sql);
            })
        {
            return Ok(id);
        }
        let statement = Statement {
            service,
            instance,
            subtype,
            fingerprint: &Fingerprint::of(sql),
            sample: sql,
            seen: event.timestamp.div_euclid(1_000_000),
        };
        let id = statements.id(self.conn, received, &statement)?;
        if sql.len() <= REMEMBERED {
            statements_sent.keep(received, id);
        }
        Ok(id)
    }

    fn stack(&mut self, sender: Sender<'a>, stack: crate::event::Stack) -> Result<i64, StoreError> {
        let entry = Stack {
            json: sender.batch.text(stack.json),
            hash: stack.hash,
            packer: &self.memory.packer,
        };
        let stacks = &mut self.memory.names.stacks;
        Ok(stacks.id(self.conn, sender.received, &entry)?)
    }

    fn error(&mut self, sender: Sender<'a>, event: &'a ErrorEvent) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let service = self.service(sender, event.service)?;
        let group = ErrorGroup {
            service,
            grouping_key: event.grouping_key,
            kind: batch.opt(event.kind).unwrap_or_default(),
            message: batch.opt(event.message).unwrap_or_default(),
            culprit: batch.opt(event.culprit).unwrap_or_default(),
            handled: event.handled,
            seen: event.timestamp.div_euclid(1_000_000),
        };
        let groups = &mut self.memory.names.error_groups;
        let group = groups.id(self.conn, received, &group)?;
        let tx_group = match batch.opt(event.transaction_name) {
            Some(name) => {
                let kind = batch.opt(event.transaction_kind).unwrap_or("unknown");
                Some(self.tx_group(sender, service, kind, name)?)
            }
            None => None,
        };
        let stack = match event.stack {
            Some(stack) => self.stack(sender, stack)?,
            None => 0,
        };
        let trace_id = event.trace_id.map(|id| RowId::of(batch, id));
        let row = ErrorRow {
            seq: self.seq(),
            group,
            resource: sender.resource,
            ts: event.timestamp,
            trace_id,
            id: RowId::of(batch, event.id),
            transaction_id: event.transaction_id.map(|id| RowId::of(batch, id)),
            parent_id: event.parent_id.map(|id| RowId::of(batch, id)),
            tx_group,
        };
        self.errors.push(self.conn, row)?;
        self.rollup.add_error(group, event.timestamp);
        let document = Document {
            kind: Kind::Error,
            stack,
            json: batch.text(event.rest),
        };
        self.document(sender, event.timestamp, trace_id, document)
    }

    fn metricset(&mut self, sender: Sender<'a>, event: &'a Metricset) -> Result<(), StoreError> {
        let Sender {
            batch, received, ..
        } = sender;
        let service = self.service(sender, event.service)?;
        let row = MetricsetRow {
            seq: self.seq(),
            service,
            resource: sender.resource,
            ts: event.timestamp,
        };
        self.metricsets.push(self.conn, row)?;
        match event.breakdown {
            Some(breakdown) => self.breakdown(sender, service, event.timestamp, breakdown)?,
            None => {
                let samples = event.samples.start as usize..event.samples.end as usize;
                for sample in &batch.samples[samples] {
                    let name = MetricName(batch.text(sample.name));
                    let metrics = &mut self.memory.names.metrics;
                    let row = SampleRow {
                        service,
                        name: metrics.id(self.conn, received, &name)?,
                        ts: event.timestamp,
                        seq: self.seq(),
                        value: Some(sample.value),
                    };
                    self.samples.push(self.conn, row)?;
                }
            }
        }
        let document = Document {
            kind: Kind::Metricset,
            stack: 0,
            json: batch.text(event.rest),
        };
        self.document(sender, event.timestamp, None, document)
    }

    fn breakdown(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        ts: i64,
        breakdown: Breakdown,
    ) -> Result<(), StoreError> {
        let Sender { batch, .. } = sender;
        let kind = batch.opt(breakdown.transaction_kind).unwrap_or("unknown");
        let name = batch.opt(breakdown.transaction_name).unwrap_or_default();
        let key = BreakdownKey {
            tx_group: self.tx_group(sender, service, kind, name)?,
            bucket: crate::rollup::bucket(ts, crate::rollup::LEVELS[0]),
            span_type: batch
                .opt(breakdown.span_kind)
                .unwrap_or_default()
                .to_owned(),
            subtype: batch
                .opt(breakdown.span_subtype)
                .unwrap_or_default()
                .to_owned(),
        };
        self.rollup
            .add_breakdown(key, breakdown.count, breakdown.sum);
        Ok(())
    }

    fn log(&mut self, sender: Sender<'a>, event: &'a Log) -> Result<(), StoreError> {
        let Sender { batch, .. } = sender;
        let service = self.service(sender, event.service)?;
        let trace_id = event.trace_id.map(|id| RowId::of(batch, id));
        let row = LogRow {
            seq: self.seq(),
            service,
            resource: sender.resource,
            ts: event.timestamp,
            trace_id,
            transaction_id: event.transaction_id.map(|id| RowId::of(batch, id)),
            span_id: event.span_id.map(|id| RowId::of(batch, id)),
            level: batch.opt(event.level).unwrap_or_default(),
        };
        self.logs.push(self.conn, row)?;
        let document = Document {
            kind: Kind::Log,
            stack: 0,
            json: batch.text(event.rest),
        };
        self.document(sender, event.timestamp, trace_id, document)
    }
}

/// What a span says of its destination and statement.
fn observation(event: &Span) -> Observation {
    let (of, sum) = event.composite.map_or((1, event.duration), |composite| {
        (composite.count, composite.sum)
    });
    Observation {
        ts: event.timestamp,
        result: 0,
        outcome: event.outcome,
        count: weight(event.sample_rate) * of as f64,
        n: 1,
        sum,
        of,
    }
}
