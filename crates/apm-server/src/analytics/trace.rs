//! One trace as data: its tree on one timeline, its critical path, and the lines that a reader sees of it.
//!
//! A trace may have hundreds of thousands of items. It is read whole, in a form of some 150 bytes an item, because its
//! tree, its critical path and its sums need all of it. What a page or an answer shows is a part of that: `lines` says
//! which lines there are, `window` which of them are seen, `find` which match.

pub mod align;
pub(crate) mod cover;
pub(crate) mod critical;
mod errors;
pub mod find;
pub mod item;
pub mod lines;
pub mod moments;
mod names;
pub mod read;
mod row;
pub(crate) mod tree;
pub mod window;
pub(crate) mod within;

use std::collections::HashMap;

use apm_store::id::StoredId;

use item::{Item, Stretch, TraceError, TraceLog};
use lines::Lines;
use moments::Moment;

/// Everything known of one trace.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    /// `trace.id`
    pub id: String,
    /// Start of the entry, µs since the epoch; `at` of every item counts from here.
    pub start: i64,
    /// Earliest start of an item, µs from the start of the entry: 0 or less.
    pub from: i64,
    /// From the earliest start to the latest end, µs.
    pub duration: i64,
    /// Transactions and spans: parents before their children, siblings by start, orphans last.
    pub items: Vec<Item>,
    /// The operations that the entry waited for, by time; adds up to its duration.
    pub critical_path: Vec<Stretch>,
    /// By time, at most [`read::MOST_ERRORS`].
    pub errors: Vec<TraceError>,
    /// By time, at most [`read::MOST_LOGS`].
    pub logs: Vec<TraceLog>,
    /// Moments that browsers marked in their page loads.
    pub moments: Vec<Moment>,
    /// Items that name a parent which did not arrive.
    pub orphans: usize,
    /// Items that are too far from the rest in time to be drawn with it.
    pub far: usize,
    /// Whether there are more items, errors or log lines than are read.
    pub is_cut: bool,
    /// Numbers of errors that items have, by their index.
    pub errors_of: HashMap<u32, u32>,
    /// Number of different [`What`](item::What).
    pub whats: usize,
    /// The trace as a reader sees it, line by line.
    pub lines: Lines,
}

impl Trace {
    /// The index of the item with an id.
    #[must_use]
    pub fn index_of(&self, id: &str) -> Option<usize> {
        let id = StoredId::from(id);
        self.items.iter().position(|item| item.id == id)
    }

    /// The number of the event with an id: an item first, then an error.
    #[must_use]
    pub fn seq_of(&self, id: &str) -> Option<i64> {
        let item = self.index_of(id).map(|index| self.items[index].seq);
        let error = || self.errors.iter().find(|error| error.id == id);
        item.or_else(|| error().map(|error| error.seq))
    }

    /// Memory that it holds, bytes, near enough for a bound.
    #[must_use]
    fn bytes(&self) -> usize {
        self.items.len() * (size_of::<Item>() + 16)
            + self.critical_path.len() * size_of::<Stretch>()
            + self.errors.len() * (size_of::<TraceError>() + 300)
            + self.logs.len() * (size_of::<TraceLog>() + 60)
            + self.whats * 300
            + self.lines.bytes()
    }
}
