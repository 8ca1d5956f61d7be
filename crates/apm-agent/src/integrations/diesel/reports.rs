//! SQLite's reports of the statements of one query, from the query's start to its end.
//!
//! A query is one statement, but for a batch, and for virtual tables, which run statements of their own. The counts of
//! all are the query's. Its rows are those of the statement that has the query's text, where there is one.

use std::sync::Arc;

use sqlite_meter::Finished;

use super::reported::Reported;
use super::statement::{Statement, Statements, changes_rows, hash};
use crate::recording::cost::{COUNTS, Cost, ROWS_RETURNED};

/// Rows of a statement, or of several.
#[derive(Clone, Copy, Debug, Default)]
struct Rows {
    /// Of the statement's text.
    hash: u64,
    returned: u64,
    changed: Option<u64>,
}

impl Rows {
    fn add(&mut self, other: &Self) {
        self.returned = self.returned.saturating_add(other.returned);
        self.changed = match (self.changed, other.changed) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
    }
}

#[derive(Debug, Default)]
pub(super) struct Reports {
    /// Whether a query is under way that wants them.
    open: bool,
    /// Whether its text is still to be found.
    wants_text: bool,
    count: u32,
    statement: Option<Arc<Statement>>,
    cost: Cost,
    first: Rows,
    last: Rows,
    all: Rows,
}

impl Reports {
    /// A query begins now.
    pub(super) fn open(&mut self, wants_text: bool) {
        *self = Self {
            open: true,
            wants_text,
            ..Self::default()
        };
    }

    /// A statement has ended.
    pub(super) fn add(&mut self, finished: &Finished<'_>, statements: &mut Statements) {
        if !self.open {
            return;
        }
        let sql = finished.sql_bytes();
        self.count = self.count.saturating_add(1);
        self.statement = None;
        // Behind a semicolon there may be more, which SQLite leaves out of the statement's text.
        if self.wants_text && self.count == 1 && !sql.ends_with(b";") {
            self.statement = Some(statements.prepared(finished));
        }
        let counters = finished.counters();
        let (hash, changes) = match &self.statement {
            Some(statement) => (statement.hash, statement.changes),
            None => (hash(sql), changes_rows(sql)),
        };
        self.last = Rows {
            hash,
            returned: counters.rows_returned.unwrap_or(0),
            changed: counters.rows_changed.filter(|_| changes),
        };
        if self.count == 1 {
            self.first = self.last;
            self.all = self.last;
        } else {
            self.all.add(&self.last);
        }
        let mut counts = [0; COUNTS];
        counts[..ROWS_RETURNED].copy_from_slice(&[
            counters.steps,
            counters.fullscan_steps,
            counters.sorts,
            counters.autoindex_steps,
            counters.reprepares,
        ]);
        counts[ROWS_RETURNED + 1] = counters.pages_read.unwrap_or(0);
        counts[ROWS_RETURNED + 2] = counters.pages_written.unwrap_or(0);
        self.cost.add(&Cost(counts));
    }

    /// The query has ended. `written`: a hash of its text, if that is known from elsewhere.
    pub(super) fn close(&mut self, written: Option<u64>) -> Reported {
        self.open = false;
        let statement = self.statement.take();
        let hash = written.or_else(|| Some(statement.as_ref()?.hash));
        Reported {
            sums: hash.and_then(|hash| self.sums(hash)),
            statement,
        }
    }

    /// The query's cost, and the number of rows that it changed; `None` if nothing was reported. `text`: a hash of the
    /// query's text.
    fn sums(&self, text: u64) -> Option<(Cost, Option<u64>)> {
        let rows = match self.count {
            0 => return None,
            1 => self.all,
            _ if self.last.hash == text => self.last,
            _ if self.first.hash == text => self.first,
            _ => self.all,
        };
        let mut cost = self.cost;
        cost.0[ROWS_RETURNED] = rows.returned;
        Some((cost, rows.changed))
    }
}
