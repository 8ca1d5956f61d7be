//! The changes that people made, and what undoes them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::row::Row;
use super::{Change, TriageError, publish};
use crate::analytics::sql::Sql;
use crate::insight::bounds;

/// The rows before a change, by key; nothing where there was none.
type Before = Vec<(i64, Option<Row>)>;

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "ErrorChangeMade")]
pub(crate) struct Made {
    /// Its number.
    pub(crate) id: i64,
    /// When, µs since the epoch.
    pub(crate) at: i64,
    /// The change.
    pub(crate) change: Change,
    /// True if it can be undone: nothing that it wrote was changed since.
    pub(crate) undoable: bool,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    at: i64,
    #[diesel(sql_type = Text)]
    change: String,
    #[diesel(sql_type = Text)]
    before: String,
    #[diesel(sql_type = Bool)]
    newest: bool,
}

/// The newest changes of a group, newest first, at most 20.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn changes(
    conn: &mut SqliteConnection,
    service: &str,
    key: u64,
) -> QueryResult<Vec<Made>> {
    let rows = stored(conn, service, key)?;
    let made = rows.into_iter().filter_map(|row| {
        Some(Made {
            id: row.id,
            at: row.at,
            // Written by an older version, perhaps.
            change: serde_json::from_str(&row.change).ok()?,
            undoable: row.newest,
        })
    });
    Ok(made.collect())
}

fn stored(conn: &mut SqliteConnection, service: &str, key: u64) -> QueryResult<Vec<Stored>> {
    Sql::new(include_str!("changes.sql"))
        .bind("service", service)
        .bind("key", key.cast_signed())
        .load(conn)
}

/// Keeps a change that writes these rows, with what they are now.
pub(super) fn keep(
    conn: &mut SqliteConnection,
    service: &str,
    key: u64,
    change: &Change,
    rows: &[Row],
    now: i64,
) -> QueryResult<()> {
    let mut before: Before = Vec::with_capacity(rows.len());
    for row in rows {
        let key = row.grouping_key;
        before.push((key, Row::find(conn, service, key)?));
    }
    // A merge is told of where the group is from now on.
    let told = match change {
        Change::Merge { .. } => rows.last().and_then(|row| row.merged_into),
        _ => None,
    };
    insert(
        conn,
        service,
        told.unwrap_or(key.cast_signed()),
        change,
        &before,
        now,
    )
}

fn insert(
    conn: &mut SqliteConnection,
    service: &str,
    key: i64,
    change: &Change,
    before: &Before,
    now: i64,
) -> QueryResult<()> {
    let json = |error: serde_json::Error| diesel::result::Error::SerializationError(error.into());
    diesel::sql_query(
        "INSERT INTO error_change (at, service, grouping_key, change, before) VALUES (?, ?, ?, ?, ?)",
    )
    .bind::<BigInt, _>(now)
    .bind::<Text, _>(service)
    .bind::<BigInt, _>(key)
    .bind::<Text, _>(serde_json::to_string(change).map_err(json)?)
    .bind::<Text, _>(serde_json::to_string(before).map_err(json)?)
    .execute(conn)?;
    bounds::error_changes(conn)
}

/// Undoes a change that nothing followed.
pub(super) fn undo(
    conn: &mut SqliteConnection,
    service: &str,
    key: u64,
    id: i64,
    now: i64,
) -> QueryResult<Result<(), TriageError>> {
    let rows = stored(conn, service, key)?;
    let Some(row) = rows.into_iter().find(|row| row.id == id) else {
        let text = format!("this group has no change {id}");
        return Ok(Err(TriageError::Wrong(text)));
    };
    if !row.newest {
        let text = "a later change of this group must be undone first".to_owned();
        return Ok(Err(TriageError::Wrong(text)));
    }
    let Ok(before) = serde_json::from_str::<Before>(&row.before) else {
        let text = "this change was made by another version of the server".to_owned();
        return Ok(Err(TriageError::Wrong(text)));
    };
    let undo = Change::Undo { id };
    for (key, row) in &before {
        match row {
            Some(row) => row.put(conn)?,
            None => Row::delete(conn, service, *key)?,
        }
        publish::publish(conn, service, *key, (before.len() == 1).then_some(&undo))?;
    }
    diesel::sql_query("DELETE FROM error_change WHERE id = ?")
        .bind::<BigInt, _>(id)
        .execute(conn)?;
    log::info!(
        "a change of an error group of {service:?} was undone, made at {}, now {now}",
        row.at
    );
    Ok(Ok(()))
}

/// Forgets the newest change of a group if the group was before it what it is now to be: another server undid it.
pub(super) fn forget(
    conn: &mut SqliteConnection,
    service: &str,
    key: i64,
    row: Option<&Row>,
) -> QueryResult<bool> {
    let changes = stored(conn, service, key.cast_unsigned())?;
    let Some(newest) = changes.into_iter().next().filter(|change| change.newest) else {
        return Ok(false);
    };
    let before: Before = serde_json::from_str(&newest.before).unwrap_or_default();
    if !matches!(&*before, [(of, before)] if *of == key && before.as_ref() == row) {
        return Ok(false);
    }
    diesel::sql_query("DELETE FROM error_change WHERE id = ?")
        .bind::<BigInt, _>(newest.id)
        .execute(conn)?;
    Ok(true)
}
