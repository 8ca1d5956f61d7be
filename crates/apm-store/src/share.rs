//! Counts that servers before one engine share.
//!
//! Each commit of events writes what it adds to the rollups into a journal, in its own transaction. [`pack`] makes
//! deltas of the journal every few seconds: numbered, with names in place of ids, each complete in itself. Another
//! server takes them in the order of their numbers ([`crate::Store::follow`]): the rows and the place up to which they
//! were taken are written in one transaction, so each delta counts once.
//!
//! Nothing of what was taken goes into the journal here, so that no count goes round in circles. See ADR 334. Of
//! metrics that count from a start the readings are shared, and each server counts what they grew by (ADR 456).
//!
//! `document` keeps the versions of what people decided, such as settings of agents: the newest one is everywhere.

mod callers;
mod delta;
mod document;
mod error_versions;
mod exact;
mod merge;
mod names;
mod pack;
mod sum;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Binary, Integer, Text};

pub use callers::{Caller, add_callers, note_callers};
pub use delta::Delta;
pub use document::{
    Document, Received, SETTING, Take, fits_name, mark_sent, mark_unsent, newer, pending, publish,
    receive, sent_of,
};
pub use error_versions::{ErrorVersion, LONGEST_VERSION, add_error_versions, note_error_versions};
pub(super) use merge::Merged;
pub use pack::{Packed, pack};
pub(super) use sum::Bounds;

use super::rollup::Rollup;
use super::statement::Run as _;

/// Bytes of deltas that wait. With more, the oldest are deleted and counted as lost.
const MOST_WAITING: i64 = 256 << 20;

/// The place of this store among those that share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// The number of the first delta.
    pub first: i64,
    /// The number of the last delta that is done.
    pub sent: i64,
    /// Deltas that were deleted before they were sent.
    pub lost: i64,
    /// Deltas that the engine refused.
    pub refused: i64,
    /// Deltas that wait.
    pub waiting: i64,
    /// Since when the first of them waits, seconds since the epoch.
    pub since: Option<i64>,
}

/// A delta that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub number: i64,
    /// When it was made, seconds since the epoch.
    pub made: i64,
    /// [`Delta`] as JSON.
    pub delta: Vec<u8>,
}

/// Another server.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Peer {
    /// The name of its store.
    #[diesel(sql_type = Text)]
    pub store: String,
    /// Its own name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The number of its last delta that is in the rollups here.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    /// Deltas that never came.
    #[diesel(sql_type = BigInt)]
    pub skipped: i64,
    /// Rows that could not be read or were too old.
    #[diesel(sql_type = BigInt)]
    pub dropped: i64,
    /// When its last delta was taken, seconds since the epoch.
    #[diesel(sql_type = BigInt)]
    pub taken: i64,
}

/// Deltas of another server, to be added to the rollups.
#[derive(Debug)]
pub struct Follow {
    /// The name of its store.
    pub store: String,
    /// Its own name.
    pub name: String,
    /// The number that its place must have; none where it is new.
    pub after: Option<i64>,
    /// The number that its place gets.
    pub to: i64,
    /// Deltas between the two that never came, or are none.
    pub skipped: i64,
    /// The deltas.
    pub deltas: Vec<Delta>,
}

/// The outcome of [`crate::Store::follow`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Followed {
    /// Whether the place was the one that was expected; nothing was added otherwise.
    pub is_taken: bool,
    /// Rows that could not be added.
    pub dropped: u64,
}

/// Writes what a commit counted into the journal.
pub(super) fn note(conn: &mut SqliteConnection, rollup: &Rollup) -> QueryResult<()> {
    let mut counts = Vec::new();
    rollup.write(&mut counts);
    if counts.is_empty() {
        return Ok(());
    }
    sql_query("INSERT INTO share_journal (counts) VALUES (?)")
        .bind::<Binary, _>(counts)
        .run(conn)
        .map(drop)
}

