//! The good and the bad requests of an objective, and how fast its budget burns.

use apm_store::rollup;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Indicator, Objective};

/// The windows of burn rates, seconds, and the level of the rollups that each is read from.
pub const WINDOWS: [(i64, i64); 4] = [(300, 60), (3_600, 60), (1_800, 600), (21_600, 600)];

/// The level of the rollups of the budget: hours.
const HOURS: i64 = 3_600;

/// Requests of a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema, QueryableByName)]
#[schemars(rename = "ObjectiveBucket")]
pub struct Bucket {
    /// Its start, seconds since 1970.
    #[diesel(sql_type = BigInt)]
    pub start: i64,
    /// Requests that are judged.
    #[diesel(sql_type = Double)]
    pub total: f64,
    /// Bad ones.
    #[diesel(sql_type = Double)]
    pub bad: f64,
}

/// The speed at which the budget burns, within a window that ends now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ObjectiveBurn")]
pub struct Burn {
    /// Length of the window, seconds.
    pub seconds: i64,
    /// Requests that are judged.
    pub total: f64,
    /// Bad ones.
    pub bad: f64,
    /// Times as fast as the budget allows; null where there were no requests.
    pub rate: Option<f64>,
}

/// An objective and how it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ObjectiveMeasured")]
pub struct Measured {
    /// The objective.
    pub objective: Objective,
    /// Requests of its window that are judged.
    pub total: f64,
    /// Bad ones.
    pub bad: f64,
    /// The share that is good; null where there were no requests.
    pub good_share: Option<f64>,
    /// The share of the budget that is left: 1 at first, 0 where it is used up, and less below; null where there were
    /// no requests.
    pub budget: Option<f64>,
    /// Burn rates over 5 minutes, 1 hour, 30 minutes and 6 hours.
    pub burns: Vec<Burn>,
    /// Requests by day.
    pub days: Vec<Bucket>,
    /// When the first of its requests that is stored began, seconds since 1970; the window may be longer.
    pub since: Option<i64>,
}

/// Burn rates of an objective; `now` in seconds since 1970.
///
/// # Errors
/// Those of SQLite.
pub fn burns(conn: &mut SqliteConnection, of: &Objective, now: i64) -> QueryResult<Vec<Burn>> {
    let mut found = Vec::with_capacity(WINDOWS.len());
    for (seconds, level) in WINDOWS {
        let buckets = counts(conn, of, (level, seconds), now)?;
        let (total, bad) = sums(&buckets);
        found.push(Burn {
            seconds,
            total,
            bad,
            rate: (total > 0.0).then(|| bad / total / of.allowed()),
        });
    }
    Ok(found)
}

/// An objective with its budget; `now` in seconds since 1970.
///
/// # Errors
/// Those of SQLite.
pub fn measure(conn: &mut SqliteConnection, of: &Objective, now: i64) -> QueryResult<Measured> {
    let hours = counts(conn, of, (HOURS, i64::from(of.days) * 86_400), now)?;
    let (total, bad) = sums(&hours);
    let mut days: Vec<Bucket> = Vec::new();
    for hour in &hours {
        let start = hour.start.div_euclid(86_400) * 86_400;
        match days.last_mut() {
            Some(day) if day.start == start => {
                day.total += hour.total;
                day.bad += hour.bad;
            }
            // Hours come in their order: a day that is not the last one is a new one.
            _ => days.push(Bucket { start, ..*hour }),
        }
    }
    let is_judged = total > 0.0;
    Ok(Measured {
        objective: of.clone(),
        total,
        bad,
        good_share: is_judged.then(|| 1.0 - bad / total),
        budget: is_judged.then(|| 1.0 - bad / (total * of.allowed())),
        burns: burns(conn, of, now)?,
        since: hours.first().map(|hour| hour.start),
        days,
    })
}

fn sums(buckets: &[Bucket]) -> (f64, f64) {
    buckets.iter().fold((0.0, 0.0), |(total, bad), bucket| {
        (total + bucket.total, bad + bucket.bad)
    })
}

/// The requests of a window by bucket, oldest first. The bucket of now is a part of it, and is not over.
fn counts(
    conn: &mut SqliteConnection,
    of: &Objective,
    (level, seconds): (i64, i64),
    now: i64,
) -> QueryResult<Vec<Bucket>> {
    let from = (now - seconds).div_euclid(level) * level;
    let text = match of.indicator {
        Indicator::Availability => include_str!("failed.sql"),
        Indicator::Latency { .. } => include_str!("slow.sql"),
    };
    let query = diesel::sql_query(text)
        .into_boxed::<diesel::sqlite::Sqlite>()
        .bind::<Text, _>(&of.service)
        .bind::<Text, _>(&of.environment)
        .bind::<Text, _>(&of.transaction)
        .bind::<BigInt, _>(level)
        .bind::<BigInt, _>(from)
        .bind::<BigInt, _>(now);
    match of.indicator {
        Indicator::Availability => query.load(conn),
        Indicator::Latency { milliseconds } => {
            let bin = rollup::bin((milliseconds * 1e3) as i64);
            query.bind::<Integer, _>(bin).load(conn)
        }
    }
}
