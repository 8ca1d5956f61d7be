//! Traces that stay when the blocks around them go: why each does, and those that a person pinned.
//!
//! Retention chooses what matters and thins blocks out (`retention::keep`, ADR 345). What is here is for pages: the
//! pins, and what is kept.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Integer, Text};

use super::block::SLOTS;
use super::error::StoreError;
use super::events::{trace_blocks, trace_in};
use super::id::{Identifier, StoredId};
use super::schema::{block, tx};
use super::statement::Run as _;

/// Traces that may be pinned.
pub const MOST_PINS: i64 = 1000;

/// Why a trace is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A person pinned it.
    Pinned,
    /// It is among the first of an error group in an hour.
    Error,
    /// It is among the first with a failed transaction of a group in an hour.
    Failure,
    /// Its transaction is the slowest of its group in an hour.
    Slowest,
    /// It has a sample of a statement with its plan.
    Sample,
}

/// The code of a trace that goes with the next steps.
pub(crate) const TO_GO: i32 = 9;

impl Reason {
    /// All of them, the strongest first.
    pub const ALL: [Self; 5] = [
        Self::Pinned,
        Self::Error,
        Self::Failure,
        Self::Slowest,
        Self::Sample,
    ];

    /// Its number in the table `kept_for`.
    pub fn code(self) -> i32 {
        match self {
            Self::Pinned => 1,
            Self::Error => 2,
            Self::Failure => 3,
            Self::Slowest => 4,
            Self::Sample => 5,
        }
    }

    /// The word for it in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Slowest => "slowest",
            Self::Sample => "sample",
        }
    }

    /// That of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// The part of the room for kept traces that it may fill, in percent.
    pub(crate) fn share(self) -> i64 {
        match self {
            Self::Pinned => 20,
            Self::Error => 30,
            Self::Failure => 15,
            Self::Slowest => 25,
            Self::Sample => 10,
        }
    }
}

/// The outcome of [`pin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The trace is pinned.
    Pinned,
    /// [`MOST_PINS`] are, or they fill their room.
    Full,
}

/// The sums over the traces of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, QueryableByName)]
pub struct Room {
    /// The code of the reason.
    #[diesel(sql_type = Integer)]
    pub reason: i32,
    /// Its traces.
    #[diesel(sql_type = BigInt)]
    pub traces: i64,
    /// Bytes that they take in blocks that were thinned out.
    #[diesel(sql_type = BigInt)]
    pub bytes: i64,
}

#[derive(QueryableByName)]
struct Thinned {
    #[diesel(sql_type = BigInt)]
    thinned: i64,
}

#[derive(QueryableByName)]
struct Code {
    #[diesel(sql_type = Integer)]
    reason: i32,
}

/// An identifier of a row that is read by hand.
#[derive(Debug, QueryableByName)]
pub(crate) struct Trace {
    #[diesel(sql_type = Identifier)]
    pub(crate) trace_id: StoredId,
}

/// Keeps a trace until it is unpinned. `entry`: its [`entry`]; `room`: bytes that pinned traces may take, see
/// [`Store::keep_share`](crate::Store::keep_share); `now`: seconds since the epoch.
pub fn pin(
    conn: &mut SqliteConnection,
    trace: &str,
    entry: i64,
    room: Option<i64>,
    now: i64,
) -> QueryResult<Pin> {
    // The form may be sent twice: the trace is pinned already, however many others are.
    if reason(conn, trace)? == Some(Reason::Pinned) {
        return Ok(Pin::Pinned);
    }
    let pinned = room_of(conn, Reason::Pinned)?;
    if pinned.traces >= MOST_PINS || room.is_some_and(|room| pinned.bytes >= room) {
        return Ok(Pin::Full);
    }
    let sql = format!(
        "INSERT INTO kept_for (reason, subject, plan, hour, trace_id) VALUES (1, {entry}, 0, {now}, ?)"
    );
    bound(conn, &sql, &StoredId::from(trace))?;
    Ok(Pin::Pinned)
}

/// The id of the transaction group that a trace begins with, looked for in its first blocks; 0 where it has no
/// transaction there, and `None` where nothing of it is stored.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn entry(conn: &mut SqliteConnection, trace: &str) -> Result<Option<i64>, StoreError> {
    const LOOKED_AT: usize = 16;
    let id = StoredId::from(trace);
    let blocks = trace_blocks(conn, trace)?;
    for block in blocks.iter().take(LOOKED_AT) {
        let found: Vec<(i64, StoredId)> = tx::table
            .filter(tx::seq.between(block * SLOTS, block * SLOTS + SLOTS - 1))
            .order((tx::parent_id.is_not_null(), tx::ts))
            .select((tx::group_id, tx::trace_id))
            .load(conn)?;
        if let Some((group, _)) = found.into_iter().find(|(_, trace)| *trace == id) {
            return Ok(Some(group));
        }
    }
    // None of its transactions is stored. Its spans or errors may be.
    for block in blocks {
        if !trace_in(conn, trace, &[block])?.is_empty() {
            return Ok(Some(0));
        }
    }
    Ok(None)
}

