//! A span per query, for connections of Diesel: those of a pool, single ones, and whatever else takes an
//! instrumentation. [`Sqlite`] does the same for connections of other clients of SQLite, such as rusqlite.
//!
//! The instrumentation belongs to a connection, never to the process: connections that nobody asked to trace stay
//! untraced. It records only inside a sampled transaction, so migrations, PRAGMAs and the pool's own pings are silent.
//! Bind values are never sent. SELECTs carry a keyed hash of theirs, unless `capture_bind_hash` is off.

mod affected;
mod bind_hash;
mod database;
#[cfg(feature = "sqlite-meter")]
mod expected;
mod failed;
mod fold;
#[cfg(feature = "sqlite-meter")]
mod meter;
#[cfg(plans)]
mod plans;
mod pool;
#[cfg(feature = "sqlite-meter")]
mod query_type;
#[cfg(feature = "sqlite-meter")]
mod reports;
#[cfg(feature = "sqlite-meter")]
mod sqlite;
mod statement;
mod tracer;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
#[cfg(plans)]
use std::sync::OnceLock;

use diesel::connection::{Connection, Instrumentation, InstrumentationEvent};
use diesel::r2d2::{CustomizeConnection, NopConnectionCustomizer};

use crate::agent::Agent;
use crate::recording::error;
use crate::recording::service_target::{ExitSpan, Peer};
use crate::recording::span_kind::SpanKind;
pub use affected::AffectedRowsExt;
use database::Database;
pub use failed::QueryResultExt;
#[cfg(plans)]
use plans::Source;
pub use pool::PoolEvents;
#[cfg(feature = "sqlite-meter")]
pub use sqlite::{NotMeasured, Sqlite};
use statement::Statements;
use tracer::Tracer;

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
    /// Traces the connections of a pool, or others by [`Diesel::instrument`] and [`Diesel::tracer`]. `database` is what
    /// they are established with: a URL, or SQLite's file. Spans show the database's name (SQLite's file without its
    /// folder), the host and the port; never a user or a password.
    ///
    /// With the feature `sqlite-meter`, which `sqlite` includes, spans on SQLite also carry what SQLite did: steps,
    /// full scans, sorts, rows and pages. Only connections that are opened behind this call are measured: call it
    /// before the pool is built, as here.
    ///
    /// On a SQLite file in WAL mode, the agent also asks for the plan of each statement, once and again when the schema
    /// has changed: on a thread and a read-only connection of its own, never on those of the service. PostgreSQL and
    /// MariaDB are asked if `sql_plan_urls` says by which URL.
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
        // An error that the service captures may say that its last query failed.
        error::observe_captured_errors(failed::on_captured_error);
        #[cfg(feature = "sqlite-meter")]
        if self.is_enabled() {
            meter::install();
        }
        Diesel {
            agent: self.clone(),
            database: database.into(),
            #[cfg(plans)]
            plans: Arc::default(),
            inner: NopConnectionCustomizer,
        }
    }
}

/// Sets up tracing on each new connection of a pool; see [`Agent::diesel`].
#[derive(Clone)]
pub struct Diesel<I = NopConnectionCustomizer> {
    agent: Agent,
    database: String,
    /// The source of plans, known with the first connection.
    #[cfg(plans)]
    plans: Arc<OnceLock<Option<Arc<Source>>>>,
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
            #[cfg(plans)]
            plans: self.plans,
            inner,
        }
    }
}

