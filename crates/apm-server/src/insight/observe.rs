//! Counts of callers: who runs which statement, how often per request. They are read behind the intake, never in its
//! way.
//!
//! Each [`Observer::look`] takes the events that were committed since the last one, at most [`MOST`] of them: under
//! heavy load the newest, so that what it costs is bounded and what it finds is a sample. Agents send spans before,
//! with or after their transaction; a request is counted one look after its transaction was seen.

mod loose;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use apm_store::id::{Identifier, StoredId};
use apm_store::rollup::LEVELS;
use apm_store::share::{self, Caller};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::analytics::sql::Sql;

use self::loose::Loose;
use super::repeats::{BADGE, DbSpan, repeats};

/// Events per look.
const MOST: i64 = 20_000;

/// Events at the start of a sample whose requests may have begun before it.
const EDGE: i64 = 256;

/// Spans kept for transactions that have not come yet, and for how many looks.
const WAITING: usize = 50_000;
const PATIENCE: u32 = 30;

/// Reads on from where it was.
#[derive(Debug, Default)]
pub(super) struct Observer {
    /// The last event that was read; `None` until the stored mark was.
    mark: Option<i64>,
    looks: u32,
    spans: HashMap<StoredId, Waiting>,
    waiting: usize,
    loose: Loose,
    requests: Vec<TxRow>,
    statements: HashMap<i64, Known>,
    /// Whether nothing may be left out, however much came.
    complete: bool,
    /// Requests that began before it are passed over, µs.
    since: i64,
}

#[derive(Debug)]
struct Waiting {
    spans: Vec<SpanRow>,
    since: u32,
}

/// The counts of a look, to be written.
#[derive(Debug, Default)]
pub(super) struct Observed {
    mark: i64,
    rows: HashMap<(i64, i64, i64), Sums>,
}

#[derive(Debug, Clone)]
struct Sums {
    requests: i64,
    calls: f64,
    most: f64,
    sum: f64,
    tx_sum: f64,
    follows: i64,
    looped: f64,
    trace: StoredId,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.calls += other.calls;
        self.looped += other.looped;
        self.sum += other.sum;
        self.tx_sum += other.tx_sum;
        self.follows += other.follows;
        if other.most > self.most {
            self.most = other.most;
            self.trace = other.trace;
        }
    }
}

/// The use of a statement by requests of a transaction group; 0: all statements.
#[derive(Debug, Clone)]
pub(super) struct Usage {
    pub(super) group: i64,
    pub(super) statement: i64,
    pub(super) requests: i64,
    pub(super) calls: f64,
    pub(super) most: f64,
    pub(super) follows: i64,
    /// Calls that a loop made.
    pub(super) looped: f64,
    pub(super) trace: StoredId,
}

#[derive(Debug, QueryableByName)]
struct SpanRow {
    #[diesel(sql_type = Identifier)]
    transaction_id: StoredId,
    #[diesel(sql_type = BigInt)]
    statement_id: i64,
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = Bool)]
    failed: bool,
    #[diesel(sql_type = Bool)]
    of_one_kind: bool,
}

#[derive(Debug, QueryableByName)]
struct TxRow {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Identifier)]
    id: StoredId,
    #[diesel(sql_type = Identifier)]
    trace_id: StoredId,
    #[diesel(sql_type = BigInt)]
    group_id: i64,
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = BigInt)]
    duration: i64,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// A statement of the dictionary.
#[derive(Debug, Clone, Default, QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    verb: String,
    #[diesel(sql_type = Bool)]
    folds_equal: bool,
}

