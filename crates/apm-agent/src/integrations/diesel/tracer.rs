//! From Diesel's events to spans, for one connection.
//!
//! Two things about Diesel 2.3 shape it (canary tests pin both): of a query whose values cannot be bound there is no
//! `FinishQuery`, and on SQLite a failed *load* finishes without an error. So an open query is kept on its thread,
//! where it fails as soon as the code that made it is over. A connection whose queries may change threads keeps them
//! itself.
//!
//! If SQLite reports what it does (`tracer/measured.rs`), it also has the statement's text, which it reports before
//! `FinishQuery`. Elsewhere Diesel writes the text when the query begins. The statements by which Diesel begins and
//! ends its transactions are announced by an event of their own, and mostly are those of the transaction before.

#[cfg(feature = "sqlite-meter")]
mod measured;
#[cfg(not(feature = "sqlite-meter"))]
#[path = "tracer/unmeasured.rs"]
mod measured;

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::{DebugQuery, Instrumentation, InstrumentationEvent};

use super::statement::{Facts, Reported, Statement, Statements, write_sql};
use crate::recording::binds::Binds;
use crate::recording::context;
use crate::recording::finished_span::QueryDetails;
use crate::recording::leaf_span::Call;
use crate::recording::outcome::Outcome;
use crate::recording::span_kind::SpanKind;
use crate::util::clock::Moment;
use measured::{Meter, Switch};

/// Capacity of the text buffer that is kept between queries.
const KEPT_CAPACITY: usize = 16 * 1024;

/// The instrumentation of one connection.
#[derive(Debug)]
pub(super) struct Tracer {
    kind: Arc<SpanKind>,
    statements: Statements,
    sql: String,
    /// This connection among those of the process.
    number: u64,
    /// The memory of a query that has ended; `None` while one runs, and before the first.
    spare: Option<Box<Call>>,
    /// Whether a query may end on another thread than that on which it began.
    any_thread: bool,
    /// The query that runs, if it may end on any thread; others are kept on theirs.
    held: Option<Box<Call>>,
    /// Nesting of database transactions.
    depth: u32,
    /// Whether the bind values of SELECTs are hashed.
    hash_binds: bool,
    /// The text of the query that runs, if Diesel has written it.
    written: Option<Written>,
    /// The state for a database that reports on its statements.
    meter: Option<Meter>,
}

/// A statement as Diesel writes it, and what is known of its values.
#[derive(Debug)]
struct Written {
    statement: Arc<Statement>,
    binds: Binds,
}

impl Tracer {
    pub(super) fn new(kind: Arc<SpanKind>, statements: Statements, hash_binds: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            kind,
            statements,
            sql: String::new(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            spare: None,
            any_thread: false,
            held: None,
            depth: 0,
            hash_binds,
            written: None,
            meter: None,
        }
    }

    /// Keeps the query that runs here and not on its thread, which it may leave.
    pub(super) fn on_any_thread(mut self) -> Self {
        self.any_thread = true;
        self
    }

    fn start(&mut self, query: &dyn DebugQuery, switch: Switch<'_>) {
        // The query before was never finished: it has not given its memory back.
        if self.spare.is_none()
            && let Some(mut before) = self.running()
        {
            before.fail();
        }
        self.written = None;
        let spare = self.spare.take();
        let mut call = spare.unwrap_or_else(|| Call::new(self.number));
        let begun = context::begin_call(&mut call, &self.kind);
        let wanted = begun && call.admitted();
        let expected = self.expect(query, wanted, switch);
        if !begun {
            self.spare = Some(call);
            return;
        }
        match expected {
            _ if !wanted => {}
            Some(expected) => call.expect(expected),
            None => {
                let written = self.write(query);
                if written.statement.facts.is_ping && self.depth == 0 {
                    self.learn(&written.statement);
                    call.forget();
                    self.spare = Some(call);
                    return;
                }
                call.expect(Arc::clone(&written.statement.tail));
                self.written = Some(written);
            }
        }
        self.runs(call);
    }

    /// Diesel keeps the prepared statement of the query that runs.
    fn is_kept(&mut self) {
        context::unfinished(|unfinished| unfinished.heard_of(self.number));
        if let Some(meter) = &mut self.meter {
            meter.is_kept();
        }
    }

    /// Has Diesel write a query.
    #[inline(never)]
    fn write(&mut self, query: &dyn DebugQuery) -> Written {
        let mut sql = mem::take(&mut self.sql);
        let hash = write_sql(&mut sql, query, self.hash_binds);
        let written = Written {
            statement: self.statements.get(&sql),
            binds: hash.map_or(Binds::Unknown, Binds::Same),
        };
        self.keep(sql);
        written
    }

