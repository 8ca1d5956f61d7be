//! Statements that take more steps or time than is usual.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Text};

use super::place::Place;
use super::{Facts, Reading, alert, link, query, words};
use crate::rule::Rule;

/// The window of what is now, seconds.
const WINDOW: i64 = 600;

const DAY: i64 = 86_400;

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    place: Place,
    #[diesel(sql_type = Text)]
    fingerprint: String,
    #[diesel(sql_type = Text)]
    statement: String,
    /// Means of a call: µs.
    #[diesel(sql_type = Double)]
    time: f64,
    #[diesel(sql_type = Double)]
    usual_time: f64,
    /// Steps, where they are measured now and were before.
    #[diesel(sql_type = Nullable<Double>)]
    steps: Option<f64>,
    #[diesel(sql_type = Nullable<Double>)]
    usual_steps: Option<f64>,
}

pub(super) fn read(
    conn: &mut SqliteConnection,
    rule: &Rule,
    facts: &Facts<'_>,
) -> QueryResult<Vec<Reading>> {
    let hour = facts.now.div_euclid(3_600) * 3_600;
    let rows: Vec<Row> = query(
        include_str!("statements.sql"),
        rule,
        facts.ago(WINDOW),
        facts.now,
    )
    .bind::<Double, _>(rule.number("calls"))
    .bind::<BigInt, _>(hour - DAY)
    .bind::<BigInt, _>(hour)
    .load(conn)?;
    Ok(rows.into_iter().map(|row| reading(row, rule)).collect())
}

/// The distance of a mean beyond what is usual, and beyond the least that is worth telling.
fn beyond(now: f64, usual: f64, times: f64, least: f64) -> f64 {
    // A mean of nothing is no baseline.
    match usual > 0.0 {
        true => (now / (usual * times)).min(now / least),
        false => 0.0,
    }
}

fn reading(row: Row, rule: &Rule) -> Reading {
    let times = rule.number("times");
    let by_time = beyond(
        row.time,
        row.usual_time,
        times,
        rule.number("milliseconds") * 1e3,
    );
    let by_steps = match (row.steps, row.usual_steps) {
        (Some(steps), Some(usual)) => beyond(steps, usual, times, rule.number("steps")),
        _ => 0.0,
    };
    let (level, grew) = match (row.steps, row.usual_steps) {
        (Some(steps), Some(usual)) if by_steps >= by_time => (
            by_steps,
            format!("{steps:.0} steps a call, usually {usual:.0}"),
        ),
        _ => {
            let (now, usual) = (words::duration(row.time), words::duration(row.usual_time));
            (by_time, format!("{now} a call, usually {usual}"))
        }
    };
    let name = row.place.name();
    let text = format!("{name}: {grew}: {}", row.statement);
    let path = format!("/queries/{}", row.fingerprint);
    let link = link::with(
        path,
        &row.place.environment,
        &[("service", &row.place.service)],
    );
    Reading {
        level,
        alert: alert(row.place, &row.fingerprint, &text, link),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_beyond_when_it_is_unusual_and_worth_telling() {
        assert_eq!(beyond(30.0, 10.0, 3.0, 10.0), 1.0);
        assert!(beyond(30.0, 10.0, 3.0, 100.0) < 1.0, "too little to tell");
        assert!(beyond(20.0, 10.0, 3.0, 10.0) < 1.0, "usual");
        assert_eq!(beyond(20.0, 0.0, 3.0, 10.0), 0.0, "no baseline");
    }
}
