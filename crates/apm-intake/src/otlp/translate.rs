//! From items to events, as Elastic's server would make them.

mod batches;
mod error;
mod ids;
mod log;
mod metrics;
mod parents;
mod sender;
mod span;
mod span_event;
mod stack;
mod weight;

use super::bounds::MAX_ITEM;
use super::model::{LogRecord, Metric, Point, Resource, Scope, Span};
use super::sink::Sink;
use super::{Export, Signal};
use batches::Batches;
use metrics::Sets;
use parents::Parents;
use sender::{ScopeFacts, Sender};

/// Makes events of the items of one body.
#[derive(Debug)]
pub(super) struct Translator {
    signal: Signal,
    out: Batches,
    sender: Sender,
    scope: ScopeFacts,
    parents: Parents,
    sets: Sets,
    /// The memory that the events may take, bytes.
    memory: usize,
    rejected: Rejected,
    /// Used again for each event.
    json: String,
}

/// Items of which no event is made.
#[derive(Debug, Default)]
struct Rejected {
    count: u64,
    /// Why the first was not.
    reason: Option<String>,
}

impl Rejected {
    fn add(&mut self, reason: impl FnOnce() -> String) {
        self.count += 1;
        self.reason.get_or_insert_with(reason);
    }
}

impl Translator {
    /// `received`: when the body came, µs since the epoch. `memory`: the most that its events may take, bytes.
    pub(super) fn new(signal: Signal, received: i64, memory: usize) -> Self {
        Self {
            signal,
            out: Batches::new(received),
            sender: Sender::default(),
            scope: ScopeFacts::default(),
            parents: Parents::default(),
            sets: Sets::default(),
            memory,
            rejected: Rejected::default(),
            json: String::new(),
        }
    }

    /// The events of the body.
    pub(super) fn finish(mut self) -> Export {
        self.end_scope();
        let mut batches = self.out.finish();
        // A parent may stand behind its children, so they are resolved at the end of the body.
        self.parents.resolve(&mut batches);
        Export {
            batches,
            rejected: self.rejected.count,
            reason: self.rejected.reason,
        }
    }

    /// Points of one scope, time and set of attributes are one event, so they wait for each other.
    fn end_scope(&mut self) {
        let out = &mut self.out;
        let left_out = self.sets.drain(&self.sender, &self.scope, out, self.memory);
        for _ in 0..left_out {
            self.rejected.add(crowded);
        }
    }

    /// Whether one more event would take more memory than there is for the body.
    fn is_full(&self) -> bool {
        self.out.bytes() + self.sets.bytes() >= self.memory
    }

    /// The same, where an item that finds no room is counted.
    fn refuses(&mut self) -> bool {
        let is_full = self.is_full();
        if is_full {
            self.rejected.add(crowded);
        }
        is_full
    }
}

/// The reason why the rest of a body is left out.
fn crowded() -> String {
    "the events before it take all of the memory that a body of this length may take".to_owned()
}

impl Sink for Translator {
    fn resource(&mut self, resource: &Resource<'_>) {
        self.end_scope();
        self.scope = ScopeFacts::default();
        self.sender = Sender::from_resource(resource, self.out.received());
        self.out.begin(&self.sender.resource);
    }

    fn scope(&mut self, scope: &Scope<'_>) {
        self.end_scope();
        self.scope = ScopeFacts::from_scope(scope);
    }

    fn span(&mut self, span: &Span<'_>) {
        if !self.refuses() {
            span::translate(self, span);
        }
    }

    fn log(&mut self, record: &LogRecord<'_>) {
        if !self.refuses() {
            log::translate(self, record);
        }
    }

    fn point(&mut self, metric: &Metric<'_>, point: &Point<'_>) {
        if self.refuses() {
            return;
        }
        if let Err(reason) = self.sets.add(metric, point) {
            let name = super::shown(&metric.name);
            self.rejected
                .add(|| format!("data point of metric \"{name}\": {reason}"));
        }
    }

    fn oversized(&mut self, length: usize) {
        let item = match self.signal {
            Signal::Metrics => "data point",
            signal => signal.item(),
        };
        self.rejected
            .add(|| format!("a {item} has {length} bytes, and {MAX_ITEM} are the most"));
    }
}
