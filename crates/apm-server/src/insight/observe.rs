//! Counts of callers: who runs which statement, how often per request. They are read behind the intake, never in its
//! way.
//!
//! Each [`Observer::look`] takes the events that were committed since the last one, at most [`MOST`] of them: under
//! heavy load the newest, so that what it costs is bounded and what it finds is a sample. Agents send spans before,
//! with or after their transaction; a request is counted one look after its transaction was seen.

mod counts;
mod loose;
mod rows;
mod work;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use apm_store::id::StoredId;
use apm_store::rollup::LEVELS;
use diesel::prelude::*;

use crate::analytics::sql::Sql;

use self::counts::Sums;
pub(super) use self::counts::{Counted, Gaps, Observed, Usage, sweep};
use self::loose::Loose;
use self::rows::{Arrived, Known, Number, SpanRow, TxRow};
pub(super) use self::work::Work;
use super::repeats::{BADGE, DbSpan, repeats};

/// Events per look.
const MOST: i64 = 20_000;

/// Events at the start of a sample of the engine whose requests may have begun before it.
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
    /// Whether nothing may be left out, however much came, and what is not known is told.
    complete: bool,
    /// Whether spans found no place.
    is_cut: bool,
    /// Spans of any kind that arrived of transactions that were not counted yet, and in which look the first came.
    arrived: HashMap<StoredId, (i64, u32)>,
    /// Requests that began before it are passed over, µs.
    since: i64,
}

#[derive(Debug)]
struct Waiting {
    spans: Vec<SpanRow>,
    since: u32,
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
            gaps: HashMap::new(),
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
        if self.complete {
            for arrived in range(include_str!("observe/arrived.sql")).load::<Arrived>(conn)? {
                let looks = self.looks;
                let known = self.arrived.entry(arrived.transaction_id);
                known.or_insert((0, looks)).0 += arrived.spans;
            }
        }
        // After a gap, spans of the first requests may lie in it.
        let first = if skipped { from + EDGE } else { from };
        let new: Vec<TxRow> = range(include_str!("observe/requests.sql"))
            .bind("complete", i64::from(self.complete))
            .load(conn)?;
        let since = self.since;
        let (new, before): (Vec<TxRow>, Vec<TxRow>) = new
            .into_iter()
            .filter(|tx| tx.seq > first)
            .partition(|tx| tx.ts >= since);
        self.requests = new;
        for tx in before {
            self.spans.remove(&tx.id);
            self.arrived.remove(&tx.id);
        }
        let mut lost = self.loose.lost(ready.iter().chain(&self.requests));
        for tx in ready {
            // After a gap the spans of earlier requests are gone.
            if !skipped {
                let lost = lost.remove(&tx.id).unwrap_or_default();
                self.count(conn, &tx, lost, &mut observed)?;
            }
        }
        self.forget();
        self.mark = Some(newest);
        Ok(Some(observed))
    }

    /// Counts every request from a time on (µs), whatever was counted before, and keeps nothing.
    pub(super) fn all(conn: &mut SqliteConnection, since: i64) -> QueryResult<Counted> {
        let first: Number = Sql::new(include_str!("observe/first.sql"))
            .bind("since", since)
            .first(conn)?;
        let mut observer = Self {
            mark: Some((first.n - 1).max(-1)),
            complete: true,
            since,
            ..Self::default()
        };
        let mut sums: HashMap<(i64, i64), Sums> = HashMap::new();
        let mut gaps: HashMap<i64, Gaps> = HashMap::new();
        while let Some(observed) = observer.look(conn)? {
            for ((_, group, statement), new) in observed.rows {
                match sums.entry((group, statement)) {
                    Entry::Vacant(entry) => {
                        entry.insert(new);
                    }
                    Entry::Occupied(mut entry) => entry.get_mut().add(new),
                }
            }
            for (group, new) in observed.gaps {
                add_gap(&mut gaps, group, new);
            }
        }
        let usage = sums
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
                work: sums.work.map(|work| *work).unwrap_or_default(),
            })
            .collect();
        Ok(Counted {
            usage,
            gaps: gaps.into_iter().collect(),
            is_cut: observer.is_cut || observer.loose.is_cut,
        })
    }

    fn keep(&mut self, span: SpanRow) {
        // Further spans are not counted: a request without some of its calls is still a lower bound.
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
        } else {
            self.is_cut = true;
        }
    }

    /// Drops spans whose transaction does not come.
    fn forget(&mut self) {
        let oldest = self.looks.saturating_sub(PATIENCE);
        self.spans
            .retain(|_, waiting| waiting.since > oldest || oldest == 0);
        self.waiting = self.spans.values().map(|waiting| waiting.spans.len()).sum();
        self.arrived
            .retain(|_, (_, since)| *since > oldest || oldest == 0);
        self.loose.forget(oldest);
    }

    fn count(
        &mut self,
        conn: &mut SqliteConnection,
        tx: &TxRow,
        lost: Vec<StoredId>,
        observed: &mut Observed,
    ) -> QueryResult<()> {
        let mut spans = self
            .spans
            .remove(&tx.id)
            .map_or_else(Vec::new, |waiting| waiting.spans);
        spans.extend(self.loose.take(&tx.id, lost));
        for span in &spans {
            if let Entry::Vacant(entry) = self.statements.entry(span.statement_id) {
                let known: Vec<Known> = Sql::new(include_str!("observe/statement.sql"))
                    .bind("id", span.statement_id)
                    .load(conn)?;
                entry.insert(known.into_iter().next().unwrap_or_default());
            }
        }
        let mut work = self.work(tx, &spans);
        self.note_gap(tx, &spans, observed);
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
            // 0 stands for all statements of the request together.
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
                work: None,
            });
            if let Some(work) = work.remove(&statement) {
                sums.work.get_or_insert_default().add(work);
            }
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

    /// The work of the statements of a request, for the gate.
    fn work(&self, tx: &TxRow, spans: &[SpanRow]) -> HashMap<i64, Work> {
        let mut work: HashMap<i64, Work> = HashMap::new();
        if self.complete {
            for span in spans {
                let of_statement = work.entry(span.statement_id).or_default();
                of_statement.call(span, &tx.trace_id);
            }
        }
        work
    }

    /// Notes a request of which spans are missing, for the gate. `spans`: the statements that are known of it.
    fn note_gap(&mut self, tx: &TxRow, spans: &[SpanRow], observed: &mut Observed) {
        if !self.complete {
            return;
        }
        let arrived = self.arrived.remove(&tx.id).map_or(0, |(spans, _)| spans);
        let lost = (tx.sent - arrived).max(0);
        if tx.dropped > 0 || lost > 0 {
            let known: i64 = spans.iter().map(|span| span.calls).sum();
            let gaps = Gaps::of_request(tx, lost, known);
            add_gap(&mut observed.gaps, tx.group_id, gaps);
        }
    }
}

fn add_gap(gaps: &mut HashMap<i64, Gaps>, group: i64, new: Gaps) {
    match gaps.entry(group) {
        Entry::Vacant(entry) => {
            entry.insert(new);
        }
        Entry::Occupied(mut entry) => entry.get_mut().add(new),
    }
}

fn number(conn: &mut SqliteConnection, sql: &'static str) -> QueryResult<i64> {
    let row: Number = Sql::new(sql).first(conn)?;
    Ok(row.n)
}

#[cfg(test)]
mod tests;