impl Observer {
    /// Reads what came since the last look. Nothing to write where nothing came.
    pub(super) fn look(&mut self, conn: &mut SqliteConnection) -> QueryResult<Option<Observed>> {
        let newest = number(conn, include_str!("observe/newest.sql"))?;
        let mark = match self.mark {
            Some(mark) => mark,
            None => number(conn, include_str!("observe/mark.sql"))?,
        };
        // Requests of the last look are still to be counted.
        if mark >= newest && self.requests.is_empty() {
            self.mark = Some(mark);
            return Ok(None);
        }
        self.looks += 1;
        // Ids start again at 1 when all data is cleared.
        self.statements.clear();
        let newest = if self.complete {
            newest.min(mark + MOST)
        } else {
            newest
        };
        let mut observed = Observed {
            mark: newest.max(mark),
            rows: HashMap::new(),
        };
        let ready = std::mem::take(&mut self.requests);
        let from = mark.max(newest - MOST);
        let skipped = from > mark;
        if skipped {
            self.spans.clear();
            self.waiting = 0;
            self.loose = Loose::default();
        }
        let range = |text: &'static str| Sql::new(text).bind("from", from).bind("to", newest);
        for span in range(include_str!("observe/spans.sql")).load::<SpanRow>(conn)? {
            self.keep(span);
        }
        self.loose.read(conn, from, newest, self.looks)?;
        let first = if skipped { from + EDGE } else { from };
        let new: Vec<TxRow> = range(include_str!("observe/requests.sql")).load(conn)?;
        self.requests = new
            .into_iter()
            .filter(|tx| tx.seq > first && tx.ts >= self.since)
            .collect();
        for tx in ready {
            // After a gap the spans of earlier requests are gone.
            if !skipped {
                self.count(conn, &tx, &mut observed)?;
            }
        }
        self.forget();
        self.mark = Some(newest);
        Ok(Some(observed))
    }

    /// Counts every request from a time on (µs), whatever was counted before, and keeps nothing.
    pub(super) fn all(conn: &mut SqliteConnection, since: i64) -> QueryResult<Vec<Usage>> {
        let first: Number = Sql::new(include_str!("observe/first.sql"))
            .bind("since", since)
            .first(conn)?;
        let mut observer = Self {
            // Spans may have come before their transaction.
            mark: Some((first.n - EDGE).max(-1)),
            complete: true,
            since,
            ..Self::default()
        };
        let mut sums: HashMap<(i64, i64), Sums> = HashMap::new();
        while let Some(observed) = observer.look(conn)? {
            for ((_, group, statement), new) in observed.rows {
                match sums.entry((group, statement)) {
                    Entry::Vacant(entry) => {
                        entry.insert(new);
                    }
                    Entry::Occupied(mut entry) => entry.get_mut().add(new),
                }
            }
        }
        Ok(sums
            .into_iter()
            .map(|((group, statement), sums)| Usage {
                group,
                statement,
                requests: sums.requests,
                calls: sums.calls,
                most: sums.most,
                follows: sums.follows,
                looped: sums.looped,
                trace: sums.trace,
            })
            .collect())
    }

    fn keep(&mut self, span: SpanRow) {
        if self.waiting < WAITING {
            self.waiting += 1;
            let looks = self.looks;
            self.spans
                .entry(span.transaction_id.clone())
                .or_insert(Waiting {
                    spans: Vec::new(),
                    since: looks,
                })
                .spans
                .push(span);
        }
    }

    /// Drops spans whose transaction does not come.
    fn forget(&mut self) {
        let oldest = self.looks.saturating_sub(PATIENCE);
        self.spans
            .retain(|_, waiting| waiting.since > oldest || oldest == 0);
        self.waiting = self.spans.values().map(|waiting| waiting.spans.len()).sum();
        self.loose.forget(oldest);
    }

