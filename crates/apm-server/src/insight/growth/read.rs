//! The points of a statement: medians of its calls, and how many rows its table had then.
//!
//! Rows come from a gauge `<table>.rows` where the agent sends one, and from the INSERTs that were seen (see
//! [`super::rows`]).

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use sql_lexer::Lexer;

use super::calls::Calls;
use super::driver;
use super::of_table::Growth;
use super::question::{Activity, At, Question};
use super::rows::Rows;
use crate::analytics::Scope;
use crate::analytics::sql::Sql;
use crate::insight::plan::history;
use crate::insight::tables::{Named, tables};

/// The time for which points go back, seconds.
pub const SPAN: i64 = 6 * 3600;

/// INSERTs are told by short slots of time while they came in no more minutes than this, and are no more.
const INSERT_MINUTES: i64 = 60;
const INSERTS: i64 = 200_000;

/// Slots of INSERTs at most, unless they would be longer than the longest, µs. A busy service does much within a tenth
/// of a second, and nothing in the next.
const INSERT_SLOTS: i64 = 30_000;
const LONGEST_SLOT: i64 = 100_000;

/// The statement that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Its row in the dictionary.
    pub statement: i64,
    /// The service's row.
    pub service: i64,
    /// The table that it reads first or writes.
    pub table: &'a str,
    /// Its text, for the other tables.
    pub text: &'a str,
}

impl Subject<'_> {
    /// The tables whose rows may drive it. An INSERT takes no more work the more rows there are where it adds some: the
    /// tables count that it reads. One that reads nothing may have triggers that read its table.
    fn tables(&self, named: &[Named]) -> Vec<String> {
        let first = match named.is_empty() || !is_insert(self.text) {
            true => self.table,
            false => "",
        };
        driver::candidates(first, named)
    }

    /// Whether it has any table.
    pub(in crate::insight) fn has_table(&self) -> bool {
        !self.tables(&tables(self.text)).is_empty()
    }

    /// Whether it reads a table by its text.
    pub(in crate::insight) fn reads_a_table(&self) -> bool {
        !tables(self.text).is_empty()
    }
}

fn is_insert(text: &str) -> bool {
    let first = Lexer::guess(text).significant().next();
    first.is_some_and(|word| {
        ["INSERT", "REPLACE"]
            .iter()
            .any(|verb| verb.eq_ignore_ascii_case(word.text))
    })
}

/// A statement's row, to ask about its growth.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Known {
    /// Its row in the dictionary.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// The service's row.
    #[diesel(sql_type = BigInt)]
    pub service_id: i64,
    /// The table that it reads, may be empty.
    #[diesel(sql_type = Text)]
    pub table_name: String,
    /// With `?` for its literals.
    #[diesel(sql_type = Text)]
    pub normalized: String,
}

impl Known {
    /// The questions about its growth.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            statement: self.id,
            service: self.service_id,
            table: &self.table_name,
            text: &self.normalized,
        }
    }
}

/// The statements of a fingerprint: one for each service and database.
///
/// # Errors
/// Those of SQLite.
pub fn subjects(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: u64,
) -> QueryResult<Vec<Known>> {
    scope
        .bind(Sql::new(include_str!("subjects.sql")))
        .bind("fingerprint", fingerprint.cast_signed())
        .load(conn)
}

/// Reads the points of a statement over the [`SPAN`] before `now` (seconds). Of several tables, those of the one that
/// drives it (see `driver`).
///
/// # Errors
/// Those of SQLite.
pub fn read(
    conn: &mut SqliteConnection,
    subject: Subject<'_>,
    now: i64,
) -> QueryResult<Option<Growth>> {
    let named = tables(subject.text);
    let tables = subject.tables(&named);
    if tables.is_empty() {
        return Ok(None);
    }
    let question = Question {
        statement: subject.statement,
        service: subject.service,
        // On a full hour, so that points do not shift from reading to reading.
        from: (now - SPAN).div_euclid(3600) * 3600,
        // The minute that has begun counts.
        to: now + 60,
    };
    let calls = Calls::read(conn, question)?;
    let mut found = Vec::new();
    for table in tables {
        let rows = rows_of(conn, question, &table)?;
        found.push(calls.against(table, &rows));
    }
    if found.len() == 1 {
        return Ok(found.pop());
    }
    let plan = history::of_statement(conn, subject.statement)?;
    let plan = plan.map(|sent| sent.plan).unwrap_or_default();
    Ok(driver::driver(found, &plan, &named))
}

/// The rows of a table, by its gauge and the INSERTs that were seen.
fn rows_of(conn: &mut SqliteConnection, question: Question, table: &str) -> QueryResult<Rows> {
    let bound = |text: &'static str| {
        question
            .bound(text)
            .bind("table", table)
            .bind("gauge", format!("{table}.rows"))
    };
    let inserts: Activity = bound(include_str!("inserts_activity.sql")).first(conn)?;
    let gauge: Vec<At> = bound(include_str!("gauge.sql")).load(conn)?;
    let before: At = bound(include_str!("inserts_before.sql")).first(conn)?;
    let seen = if inserts.minutes > INSERT_MINUTES || inserts.n > INSERTS {
        let steps: Vec<At> = bound(include_str!("inserts_minutes.sql")).load(conn)?;
        let steps = steps.iter().map(|step| (step.at as f64 + 60.0, step.value));
        running(before.value, 60.0, steps)
    } else {
        // A span may stand for several calls, and some failed: how many of each, the rollups know.
        let each = inserts.calls / inserts.n.max(1) as f64;
        let width = ((inserts.last - inserts.first) / INSERT_SLOTS).clamp(1_000, LONGEST_SLOT);
        let steps: Vec<At> = bound(include_str!("inserts_spans.sql"))
            .bind("first", inserts.first)
            .bind("last", inserts.last)
            .bind("width", width)
            .load(conn)?;
        let steps = steps
            .iter()
            .map(|step| (step.at as f64 / 1e6, step.value * each));
        running(before.value, width as f64 / 1e6, steps)
    };
    let gauge = gauge.iter().map(|row| (row.at as f64 / 1e6, row.value));
    Ok(Rows::from_samples(gauge.collect(), seen))
}

/// Rows at the end of each step, of `(its end, how many came)`; between two steps that are further apart than `length`
/// none came.
fn running(before: f64, length: f64, steps: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut rows = before;
    let mut out: Vec<(f64, f64)> = Vec::new();
    for (end, came) in steps {
        let start = end - length;
        if out.last().is_none_or(|last| last.0 < start - length / 2.0) {
            out.push((start, rows));
        }
        rows += came;
        out.push((end, rows));
    }
    out
}

#[cfg(test)]
mod tests;
