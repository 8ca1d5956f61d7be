//! Counts of callers: the sums of a look, and how they are stored.

use std::collections::HashMap;

use apm_store::id::StoredId;
use apm_store::rollup::LEVELS;
use apm_store::share::{self, Caller};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::rows::TxRow;
use super::work::Work;

/// The counts of a look, to be written.
#[derive(Debug, Default)]
pub(in crate::insight) struct Observed {
    pub(super) mark: i64,
    pub(super) rows: HashMap<(i64, i64, i64), Sums>,
    /// Requests of which not all is known, by their transaction group.
    pub(super) gaps: HashMap<i64, Gaps>,
}

/// The requests of a transaction group of which not all spans are known.
#[derive(Debug, Clone)]
pub(in crate::insight) struct Gaps {
    pub(in crate::insight) requests: i64,
    /// Spans that their agent dropped.
    pub(in crate::insight) dropped: i64,
    /// Spans that their agent sent and that are not here.
    pub(in crate::insight) lost: i64,
    /// The most statements that one of them may have run.
    pub(in crate::insight) most: f64,
    /// The trace of that one.
    pub(in crate::insight) trace: StoredId,
}

impl Gaps {
    /// A request, by the statements that are known of it.
    pub(super) fn of_request(tx: &TxRow, lost: i64, known: i64) -> Self {
        Self {
            requests: 1,
            dropped: tx.dropped,
            lost,
            most: (known + tx.dropped + lost) as f64,
            trace: tx.trace_id.clone(),
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.dropped += other.dropped;
        self.lost += other.lost;
        if other.most > self.most {
            self.most = other.most;
            self.trace = other.trace;
        }
    }
}

/// Everything that was counted since a time.
#[derive(Debug)]
pub(in crate::insight) struct Counted {
    pub(in crate::insight) usage: Vec<Usage>,
    /// By transaction group.
    pub(in crate::insight) gaps: Vec<(i64, Gaps)>,
    /// Whether spans were left out, as too many waited for their requests at once.
    pub(in crate::insight) is_cut: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub(super) requests: i64,
    pub(super) calls: f64,
    pub(super) most: f64,
    pub(super) sum: f64,
    pub(super) tx_sum: f64,
    pub(super) follows: i64,
    pub(super) looped: f64,
    pub(super) trace: StoredId,
    /// Only for the gate.
    pub(super) work: Option<Box<Work>>,
}

impl Sums {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.calls += other.calls;
        self.looped += other.looped;
        self.sum += other.sum;
        self.tx_sum += other.tx_sum;
        self.follows += other.follows;
        if let Some(work) = other.work {
            self.work.get_or_insert_default().add(*work);
        }
        // The trace is that of the request with the most calls.
        if other.most > self.most {
            self.most = other.most;
            self.trace = other.trace;
        }
    }
}

/// The use of a statement by requests of a transaction group; 0: all statements.
#[derive(Debug, Clone)]
pub(in crate::insight) struct Usage {
    pub(in crate::insight) group: i64,
    pub(in crate::insight) statement: i64,
    pub(in crate::insight) requests: i64,
    pub(in crate::insight) calls: f64,
    pub(in crate::insight) most: f64,
    pub(in crate::insight) follows: i64,
    /// Calls that a loop made.
    pub(in crate::insight) looped: f64,
    pub(in crate::insight) trace: StoredId,
    /// The work of its calls.
    pub(in crate::insight) work: Work,
}

impl Observed {
    /// Adds it to what is stored, with the mark up to which it goes: both or neither. `shares`: other servers get it,
    /// too.
    pub(in crate::insight) fn write(
        self,
        conn: &mut SqliteConnection,
        shares: bool,
    ) -> QueryResult<()> {
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
pub(in crate::insight) fn sweep(
    conn: &mut SqliteConnection,
    now: i64,
    days: i64,
) -> QueryResult<()> {
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
