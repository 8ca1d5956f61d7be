//! The queries of one transaction, for an answer that tells of them: only where a middleware asks for it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::recording::span_kind::Tail;

/// Queries that are kept with their texts. More of them are counted.
const MOST: usize = 200;

/// The queries of a transaction so far.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    /// Their number.
    pub(crate) count: u64,
    /// The time that they took together.
    pub(crate) time: Duration,
    /// The first of them, in the order in which they ended.
    pub(crate) first: Vec<Query>,
    /// Whether the first ones are wanted.
    pub(crate) keeps: bool,
}

/// A query that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    tail: Arc<Tail>,
    pub(crate) duration: Duration,
}

impl Queries {
    /// Counts a query; `tail`: what is said of it, unless it was beyond the limit of spans.
    pub(crate) fn add(&mut self, tail: Option<&Arc<Tail>>, duration: Duration) {
        self.count += 1;
        self.time += duration;
        if let Some(tail) = tail
            && self.keeps
            && self.first.len() < MOST
        {
            let tail = Arc::clone(tail);
            self.first.push(Query { tail, duration });
        }
    }
}

impl Query {
    /// The statement as it is sent to the server; its name where it has none.
    pub(crate) fn text(&self) -> String {
        let statement = self.tail.statement().filter(|text| !text.is_empty());
        statement.unwrap_or_else(|| self.tail.name.to_string())
    }
}

impl Tail {
    /// The text of a query, read from what is sent.
    fn statement(&self) -> Option<String> {
        let json = [b"{", self.json()].concat();
        // The end of the span's own object and of the line's.
        let json = json.strip_suffix(b"}\n")?;
        let value: Value = serde_json::from_slice(json).ok()?;
        Some(value.pointer("/context/db/statement")?.as_str()?.to_owned())
    }
}
