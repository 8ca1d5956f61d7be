//! The versions of a service: what each of them did in a range, what changed with each deployment, and which errors are
//! new in it.

use std::collections::{HashMap, HashSet};

use apm_store::StoreError;
use apm_time::SECOND;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::compare::{Stretch, around};
use super::marker::{self, Kind, Marker};
use crate::analytics::distribution::{self, Scale};
use crate::analytics::instances::{self, Servers, Sums};
use crate::analytics::sql::Sql;
use crate::analytics::window::Window;
use crate::analytics::{Scope, latency, minutes};
use crate::sort_rows::SortRows as _;

/// Deployments that are compared, the newest.
const DEPLOYMENTS: usize = 20;

/// The longest time before and after a deployment, seconds.
const REACH: i64 = 3_600;

/// Versions that are listed.
const MOST: usize = 1_000;

/// A version and what it did in the range.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "ServiceVersion")]
pub struct Version {
    /// `service.version`; empty where it was not sent.
    pub version: String,
    /// Instances that ran it.
    pub instances: usize,
    /// Transactions.
    pub count: f64,
    /// Mean duration, µs.
    pub latency_avg: Option<f64>,
    /// 95th percentile of the duration, µs, within 1 %.
    pub latency_p95: Option<f64>,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
    /// Number of errors that first occurred in it, whenever that was.
    pub new_errors: usize,
}

/// One side of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "DeploymentSide")]
pub struct Side {
    /// Transactions.
    pub count: f64,
    /// Mean duration, µs.
    pub latency_avg: Option<f64>,
    /// 95th percentile of the duration, µs.
    pub latency_p95: Option<f64>,
    /// Failed / judged, 0 to 1.
    pub failed_rate: Option<f64>,
}

/// An error that first occurred in a version.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct NewError {
    /// `error.grouping_key`, 16 hex digits.
    pub key: String,
    /// Its message, else its type.
    pub title: String,
    /// `service.version`
    pub version: String,
    /// When it first occurred, µs since the epoch.
    pub first: i64,
}

/// A new version, and the time before and after it: an hour at most, and not beyond the next deployment.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Deployment {
    /// Its marker.
    pub marker: Marker,
    /// The stretch of time before it.
    pub before: Stretch,
    /// The stretch of time since it.
    pub after: Stretch,
    /// The requests before it.
    pub was: Side,
    /// The requests since.
    pub is: Side,
    /// Errors that first occurred in it, the first ones, at most five.
    pub new_errors: Vec<NewError>,
    /// Number of all of these.
    pub new_errors_total: usize,
}

/// The versions of a service.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "VersionsAndDeployments")]
pub struct Versions {
    /// Versions that ran in the range, at most 1 000: most transactions first, where no other order is asked for.
    pub versions: Vec<Version>,
    /// Deployments up to the end of the range, newest first, at most 20.
    pub deployments: Vec<Deployment>,
    /// Whether all transactions of the range were looked at, or only the newest.
    pub complete: bool,
    /// The start of the counts of all servers, seconds since the epoch, where it lies inside of the range.
    pub counted_since: Option<i64>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = BigInt)]
    first: i64,
}

/// The versions of the service of a scope. `servers`: those whose processes count.
///
/// # Errors
/// Those of SQLite.
pub fn read(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    servers: Servers,
) -> Result<Versions, StoreError> {
    let new_errors = new_errors(conn, scope)?;
    let found = instances::parts(conn, scope, window, servers)?;
    let mut by_version: HashMap<&str, (Sums, HashSet<&str>)> = HashMap::new();
    for part in &found.parts {
        let (sums, nodes) = by_version.entry(part.version()).or_default();
        sums.merge(&part.sums);
        nodes.insert(part.node());
    }
    let count_of = |version: &str| {
        new_errors
            .iter()
            .filter(|one| one.version == version)
            .count()
    };
    let mut versions: Vec<Version> = by_version
        .into_iter()
        .map(|(version, (sums, nodes))| Version {
            new_errors: count_of(version),
            instances: nodes.len(),
            count: sums.count(),
            latency_avg: sums.average(),
            latency_p95: sums.p95(),
            failed_rate: sums.failed_rate(),
            version: version.to_owned(),
        })
        .collect();
    versions.sort_rows_by(|a, b| {
        b.count
            .total_cmp(&a.count)
            .then_with(|| a.version.cmp(&b.version))
    });
    versions.truncate(MOST);
    Ok(Versions {
        versions,
        deployments: deployments(conn, scope, window, &new_errors)?,
        complete: found.complete,
        counted_since: found.counted_since,
    })
}

fn deployments(
    conn: &mut SqliteConnection,
    scope: &Scope,
    window: &Window,
    new_errors: &[NewError],
) -> QueryResult<Vec<Deployment>> {
    let now = window.now / SECOND;
    let markers = marker::list(conn, scope)?;
    let markers = markers
        .into_iter()
        .filter(|marker| marker.kind == Kind::Version);
    let markers: Vec<Marker> = markers
        .filter(|marker| marker.at <= window.asked.to / SECOND)
        .collect();
    let mut found = Vec::new();
    for (place, marker) in markers.iter().take(DEPLOYMENTS).enumerate() {
        let of = Scope {
            environment: marker
                .environment
                .clone()
                .or_else(|| scope.environment.clone()),
            ..scope.clone()
        };
        let is_same = |other: &&Marker| other.environment == marker.environment;
        // The list is newest first: the next deployment stands before this one.
        let next = markers[..place]
            .iter()
            .rev()
            .find(is_same)
            .map(|next| next.at);
        let earlier = markers[place + 1..]
            .iter()
            .find(is_same)
            .map(|earlier| earlier.at);
        let (mut before, mut after) = around(marker.at, next.unwrap_or(now).min(now), REACH);
        after.to = after.to.min(next.unwrap_or(i64::MAX)).max(after.from + 60);
        before.from = before
            .from
            .max(earlier.unwrap_or(i64::MIN))
            .min(before.to - 60);
        let new: Vec<&NewError> = new_errors
            .iter()
            .filter(|one| one.version == marker.name)
            .collect();
        found.push(Deployment {
            was: side(conn, &of, before, now)?,
            is: side(conn, &of, after, now)?,
            before,
            after,
            new_errors: new.iter().take(5).copied().cloned().collect(),
            new_errors_total: new.len(),
            marker: marker.clone(),
        });
    }
    Ok(found)
}

fn side(conn: &mut SqliteConnection, of: &Scope, stretch: Stretch, now: i64) -> QueryResult<Side> {
    // The stretch is widened to ten minutes, if the rollups of minutes are gone.
    let window = minutes::widened(conn, &stretch.window(now))?;
    let total = latency::chart(conn, of, &window)?.total;
    let spread = distribution::chart(conn, of, &window, Scale::Log)?;
    Ok(Side {
        count: total.count,
        latency_avg: total.avg,
        latency_p95: spread.percentiles.map(|percentiles| percentiles.p95),
        failed_rate: total.failed_rate,
    })
}

/// The errors of a service with the version in which each first occurred, the first ones first.
fn new_errors(conn: &mut SqliteConnection, scope: &Scope) -> QueryResult<Vec<NewError>> {
    let rows: Vec<Row> = scope
        .bind(Sql::new(include_str!("versions/new_errors.sql")))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| NewError {
            key: row.key,
            title: row.title,
            version: row.version,
            first: row.first,
        })
        .collect())
}