    /// The hash of a query's values.
    #[inline(never)]
    fn hash(&mut self, query: &dyn DebugQuery) -> Binds {
        let mut sql = mem::take(&mut self.sql);
        let hash = write_sql(&mut sql, query, true);
        self.keep(sql);
        hash.map_or(Binds::Unknown, Binds::Same)
    }

    fn keep(&mut self, buffer: String) {
        if buffer.capacity() <= KEPT_CAPACITY {
            self.sql = buffer;
        }
    }

    fn runs(&mut self, call: Box<Call>) {
        if self.any_thread {
            self.held = Some(call);
            return;
        }
        let too_many = context::unfinished(|unfinished| unfinished.push(call)).flatten();
        if let Some(mut oldest) = too_many {
            oldest.fail();
        }
    }

    /// The query that this connection is running.
    fn running(&mut self) -> Option<Box<Call>> {
        if self.any_thread {
            return self.held.take();
        }
        context::unfinished(|unfinished| unfinished.take(self.number)).flatten()
    }

    fn finish(&mut self, query: &dyn DebugQuery, outcome: Outcome) {
        // No query runs of which a span was begun.
        if self.spare.is_some() {
            return;
        }
        let Some(mut call) = self.running() else {
            return;
        };
        let end = Moment::now();
        let mut details = QueryDetails::default();
        if call.admitted() && !self.describe(&mut call, query, outcome, &mut details) {
            context::unfinished(|unfinished| unfinished.take_back(&call));
            call.forget();
        } else {
            call.end_at(end, outcome, &details);
        }
        self.spare = Some(call);
    }

    /// Says which query has ended and what else is known of it; `false` for a ping, of which there is to be no span.
    #[inline]
    fn describe(
        &mut self,
        call: &mut Call,
        query: &dyn DebugQuery,
        outcome: Outcome,
        details: &mut QueryDetails,
    ) -> bool {
        let hash = self.written.as_ref().map(|it| it.statement.facts.hash);
        let (facts, binds) = match self.reported(hash, details) {
            #[cfg(feature = "sqlite-meter")]
            Reported::Expected(facts) if hash.is_none() => (facts, None),
            reported => self.identify(call, query, reported, details),
        };
        if self.depth == 0 && facts.is_ping {
            return false;
        }
        let asks = facts.asks && self.hash_binds;
        let again = asks && self.meter.is_some() && call.asks_again(facts.hash);
        details.binds = match binds {
            Some(binds) => binds,
            None if again => self.hash(query),
            None if asks => Binds::First,
            None => Binds::Unknown,
        };
        // Otherwise the number may be that of an earlier statement.
        if outcome != Outcome::Success || !facts.shows_rows {
            details.rows = None;
        }
        true
    }

    /// The statement of a query that was not expected, or whose text Diesel has written or has to write.
    #[inline(never)]
    fn identify(
        &mut self,
        call: &mut Call,
        query: &dyn DebugQuery,
        reported: Reported,
        details: &mut QueryDetails,
    ) -> (Facts, Option<Binds>) {
        let (statement, binds) = match (self.written.take(), reported) {
            (Some(Written { statement, binds }), _) => (statement, Some(binds)),
            #[cfg(feature = "sqlite-meter")]
            (None, Reported::Other(statement)) => (statement, None),
            (None, _) => {
                let Written { statement, binds } = self.write(query);
                self.reported(Some(statement.facts.hash), details);
                (statement, Some(binds))
            }
        };
        call.expect(Arc::clone(&statement.tail));
        self.learn(&statement);
        (statement.facts, binds)
    }

    #[inline]
    fn on_event(&mut self, event: InstrumentationEvent<'_>, switch: Switch<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => self.start(query, switch),
            InstrumentationEvent::CacheQuery { .. } => self.is_kept(),
            InstrumentationEvent::FinishQuery { query, error, .. } => {
                self.finish(query, Outcome::failed(error.is_some()));
            }
            InstrumentationEvent::BeginTransaction { depth, .. } => {
                self.depth = depth.get();
                self.begins_transaction();
            }
            InstrumentationEvent::CommitTransaction { depth, .. } => {
                self.depth = depth.get() - 1;
                self.commits_transaction();
            }
            InstrumentationEvent::RollbackTransaction { depth, .. } => {
                self.depth = depth.get() - 1;
            }
            _ => {}
        }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if let Some(mut call) = self.held.take() {
            call.fail();
        }
    }
}

/// Of a connection whose database does not report.
impl Instrumentation for Tracer {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        self.on_event(event, Switch::default());
    }
}