/// Numbers deltas, and deletes what they were made of: both or neither. `now`: seconds since the epoch. Nothing is done
/// where it was deleted already, or counts would be sent twice; the result says so.
pub fn put(conn: &mut SqliteConnection, packed: &Packed, now: i64) -> QueryResult<bool> {
    // Rows that were read and are gone are in a delta already. Those that came since are behind `last`, and wait.
    let tables = [
        ("share_journal", packed.journal),
        ("share_caller", packed.callers),
        ("share_error_version", packed.error_versions),
    ];
    for (table, taken) in tables {
        #[derive(QueryableByName)]
        struct Rows {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let rows: Rows = sql_query(format!("SELECT count(*) AS n FROM {table} WHERE id <= ?"))
            .bind::<BigInt, _>(taken.last)
            .get_result(conn)?;
        if rows.n != taken.rows {
            return Ok(false);
        }
    }
    // In the transaction that deletes what they were made of: after a crash there is one or the other.
    for delta in &packed.deltas {
        sql_query("INSERT INTO share_delta (made, delta) VALUES (?, ?)")
            .bind::<BigInt, _>(now)
            .bind::<Binary, _>(delta)
            .run(conn)?;
    }
    for (table, taken) in tables {
        sql_query(format!("DELETE FROM {table} WHERE id <= ?"))
            .bind::<BigInt, _>(taken.last)
            .run(conn)?;
    }
    sql_query(
        // The number of the first delta is kept, because a server that joins later begins with it.
        "INSERT INTO share_own (id, first, sent, lost, refused) \
         SELECT 1, min(number), min(number) - 1, 0, 0 FROM share_delta HAVING count(*) > 0 \
         ON CONFLICT DO NOTHING",
    )
    .run(conn)?;
    limit(conn, MOST_WAITING)?;
    Ok(true)
}

/// Deletes the oldest deltas beyond so many bytes.
fn limit(conn: &mut SqliteConnection, most: i64) -> QueryResult<()> {
    let gone = sql_query(
        "DELETE FROM share_delta WHERE number <= (SELECT max(number) FROM ( \
             SELECT number, sum(length(delta)) OVER (ORDER BY number DESC) AS bytes FROM share_delta) \
         WHERE bytes > ?)",
    )
    .bind::<BigInt, _>(most)
    .run(conn)?;
    if gone > 0 {
        sql_query("UPDATE share_own SET lost = lost + ?")
            .bind::<BigInt, _>(gone as i64)
            .run(conn)?;
    }
    Ok(())
}

/// The place of this store; none before its first delta.
pub fn own(conn: &mut SqliteConnection) -> QueryResult<Option<Own>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        first: i64,
        #[diesel(sql_type = BigInt)]
        sent: i64,
        #[diesel(sql_type = BigInt)]
        lost: i64,
        #[diesel(sql_type = BigInt)]
        refused: i64,
        #[diesel(sql_type = BigInt)]
        waiting: i64,
        #[diesel(sql_type = diesel::sql_types::Nullable<BigInt>)]
        since: Option<i64>,
    }
    let row: Option<Row> = sql_query(
        "SELECT first, sent, lost, refused, (SELECT count(*) FROM share_delta) AS waiting, \
         (SELECT made FROM share_delta ORDER BY number LIMIT 1) AS since FROM share_own",
    )
    .get_result(conn)
    .optional()?;
    Ok(row.map(|row| Own {
        first: row.first,
        sent: row.sent,
        lost: row.lost,
        refused: row.refused,
        waiting: row.waiting,
        since: row.since,
    }))
}

/// A name that stays when everything is deleted. The first time it is the given one.
pub fn node(conn: &mut SqliteConnection, name: &str) -> QueryResult<String> {
    let given = sql_query("INSERT INTO share_node (id, node) VALUES (1, ?) ON CONFLICT DO NOTHING")
        .bind::<Text, _>(name)
        .run(conn)?;
    if given > 0 {
        document::begin(conn)?;
    }
    given_node(conn)?.ok_or(diesel::result::Error::NotFound)
}

/// The name that [`node`] gave; none on a server that never had an engine.
fn given_node(conn: &mut SqliteConnection) -> QueryResult<Option<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        node: String,
    }
    let row: Option<Row> = sql_query("SELECT node FROM share_node")
        .get_result(conn)
        .optional()?;
    Ok(row.map(|row| row.node))
}

/// The next deltas to send, in the order of their numbers; at most `most`, and some MiB.
pub fn waiting(conn: &mut SqliteConnection, most: i32) -> QueryResult<Vec<Waiting>> {
    waiting_between(conn, 0, i64::MAX, most)
}

/// The same of the deltas behind a number, up to another one.
pub fn waiting_between(
    conn: &mut SqliteConnection,
    after: i64,
    to: i64,
    most: i32,
) -> QueryResult<Vec<Waiting>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        number: i64,
        #[diesel(sql_type = BigInt)]
        made: i64,
        #[diesel(sql_type = Binary)]
        delta: Vec<u8>,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT number, made, delta FROM share_delta WHERE number > ? AND number <= ? ORDER BY number LIMIT +?",
    )
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(to)
    .bind::<Integer, _>(most)
    .load(conn)?;
    let rows = rows.into_iter().map(|row| Waiting {
        number: row.number,
        made: row.made,
        delta: row.delta,
    });
    Ok(rows.collect())
}

