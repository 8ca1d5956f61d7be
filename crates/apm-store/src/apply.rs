//! Events → rows, documents and counts, inside of the writer's transaction.

mod calls;
mod error;
mod instance;
mod labels;
mod log;
mod memory;
mod metricset;
mod overflow;
mod seen;
mod shared_ids;
mod span;
mod transaction;
mod vitals;

use std::collections::{HashMap, HashSet};

use diesel::SqliteConnection;
use foldhash::fast::RandomState;

use super::block::{Document, SLOTS};
use super::checksum::Checksum;
use super::dictionary::{Destination, Given, Resource, Service, Stack, TxGroup};
use super::error::StoreError;
use super::insert::Rows;
use super::limits::{Beyond, NameKind};
use super::rows::{
    BlockRow, ErrorRow, LogRow, MetricsetRow, RowId, SampleRow, SentTimeRow, SpanRow, SpanTraceRow,
    TraceAtRow, TxRow,
};
use super::trace_index;
use crate::event::{Batch, Event, ServiceOverride, Text};
use crate::rollup::Rollup;
pub(super) use calls::Unresolved;
pub(super) use memory::Memory;
pub(super) use metricset::{MAX_LABELS, MAX_UNIT, follow_reading};
use overflow::Overflow;

/// The counts that batches add to the rollups.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) rollup: Rollup,
    /// When the last batch arrived, seconds since the epoch.
    pub(super) received: i64,
    /// Names that are counted under `_other`.
    pub(super) beyond: Beyond,
    /// Events with a time that cannot be.
    pub(super) wrong_times: u64,
    /// Calls that were not counted for a service.
    pub(super) unresolved: Unresolved,
}

/// The sender of the event at hand.
#[derive(Clone, Copy, Debug)]
struct Sender<'a> {
    batch: &'a Batch,
    /// The service of its metadata.
    service: Given,
    resource: i64,
    /// The hash of its resource, which is the same in all stores.
    process: i64,
    /// When the batch arrived, seconds since the epoch.
    received: i64,
}

