//! Numbers of events that match, by bucket of the chart.
//!
//! Three ways, of which the cheapest that can tell is taken:
//! * whole minutes from `event_count`, where the query asks for nothing else than what these counts are kept by, and
//!   the chart's buckets are minutes: what that costs does not depend on how many events there are;
//! * where every event is a hit, blocks that lie in one bucket as a whole, and the others row by row;
//! * row by row, for as long as there is time.

use std::collections::HashSet;

use apm_store::StoreError;
use apm_store::event::Kind;
use apm_store::rollup::{ENTRY, LEVELS, kind_code};
use apm_time::{Range, SECOND};
use diesel::deserialize;
use diesel::prelude::*;
use diesel::row::NamedRow;
use diesel::sql_types::BigInt;
use diesel::sqlite::Sqlite;
use foldhash::HashMap;
use kql::Expr;

use super::blocks::{Block, runs};
use super::columns;
use super::hits::{Place, newest_first};
use super::walk::{Candidate, Search, bound};
use crate::analytics::condition::Condition;
use crate::analytics::deadline::Deadline;
use crate::analytics::sql::{Sql, column};
use crate::analytics::window;

/// Start of a bucket (seconds since the epoch), and how many are in it. A bucket may come several times.
type Counts = Vec<(i64, u64)>;

/// Blocks whose rows are counted before the clock is looked at: first few, then more, for speed: some ten milliseconds.
const FIRST_BLOCKS: usize = 128;
const LAST_BLOCKS: usize = 1_024;

/// The counts of a search.
pub(super) struct Counted {
    pub(super) counts: Counts,
    /// Whether that is all, or only the newest.
    pub(super) complete: bool,
    /// Blocks of which it turned out that no event matches.
    pub(super) empty: HashSet<i64>,
    /// The newest events after the cursor, where all that match were looked at one by one.
    pub(super) newest: Option<Vec<Place>>,
}

