//! Messages that were sent, to be sent, or silenced, and what became of them at each receiver.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{alert_delivery, alert_history};
use crate::message::{Change, Message};

/// Messages that are kept: the newest.
const MOST: i64 = 1_000;

/// The outcome of a message at a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is to be sent, or sent again.
    Waiting,
    /// The receiver took it.
    Sent,
    /// The receiver did not take it, and it is not tried again.
    Failed,
    /// Too many messages waited.
    Dropped,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// A message of the database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredMessage {
    pub(crate) id: i64,
    pub(crate) silenced: bool,
    pub(crate) message: Message,
}

/// A delivery of the database.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub(crate) struct Delivered {
    pub(crate) message: i64,
    pub(crate) receiver: String,
    pub(crate) state: String,
    pub(crate) attempts: i32,
    pub(crate) at: i64,
    pub(crate) error: Option<String>,
}

/// The newest messages, newest first.
pub(crate) fn newest(conn: &mut SqliteConnection, most: i64) -> QueryResult<Vec<StoredMessage>> {
    let rows = alert_history::table
        .order(alert_history::id.desc())
        .select((
            alert_history::id,
            alert_history::silenced,
            alert_history::document,
        ))
        .limit(most)
        .load::<(i64, i32, String)>(conn)?;
    Ok(rows.into_iter().filter_map(message).collect())
}

fn message((id, silenced, document): (i64, i32, String)) -> Option<StoredMessage> {
    Some(StoredMessage {
        id,
        silenced: silenced != 0,
        message: serde_json::from_str(&document).ok()?,
    })
}

/// The outcomes of messages, the oldest of which has the number `from`.
pub(crate) fn deliveries(conn: &mut SqliteConnection, from: i64) -> QueryResult<Vec<Delivered>> {
    alert_delivery::table
        .filter(alert_delivery::history_id.ge(from))
        .order((alert_delivery::history_id, alert_delivery::receiver))
        .select(alert_delivery::all_columns)
        .load(conn)
}

/// When a rule last told that something fired, by rule, seconds.
pub(crate) fn last_fired(
    conn: &mut SqliteConnection,
    since: i64,
) -> QueryResult<HashMap<String, i64>> {
    let rows = alert_history::table
        .filter(alert_history::at.gt(since))
        .filter(alert_history::change.eq(Change::Fired.as_str()))
        .group_by(alert_history::rule)
        .select((
            alert_history::rule,
            diesel::dsl::max(alert_history::at).assume_not_null(),
        ))
        .load::<(String, i64)>(conn)?;
    Ok(rows.into_iter().collect())
}

/// Messages that wait for receivers: the server ended before they were sent.
pub(crate) fn waiting(conn: &mut SqliteConnection) -> QueryResult<Vec<(StoredMessage, String)>> {
    let rows = alert_delivery::table
        .inner_join(alert_history::table.on(alert_history::id.eq(alert_delivery::history_id)))
        .filter(alert_delivery::state.eq(State::Waiting.as_str()))
        .order(alert_history::id)
        .select((
            (
                alert_history::id,
                alert_history::silenced,
                alert_history::document,
            ),
            alert_delivery::receiver,
        ))
        .load::<((i64, i32, String), String)>(conn)?;
    let waiting = rows
        .into_iter()
        .filter_map(|(row, receiver)| Some((message(row)?, receiver)));
    Ok(waiting.collect())
}

/// Writes a message and its receivers; the oldest messages go. Its number.
pub(crate) fn add(
    conn: &mut SqliteConnection,
    message: &Message,
    silenced: bool,
    receivers: &[String],
) -> QueryResult<i64> {
    let row = (
        alert_history::at.eq(message.at),
        alert_history::rule.eq(&message.rule),
        alert_history::change.eq(message.change.as_str()),
        alert_history::silenced.eq(i32::from(silenced)),
        alert_history::document.eq(serde_json::to_string(message).unwrap_or_default()),
    );
    let id: i64 = diesel::insert_into(alert_history::table)
        .values(row)
        .returning(alert_history::id)
        .get_result(conn)?;
    for receiver in receivers {
        note(conn, id, receiver, (State::Waiting, 0, message.at, None))?;
    }
    // Numbers grow one by one.
    let gone = id - MOST;
    // Both tables, as no key between them would delete the deliveries of a message.
    diesel::delete(alert_delivery::table.filter(alert_delivery::history_id.le(gone)))
        .execute(conn)?;
    diesel::delete(alert_history::table.filter(alert_history::id.le(gone))).execute(conn)?;
    Ok(id)
}

/// Notes what became of a message at a receiver.
pub(crate) fn note(
    conn: &mut SqliteConnection,
    id: i64,
    receiver: &str,
    (state, attempts, at, error): (State, i32, i64, Option<String>),
) -> QueryResult<()> {
    let row = (
        alert_delivery::history_id.eq(id),
        alert_delivery::receiver.eq(receiver),
        alert_delivery::state.eq(state.as_str()),
        alert_delivery::attempts.eq(attempts),
        alert_delivery::at.eq(at),
        alert_delivery::error.eq(error),
    );
    diesel::replace_into(alert_delivery::table)
        .values(row)
        .execute(conn)?;
    Ok(())
}

diesel::allow_tables_to_appear_in_same_query!(alert_history, alert_delivery);
