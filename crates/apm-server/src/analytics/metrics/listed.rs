//! The metrics of a scope that have values in a window.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use apm_store::event::MetricKind;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::Scope;
use super::super::sql::Sql;
use super::super::window::Window;

/// A metric by its name.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "MetricName")]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// `gauge`, `counter`, `up_down_counter`, `histogram` or `summary`.
    pub kind: &'static str,
    /// The unit as it was sent, such as `By`; empty where none was.
    pub unit: String,
    /// Number of its series: combinations of labels.
    pub series: i64,
}

/// A service, and whose the names of its metrics are.
#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    owner: i64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    kind: i32,
    #[diesel(sql_type = Text)]
    unit: String,
    #[diesel(sql_type = BigInt)]
    series: i64,
    #[diesel(sql_type = BigInt)]
    newest: i64,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The first `most` metrics behind the name `after`, in order; those that several services have once, as the newest
/// series says.
///
/// # Errors
/// Those of SQLite.
pub(super) fn after(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    (after, most): (&str, usize),
) -> QueryResult<Vec<Listed>> {
    let mut found: BTreeMap<String, (i64, Listed)> = BTreeMap::new();
    for place in places(conn, scope, window)? {
        let sql = of_place(include_str!("listed.sql"), &place, window)
            .bind("after", after)
            .bind("limit", i64::try_from(most).unwrap_or(i64::MAX));
        let rows: Vec<Row> = sql.load(conn)?;
        for row in rows {
            let Some(kind) = MetricKind::of_code(row.kind) else {
                continue;
            };
            let own = Listed {
                name: row.name.clone(),
                kind: kind.as_str(),
                unit: row.unit,
                series: row.series,
            };
            match found.entry(row.name) {
                Entry::Vacant(entry) => {
                    entry.insert((row.newest, own));
                }
                Entry::Occupied(mut entry) => {
                    let (newest, known) = entry.get_mut();
                    let series = known.series + own.series;
                    if row.newest > *newest {
                        *newest = row.newest;
                        *known = own;
                    }
                    known.series = series;
                }
            }
        }
    }
    // Each place has its own first ones, and the first ones of all are among them.
    Ok(found
        .into_values()
        .map(|(_, listed)| listed)
        .take(most)
        .collect())
}

/// Those of some names that are there.
///
/// # Errors
/// Those of SQLite.
pub(super) fn there(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    names: &[&str],
) -> QueryResult<HashSet<String>> {
    let wanted = serde_json::json!(names).to_string();
    let mut found = HashSet::new();
    for place in places(conn, scope, window)? {
        let sql =
            of_place(include_str!("there.sql"), &place, window).bind("names", wanted.as_str());
        let rows: Vec<Name> = sql.load(conn)?;
        found.extend(rows.into_iter().map(|row| row.name));
    }
    Ok(found)
}

fn places(conn: &mut SqliteConnection, scope: &Scope, window: &Window) -> QueryResult<Vec<Place>> {
    let sql = window.bind(scope.bind(Sql::new(include_str!("services.sql"))));
    sql.load(conn)
}

fn of_place(text: &'static str, place: &Place, window: &Window) -> Sql {
    let sql = window.bind(Sql::new(text));
    sql.bind("id", place.id).bind("owner", place.owner)
}