/// One transaction's worth of rows.
struct Pass<'m, 'a> {
    memory: &'m mut Memory,
    conn: &'m mut SqliteConnection,
    rollup: Rollup,
    received: i64,
    beyond: Beyond,
    overflow: Overflow<'a>,
    /// Labels of the batch at hand whose names are beyond the limit.
    labels: HashSet<&'a str>,
    /// Ids of stack traces of the batch at hand, by their places in it.
    stacks: HashMap<Text, i64, RandomState>,
    /// The trace of the event before, where that is in the same block.
    last_trace: Option<RowId<'a>>,
    wrong_times: u64,
    checksum: Checksum,
    tx: Rows<TxRow<'a>>,
    spans: Rows<SpanRow<'a>>,
    span_traces: Rows<SpanTraceRow<'a>>,
    errors: Rows<ErrorRow<'a>>,
    logs: Rows<LogRow<'a>>,
    metricsets: Rows<MetricsetRow>,
    samples: Rows<SampleRow>,
    sent_times: Rows<SentTimeRow>,
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
            beyond: Beyond::default(),
            overflow: Overflow::default(),
            labels: HashSet::new(),
            stacks: HashMap::default(),
            last_trace: None,
            wrong_times: 0,
            checksum: Checksum::default(),
            tx: Rows::new(),
            spans: Rows::new(),
            span_traces: Rows::new(),
            errors: Rows::new(),
            logs: Rows::new(),
            metricsets: Rows::new(),
            samples: Rows::new(),
            sent_times: Rows::new(),
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
        let given = names.services.given(self.conn, received, &service)?;
        let resource = Resource {
            service: given.id,
            document: &reporter.document,
        };
        let process = resource.process();
        let resource = match names.resources.known(received, &resource) {
            Some(id) => id,
            None => {
                // `_other` has no attributes of its own.
                if !given.beyond {
                    service.refresh(given.id, self.conn)?;
                }
                names.resources.id(self.conn, received, &resource)?
            }
        };
        let labels = &mut self.memory.labels;
        let is_beyond = |name: &&str| !labels.takes(given.id, *name);
        self.labels = batch.labels().filter(is_beyond).collect();
        self.stacks.clear();
        let sender = Sender {
            batch,
            service: given,
            resource,
            process,
            received,
        };
        // Both are in the order of the events, so one pass finds the times that were sent.
        let mut sent = batch.sent.iter().peekable();
        for (place, event) in (0u32..).zip(&batch.events) {
            if let Some((_, sent)) = sent.next_if(|sent| sent.0 == place) {
                let (seq, sent) = (self.seq(), *sent);
                self.sent_times.push(self.conn, SentTimeRow { seq, sent })?;
                self.wrong_times += 1;
            }
            match event {
                Event::Transaction(event) => self.transaction(sender, event)?,
                Event::Span(event) => {
                    let following = &batch.events[place as usize + 1..];
                    self.span(sender, event, following)?;
                }
                Event::Error(event) => self.error(sender, event)?,
                Event::Metricset(event) => self.metricset(sender, event)?,
                Event::Log(event) => self.log(sender, event)?,
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Counted, StoreError> {
        // The block is written before it is full: an event can be read from its commit on. The next commit replaces it.
        if self.memory.block.facts().events > 0 {
            self.put_block()?;
        }
        self.tx.flush(self.conn)?;
        self.spans.flush(self.conn)?;
        self.span_traces.flush(self.conn)?;
        self.errors.flush(self.conn)?;
        self.logs.flush(self.conn)?;
        self.metricsets.flush(self.conn)?;
        self.samples.flush(self.conn)?;
        self.sent_times.flush(self.conn)?;
        self.trace_at.flush(self.conn)?;
        self.blocks.flush(self.conn)?;
        Ok(Counted {
            rollup: self.rollup,
            received: self.received,
            beyond: self.beyond,
            wrong_times: self.wrong_times,
            unresolved: self.memory.calls.take_unresolved(),
        })
    }

    /// The number of the event at hand.
    fn seq(&self) -> i64 {
        self.memory.next
    }

    /// Stores what is not in columns, with the checksum of these, and moves on to the next number.
    fn document(
        &mut self,
        sender: Sender<'a>,
        ts: i64,
        trace: Option<RowId<'a>>,
        document: Document<'_>,
        checksum: u32,
    ) -> Result<(), StoreError> {
        let seq = self.seq();
        // A trace has one entry for each block that it has events in, however many these are. Most of its events come
        // one after the other.
        if let Some(trace) = trace.filter(|trace| self.last_trace != Some(*trace)) {
            self.last_trace = Some(trace);
            let key = trace_index::key(trace_index::segment(seq), trace.hash());
            if self.memory.traces.insert(key) {
                let block = seq / SLOTS;
                self.trace_at.push(self.conn, TraceAtRow { key, block })?;
            }
        }
        // Labels go first: they take parsing the document, and `overflow` is added to its end as text.
        let without = labels::take_out(document.json, &self.labels).map(|(without, labels)| {
            self.beyond.count(NameKind::Label);
            self.overflow.labels(labels);
            without
        });
        let json = without.as_deref().unwrap_or(document.json);
        let whole = self.overflow.take(json);
        let json = whole.as_deref().unwrap_or(json);
        let document = Document { json, ..document };
        self.memory
            .block
            .push(sender.received, ts, document, checksum);
        self.memory.next += 1;
        if self.memory.block.is_full() {
            self.put_block()?;
            self.memory.block.clear();
            self.memory.traces.clear();
            self.memory.shared_ids.clear();
            self.last_trace = None;
            // A block that grew large leaves numbers unused.
            self.memory.next = (seq / SLOTS + 1) * SLOTS;
        }
        Ok(())
    }

    fn put_block(&mut self) -> Result<(), StoreError> {
        let block = &self.memory.block;
        let (data, sums) = block.pack(&mut self.memory.packer.borrow_mut());
        // The next number may already be in the following block; the last one used is not.
        let id = (self.memory.next - 1) / SLOTS;
        let row = BlockRow::new(id, block.facts(), data, sums);
        Ok(self.blocks.push(self.conn, row)?)
    }

    /// The service that an event belongs to: its own, else that of its metadata.
    fn service(&mut self, sender: Sender<'a>, named: ServiceOverride) -> Result<i64, StoreError> {
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
        // Most events are of the metadata's service, which was looked up once for the batch.
        let given = if named == ServiceOverride::default() {
            sender.service
        } else {
            let services = &mut self.memory.names.services;
            services.given(self.conn, sender.received, &service)?
        };
        // Its document keeps the name that was sent: `_other` alone would not tell whose event it is.
        if given.beyond {
            self.beyond.count(NameKind::Service);
            self.overflow.push("service.name", service.name);
            self.overflow
                .push("service.environment", service.environment);
        }
        Ok(given.id)
    }

    fn tx_group(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        kind: &str,
        name: &str,
    ) -> Result<Given, StoreError> {
        let group = TxGroup {
            service,
            kind,
            name,
        };
        let groups = &mut self.memory.names.tx_groups;
        let given = groups.given(self.conn, sender.received, &group)?;
        if given.beyond {
            self.beyond.count(NameKind::Transaction);
        }
        Ok(given)
    }

    /// The id of what a span calls.
    fn destination(
        &mut self,
        received: i64,
        destination: &Destination<'_>,
    ) -> Result<i64, StoreError> {
        let destinations = &mut self.memory.names.destinations;
        let given = destinations.given(self.conn, received, destination)?;
        if given.beyond {
            self.beyond.count(NameKind::Destination);
        }
        Ok(given.id)
    }

    fn stack(&mut self, sender: Sender<'a>, stack: Text) -> Result<i64, StoreError> {
        // A batch holds a trace once, however many of its events have it, so its place tells which one it is.
        if let Some(id) = self.stacks.get(&stack) {
            return Ok(*id);
        }
        let entry = Stack {
            json: sender.batch.text(stack),
            packer: &self.memory.packer,
        };
        let stacks = &mut self.memory.names.stacks;
        let id = stacks.id(self.conn, sender.received, &entry)?;
        self.stacks.insert(stack, id);
        Ok(id)
    }
}