/// All deltas up to a number are done. `refused`: how many of them the engine does not take.
pub fn sent(conn: &mut SqliteConnection, to: i64, refused: i64) -> QueryResult<()> {
    sql_query("DELETE FROM share_delta WHERE number <= ?")
        .bind::<BigInt, _>(to)
        .run(conn)?;
    // An answer that comes late does not move the place back.
    sql_query("UPDATE share_own SET sent = max(sent, ?), refused = refused + ?")
        .bind::<BigInt, _>(to)
        .bind::<BigInt, _>(refused)
        .run(conn)
        .map(drop)
}

/// The deltas of this store that the engine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The number of the first one; none where the engine has none any more.
    pub first: Option<i64>,
    /// The number of the last one that it has, or had.
    pub last: i64,
    /// The numbers of those that wait here all the same: they were sent, and this store knows nothing of it.
    pub done: Vec<i64>,
}

/// Goes on behind the deltas that the engine has. A store that lost its last commits, or was brought back from a
/// backup, gives their numbers again. Deltas that wait under such a number get a new one, in their order: other servers
/// look only behind the numbers that they have. Gives back how many these are.
pub fn go_on(conn: &mut SqliteConnection, given: &Given) -> QueryResult<usize> {
    for number in &given.done {
        sql_query("DELETE FROM share_delta WHERE number = ?")
            .bind::<BigInt, _>(number)
            .run(conn)?;
    }
    if given.last > 0 {
        skip_numbers(conn, given.last)?;
    }
    // All that wait, if any: those behind the number would come before those that move.
    let moved = sql_query(
        "INSERT INTO share_delta (made, delta) SELECT made, delta FROM share_delta \
         WHERE EXISTS (SELECT 1 FROM share_delta WHERE number <= ?) ORDER BY number",
    )
    .bind::<BigInt, _>(given.last)
    .run(conn)?;
    sql_query(
        "DELETE FROM share_delta WHERE number IN (SELECT number FROM share_delta ORDER BY number LIMIT +?)",
    )
    .bind::<BigInt, _>(moved as i64)
    .run(conn)?;
    if given.last > 0 {
        sql_query(
            "INSERT INTO share_own (id, first, sent, lost, refused) VALUES (1, ?1, ?2, 0, 0) \
             ON CONFLICT DO UPDATE SET sent = max(sent, excluded.sent)",
        )
        .bind::<BigInt, _>(given.first.unwrap_or(given.last + 1))
        .bind::<BigInt, _>(given.last)
        .run(conn)?;
    }
    if given.first.is_none() {
        // A server that joins must not wait for deltas that went to another engine.
        sql_query("UPDATE share_own SET first = sent + 1 WHERE first <= sent").run(conn)?;
    }
    Ok(moved)
}

/// Numbers up to this one were given before: the next delta gets a higher one.
fn skip_numbers(conn: &mut SqliteConnection, to: i64) -> QueryResult<()> {
    // A row that is there and gone again leaves its number behind.
    sql_query(
        "INSERT INTO share_delta (number, made, delta) SELECT ?1, 0, x'' \
         WHERE coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'share_delta'), 0) < ?1",
    )
    .bind::<BigInt, _>(to)
    .run(conn)?;
    sql_query("DELETE FROM share_delta WHERE number = ?1 AND delta = x''")
        .bind::<BigInt, _>(to)
        .run(conn)
        .map(drop)
}

/// The other servers whose counts were taken, by their names.
pub fn peers(conn: &mut SqliteConnection) -> QueryResult<Vec<Peer>> {
    sql_query(
        "SELECT store, name, number, skipped, dropped, taken FROM share_peer ORDER BY name, store",
    )
    .load(conn)
}

/// Moves the place of another server, if it is the one that is expected. `now`: seconds since the epoch.
pub(super) fn advance(
    conn: &mut SqliteConnection,
    follow: &Follow,
    dropped: u64,
    now: i64,
) -> QueryResult<()> {
    sql_query(
        "INSERT INTO share_peer (store, name, number, skipped, dropped, taken) VALUES (?, ?, ?, ?, ?, ?) \
         ON CONFLICT DO UPDATE SET name = excluded.name, number = excluded.number, \
         skipped = skipped + excluded.skipped, dropped = dropped + excluded.dropped, taken = excluded.taken",
    )
    .bind::<Text, _>(&follow.store)
    .bind::<Text, _>(&follow.name)
    .bind::<BigInt, _>(follow.to)
    .bind::<BigInt, _>(follow.skipped)
    .bind::<BigInt, _>(i64::try_from(dropped).unwrap_or(i64::MAX))
    .bind::<BigInt, _>(now)
    .run(conn)
    .map(drop)
}

/// The place of another server.
pub(super) fn place(conn: &mut SqliteConnection, store: &str) -> QueryResult<Option<i64>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let row: Option<Row> = sql_query("SELECT number FROM share_peer WHERE store = ?")
        .bind::<Text, _>(store)
        .get_result(conn)
        .optional()?;
    Ok(row.map(|row| row.number))
}