/// Takes a pin back; whether there was one. What was kept for it alone goes with the next steps of retention.
pub fn unpin(conn: &mut SqliteConnection, trace: &str) -> QueryResult<bool> {
    let sql = "DELETE FROM kept_for WHERE trace_id = ? AND reason = 1";
    Ok(bound(conn, sql, &StoredId::from(trace))? > 0)
}

/// The strongest reason for which a trace is kept.
pub fn reason(conn: &mut SqliteConnection, trace: &str) -> QueryResult<Option<Reason>> {
    let id = StoredId::from(trace);
    let sql = "SELECT reason FROM kept_for WHERE trace_id = ? ORDER BY reason LIMIT 1";
    let found: Option<Code> = match &id {
        StoredId::Short(id) => sql_query(sql)
            .bind::<BigInt, _>(id.cast_signed())
            .get_result(conn),
        StoredId::Long(id) => sql_query(sql).bind::<Binary, _>(&id[..]).get_result(conn),
        StoredId::Other(id) => sql_query(sql).bind::<Text, _>(id).get_result(conn),
    }
    .optional()?;
    Ok(found.and_then(|found| {
        Reason::ALL
            .into_iter()
            .find(|reason| reason.code() == found.reason)
    }))
}

/// The sums of each reason.
pub fn rooms(conn: &mut SqliteConnection) -> QueryResult<Vec<Room>> {
    sql_query("SELECT reason, traces, bytes FROM kept_room ORDER BY reason").load(conn)
}

/// The number of kept traces and their bytes, each counted once whatever it is kept for.
pub fn total(conn: &mut SqliteConnection) -> QueryResult<Room> {
    sql_query(
        "SELECT 0 AS reason, count(*) AS traces, coalesce(sum(bytes), 0) AS bytes FROM kept_trace",
    )
    .get_result(conn)
}

/// The first block that is whole: those before it hold kept traces only.
pub fn first_whole_block(conn: &mut SqliteConnection) -> QueryResult<i64> {
    sql_query("SELECT coalesce(max(thinned), 0) AS thinned FROM kept_state")
        .get_result::<Thinned>(conn)
        .map(|row| row.thinned)
}

/// The first block of which all events are there: those before it were thinned out or sampled.
pub fn first_complete_block(conn: &mut SqliteConnection) -> QueryResult<i64> {
    sql_query("SELECT coalesce(max(max(thinned, sampled)), 0) AS thinned FROM kept_state")
        .get_result::<Thinned>(conn)
        .map(|row| row.thinned)
}

/// When the oldest events arrived of which all are there, seconds since the epoch; `None` where nothing was thinned out
/// and nothing sampled.
pub fn whole_since(conn: &mut SqliteConnection) -> QueryResult<Option<i64>> {
    let complete = first_complete_block(conn)?;
    if complete == 0 {
        return Ok(None);
    }
    let oldest = received_since(conn, complete)?;
    if oldest.is_some() {
        return Ok(oldest);
    }
    // All of them were sampled, as nothing has come for some minutes: what comes next will be whole.
    block::table
        .select(diesel::dsl::max(block::received))
        .get_result(conn)
}

/// When the first block arrived of those from a number on, seconds since the epoch; `None` where there is none.
pub fn received_since(conn: &mut SqliteConnection, id: i64) -> QueryResult<Option<i64>> {
    // Diesel binds the limit of `first`, at whose value SQLite looks: each call would be planned anew.
    block::table
        .filter(block::id.ge(id))
        .order(block::id.asc())
        .select(block::received)
        .get_result(conn)
        .optional()
}

/// The sums of one reason.
pub(crate) fn room_of(conn: &mut SqliteConnection, reason: Reason) -> QueryResult<Room> {
    let code = reason.code();
    let rooms = rooms(conn)?;
    let found = rooms.into_iter().find(|room| room.reason == code);
    Ok(found.unwrap_or(Room {
        reason: code,
        traces: 0,
        bytes: 0,
    }))
}

/// Runs a statement with one identifier.
pub(crate) fn bound(conn: &mut SqliteConnection, sql: &str, id: &StoredId) -> QueryResult<usize> {
    match id {
        StoredId::Short(id) => sql_query(sql).bind::<BigInt, _>(id.cast_signed()).run(conn),
        StoredId::Long(id) => sql_query(sql).bind::<Binary, _>(&id[..]).run(conn),
        StoredId::Other(id) => sql_query(sql).bind::<Text, _>(id).run(conn),
    }
}
