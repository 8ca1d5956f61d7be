//! Findings about a service's SQL that were not there before.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::place::Place;
use super::{Facts, Reading, alert};
use crate::rule::Rule;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(embed)]
    place: Place,
    #[diesel(sql_type = Text)]
    title: String,
}

pub(super) fn read(
    conn: &mut SqliteConnection,
    rule: &Rule,
    facts: &Facts<'_>,
) -> QueryResult<Vec<Reading>> {
    let rows: Vec<Row> = diesel::sql_query(include_str!("insights.sql"))
        .bind::<Text, _>(&rule.service)
        .bind::<Text, _>(&rule.environment)
        .bind::<BigInt, _>(facts.since)
        .bind::<BigInt, _>(rule.whole("severity"))
        .load(conn)?;
    let readings = rows.into_iter().map(|row| {
        let text = format!("{}: {}", row.place.name(), row.title);
        Reading {
            level: 1.0,
            alert: alert(row.place, &row.id, &text, "/insights".to_owned()),
        }
    });
    Ok(readings.collect())
}
