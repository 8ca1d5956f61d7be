//! The metrics of a scope that have values in a window.

use std::collections::BTreeMap;

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

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
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
}

/// The metrics by name, those that several services have once.
///
/// # Errors
/// Those of SQLite.
pub(super) fn all(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
) -> QueryResult<Vec<Listed>> {
    let services = window.bind(scope.bind(Sql::new(include_str!("services.sql"))));
    let services: Vec<Id> = services.load(conn)?;
    let mut found: BTreeMap<String, Listed> = BTreeMap::new();
    for Id { id } in services {
        let sql = window
            .bind(Sql::new(include_str!("listed.sql")))
            .bind("id", id);
        let rows: Vec<Row> = sql.load(conn)?;
        for row in rows {
            let Some(kind) = MetricKind::of_code(row.kind) else {
                continue;
            };
            let entry = found.entry(row.name.clone()).or_insert(Listed {
                name: row.name,
                kind: kind.as_str(),
                unit: row.unit,
                series: 0,
            });
            entry.series += row.series;
        }
    }
    Ok(found.into_values().collect())
}
