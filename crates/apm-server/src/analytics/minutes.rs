//! The minutes of a window that are still kept: they go with the events, weeks before the coarser rollups.

use apm_time::{Range, SECOND};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::sql::Sql;
use super::window::{LEVELS, Window};

/// The rollups that are left where minutes are gone, seconds.
const COARSE: i64 = LEVELS[1];

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
}

/// The window with its edges, and the buckets of its chart, moved to ten minutes where something happened whose minutes
/// are gone: so that what is left is counted.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn widened(conn: &mut SqliteConnection, window: &Window) -> QueryResult<Window> {
    let (from, to) = (window.range.from / SECOND, window.range.to / SECOND);
    let (first, last) = (start(from), start(to));
    let mut cut: Vec<i64> = Vec::new();
    let fine = window.interval % COARSE != 0;
    if fine {
        cut = gone(conn, first, to)?;
    } else {
        // Of a coarse chart, only the edges are made of minutes.
        for edge in [first, last] {
            cut.extend(gone(conn, edge, edge + 1)?);
        }
    }
    if cut.is_empty() {
        return Ok(window.clone());
    }
    let is_gone = |edge: i64| edge % COARSE != 0 && cut.contains(&start(edge));
    let range = Range {
        from: if is_gone(from) { first } else { from } * SECOND,
        to: if is_gone(to) { last + COARSE } else { to } * SECOND,
    };
    Ok(window.widened(range, if fine { COARSE } else { LEVELS[0] }))
}

/// The start of the ten minutes that a second lies in.
fn start(second: i64) -> i64 {
    second.div_euclid(COARSE) * COARSE
}

fn gone(conn: &mut SqliteConnection, from: i64, to: i64) -> QueryResult<Vec<i64>> {
    let sql = Sql::new(include_str!("minutes.sql"));
    let rows: Vec<Row> = sql.bind("first", from).bind("last", to).load(conn)?;
    Ok(rows.iter().map(|row| row.bucket).collect())
}