impl Counted {
    /// All counts, where no event was looked at.
    fn whole(counts: Counts) -> Self {
        Self {
            counts,
            complete: true,
            empty: HashSet::new(),
            newest: None,
        }
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

impl Search<'_> {
    /// Matching events by bucket, where the columns decide: all of them, or the newest where time was up. `size`: the
    /// number of the newest that are wanted beside the counts.
    pub(super) fn counts(
        &self,
        conn: &mut SqliteConnection,
        interval: i64,
        size: usize,
        deadline: &Deadline,
    ) -> Result<Counted, StoreError> {
        let range = self.request.range;
        let (Some(minutes), Some(conditions)) = (minutes(range, interval), self.count_conditions())
        else {
            return self.counts_of_rows(conn, range, (interval, size), deadline);
        };
        // Findings about the edges say nothing of the minutes between them.
        let mut found = Counted::whole(counts_kept(conn, &conditions, minutes, interval)?);
        for (from, to) in [(range.from, minutes.from), (minutes.to, range.to)] {
            if from < to {
                let edge = Range { from, to };
                let edge = self.counts_of_rows(conn, edge, (interval, 0), deadline)?;
                found.counts.extend(edge.counts);
                found.complete &= edge.complete;
            }
        }
        Ok(found)
    }

    /// The query as conditions on `event_count`, by the kinds that are counted there; nothing where they do not decide.
    fn count_conditions(&self) -> Option<Vec<(u8, Condition)>> {
        let are_entries = asks_for_entries(&self.request.query);
        let condition = |(kind, _): &(Kind, Condition)| {
            let is_entry = are_entries && *kind == Kind::Transaction;
            let columns = |field: &str| match field {
                // Those without a parent are counted apart.
                "parent.id" if is_entry => Some(columns::ABSENT),
                _ => columns::counted(*kind, field),
            };
            let condition = Condition::new(&self.request.query, &columns);
            let code = if is_entry { ENTRY } else { kind_code(*kind) };
            condition.exact.then_some((code, condition))
        };
        self.parts.iter().map(condition).collect()
    }

    /// Row by row, newest first, for as long as there is time.
    fn counts_of_rows(
        &self,
        conn: &mut SqliteConnection,
        range: Range,
        (interval, size): (i64, usize),
        deadline: &Deadline,
    ) -> Result<Counted, StoreError> {
        if self.takes_all() {
            return Ok(Counted::whole(self.counts_of_all(conn, range, interval)?));
        }
        let mut found = Counted::whole(Counts::new());
        let is_one = is_one_bucket(range, interval);
        let mut sums: HashMap<i64, u64> = HashMap::default();
        let mut newest = Vec::new();
        let blocks = self.blocks(conn, range)?.all(conn)?;
        let (mut left, mut together) = (&*blocks, FIRST_BLOCKS);
        while !left.is_empty() {
            if !deadline.allows_more(blocks.len() - left.len(), 1) {
                found.complete = false;
                break;
            }
            let (some, others) = left.split_at(together.min(left.len()));
            let counted = if is_one {
                // In one bucket there is nothing to sort.
                let count = self.count(conn, some, range)?;
                *sums.entry(bucket(range.from, interval)).or_default() += count;
                count
            } else {
                // For SQLite to sort rows by their bucket takes longer than to hand them on. The newest are the page.
                let rows = self.candidates(conn, some, range)?;
                for row in &rows {
                    *sums.entry(bucket(row.ts, interval)).or_default() += 1;
                }
                let places = rows.iter().map(Candidate::place);
                newest.extend(places.filter(|place| self.is_after(*place)));
                newest_first(&mut newest, size);
                rows.len() as u64
            };
            if counted == 0 {
                found.empty.extend(some.iter().map(|block| block.id));
            }
            left = others;
            together = (together * 2).min(LAST_BLOCKS);
        }
        found.counts.extend(sums);
        found.newest = Some(newest).filter(|_| found.complete && !is_one);
        Ok(found)
    }

    /// The number of matching events of some blocks.
    fn count(
        &self,
        conn: &mut SqliteConnection,
        blocks: &[Block],
        range: Range,
    ) -> Result<u64, StoreError> {
        let runs = runs(blocks);
        let mut counts = Counts::new();
        for (kind, condition) in &self.parts {
            let text = format!(
                "SELECT 0 AS bucket, count(*) AS count\n\
                 FROM json_each(:runs) run\n\
                 CROSS JOIN {} r NOT INDEXED ON r.seq >= (run.value ->> 0) * 128 AND r.seq < (run.value ->> 1) * 128\n\
                 WHERE r.ts >= :from AND r.ts < :to\n  AND {}",
                columns::table(*kind),
                condition.sql(),
            );
            let sql = bound(Sql::new(text), range, condition).bind("runs", runs.as_str());
            load(conn, &sql, &mut counts)?;
        }
        Ok(counts.iter().map(|(_, count)| count).sum())
    }

    /// Whether every event is a hit.
    fn takes_all(&self) -> bool {
        let always = self
            .parts
            .iter()
            .filter(|(_, condition)| condition.is_always());
        always.count() == Kind::ALL.len()
    }

    /// All events by bucket: blocks within one bucket as a whole, the others row by row.
    fn counts_of_all(
        &self,
        conn: &mut SqliteConnection,
        range: Range,
        interval: i64,
    ) -> Result<Counts, StoreError> {
        let ranged = |sql: Sql| {
            sql.bind("from", range.from)
                .bind("to", range.to)
                .bind("interval", interval)
        };
        let mut found = Vec::new();
        let whole = ranged(Sql::new(include_str!("whole_blocks.sql")));
        load(conn, &whole, &mut found)?;
        let cut: Vec<Block> = ranged(Sql::new(include_str!("cut_blocks.sql"))).load(conn)?;
        if is_one_bucket(range, interval) {
            found.push((bucket(range.from, interval), self.count(conn, &cut, range)?));
            return Ok(found);
        }
        let runs = runs(&cut);
        let mut sums: HashMap<i64, u64> = HashMap::default();
        for (kind, _) in &self.parts {
            let text = format!(
                "SELECT r.ts\n\
                 FROM json_each(:runs) run\n\
                 CROSS JOIN {} r NOT INDEXED ON r.seq >= (run.value ->> 0) * 128 AND r.seq < (run.value ->> 1) * 128\n\
                 WHERE r.ts >= :from AND r.ts < :to",
                columns::table(*kind),
            );
            let sql = ranged(Sql::new(text).kept()).bind("runs", runs.as_str());
            sql.each(conn, |At(ts)| {
                *sums.entry(bucket(ts, interval)).or_default() += 1;
            })?;
        }
        found.extend(sums);
        Ok(found)
    }
}

/// The time of an event, µs.
struct At(i64);

impl QueryableByName<Sqlite> for At {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(Self(column::<BigInt, _>(row, 0, "ts")?))
    }
}

