//! A span per query, for connections of a Diesel pool.
//!
//! The instrumentation belongs to a connection, never to the process: connections that nobody asked to trace stay untraced. It records only
//! inside a sampled transaction, so migrations, PRAGMAs and the pool's own pings are silent.
//! Bind values are never sent; of a SELECT's a keyed hash, unless `capture_bind_hash` is off.

mod affected;
mod bind_hash;
mod database;
mod failed;
mod fold;
#[cfg(feature = "sqlite-meter")]
mod meter;
mod pool;
#[cfg(feature = "sqlite-meter")]
mod query_type;
#[cfg(feature = "sqlite-meter")]
mod reports;
mod statement;
mod tracer;

use std::fmt;
use std::sync::Arc;

use diesel::connection::Connection;
use diesel::r2d2::{CustomizeConnection, NopConnectionCustomizer};

use crate::agent::Agent;
use crate::recording::error;
use crate::recording::service_target::{ExitSpan, Peer};
use crate::recording::span_kind::SpanKind;
pub use affected::AffectedRowsExt;
use database::Database;
pub use failed::QueryResultExt;
pub use pool::PoolEvents;
use statement::Statements;
use tracer::{Shared, Tracer};

/// A kind of connection that the agent knows how to name.
pub trait Traced: Connection {
    /// The subtype of its spans.
    const SUBTYPE: &'static str;
}

#[cfg(feature = "sqlite-plain")]
impl Traced for diesel::SqliteConnection {
    const SUBTYPE: &'static str = "sqlite";
}

#[cfg(feature = "postgres")]
impl Traced for diesel::PgConnection {
    const SUBTYPE: &'static str = "postgresql";
}

/// MariaDB too: on the wire it is the same.
#[cfg(feature = "mysql")]
impl Traced for diesel::MysqlConnection {
    const SUBTYPE: &'static str = "mysql";
}

impl Agent {
    /// Traces the connections of a pool. `database` is what they are established with: a URL, or SQLite's file. Spans show the
    /// database's name (SQLite's file without its folder), the host and the port; never a user or a password.
    ///
    /// With the feature `sqlite-meter`, which `sqlite` includes, spans on SQLite also carry what SQLite did: steps, full scans, sorts, rows and
    /// pages. Only connections that are opened behind this call are measured: call it before the pool is built, as here.
    ///
    #[cfg_attr(feature = "sqlite-plain", doc = "```")]
    #[cfg_attr(not(feature = "sqlite-plain"), doc = "```ignore")]
    /// # use diesel::{SqliteConnection, r2d2::{ConnectionManager, Pool}};
    /// # fn example(agent: &apm_agent::Agent) -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = Pool::builder()
    ///     .test_on_check_out(false)
    ///     .connection_customizer(Box::new(agent.diesel("people.db")))
    ///     .build(ConnectionManager::<SqliteConnection>::new("people.db"))?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn diesel(&self, database: impl Into<String>) -> Diesel {
        error::observe_captured_errors(failed::on_captured_error);
        #[cfg(feature = "sqlite-meter")]
        if self.is_enabled() {
            meter::install();
        }
        Diesel {
            agent: self.clone(),
            database: database.into(),
            inner: NopConnectionCustomizer,
        }
    }
}

/// Sets up tracing on each new connection of a pool; see [`Agent::diesel`].
#[derive(Clone)]
pub struct Diesel<I = NopConnectionCustomizer> {
    agent: Agent,
    database: String,
    inner: I,
}

/// Without the URL, which may hold a password.
impl<I> fmt::Debug for Diesel<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diesel").finish_non_exhaustive()
    }
}

impl Diesel {
    /// Runs another customizer first, such as one for PRAGMAs.
    #[must_use]
    pub fn then<I>(self, inner: I) -> Diesel<I> {
        Diesel {
            agent: self.agent,
            database: self.database,
            inner,
        }
    }
}

impl<C, I> CustomizeConnection<C, diesel::r2d2::Error> for Diesel<I>
where
    C: Traced + 'static,
    I: CustomizeConnection<C, diesel::r2d2::Error>,
{
    fn on_acquire(&self, connection: &mut C) -> Result<(), diesel::r2d2::Error> {
        self.inner.on_acquire(connection)?;
        if self.agent.is_enabled() {
            let Database { instance, address } = Database::parse(C::SUBTYPE, &self.database);
            let span = ExitSpan {
                span_type: "db",
                subtype: Some(C::SUBTYPE),
                peer: Peer::Database(instance.as_deref()),
                ..ExitSpan::default()
            };
            let kind = SpanKind {
                span_type: "db".into(),
                subtype: Some(C::SUBTYPE.into()),
                exit: true,
                target: span.target().map(|target| target.at(address)),
            };
            let kind = Arc::new(kind);
            let settings = self.agent.recorder().config.load();
            let mut statements = Statements::new(Arc::clone(&kind), instance.as_deref());
            statements.sanitize = settings.sanitize_sql;
            let shared = Shared::new(statements);
            #[cfg(feature = "sqlite-meter")]
            let measured = meter::attach(connection, &shared);
            let tracer = Tracer::new(kind, shared, settings.capture_bind_hash);
            #[cfg(feature = "sqlite-meter")]
            let tracer = tracer.measured(measured);
            connection.set_instrumentation(tracer);
        }
        Ok(())
    }

    fn on_release(&self, connection: C) {
        self.inner.on_release(connection);
    }
}
