//! From Diesel's events to spans, for one connection.
//!
//! Two things about Diesel 2.3 shape it (canary tests pin both): of a query whose values cannot be bound there is no
//! `FinishQuery`, and on SQLite a failed *load* finishes without an error. So an open query is kept on its thread,
//! where it fails as soon as the code that made it is over. A connection whose queries may change threads keeps them
//! itself.
//!
//! If SQLite reports what it does (`reports`), it also has the statement's text, which it reports before
//! `FinishQuery`. Elsewhere Diesel writes the text when the query begins. The statements by which Diesel begins and
//! ends its transactions are announced by an event of their own, and mostly are those of the transaction before.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::{DebugQuery, Instrumentation, InstrumentationEvent};

#[cfg(feature = "sqlite-meter")]
use super::expected::{Expected, Query};
#[cfg(feature = "sqlite-meter")]
use super::reports::Reports;
use super::statement::{Facts, Reported, Statement, Statements, write_sql};
use crate::recording::binds::Binds;
use crate::recording::context;
use crate::recording::finished_span::QueryDetails;
use crate::recording::leaf_span::Call;
use crate::recording::outcome::Outcome;
use crate::recording::span_kind::{SpanKind, Tail};
use crate::util::clock::Moment;
use crate::util::{Mutex, lock};

/// Capacity of the text buffer that is kept between queries.
const KEPT_CAPACITY: usize = 16 * 1024;

/// The state that the instrumentation of a connection shares with its database. No code of the service runs under
/// its lock.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) statements: Statements,
    #[cfg(feature = "sqlite-meter")]
    pub(super) reports: Reports,
}

impl Shared {
    pub(super) fn new(statements: Statements) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            statements,
            #[cfg(feature = "sqlite-meter")]
            reports: Reports::default(),
        }))
    }
}

/// The instrumentation of one connection.
#[derive(Debug)]
pub(super) struct Tracer {
    kind: Arc<SpanKind>,
    shared: Arc<Mutex<Shared>>,
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
    #[cfg(feature = "sqlite-meter")]
    meter: Option<Meter>,
}

/// A statement as Diesel writes it, and what is known of its values.
#[derive(Debug)]
struct Written {
    statement: Arc<Statement>,
    binds: Binds,
}

#[cfg(feature = "sqlite-meter")]
#[derive(Debug, Default)]
struct Meter {
    expected: Expected,
    /// Whether reports are collected.
    open: bool,
}

impl Tracer {
    pub(super) fn new(kind: Arc<SpanKind>, shared: Arc<Mutex<Shared>>, hash_binds: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            kind,
            shared,
            sql: String::new(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            spare: None,
            any_thread: false,
            held: None,
            depth: 0,
            hash_binds,
            written: None,
            #[cfg(feature = "sqlite-meter")]
            meter: None,
        }
    }

    /// Keeps the query that runs here and not on its thread, which it may leave.
    pub(super) fn on_any_thread(mut self) -> Self {
        self.any_thread = true;
        self
    }

    /// Says whether the connection's database reports on its statements.
    #[cfg(feature = "sqlite-meter")]
    pub(super) fn measured(mut self, measured: bool) -> Self {
        self.meter = measured.then(Meter::default);
        self
    }

    fn start(&mut self, query: &dyn DebugQuery) {
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
        let expected = self.expect(query, wanted);
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

    /// A query begins. Has its statements reported if they are wanted, and returns the tail of the statement that it is
    /// expected to be, if its text is to come from the database.
    #[cfg(feature = "sqlite-meter")]
    fn expect(&mut self, query: &dyn DebugQuery, wanted: bool) -> Option<Arc<Tail>> {
        let meter = self.meter.as_mut()?;
        meter.expected.run(query);
        if !wanted {
            // Nobody takes the reports of a query without a span, so they are switched off.
            if mem::take(&mut meter.open) {
                lock(&self.shared).reports = Reports::default();
            }
            return None;
        }
        meter.open = true;
        let expected = meter.expected.statement();
        let tail = expected.map(|it| Arc::clone(&it.tail));
        lock(&self.shared).reports.open(expected);
        tail
    }

    #[cfg(not(feature = "sqlite-meter"))]
    fn expect(&mut self, _: &dyn DebugQuery, _: bool) -> Option<Arc<Tail>> {
        None
    }

    /// Diesel will run this query next.
    #[cfg(feature = "sqlite-meter")]
    fn announce(&mut self, query: Query) {
        if let Some(meter) = &mut self.meter {
            meter.expected.announce(query);
        }
    }

    /// Diesel keeps the prepared statement of the query that runs.
    fn is_kept(&mut self) {
        context::unfinished(|unfinished| unfinished.heard_of(self.number));
        #[cfg(feature = "sqlite-meter")]
        if let Some(meter) = &mut self.meter {
            meter.expected.is_kept();
        }
    }

    /// Whether a query's text may come without its values.
    #[cfg(feature = "sqlite-meter")]
    fn is_measured(&self) -> bool {
        self.meter.is_some()
    }

    #[cfg(not(feature = "sqlite-meter"))]
    fn is_measured(&self) -> bool {
        false
    }

    /// The query that runs is known to have this text.
    #[cfg(feature = "sqlite-meter")]
    fn learn(&mut self, statement: &Arc<Statement>) {
        if let Some(meter) = &mut self.meter {
            meter.expected.learn(statement);
        }
    }

    #[cfg(not(feature = "sqlite-meter"))]
    fn learn(&mut self, _: &Arc<Statement>) {}

    /// Has Diesel write a query.
    fn write(&mut self, query: &dyn DebugQuery) -> Written {
        let mut sql = mem::take(&mut self.sql);
        let hash = write_sql(&mut sql, query, self.hash_binds);
        let written = Written {
            statement: lock(&self.shared).statements.get(&sql),
            binds: hash.map_or(Binds::Unknown, Binds::Same),
        };
        self.keep(sql);
        written
    }

    /// The hash of a query's values.
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
        let again = asks && self.is_measured() && call.asks_again(facts.hash);
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

    /// The statement of a query that is not the one that was expected, or whose text Diesel has to write.
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

    /// The database's report on the query that has ended. `written`: a hash of its text, if Diesel has written it.
    #[cfg(feature = "sqlite-meter")]
    fn reported(&self, written: Option<u64>, details: &mut QueryDetails) -> Reported {
        // Nothing was asked to be reported where the database is not measured.
        if self.meter.is_none() {
            return Reported::Nothing;
        }
        lock(&self.shared).reports.close(written, details)
    }

    #[cfg(not(feature = "sqlite-meter"))]
    fn reported(&self, _: Option<u64>, _: &mut QueryDetails) -> Reported {
        Reported::Nothing
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if let Some(mut call) = self.held.take() {
            call.fail();
        }
    }
}

impl Instrumentation for Tracer {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => self.start(query),
            InstrumentationEvent::CacheQuery { .. } => self.is_kept(),
            InstrumentationEvent::FinishQuery { query, error, .. } => {
                self.finish(query, Outcome::failed(error.is_some()));
            }
            InstrumentationEvent::BeginTransaction { depth, .. } => {
                self.depth = depth.get();
                #[cfg(feature = "sqlite-meter")]
                self.announce(Query::Begin);
            }
            InstrumentationEvent::CommitTransaction { depth, .. } => {
                self.depth = depth.get() - 1;
                #[cfg(feature = "sqlite-meter")]
                self.announce(Query::Commit);
            }
            InstrumentationEvent::RollbackTransaction { depth, .. } => {
                self.depth = depth.get() - 1;
            }
            _ => {}
        }
    }
}
