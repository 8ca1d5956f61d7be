//! Keeps traces that matter when the blocks around them go (ADR 345).
//!
//! * Before blocks go, [`Keeper::choose`] reads their rows and those of some blocks behind them, each block once. It
//!   notes the traces to keep in `kept_for`: so the trace of a late error is known before its first block goes.
//! * A block that holds events of such traces is not deleted but thinned out ([`thin`]): its other events go, and the
//!   rest keep their numbers. Blocks go in order, so `kept_state.thinned` says which are whole.
//! * Each reason has a share of the room. [`Keeper::let_go`] drops the traces of the oldest hours beyond it, those that
//!   are too old, and those that nothing keeps any more.

use std::collections::BTreeMap;
use std::time::Instant;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer, Nullable};

use super::super::error::StoreError;
use super::super::kept::{self, Reason, TO_GO, Trace};
use super::super::number::number;
use super::super::options::StoreOptions;
use super::super::schema::{block, trace_at};
use super::super::statement::Run as _;
use super::super::trace_index;
use super::size::Size;
use super::thin::{self, Thinner};

/// Blocks that are looked through before the first of them goes: agents send the parts of a trace within some seconds.
const AHEAD: i64 = 1024;

/// Blocks that are looked through in one step, and together.
const PER_STEP: i64 = 512;
const TOGETHER: i64 = 64;

/// Traces of an error group, or failed ones of a transaction group, that are chosen in each hour.
const PER_HOUR: i64 = 5;

/// Traces that are dropped together.
const DROPPED: i64 = 16;

/// A trace takes at most this part of the room, unless it is pinned.
const PARTS: i64 = 16;

/// Chooses what is kept, and keeps it within its room.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Bytes for kept traces. `i64::MAX`: no limit; 0: nothing is kept.
    room: i64,
    /// Seconds after which they go, unless they are pinned.
    max_age: Option<i64>,
    pub(super) thinner: Thinner,
}

