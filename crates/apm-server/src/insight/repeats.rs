//! The same statement again and again in one request, and what would help.
//!
//! Counts are of calls, so a span into which the agent folded several counts as many. There is no gate by duration:
//! four INSERTs into SQLite take less than a millisecond and still are a loop. How much it matters is told by the time
//! that one call instead of all would save (see [`super::severity`]).
//!
//! Not every repetition is a loop. A worker that polls waits between its calls, a retry follows a failure, a page of
//! rows continues where the last one ended, and a ping asks no table.

use std::collections::HashMap;

mod pattern;

use crate::sort_rows::SortRows as _;
pub use pattern::{Pattern, Shape, Values, classify};

/// From this many calls a statement is marked as repeated.
pub const BADGE: f64 = 2.0;

/// From this many calls it is a finding; the article's `/sql-write` repeats its INSERT five times.
pub const FINDING: f64 = 5.0;

/// Calls are polls where they wait longer than this for each other on average, µs …
const PAUSE: f64 = 50_000.0;

/// … and take less than this share of the time from the first to the last.
const BUSY: f64 = 0.1;

/// A database span of one transaction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DbSpan<'a> {
    /// The statement: its row in the dictionary.
    pub statement: i64,
    /// `SELECT`, `INSERT`, …
    pub verb: &'a str,
    /// Start, µs.
    pub start: i64,
    /// Calls folded into it, 1 where it is one.
    pub calls: f64,
    /// Their time, µs.
    pub total: f64,
    /// Whether all calls folded into it are of this statement.
    pub alike: bool,
    /// Whether it failed.
    pub failed: bool,
}

/// A statement that one request made several times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repeat {
    /// The statement.
    pub statement: i64,
    /// Calls that a loop made; at most one where none did.
    pub looped: f64,
    /// Whether a SELECT of another statement came before it.
    pub follows_a_query: bool,
}

/// The statements of one transaction, most calls of a loop first.
#[must_use]
pub fn repeats(spans: &[DbSpan<'_>]) -> Vec<Repeat> {
    let mut of: HashMap<i64, Vec<&DbSpan<'_>>> = HashMap::new();
    for span in spans {
        of.entry(span.statement).or_default().push(span);
    }
    let first_query = |other_than: i64| {
        spans
            .iter()
            .filter(|span| span.verb == "SELECT" && span.statement != other_than)
            .map(|span| span.start)
            .min()
    };
    let mut found: Vec<Repeat> = of
        .into_iter()
        .map(|(statement, own)| {
            let start = own.iter().map(|span| span.start).min();
            Repeat {
                statement,
                looped: looped(own),
                follows_a_query: first_query(statement).is_some_and(|query| Some(query) <= start),
            }
        })
        .collect();
    found.sort_rows_by(|a, b| {
        b.looped
            .total_cmp(&a.looped)
            .then(a.statement.cmp(&b.statement))
    });
    found
}

/// Number of a statement's calls in one request that a loop made.
fn looped(mut spans: Vec<&DbSpan<'_>>) -> f64 {
    // A call that failed was tried again, not repeated.
    spans.retain(|span| !span.failed);
    spans.sort_rows_by_key(|span| span.start);
    let calls = |span: &DbSpan<'_>| if span.alike { span.calls } else { 1.0 };
    let all: f64 = spans.iter().map(|span| calls(span)).sum();
    if waits(&spans) { all.min(1.0) } else { all }
}

/// Whether the calls wait for each other, as those of a worker that polls: `spans` in the order of their start.
fn waits(spans: &[&DbSpan<'_>]) -> bool {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return false;
    };
    let gaps = spans.len() - 1;
    let busy: f64 = spans.iter().map(|span| span.total).sum();
    let elapsed = (last.start - first.start) as f64 + last.total;
    gaps > 0 && (elapsed - busy) / gaps as f64 >= PAUSE && busy < BUSY * elapsed
}

#[cfg(test)]
mod tests;
