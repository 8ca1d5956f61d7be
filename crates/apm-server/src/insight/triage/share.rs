//! Takes states of error groups from other servers before one engine.

use apm_store::share::{self, Document};
use apm_time::{LATEST, SECOND};
use diesel::prelude::*;
use kql::pasted::hash;

use super::publish::{self, State};
use super::row::Row;
use super::{Change, LONGEST_NAME, MOST_OCCURRENCES, history};
use crate::insight::bounds;

/// The kind of a shared document.
pub(crate) const KIND: &str = publish::KIND;

/// The reasons why a status ended; empty where it did not.
const ENDINGS: [&str; 5] = ["", "version", "occurrence", "count", "time"];

/// Takes the state that a group got on another server. It can be undone here, too.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn take(conn: &mut SqliteConnection, document: &Document) -> QueryResult<bool> {
    let key = serde_json::from_str::<(String, String)>(&document.key);
    let state = serde_json::from_str::<State>(document.body.as_deref().unwrap_or_default());
    let (Ok((service, key)), Ok(State { row, change })) = (key, state) else {
        return Ok(false);
    };
    let Some(key) = hash(&key).map(u64::cast_signed) else {
        return Ok(false);
    };
    if !share::fits_name(&service) {
        return Ok(false);
    }
    let is_of_group = |row: &Row| {
        row.service == service && row.grouping_key == key && row.merged_into != Some(key)
    };
    let fits = row
        .as_ref()
        .is_none_or(|row| is_of_group(row) && is_sound(row))
        && change.as_ref().is_none_or(|change| change.check().is_ok());
    if !fits {
        return Ok(false);
    }
    if let Some(change) = change {
        let rows = [row.clone().unwrap_or_else(|| Row::new(&service, key, 0))];
        let is_undone = matches!(change, Change::Undo { .. })
            && history::forget(conn, &service, key, row.as_ref())?;
        if !is_undone {
            let now = apm_time::now();
            history::keep(conn, &service, key.cast_unsigned(), &change, &rows, now)?;
        }
    }
    match row {
        Some(row) => {
            row.put(conn)?;
            bounds::error_states(conn)?;
        }
        None => Row::delete(conn, &service, key)?,
    }
    Ok(true)
}

/// Whether a row could have been made here.
fn is_sound(row: &Row) -> bool {
    let is_time = |at: i64| (-LATEST..=LATEST).contains(&at);
    let versions = serde_json::from_str::<Vec<String>>(&row.versions);
    (0..=2).contains(&row.status)
        && is_time(row.changed)
        && row.reopened.is_none_or(is_time)
        && row
            .until
            .is_none_or(|at| (0..=LATEST / SECOND).contains(&at))
        && row
            .until_count
            .is_none_or(|n| (1..=MOST_OCCURRENCES).contains(&n))
        && row.seen >= 0
        && versions.is_ok_and(|all| all.iter().all(|one| share::fits_name(one)))
        && ENDINGS.contains(&&*row.reopened_by)
        && share::fits_name(&row.reopened_in)
        && row.assignee.len() <= LONGEST_NAME
        && !row.assignee.contains(char::is_control)
}
