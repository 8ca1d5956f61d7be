//! The pool: how long requests wait for a connection, and how many there are.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::event::{CheckoutEvent, HandleEvent, TimeoutEvent};
use diesel::r2d2::{ManageConnection, Pool};

use crate::agent::Agent;
use crate::recording::context;
use crate::recording::leaf_span::LeafSpan;
use crate::recording::outcome::Outcome;
use crate::recording::span_kind::{SpanKind, Tail};
use crate::util::clock::Moment;
use crate::worker::metrics::Counter;

/// A shorter wait is no wait, and gets no span.
const WORTH_A_SPAN: Duration = Duration::from_millis(1);

impl Agent {
    /// Watches a pool's check-outs, for `Pool::builder().event_handler(…)`. A request that waits for a connection for
    /// more than 1 ms gets a span `checkout`; the metrics `db.pool.checkout.count`, `db.pool.checkout.wait.us` and
    /// `db.pool.timeout.count` carry the label `pool`.
    #[must_use]
    pub fn pool_events(&self, pool: &str) -> PoolEvents {
        let counter = |name: &str| self.metrics().counter_with(name, &[("pool", pool)]);
        let kind = SpanKind {
            span_type: "app".into(),
            subtype: Some("internal".into()),
            exit: false,
            target: None,
        };
        PoolEvents {
            checkouts: counter("db.pool.checkout.count"),
            wait_micros: counter("db.pool.checkout.wait.us"),
            timeouts: counter("db.pool.timeout.count"),
            kind: Arc::new(kind),
        }
    }

    /// Reports how many connections a pool has, and how many of them are idle, as the metrics `db.pool.connections` and
    /// `db.pool.idle`.
    pub fn observe_pool<M: ManageConnection>(&self, pool: &Pool<M>) {
        let state = |value: fn(diesel::r2d2::State) -> u32| {
            let pool = pool.clone();
            move || f64::from(value(pool.state()))
        };
        self.metrics()
            .observe("db.pool.connections", state(|state| state.connections));
        self.metrics()
            .observe("db.pool.idle", state(|state| state.idle_connections));
    }
}

/// Watches the check-outs of a pool; see [`Agent::pool_events`].
pub struct PoolEvents {
    checkouts: Counter,
    wait_micros: Counter,
    timeouts: Counter,
    kind: Arc<SpanKind>,
}

impl fmt::Debug for PoolEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolEvents").finish_non_exhaustive()
    }
}

impl PoolEvents {
    /// A wait that ended now, on the thread that waited.
    fn waited(&self, wait: Duration, outcome: Outcome) {
        self.wait_micros
            .add(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
        if wait <= WORTH_A_SPAN {
            return;
        }
        let start = Moment::now().before(wait);
        if let Some(span) = context::with(|current| LeafSpan::begin_at(current, &self.kind, start))
        {
            let tail = Tail::new(Arc::clone(&self.kind), "checkout", Some("checkout"), |_| {});
            span.end(outcome, Some(Arc::new(tail)));
        }
    }
}

impl HandleEvent for PoolEvents {
    fn handle_checkout(&self, event: CheckoutEvent) {
        self.checkouts.add(1);
        self.waited(event.duration(), Outcome::Success);
    }

    fn handle_timeout(&self, event: TimeoutEvent) {
        self.timeouts.add(1);
        self.waited(event.timeout(), Outcome::Failure);
    }
}
