//! Takes states of error groups from other servers before one engine.

use apm_store::share::{self, Document};
use diesel::prelude::*;
use kql::pasted::hash;

use super::publish::{self, State};
use super::row::Row;
use super::{Change, LONGEST_NAME, history};

/// The kind of a shared document.
pub(crate) const KIND: &str = publish::KIND;

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
    let is_sound = |row: &Row| {
        row.service == service
            && row.grouping_key == key
            && row.merged_into != Some(key)
            && (0..=2).contains(&row.status)
            && row.assignee.len() <= LONGEST_NAME
    };
    if !row.as_ref().is_none_or(is_sound) {
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
        Some(row) => row.put(conn)?,
        None => Row::delete(conn, &service, key)?,
    }
    Ok(true)
}
