//! The 95th percentile of each name of requests, against a bound and against what is usual.

use apm_store::rollup::representative;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};

use super::place::Place;
use super::{Facts, Reading, WINDOW, alert, link, query, words};
use crate::rule::Rule;

/// The level from which the usual percentile is read: what is far below its bound is calm in any case.
const NEAR: f64 = 0.8;

const DAY: i64 = 86_400;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(embed)]
    place: Place,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    bin: i32,
}

#[derive(QueryableByName)]
struct Usual {
    #[diesel(sql_type = Nullable<Integer>)]
    bin: Option<i32>,
}

pub(super) fn read(
    conn: &mut SqliteConnection,
    rule: &Rule,
    facts: &Facts<'_>,
) -> QueryResult<Vec<Reading>> {
    let rows: Vec<Row> = query(
        include_str!("latency.sql"),
        rule,
        facts.ago(WINDOW),
        facts.now,
    )
    .bind::<Double, _>(rule.number("requests"))
    .load(conn)?;
    let (bound, times) = (rule.number("milliseconds") * 1e3, rule.number("times"));
    let mut readings = Vec::new();
    for row in rows {
        let p95 = representative(row.bin);
        let mut level = p95 / bound;
        if level < NEAR {
            continue;
        }
        let mut usually = String::new();
        if times > 0.0 {
            // Without a day before, nothing is known to be unusual.
            let Some(usual) = usual(conn, row.id, rule, facts)? else {
                continue;
            };
            // Both bounds have to be passed, so that the lower level counts.
            level = level.min(p95 / (usual * times));
            usually = format!(", usually {}", words::duration(usual));
        }
        let name = row.place.name();
        let took = words::duration(p95);
        let text = format!(
            "{name}: {} takes {took} at the 95th percentile{usually}",
            row.name
        );
        let named = [("type", &*row.kind), ("name", &*row.name)];
        let link = link::service(&row.place, &["transactions", "view"], &named);
        let part = [&*row.kind, &*row.name].join("/");
        readings.push(Reading {
            level,
            alert: alert(row.place, &part, &text, link),
        });
    }
    Ok(readings)
}

/// The percentile of the day before the current hour, µs.
fn usual(
    conn: &mut SqliteConnection,
    group: i64,
    rule: &Rule,
    facts: &Facts<'_>,
) -> QueryResult<Option<f64>> {
    let hour = facts.now.div_euclid(3_600) * 3_600;
    let found: Usual = diesel::sql_query(include_str!("usual_latency.sql"))
        .bind::<BigInt, _>(group)
        .bind::<BigInt, _>(hour - DAY)
        .bind::<BigInt, _>(hour)
        .bind::<Double, _>(rule.number("requests"))
        .get_result(conn)?;
    Ok(found.bin.map(representative))
}