impl Keeper {
    pub(super) fn new(options: &StoreOptions) -> Self {
        let percent = i64::from(options.keep.min(50));
        let limit = Size::new(options).limit();
        let room = match (percent, limit) {
            (0, _) => 0,
            (_, i64::MAX) => i64::MAX,
            (percent, limit) => limit / 100 * percent,
        };
        Self {
            room,
            max_age: options
                .rollup_max_age
                .map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX)),
            thinner: Thinner::new(room / PARTS),
        }
    }

    /// Bytes that traces of a reason may take.
    pub(super) fn share(&self, reason: Reason) -> i64 {
        match self.room {
            i64::MAX => i64::MAX,
            room => room / 100 * reason.share(),
        }
    }

    /// Looks through the blocks up to `last` and some behind it; whether that is done. `last`: the newest block that is
    /// about to go.
    pub(super) fn choose(
        &self,
        conn: &mut SqliteConnection,
        last: i64,
        deadline: Instant,
    ) -> QueryResult<bool> {
        if self.room == 0 {
            return Ok(true);
        }
        let newest: Option<i64> = block::table
            .select(diesel::dsl::max(block::id))
            .get_result(conn)?;
        let newest = newest.unwrap_or(last);
        // Of few blocks, few are looked at early: more may still come to them.
        let ahead = AHEAD.min((newest - last) / 4);
        // The block being filled is looked at only when it is about to go.
        let until = (last + ahead).min(newest - 1).max(last);
        self.choose_until(conn, until, deadline)
    }

    /// Looks through the blocks up to `until`, to which nothing is added any more; whether that is done.
    pub(super) fn choose_until(
        &self,
        conn: &mut SqliteConnection,
        until: i64,
        deadline: Instant,
    ) -> QueryResult<bool> {
        if self.room == 0 {
            return Ok(true);
        }
        let whole = kept::first_whole_block(conn)?;
        let chosen = "SELECT coalesce(max(chosen), 0) AS n FROM kept_state";
        let from = number(conn, chosen)?.max(whole);
        let step = until.min(from + PER_STEP - 1);
        let mut next = from;
        while next <= step {
            let end = step.min(next + TOGETHER - 1);
            choose_from(conn, next, end)?;
            next = end + 1;
            if Instant::now() >= deadline {
                break;
            }
        }
        if next > from {
            sql_query(
                "INSERT INTO kept_state (id, thinned, chosen) VALUES (1, 0, ?) \
                 ON CONFLICT (id) DO UPDATE SET chosen = excluded.chosen",
            )
            .bind::<BigInt, _>(next)
            .run(conn)?;
        }
        Ok(next > until)
    }

    /// Whether traces have to go.
    pub(super) fn is_over(&self, conn: &mut SqliteConnection, now: i64) -> QueryResult<bool> {
        Ok(self.beyond(conn, now)?.is_some())
    }

    /// Drops what is beyond its share, too old, or not kept any more, some traces of it; whether there is more of it.
    pub(super) fn let_go(
        &mut self,
        conn: &mut SqliteConnection,
        now: i64,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        while let Some(reason) = self.beyond(conn, now)? {
            self.drop_oldest(conn, reason)?;
            if Instant::now() >= deadline {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The code of a reason of which traces have to go.
    fn beyond(&self, conn: &mut SqliteConnection, now: i64) -> QueryResult<Option<i32>> {
        for room in kept::rooms(conn)? {
            if room.traces == 0 {
                continue;
            }
            if room.reason == TO_GO {
                return Ok(Some(TO_GO));
            }
            let Some(reason) = Reason::ALL
                .into_iter()
                .find(|one| one.code() == room.reason)
            else {
                continue;
            };
            let is_large = room.bytes > self.share(reason);
            if is_large || (self.room == 0 && room.traces > 0) {
                return Ok(Some(room.reason));
            }
            let Some(age) = self.max_age.filter(|_| reason != Reason::Pinned) else {
                continue;
            };
            let oldest = sql_query("SELECT min(hour) AS n FROM kept_for WHERE reason = ?")
                .bind::<Integer, _>(room.reason)
                .get_result::<Oldest>(conn)?;
            if oldest.n.is_some_and(|hour| hour < now.saturating_sub(age)) {
                return Ok(Some(room.reason));
            }
        }
        Ok(None)
    }

    /// Traces of the oldest hours are not kept for a reason any more; those that nothing keeps go.
    fn drop_oldest(&mut self, conn: &mut SqliteConnection, reason: i32) -> Result<(), StoreError> {
        let oldest: Vec<Trace> = sql_query(
            "SELECT trace_id FROM kept_for WHERE reason = ? ORDER BY hour, trace_id LIMIT +?",
        )
        .bind::<Integer, _>(reason)
        .bind::<BigInt, _>(DROPPED)
        .load(conn)?;
        for Trace { trace_id } in &oldest {
            let sql = format!("DELETE FROM kept_for WHERE reason = {reason} AND trace_id = ?");
            kept::bound(conn, &sql, trace_id)?;
        }
        if reason != TO_GO {
            return Ok(());
        }
        let mut blocks: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
        for Trace { trace_id } in &oldest {
            let bits = trace_index::bits(trace_id.hash());
            let key = trace_index::key(trace_index::KEPT, bits);
            let of_key = trace_at::table.filter(trace_at::key.eq(key));
            for block in of_key.select(trace_at::block).load(conn)? {
                blocks.entry(block).or_default().push(bits);
            }
            kept::bound(conn, "DELETE FROM kept_trace WHERE trace_id = ?", trace_id)?;
        }
        for (block, all) in blocks {
            let stay = thin::again(conn, &mut self.thinner, block)?;
            // Another trace may have the same key.
            for bits in all.into_iter().filter(|bits| !stay.contains(bits)) {
                let key = trace_index::key(trace_index::KEPT, bits);
                diesel::delete(trace_at::table.find((key, block))).run(conn)?;
            }
        }
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Oldest {
    #[diesel(sql_type = Nullable<BigInt>)]
    n: Option<i64>,
}

/// Notes the traces to keep among the events of some blocks.
fn choose_from(conn: &mut SqliteConnection, first: i64, last: i64) -> QueryResult<()> {
    let (first, last) = thin::numbers(first, last);
    for sql in [
        include_str!("keep/errors.sql"),
        include_str!("keep/failures.sql"),
    ] {
        sql_query(sql)
            .bind::<BigInt, _>(first)
            .bind::<BigInt, _>(last)
            .bind::<BigInt, _>(PER_HOUR)
            .run(conn)?;
    }
    sql_query(include_str!("keep/slowest.sql"))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .run(conn)?;
    let sampled = sql_query(include_str!("keep/samples.sql"))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .run(conn)?;
    if sampled > 0 {
        sql_query(include_str!("keep/replaced.sql")).run(conn)?;
    }
    Ok(())
}
