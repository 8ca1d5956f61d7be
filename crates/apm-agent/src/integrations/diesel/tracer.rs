//! From Diesel's events to spans, for one connection.
//!
//! Two things about Diesel 2.3 shape it (canary tests pin both): a failed bind emits no `FinishQuery`, so an open query is closed as unknown when
//! the next one starts; and on SQLite a failed *load* finishes without an error.

use std::mem;
use std::sync::Arc;

use diesel::connection::{DebugQuery, Instrumentation, InstrumentationEvent};

use super::statement::{Statements, write_sql};
use crate::outcome::Outcome;
use crate::span::LeafSpan;
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
    open: Option<Open>,
    /// Nesting of database transactions.
    depth: u32,
    /// Whether the bind values of SELECTs are hashed.
    pub(super) hash_binds: bool,
}

/// A query that has started.
#[derive(Debug)]
struct Open {
    span: LeafSpan,
    /// `None` over the span limit, where the statement is not even formatted.
    tail: Option<Arc<Tail>>,
}

impl Tracer {
    pub(super) fn new(kind: Arc<SpanKind>, instance: Option<&str>) -> Self {
        Self {
            statements: Statements::new(kind, instance),
            sql: String::new(),
            open: None,
            depth: 0,
            hash_binds: false,
        }
    }

    fn start(&mut self, query: &dyn DebugQuery) {
        // The query before was never finished: binding its values failed.
        self.finish(Outcome::Unknown);
        let Some(mut span) = LeafSpan::begin(self.statements.kind()) else {
            return;
        };
        if !span.admitted() {
            self.open = Some(Open { span, tail: None });
            return;
        }
        let mut sql = mem::take(&mut self.sql);
        span.bind_hash = write_sql(&mut sql, query, self.hash_binds);
        let ping = sql == PING && self.depth == 0;
        if ping {
            span.forget();
        } else {
            let tail = Some(self.statements.tail(&sql));
            self.open = Some(Open { span, tail });
        }
        if sql.capacity() <= KEPT_CAPACITY {
            self.sql = sql;
        }
    }

    fn finish(&mut self, outcome: Outcome) {
        if let Some(Open { span, tail }) = self.open.take() {
            span.end(outcome, tail);
        }
    }
}

impl Instrumentation for Tracer {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => self.start(query),
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
