//! The store as the queue of an output: how far the output is, which documents are on their way, what is next.
//!
//! Numbers of events are a total order, committed before the sender is answered. The output follows them, and its place
//! is a row beside them: what is deleted before it was sent is counted in the transaction that deletes it.

mod next;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{insert_into, sql_query};

use super::block::SLOTS;
use super::first_rows::first_rows;
use super::schema::{block, output, output_aggregate, output_refusal, output_refused};
use super::statement::Run as _;
pub use next::{Newest, Next, newest, next};

/// Documents that were refused and can be looked at.
const REFUSALS: i64 = 20;

/// Different reasons that are counted apart; further ones are counted as `other`.
const REASONS: i64 = 32;

/// Widths of the buckets of aggregates, in the order of [`State::aggregated`].
pub const WIDTHS: [i64; 3] = crate::rollup::LEVELS;

/// The place of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The first part of the ids of documents.
    pub store: String,
    /// The number of the last event that is done; -1 before the first.
    pub sent: i64,
    /// The documents that are on their way.
    pub flight: Option<Flight>,
    /// The number of the last event that is counted in aggregates, by [`WIDTHS`].
    pub aggregated: [i64; 3],
    /// Documents that the engine took.
    pub documents: i64,
    /// Documents that it had already.
    pub repeated: i64,
    /// Events that were deleted before they were sent, or could not be read.
    pub lost: i64,
}

/// Documents on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// The kind of all of them.
    pub kind: Cargo,
    /// The number of the first.
    pub first: i64,
    /// The number of the last.
    pub last: i64,
    /// Their number.
    pub count: i64,
}

/// Kinds of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cargo {
    /// Events, by their numbers.
    Events,
    /// Aggregates, by their ids.
    Aggregates,
}

/// An aggregate that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// Its id.
    pub id: i64,
    /// The dataset of its data stream.
    pub dataset: String,
    /// Its JSON.
    pub document: Vec<u8>,
}

/// A document that the engine refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Seconds since the epoch.
    pub at: i64,
    /// The type of the error.
    pub reason: String,
    /// The words of the engine.
    pub error: String,
    /// The beginning of the document.
    pub document: String,
}

/// The outcome of a flight.
#[derive(Clone, Debug, Default)]
pub struct Landed {
    /// Documents that the engine took.
    pub documents: i64,
    /// Documents that it had already.
    pub repeated: i64,
    /// Events of the flight that are neither in the engine nor in the store.
    pub lost: i64,
    /// Documents that were refused, by reason.
    pub refused: Vec<(String, i64)>,
    /// The last of them.
    pub refusals: Vec<Refusal>,
}

