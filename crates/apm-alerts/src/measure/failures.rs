//! The share of failed requests of each service.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

use super::{Facts, Reading, WINDOW, alert, link, words};
use crate::rule::Rule;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
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
    let rows: Vec<Row> = diesel::sql_query(include_str!("failures.sql"))
        .bind::<Text, _>(&rule.service)
        .bind::<Text, _>(&rule.environment)
        .bind::<BigInt, _>(facts.ago(WINDOW))
        .bind::<BigInt, _>(facts.now)
        .bind::<Double, _>(rule.number("requests"))
        .load(conn)?;
    let readings = rows.into_iter().map(|row| {
        let percent = 100.0 * row.failed / row.judged;
        let name = words::service_name(&row.service, &row.environment);
        let text = format!(
            "{name}: {percent:.1} % of {:.0} requests in 5 minutes failed",
            row.judged
        );
        let link = link::service((&row.service, &row.environment), &[], &[]);
        Reading {
            level: percent / rule.number("percent"),
            alert: alert((row.service, row.environment), "", &text, link),
        }
    });
    Ok(readings.collect())
}
