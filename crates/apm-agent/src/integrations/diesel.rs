//! A span per query, for connections of a Diesel pool.
//!
//! The instrumentation belongs to a connection, never to the process: connections that nobody asked to trace stay untraced. It records only
//! inside a sampled transaction, so migrations, PRAGMAs and the pool's own pings are silent.
//! Bind values are never formatted, let alone sent.

mod statement;
mod tracer;

use std::sync::Arc;

use diesel::connection::Connection;
use diesel::r2d2::{CustomizeConnection, NopConnectionCustomizer};

use crate::agent::Agent;
use crate::span_kind::{SpanKind, Target};
use tracer::Tracer;

/// A kind of connection that the agent knows how to name.
pub trait Traced: Connection {
    /// The subtype of its spans.
    const SUBTYPE: &'static str;
}

impl Traced for diesel::SqliteConnection {
    const SUBTYPE: &'static str = "sqlite";
}

impl Agent {
    /// Traces the connections of a pool. `instance` names the database: for SQLite the file's name without its directory.
    ///
    /// ```
    /// # use diesel::{SqliteConnection, r2d2::{ConnectionManager, Pool}};
    /// # fn example(agent: &apm_agent::Agent) -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = Pool::builder()
    ///     .test_on_check_out(false)
    ///     .connection_customizer(Box::new(agent.diesel("people.db")))
    ///     .build(ConnectionManager::<SqliteConnection>::new("people.db"))?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn diesel(&self, instance: impl Into<String>) -> Diesel {
        Diesel {
            agent: self.clone(),
            instance: instance.into(),
            inner: NopConnectionCustomizer,
        }
    }
}

/// Sets up tracing on each new connection of a pool; see [`Agent::diesel`].
#[derive(Clone, Debug)]
pub struct Diesel<I = NopConnectionCustomizer> {
    agent: Agent,
    instance: String,
    inner: I,
}

impl Diesel {
    /// Runs another customizer first, such as one for PRAGMAs.
    #[must_use]
    pub fn then<I>(self, inner: I) -> Diesel<I> {
        Diesel {
            agent: self.agent,
            instance: self.instance,
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
            let instance = Some(self.instance.as_str()).filter(|instance| !instance.is_empty());
            let kind = SpanKind {
                span_type: "db".into(),
                subtype: Some(C::SUBTYPE.into()),
                exit: true,
                target: Some(Target::new(C::SUBTYPE, instance)),
            };
            connection.set_instrumentation(Tracer::new(Arc::new(kind), instance));
        }
        Ok(())
    }

    fn on_release(&self, connection: C) {
        self.inner.on_release(connection);
    }
}