impl<I> Diesel<I> {
    /// Traces a connection that is in no pool, or in one of another crate. The customizer of [`then`](Diesel::then) is
    /// not run.
    ///
    /// Its queries must run on the thread that asks for them, as they do by themselves. A query whose end Diesel does
    /// not report is recorded as a failure once the code that made it has ended. Of a `MultiConnection`, trace the
    /// connection inside of it.
    ///
    #[cfg_attr(feature = "sqlite-plain", doc = "```")]
    #[cfg_attr(not(feature = "sqlite-plain"), doc = "```ignore")]
    /// # use diesel::{Connection as _, SqliteConnection};
    /// # fn example(agent: &apm_agent::Agent) -> diesel::ConnectionResult<()> {
    /// let diesel = agent.diesel("people.db");
    /// let mut connection = SqliteConnection::establish("people.db")?;
    /// diesel.instrument(&mut connection);
    /// # Ok(()) }
    /// ```
    pub fn instrument<C: Traced + 'static>(&self, connection: &mut C) {
        if !self.agent.is_enabled() {
            return;
        }
        let subtype = C::SUBTYPE;
        #[cfg(feature = "sqlite-plain")]
        if subtype == "sqlite" {
            let instance = Database::parse(subtype, &self.database).instance;
            let source = || Source::for_connection(connection, &self.agent, instance.as_deref());
            self.plans.get_or_init(source);
        }
        #[cfg(feature = "sqlite-meter")]
        if meter::instrument(connection, || self.trace(subtype.into())) {
            return;
        }
        connection.set_instrumentation(self.trace(subtype.into()));
    }

    /// The instrumentation by itself, for whatever takes one: a connection of another crate, a `MultiConnection`, or
    /// one of diesel-async (`AsyncConnection::set_instrumentation`). `subtype` is the system, such as `postgresql`.
    ///
    /// A query may begin on one thread and end on another. One that never ends, as when its task is dropped, is
    /// recorded as a failure when the connection makes its next query or is dropped. Without
    /// [`instrument`](Self::instrument) SQLite's own counts are missing.
    ///
    #[cfg_attr(feature = "sqlite-plain", doc = "```")]
    #[cfg_attr(not(feature = "sqlite-plain"), doc = "```ignore")]
    /// # use diesel::{Connection as _, SqliteConnection};
    /// # fn example(agent: &apm_agent::Agent, connection: &mut SqliteConnection) {
    /// connection.set_instrumentation(agent.diesel("people.db").tracer("sqlite"));
    /// # }
    /// ```
    #[must_use]
    pub fn tracer(&self, subtype: impl Into<Cow<'static, str>>) -> QueryTracer {
        let is_enabled = self.agent.is_enabled();
        QueryTracer(is_enabled.then(|| self.trace(subtype.into()).on_any_thread()))
    }

    /// The tracer of a connection to this database.
    fn trace(&self, subtype: Cow<'static, str>) -> Tracer {
        let database = Database::parse(&subtype, &self.database);
        #[cfg(any(feature = "postgres", feature = "mysql"))]
        if subtype != "sqlite" {
            let source = || Source::of_server(&self.agent, &subtype, &database);
            self.plans.get_or_init(source);
        }
        let Database { instance, address } = database;
        let span = ExitSpan {
            span_type: "db",
            subtype: Some(&subtype),
            peer: Peer::Database(instance.as_deref()),
            ..ExitSpan::default()
        };
        let target = span.target().map(|target| target.at(address));
        let kind = Arc::new(SpanKind {
            span_type: "db".into(),
            subtype: Some(subtype),
            exit: true,
            target,
        });
        let mut statements = Statements::new(Arc::clone(&kind), instance.as_deref());
        #[cfg(plans)]
        {
            statements.plans = self.plans.get().cloned().flatten();
        }
        let config = self.agent.recorder().config.load();
        statements.sanitize = config.sanitize_sql;
        Tracer::new(kind, statements, config.capture_bind_hash)
    }
}

impl<C, I> CustomizeConnection<C, diesel::r2d2::Error> for Diesel<I>
where
    C: Traced + 'static,
    I: CustomizeConnection<C, diesel::r2d2::Error>,
{
    fn on_acquire(&self, connection: &mut C) -> Result<(), diesel::r2d2::Error> {
        self.inner.on_acquire(connection)?;
        self.instrument(connection);
        Ok(())
    }

    fn on_release(&self, connection: C) {
        self.inner.on_release(connection);
    }
}

/// The instrumentation of one connection; see [`Diesel::tracer`]. Of a disabled agent it does nothing.
pub struct QueryTracer(Option<Tracer>);

impl fmt::Debug for QueryTracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryTracer").finish_non_exhaustive()
    }
}

impl Instrumentation for QueryTracer {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let Some(tracer) = &mut self.0 {
            tracer.on_connection_event(event);
        }
    }
}
