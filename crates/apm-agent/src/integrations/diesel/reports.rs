//! SQLite's reports of the statements of one query, from the query's start to its end.
//!
//! A query is one statement, but for a batch, and for virtual tables, which run statements of their own. The counts of
//! all are the query's. Its rows are those of the statement that has the query's text, where there is one.

use std::sync::Arc;

use sqlite_meter::Finished;

use super::statement::{Facts, Reported, Statement, Statements, changes_rows, hash};
use crate::recording::cost::{COUNTS, Cost, ROWS_RETURNED};
use crate::recording::finished_span::QueryDetails;

/// Rows of a statement, or of several.
#[derive(Clone, Copy, Debug, Default)]
struct Rows {
    /// Of the statement's text.
    hash: u64,
    returned: u64,
    changed: Option<u64>,
}

impl Rows {
    #[inline]
    fn of(finished: &Finished<'_>, hash: u64, changes: bool) -> Self {
        let counters = finished.counters();
        Self {
            hash,
            returned: counters.rows_returned.unwrap_or(0),
            changed: counters.rows_changed.filter(|_| changes),
        }
    }

    fn add(&mut self, other: &Self) {
        self.returned = self.returned.saturating_add(other.returned);
        self.changed = match (self.changed, other.changed) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
    }
}

/// The cost of one statement, but for the rows that it returned.
#[inline]
pub(super) fn cost(finished: &Finished<'_>) -> Cost {
    let counters = finished.counters();
    let cost: [u64; COUNTS] = [
        counters.steps,
        counters.fullscan_steps,
        counters.sorts,
        counters.autoindex_steps,
        counters.reprepares,
        // Known when the query has ended: of several statements, one has its rows.
        0,
        counters.pages_read.unwrap_or(0),
        counters.pages_written.unwrap_or(0),
    ];
    Cost(cost)
}

impl Reported {
    #[inline]
    fn facts(&self) -> Option<Facts> {
        match self {
            Self::Nothing => None,
            Self::Expected(facts) => Some(*facts),
            Self::Other(statement) => Some(statement.facts),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Reports {
    /// Whether a query is under way that wants them.
    open: bool,
    /// The statement that the query is expected to be, if its text is to be found. It stays for the next query, which
    /// is often the same.
    expected: Option<Arc<Statement>>,
    /// Statements that have ended. What follows is theirs: `first` and `all` are from an earlier query until there are
    /// two, `cost` and `last` until there is one.
    count: u32,
    statement: Reported,
    cost: Cost,
    first: Rows,
    last: Rows,
    all: Rows,
}

impl Reports {
    /// A query begins now. `expected`: the statement that it probably is, if its text is to be found here.
    #[inline]
    pub(super) fn open(&mut self, expected: Option<&Arc<Statement>>) {
        self.open = true;
        self.count = 0;
        self.statement = Reported::Nothing;
        let is_known = match (&self.expected, expected) {
            (Some(known), Some(expected)) => Arc::ptr_eq(known, expected),
            _ => false,
        };
        if !is_known {
            self.expected = expected.cloned();
        }
    }

    /// A statement has ended.
    #[inline]
    pub(super) fn add(&mut self, finished: &Finished<'_>, statements: &mut Statements) {
        if !self.open {
            return;
        }
        let sql = finished.sql_bytes();
        // Behind a semicolon there may be more, which SQLite leaves out of the statement's text.
        if self.count == 0
            && let Some(expected) = &self.expected
            && expected.has_text(sql)
            && sql.last() != Some(&b';')
        {
            let facts = expected.facts;
            self.count = 1;
            self.statement = Reported::Expected(facts);
            self.cost = cost(finished);
            self.last = Rows::of(finished, facts.hash, facts.changes);
            return;
        }
        self.add_other(finished, statements);
    }

    /// The same for a statement that was not expected, or not the first of its query.
    #[inline(never)]
    fn add_other(&mut self, finished: &Finished<'_>, statements: &mut Statements) {
        let sql = finished.sql_bytes();
        self.count = self.count.saturating_add(1);
        self.statement = match &self.expected {
            Some(_) if self.count == 1 && sql.last() != Some(&b';') => {
                Reported::Other(statements.prepared(finished))
            }
            _ => Reported::Nothing,
        };
        let rows = match self.statement.facts() {
            Some(facts) => Rows::of(finished, facts.hash, facts.changes),
            None => Rows::of(finished, hash(sql), changes_rows(sql)),
        };
        let cost = cost(finished);
        if self.count == 1 {
            self.cost = cost;
        } else {
            if self.count == 2 {
                self.first = self.last;
                self.all = self.last;
            }
            self.all.add(&rows);
            self.cost.add(&cost);
        }
        self.last = rows;
        statements.ran(finished);
    }

    /// The query has ended. Tells its cost and the number of rows that it changed, if something was reported, and
    /// returns its statement. `written`: a hash of its text, if that is known from elsewhere.
    #[inline]
    pub(super) fn close(&mut self, written: Option<u64>, details: &mut QueryDetails) -> Reported {
        self.open = false;
        let statement = std::mem::take(&mut self.statement);
        let hash = written.or_else(|| Some(statement.facts()?.hash));
        if let Some(rows) = hash.and_then(|hash| self.rows(hash)) {
            details.rows = rows.changed;
            let cost = details.cost.insert(self.cost);
            cost.0[ROWS_RETURNED] = rows.returned;
        }
        statement
    }

    /// The rows of the query; `None` if nothing was reported. `text`: a hash of the query's text.
    fn rows(&self, text: u64) -> Option<&Rows> {
        match self.count {
            0 => None,
            1 => Some(&self.last),
            _ if self.last.hash == text => Some(&self.last),
            _ if self.first.hash == text => Some(&self.first),
            _ => Some(&self.all),
        }
    }
}
