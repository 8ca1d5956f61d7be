//! SQLite as other clients than Diesel ask it, such as rusqlite: a span per statement, with what SQLite did for it.
//!
//! Such a client has no instrumentation, so all is known when a statement has ended: SQLite reports it on the thread
//! that ran it. It cannot be told of failures.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use sqlite_meter::{AttachError, Finished, Options};

use super::database::Database;
use super::meter;
use super::reports::cost;
use super::statement::Statements;
use crate::agent::Agent;
use crate::recording::binds::Binds;
use crate::recording::context;
use crate::recording::cost::ROWS_RETURNED;
use crate::recording::db_span;
use crate::recording::finished_span::QueryDetails;
use crate::recording::leaf_span::LeafSpan;
use crate::recording::outcome::Outcome;
use crate::recording::span_kind::SpanKind;
use crate::util::clock::Moment;

/// A connection is not traced.
#[derive(Debug, thiserror::Error)]
#[error("queries of the connection are not recorded")]
pub struct NotMeasured(#[source] AttachError);

impl Agent {
    /// Traces connections of other clients of SQLite than Diesel, such as rusqlite; see [`Sqlite::instrument`].
    /// `database` is the file: spans show its name without its folder.
    ///
    /// Only connections that are opened behind this call can be traced.
    #[must_use]
    pub fn sqlite(&self, database: impl Into<String>) -> Sqlite {
        if self.is_enabled() {
            meter::install();
        }
        Sqlite {
            agent: self.clone(),
            database: database.into(),
        }
    }
}

/// Traces connections of SQLite; see [`Agent::sqlite`].
#[derive(Clone)]
pub struct Sqlite {
    agent: Agent,
    database: String,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Traces a connection: each of its statements is a span, with what SQLite did for it, as those of Diesel's
    /// connections are. `run` is to run the SQL that it gets on the connection, at once and on this thread; by this the
    /// agent finds it.
    ///
    /// A statement belongs to the transaction of the thread that runs it: [`Context`](crate::Context) takes that along.
    /// Its span ends when its rows are read or given up. SQLite does not say whether it failed, so it never has. It has
    /// one observer for a connection: `Connection::trace_v2` and `profile` of rusqlite would replace the agent.
    ///
    /// ```ignore
    /// let sqlite = agent.sqlite("pets.db");
    /// let connection = rusqlite::Connection::open("pets.db")?;
    /// sqlite.instrument(|sql| connection.execute_batch(sql))?;
    /// ```
    ///
    /// # Errors
    /// If the connection was opened before [`Agent::sqlite`] was called, or the SQL was not run on it.
    pub fn instrument<E>(&self, run: impl FnOnce(&str) -> Result<(), E>) -> Result<(), NotMeasured>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        if !self.agent.is_enabled() {
            return Ok(());
        }
        let database = Database::parse("sqlite", &self.database);
        let instance = database.instance.as_deref();
        let kind = Arc::new(db_span::kind("sqlite".into(), instance, None));
        let mut statements = Statements::new(Arc::clone(&kind), instance);
        statements.sanitize = self.agent.recorder().config.load().sanitize_sql;
        let mut observer = Observer { kind, statements };
        let options = Options::default().time(true);
        sqlite_meter::attach_by(run, options, move |finished| observer.ended(finished))
            .map_err(NotMeasured)
    }
}

/// Records the statements of one connection.
#[derive(Debug)]
struct Observer {
    kind: Arc<SpanKind>,
    statements: Statements,
}

impl Observer {
    fn ended(&mut self, finished: &Finished<'_>) {
        let Some(current) = context::current() else {
            return;
        };
        let end = Moment::now();
        let start = end.before(finished.duration().unwrap_or_default());
        let Some(span) = LeafSpan::begin_at(&current, &self.kind, start) else {
            return;
        };
        if !span.admitted() {
            return span.end_at(end, Outcome::Success, None);
        }
        let statement = self.statements.prepared(finished);
        let counters = finished.counters();
        let mut cost = cost(finished);
        cost.0[ROWS_RETURNED] = counters.rows_returned.unwrap_or(0);
        let facts = statement.facts;
        let details = QueryDetails {
            binds: Binds::Unknown,
            rows: counters
                .rows_changed
                .filter(|_| facts.changes && facts.shows_rows),
            cost: Some(cost),
        };
        span.end_query(end, Arc::clone(&statement.tail), &details);
    }
}
