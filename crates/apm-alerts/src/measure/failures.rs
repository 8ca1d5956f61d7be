//! The share of failed requests of each service.

use diesel::prelude::*;
use diesel::sql_types::Double;

use super::place::Place;
use super::{Facts, Reading, WINDOW, alert, link, query};
use crate::rule::Rule;

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    place: Place,
    #[diesel(sql_type = Double)]
    judged: f64,
    #[diesel(sql_type = Double)]
    failed: f64,
}

pub(super) fn read(
    conn: &mut SqliteConnection,
    rule: &Rule,
    facts: &Facts<'_>,
) -> QueryResult<Vec<Reading>> {
    let rows: Vec<Row> = query(
        include_str!("failures.sql"),
        rule,
        facts.ago(WINDOW),
        facts.now,
    )
    .bind::<Double, _>(rule.number("requests"))
    .load(conn)?;
    let readings = rows.into_iter().map(|row| {
        let percent = 100.0 * row.failed / row.judged;
        let name = row.place.name();
        let text = format!(
            "{name}: {percent:.1} % of {:.0} requests in 5 minutes failed",
            row.judged
        );
        let link = link::service(&row.place, &[], &[]);
        Reading {
            level: percent / rule.number("percent"),
            alert: alert(row.place, "", &text, link),
        }
    });
    Ok(readings.collect())
}