    fn count(
        &mut self,
        conn: &mut SqliteConnection,
        tx: &TxRow,
        observed: &mut Observed,
    ) -> QueryResult<()> {
        let mut spans = self
            .spans
            .remove(&tx.id)
            .map_or_else(Vec::new, |waiting| waiting.spans);
        spans.extend(self.loose.take(&tx.id));
        for span in &spans {
            if let Entry::Vacant(entry) = self.statements.entry(span.statement_id) {
                let known: Vec<Known> = Sql::new(include_str!("observe/statement.sql"))
                    .bind("id", span.statement_id)
                    .load(conn)?;
                entry.insert(known.into_iter().next().unwrap_or_default());
            }
        }
        let minute = LEVELS[0];
        let bucket = tx.ts.div_euclid(1_000_000).div_euclid(minute) * minute;
        let mut by_statement: HashMap<i64, (f64, f64)> = HashMap::new();
        let calls: Vec<DbSpan<'_>> = spans
            .iter()
            .map(|span| {
                let known = self.statements.get(&span.statement_id);
                DbSpan {
                    statement: span.statement_id,
                    verb: known.map_or("", |known| &known.verb),
                    start: span.ts,
                    calls: span.calls as f64,
                    total: span.total as f64,
                    alike: span.of_one_kind && known.is_some_and(|known| known.folds_equal),
                    failed: span.failed,
                }
            })
            .collect();
        for call in &calls {
            for statement in [0, call.statement] {
                let sum = by_statement.entry(statement).or_default();
                sum.0 += call.calls;
                sum.1 += call.total;
            }
        }
        // A request without a statement counts among all together.
        by_statement.entry(0).or_default();
        let repeated = repeats(&calls);
        for (statement, (count, sum)) in by_statement {
            let repeat = repeated.iter().find(|repeat| repeat.statement == statement);
            let follows =
                repeat.is_some_and(|repeat| repeat.follows_a_query && repeat.looped >= BADGE);
            let key = (bucket, tx.group_id, statement);
            let sums = observed.rows.entry(key).or_insert(Sums {
                requests: 0,
                calls: 0.0,
                // Below any count, so that the first request sets it.
                most: -1.0,
                sum: 0.0,
                tx_sum: 0.0,
                follows: 0,
                looped: 0.0,
                trace: tx.trace_id.clone(),
            });
            sums.requests += 1;
            sums.calls += count;
            sums.sum += sum;
            sums.tx_sum += tx.duration as f64;
            sums.follows += i64::from(follows);
            sums.looped += repeat.map_or(0.0, |repeat| repeat.looped);
            if count > sums.most {
                sums.most = count;
                sums.trace = tx.trace_id.clone();
            }
        }
        Ok(())
    }
}

impl Observed {
    /// Adds it to what is stored, with the mark up to which it goes: both or neither. `shares`: other servers get it,
    /// too.
    pub(super) fn write(self, conn: &mut SqliteConnection, shares: bool) -> QueryResult<()> {
        let callers = self
            .rows
            .into_iter()
            .map(|((bucket, group, statement), sums)| Caller {
                bucket,
                group,
                statement,
                requests: sums.requests,
                calls: sums.calls,
                most: sums.most,
                sum: sums.sum,
                tx_sum: sums.tx_sum,
                follows: sums.follows,
                looped: sums.looped,
                trace: sums.trace,
            });
        let callers: Vec<Caller> = callers.collect();
        share::add_callers(conn, &callers, apm_time::now())?;
        if shares {
            share::note_callers(conn, &callers)?;
        }
        diesel::sql_query("INSERT OR REPLACE INTO insight_state VALUES ('observed', ?)")
            .bind::<BigInt, _>(self.mark)
            .execute(conn)?;
        Ok(())
    }
}

/// Drops what is older than anything that is asked for. `now` in seconds.
pub(super) fn sweep(conn: &mut SqliteConnection, now: i64, days: i64) -> QueryResult<()> {
    for (level, keep) in [
        (LEVELS[0], 86_400),
        (LEVELS[1], 7 * 86_400),
        (LEVELS[2], days * 86_400),
    ] {
        for table in ["roll_caller", "roll_caller_written"] {
            diesel::sql_query(format!(
                "DELETE FROM {table} WHERE level = ? AND bucket < ?"
            ))
            .bind::<BigInt, _>(level)
            .bind::<BigInt, _>(now - keep)
            .execute(conn)?;
        }
    }
    Ok(())
}

fn number(conn: &mut SqliteConnection, sql: &'static str) -> QueryResult<i64> {
    let row: Number = Sql::new(sql).first(conn)?;
    Ok(row.n)
}