/// The place of the output; none where there never was one.
pub fn state(conn: &mut SqliteConnection) -> QueryResult<Option<State>> {
    let row: Option<Row> = output::table
        .select(Row::as_select())
        .get_result(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// The place of the output. The first time it is before all events that are stored, under the given name.
pub fn open(conn: &mut SqliteConnection, name: &str) -> QueryResult<State> {
    let row = Row {
        store: name.to_owned(),
        sent: -1,
        flight_kind: None,
        flight_first: None,
        flight_last: None,
        flight_count: None,
        minute: -1,
        ten_minutes: -1,
        hour: -1,
        documents: 0,
        repeated: 0,
        lost: 0,
    };
    insert_into(output::table)
        .values((output::id.eq(1), row))
        .on_conflict_do_nothing()
        .run(conn)?;
    let row: Row = output::table.select(Row::as_select()).get_result(conn)?;
    Ok(row.into())
}

/// Notes the name that the engine gives itself. Gives back the one before, if that was another one.
pub fn meet(conn: &mut SqliteConnection, engine: &str) -> QueryResult<Option<String>> {
    let before: Option<Option<String>> = output::table
        .select(output::engine)
        .get_result(conn)
        .optional()?;
    diesel::update(output::table)
        .set(output::engine.eq(engine))
        .run(conn)?;
    Ok(before.flatten().filter(|before| before != engine))
}

/// When the events behind one arrived at the earliest, seconds since the epoch; 0 where that is not known.
pub fn arrived_after(conn: &mut SqliteConnection, seq: i64) -> QueryResult<i64> {
    // Blocks fill one after the other.
    let before: Option<i64> = block::table
        .filter(block::id.lt((seq + 1).div_euclid(SLOTS)))
        .order(block::id.desc())
        .select(block::received)
        .get_result(conn)
        .optional()?;
    Ok(before.unwrap_or_default())
}

/// Notes which documents are about to be sent.
pub fn begin(conn: &mut SqliteConnection, flight: Flight) -> QueryResult<()> {
    let kind = match flight.kind {
        Cargo::Events => 0,
        Cargo::Aggregates => 1,
    };
    // Committed before the request goes out: after a crash the engine is asked for these documents.
    diesel::update(output::table)
        .set((
            output::flight_kind.eq(Some(kind)),
            output::flight_first.eq(Some(flight.first)),
            output::flight_last.eq(Some(flight.last)),
            output::flight_count.eq(Some(flight.count)),
        ))
        .run(conn)
        .map(drop)
}

/// The documents of a flight are done.
pub fn end(conn: &mut SqliteConnection, flight: Flight, landed: &Landed) -> QueryResult<()> {
    // The place moves in the transaction that ends the flight, so that no document is on its way and done.
    diesel::update(output::table)
        .set((
            output::flight_kind.eq(None::<i32>),
            output::flight_first.eq(None::<i64>),
            output::flight_last.eq(None::<i64>),
            output::flight_count.eq(None::<i64>),
            output::documents.eq(output::documents + landed.documents),
            output::repeated.eq(output::repeated + landed.repeated),
            output::lost.eq(output::lost + landed.lost),
        ))
        .run(conn)?;
    match flight.kind {
        Cargo::Events => skip(conn, flight.last, 0)?,
        Cargo::Aggregates => {
            let sent = output_aggregate::id.le(flight.last);
            diesel::delete(output_aggregate::table.filter(sent)).run(conn)?;
        }
    }
    for (reason, count) in &landed.refused {
        sql_query(include_str!("output/refused.sql"))
            .bind::<Text, _>(reason)
            .bind::<BigInt, _>(count)
            .bind::<BigInt, _>(REASONS)
            .run(conn)?;
    }
    for refusal in &landed.refusals {
        insert_into(output_refusal::table)
            .values((
                output_refusal::at.eq(refusal.at),
                output_refusal::reason.eq(&refusal.reason),
                output_refusal::error.eq(&refusal.error),
                output_refusal::document.eq(&refusal.document),
            ))
            .run(conn)?;
    }
    sql_query("DELETE FROM output_refusal WHERE id <= (SELECT max(id) FROM output_refusal) - ?")
        .bind::<BigInt, _>(REFUSALS)
        .run(conn)
        .map(drop)
}

/// Goes on behind an event. `lost`: how many before it cannot be sent.
pub fn skip(conn: &mut SqliteConnection, to: i64, lost: i64) -> QueryResult<()> {
    // The place never goes back: events before it are done.
    diesel::update(output::table.filter(output::sent.le(to)))
        .set((output::sent.eq(to), output::lost.eq(output::lost + lost)))
        .run(conn)
        .map(drop)
}

/// Adds aggregates of all events up to `to`, of buckets of the widths that are flagged.
pub fn aggregate(
    conn: &mut SqliteConnection,
    to: i64,
    widths: [bool; 3],
    documents: &[(String, Vec<u8>)],
) -> QueryResult<()> {
    // Documents and the place up to which they count are one transaction: a crash counts no event twice or never.
    for (dataset, document) in documents {
        sql_query("INSERT INTO output_aggregate (dataset, document) VALUES (?, ?)")
            .bind::<Text, _>(dataset)
            .bind::<Binary, _>(document)
            .run(conn)?;
    }
    let to = |is_done: bool| is_done.then_some(to);
    sql_query(
        "UPDATE output SET minute = coalesce(?, minute), ten_minutes = coalesce(?, ten_minutes), \
         hour = coalesce(?, hour)",
    )
    .bind::<Nullable<BigInt>, _>(to(widths[0]))
    .bind::<Nullable<BigInt>, _>(to(widths[1]))
    .bind::<Nullable<BigInt>, _>(to(widths[2]))
    .run(conn)
    .map(drop)
}

/// The next aggregates to send, by id; at most `most`.
pub fn aggregates(conn: &mut SqliteConnection, most: usize) -> QueryResult<Vec<Aggregate>> {
    let oldest = output_aggregate::table.order(output_aggregate::id.asc());
    let rows: Vec<(i64, String, Vec<u8>)> = first_rows(oldest, most, conn)?;
    let rows = rows.into_iter().map(|(id, dataset, document)| Aggregate {
        id,
        dataset,
        document,
    });
    Ok(rows.collect())
}

/// Documents that were refused, by reason, most first.
pub fn refused(conn: &mut SqliteConnection) -> QueryResult<Vec<(String, i64)>> {
    output_refused::table
        .order((output_refused::count.desc(), output_refused::reason.asc()))
        .load(conn)
}

/// The last documents that were refused, the newest first.
pub fn refusals(conn: &mut SqliteConnection) -> QueryResult<Vec<Refusal>> {
    let rows: Vec<(i64, i64, String, String, String)> = output_refusal::table
        .order(output_refusal::id.desc())
        .load(conn)?;
    let rows = rows
        .into_iter()
        .map(|(_, at, reason, error, document)| Refusal {
            at,
            reason,
            error,
            document,
        });
    Ok(rows.collect())
}

/// The first block of which the output still needs events, be it to count them in an aggregate: one that starts after a
/// crash reads them again. `i64::MAX` where there is no output.
pub(super) fn first_needed_block(conn: &mut SqliteConnection) -> QueryResult<i64> {
    // The slowest of all: an event stays until it is sent, and counted in each width.
    let done = state(conn)?.map(|state| state.aggregated.into_iter().fold(state.sent, i64::min));
    Ok(done.map_or(i64::MAX, |done| (done + 1).div_euclid(SLOTS)))
}

/// Blocks are about to be deleted: counts their events that were not sent.
pub(super) fn lose(conn: &mut SqliteConnection, first: i64, last: i64) -> QueryResult<()> {
    sql_query(include_str!("output/lose.sql"))
        .bind::<BigInt, _>(first)
        .bind::<BigInt, _>(last)
        .run(conn)
        .map(drop)
}

/// The first number of a block that no event on its way to an engine has had.
pub(super) fn first_free(conn: &mut SqliteConnection) -> QueryResult<i64> {
    let state = state(conn)?;
    Ok(state.map_or(0, |state| {
        // Events on their way may have arrived, though no answer came back.
        let flight = state
            .flight
            .filter(|flight| flight.kind == Cargo::Events)
            .map_or(-1, |flight| flight.last);
        (state.sent.max(flight).div_euclid(SLOTS) + 1) * SLOTS
    }))
}

#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = output)]
struct Row {
    store: String,
    sent: i64,
    flight_kind: Option<i32>,
    flight_first: Option<i64>,
    flight_last: Option<i64>,
    flight_count: Option<i64>,
    minute: i64,
    ten_minutes: i64,
    hour: i64,
    documents: i64,
    repeated: i64,
    lost: i64,
}

impl From<Row> for State {
    fn from(row: Row) -> Self {
        let flight = row
            .flight_kind
            .zip(row.flight_first)
            .zip(row.flight_last.zip(row.flight_count));
        let flight = flight.map(|((kind, first), (last, count))| Flight {
            kind: match kind {
                0 => Cargo::Events,
                _ => Cargo::Aggregates,
            },
            first,
            last,
            count,
        });
        Self {
            store: row.store,
            sent: row.sent,
            flight,
            aggregated: [row.minute, row.ten_minutes, row.hour],
            documents: row.documents,
            repeated: row.repeated,
            lost: row.lost,
        }
    }
}
