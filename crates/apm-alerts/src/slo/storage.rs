//! Objectives in the database.

use diesel::prelude::*;

use super::Objective;

/// Most objectives that are kept.
pub const MOST: i64 = 100;

diesel::table! {
    objective (id) {
        id -> Text,
        document -> Text,
        changed -> BigInt,
    }
}

/// The objectives, by id. One that this version cannot read is left out, and the log names it.
///
/// # Errors
/// Those of SQLite.
pub fn list(conn: &mut SqliteConnection) -> QueryResult<Vec<Objective>> {
    let rows: Vec<(String, String)> = objective::table
        .order(objective::id)
        .select((objective::id, objective::document))
        .limit(MOST)
        .load(conn)?;
    let read = rows.into_iter().filter_map(|(id, document)| {
        match serde_json::from_str::<Objective>(&document) {
            Ok(one) => Some(Objective { id, ..one }),
            Err(error) => {
                log::warn!("the kept objective {id} cannot be read: {error}");
                None
            }
        }
    });
    Ok(read.collect())
}

/// Keeps an objective in the place of the one with its id; `now` in seconds. False: there are too many.
///
/// # Errors
/// Those of SQLite.
pub fn keep(conn: &mut SqliteConnection, one: &Objective, now: i64) -> QueryResult<bool> {
    let others = objective::table.filter(objective::id.ne(&one.id));
    if others.count().get_result::<i64>(conn)? >= MOST {
        return Ok(false);
    }
    let row = (
        objective::id.eq(&one.id),
        objective::document.eq(serde_json::to_string(one).unwrap_or_default()),
        objective::changed.eq(now),
    );
    diesel::replace_into(objective::table)
        .values(row)
        .execute(conn)?;
    Ok(true)
}

/// Forgets an objective. False: there is none.
///
/// # Errors
/// Those of SQLite.
pub fn forget(conn: &mut SqliteConnection, id: &str) -> QueryResult<bool> {
    let gone = diesel::delete(objective::table.find(id)).execute(conn)?;
    Ok(gone > 0)
}
