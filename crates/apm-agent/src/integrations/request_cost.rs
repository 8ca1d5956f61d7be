//! Sentences about a request for the browser that sent it: the header `Server-Timing`, and a badge on its page.

pub(crate) mod badge;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::recording::context;
use crate::recording::transaction::Core;
use crate::recording::transaction::queries::Query;
use crate::util::clock::Moment;
use crate::util::lock;

/// A request whose queries are counted.
#[derive(Clone, Debug)]
pub(crate) struct RequestCost {
    core: Arc<Core>,
}

impl RequestCost {
    /// Counts the queries of the current transaction from now on; `None` outside of one that records spans.
    pub(crate) fn begin(keeps: bool) -> Option<Self> {
        let core = context::with(|current| Some(Arc::clone(&current.transaction)))?;
        if !core.records_spans() {
            return None;
        }
        core.tell_queries(keeps);
        Some(Self { core })
    }

    /// The facts by now.
    pub(crate) fn facts(&self) -> Facts {
        let state = lock(&self.core.state);
        let queries = state.queries.as_deref();
        Facts {
            trace: self.core.identity.trace_id.to_string(),
            count: queries.map_or(0, |queries| queries.count),
            time: queries.map_or(Duration::ZERO, |queries| queries.time),
            total: Moment::now().since(self.core.identity.start),
            first: queries.map_or_else(Vec::new, |queries| queries.first.clone()),
        }
    }
}

/// The cost of a request until its answer began.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The trace's id: hexadecimal digits.
    pub(crate) trace: String,
    /// Queries.
    pub(crate) count: u64,
    /// Their time together.
    pub(crate) time: Duration,
    /// The time since the request came.
    pub(crate) total: Duration,
    /// The first queries.
    pub(crate) first: Vec<Query>,
}

impl Facts {
    /// The value of the header `Server-Timing`; times in milliseconds, as the header has them.
    pub(crate) fn header(&self) -> String {
        let mut out = String::with_capacity(96);
        let _ = write!(
            out,
            "trace;desc=\"{}\", sql;desc=\"{}\";dur={:.3}, total;dur={:.3}",
            self.trace,
            self.count,
            millis(self.time),
            millis(self.total)
        );
        out
    }
}

/// Milliseconds.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