/// Whether only transactions without a parent can match: the query asks for `not parent.id: *` beside whatever else.
fn asks_for_entries(query: &Expr) -> bool {
    let entries = kql::parse("not parent.id: *", 0).ok();
    match query {
        Expr::And(parts) => parts.iter().any(|part| Some(part) == entries.as_ref()),
        query => Some(query) == entries.as_ref(),
    }
}

/// The whole minutes of a range, where the chart's buckets are made of minutes.
fn minutes(range: Range, interval: i64) -> Option<Range> {
    let minute = LEVELS[0] * SECOND;
    let whole = Range {
        from: (range.from + minute - 1).div_euclid(minute) * minute,
        to: range.to.div_euclid(minute) * minute,
    };
    (interval % LEVELS[0] == 0 && whole.from < whole.to).then_some(whole)
}

/// The start of the bucket of a time in µs, seconds.
fn bucket(micros: i64, interval: i64) -> i64 {
    micros / SECOND / interval * interval
}

/// Whether all times of a range are in one bucket.
fn is_one_bucket(range: Range, interval: i64) -> bool {
    bucket(range.from, interval) == bucket(range.to - 1, interval)
}

fn counts_kept(
    conn: &mut SqliteConnection,
    conditions: &[(u8, Condition)],
    minutes: Range,
    interval: i64,
) -> Result<Counts, StoreError> {
    let slices = window::series_json(minutes.from / SECOND, minutes.to / SECOND, interval);
    let mut found = Vec::new();
    for (kind, condition) in conditions {
        let text = format!(
            "SELECT r.bucket / :interval * :interval AS bucket, sum(r.n) AS count\n\
             FROM json_each(:slices) s\n\
             CROSS JOIN event_count r ON r.level = s.value ->> 0 AND r.kind = :kind\n  \
             AND r.bucket >= s.value ->> 1 AND r.bucket < s.value ->> 2\n\
             WHERE {}\n\
             GROUP BY 1",
            condition.sql(),
        );
        let sql = Sql::new(text)
            .bind("slices", slices.as_str())
            .bind("kind", i64::from(*kind))
            .bind("interval", interval);
        load(conn, &bound(sql, minutes, condition), &mut found)?;
    }
    Ok(found)
}

fn load(conn: &mut SqliteConnection, sql: &Sql, found: &mut Counts) -> Result<(), StoreError> {
    let rows: Vec<Count> = sql.load(conn)?;
    let count = |row: &Count| (row.bucket, row.count.unsigned_abs());
    found.extend(rows.iter().map(count));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_what_is_asked_for_beside_whatever_else() {
        for (query, are_entries) in [
            ("not parent.id: *", true),
            ("processor.event: transaction and not parent.id: *", true),
            (
                "service.name: a and not parent.id:* and event.outcome: failure",
                true,
            ),
            ("parent.id: *", false),
            ("not parent.id: 7", false),
            ("service.name: a or not parent.id: *", false),
            ("", false),
        ] {
            let parsed = kql::parse(query, 0).expect("a query");
            assert_eq!(
                asks_for_entries(&parsed),
                are_entries,
                "{query}: {parsed:?}"
            );
        }
    }
}
