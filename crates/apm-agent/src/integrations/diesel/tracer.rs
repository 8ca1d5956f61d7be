//! From Diesel's events to spans, for one connection.
//!
//! Two things about Diesel 2.3 shape it (canary tests pin both): of a query whose values cannot be bound there is no
//! `FinishQuery`, and on SQLite a failed *load* finishes without an error. So an open query is kept on its thread, where it
//! fails as soon as the code that made it is over.

use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::{DebugQuery, Instrumentation, InstrumentationEvent};

use super::statement::{Statements, write_sql};
use crate::context;
use crate::outcome::Outcome;
use crate::span::{Call, LeafSpan};
use crate::span_kind::{SpanKind, Tail};

/// The text with which r2d2 tests a connection.
const PING: &str = "SELECT 1";
/// Capacity of the text buffer that is kept between queries.
const KEPT_CAPACITY: usize = 16 * 1024;

/// The instrumentation of one connection.
#[derive(Debug)]
pub(super) struct Tracer {
    pub(super) statements: Statements,
    sql: String,
    /// This connection among those of the process.
    number: u64,
    /// The memory of a query that has ended.
    spare: Option<Box<Call>>,
    /// Nesting of database transactions.
    depth: u32,
    /// Whether the bind values of SELECTs are hashed.
    pub(super) hash_binds: bool,
}

impl Tracer {
    pub(super) fn new(kind: Arc<SpanKind>, instance: Option<&str>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            statements: Statements::new(kind, instance),
            sql: String::new(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            spare: None,
            depth: 0,
            hash_binds: false,
        }
    }

    fn start(&mut self, query: &dyn DebugQuery) {
        // The query before was never finished.
        if let Some(mut before) = self.running() {
            before.fail();
        }
        let Some(mut span) = LeafSpan::begin(self.statements.kind()) else {
            return;
        };
        if !span.admitted() {
            self.runs(span, None);
            return;
        }
        let mut sql = mem::take(&mut self.sql);
        span.bind_hash = write_sql(&mut sql, query, self.hash_binds);
        let ping = sql == PING && self.depth == 0;
        if ping {
            span.forget();
        } else {
            let tail = Some(self.statements.tail(&sql));
            self.runs(span, tail);
        }
        if sql.capacity() <= KEPT_CAPACITY {
            self.sql = sql;
        }
    }

    fn runs(&mut self, span: LeafSpan, tail: Option<Arc<Tail>>) {
        let spare = self.spare.take();
        let mut call = spare.unwrap_or_else(|| Call::of(self.number));
        call.begin(span, tail);
        let too_many = context::unfinished(|unfinished| unfinished.push(call)).flatten();
        if let Some(mut oldest) = too_many {
            oldest.fail();
        }
    }

    /// The query that this connection is running.
    fn running(&self) -> Option<Box<Call>> {
        context::unfinished(|unfinished| unfinished.take(self.number)).flatten()
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(mut query) = self.running() {
            query.end(outcome);
            self.spare = Some(query);
        }
    }
}

impl Instrumentation for Tracer {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => self.start(query),
            InstrumentationEvent::CacheQuery { .. } => {
                context::unfinished(|unfinished| unfinished.heard_of(self.number));
            }
            InstrumentationEvent::FinishQuery { error, .. } => {
                self.finish(Outcome::failed(error.is_some()))
            }
            InstrumentationEvent::BeginTransaction { depth, .. } => self.depth = depth.get(),
            InstrumentationEvent::CommitTransaction { depth, .. }
            | InstrumentationEvent::RollbackTransaction { depth, .. } => {
                self.depth = depth.get() - 1
            }
            _ => {}
        }
    }
}
