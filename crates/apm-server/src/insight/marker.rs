//! Points in time to compare by: set by people and scripts, by a new `service.version`, by a process that starts.

pub(crate) mod share;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::bounds;
use crate::analytics::Scope;
use crate::analytics::sql::Sql;

/// Longest name, bytes.
pub const LONGEST_NAME: usize = 200;

/// Starts of one service within so many seconds are one: several workers, several hosts.
const TOGETHER: i64 = 60;

/// The origin of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[schemars(rename = "MarkerKind")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Someone.
    Manual,
    /// A version that was not seen before.
    Version,
    /// A process that was not seen before.
    Start,
    /// A statement with another plan than before.
    Plan,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Version => "version",
            Self::Start => "start",
            Self::Plan => "plan",
        }
    }

    fn of(text: &str) -> Option<Self> {
        let all = [Self::Manual, Self::Version, Self::Start, Self::Plan];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A point in time.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Marker {
    /// Its number.
    pub id: i64,
    /// Seconds since the epoch.
    pub at: i64,
    /// RFC 3339.
    pub time: String,
    /// `service.name`; empty: all services.
    pub service: String,
    /// `service.environment`, empty where it is not set; null: all environments.
    pub environment: Option<String>,
    /// Its origin.
    pub kind: Kind,
    /// Its name, the version, or the process.
    pub name: String,
}

impl Marker {
    /// True if it is about a service in an environment.
    #[must_use]
    pub fn is_of(&self, service: &str, environment: &str) -> bool {
        let of_all = self.environment.as_deref().unwrap_or(environment);
        (self.service.is_empty() || self.service == service) && of_all == environment
    }

    /// `version 1.2`, `“before the index”`
    #[must_use]
    pub fn words(&self) -> String {
        match self.kind {
            Kind::Manual => format!("“{}”", self.name),
            Kind::Version => format!("version {}", self.name),
            Kind::Start => format!("the start of {}", self.name),
            Kind::Plan => format!("the new plan of {}", self.name),
        }
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    ts: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Nullable<Text>)]
    environment: Option<String>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
}

impl From<Row> for Marker {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            at: row.ts.div_euclid(apm_time::SECOND),
            time: apm_time::rfc3339(row.ts),
            service: row.service,
            environment: row.environment,
            kind: Kind::of(&row.kind).unwrap_or(Kind::Manual),
            name: row.name,
        }
    }
}

/// Markers, newest first: those of the services of a scope and those of all; of environments likewise.
///
/// # Errors
/// Those of SQLite.
pub fn list(conn: &mut SqliteConnection, scope: &Scope) -> QueryResult<Vec<Marker>> {
    let rows: Vec<Row> = scope
        .bind(Sql::new(include_str!("marker/list.sql")))
        .load(conn)?;
    Ok(rows.into_iter().map(Marker::from).collect())
}

/// The marker of a number, or the newest of a name.
///
/// # Errors
/// Those of SQLite.
pub fn find(conn: &mut SqliteConnection, text: &str) -> QueryResult<Option<Marker>> {
    let rows: Vec<Row> = Sql::new(include_str!("marker/find.sql"))
        .bind("name", text)
        .bind("id", text.parse::<i64>().ok())
        .load(conn)?;
    Ok(rows.into_iter().next().map(Marker::from))
}

/// The marker to compare by, of each service and environment and of all services, in a stretch of time (seconds): the
/// newest marker that someone or a new version set, then the newest start, unless that came with it. A restart does not
/// hide a deployment.
pub(super) fn latest(conn: &mut SqliteConnection, from: i64, to: i64) -> QueryResult<Vec<Marker>> {
    let within = |marker: &Marker| marker.at >= from && marker.at < to;
    let markers = list(conn, &Scope::default())?.into_iter().filter(within);
    let (starts, mut chosen): (Vec<Marker>, Vec<Marker>) =
        markers.partition(|marker| marker.kind == Kind::Start);
    let newest_of_each = |markers: &mut Vec<Marker>| {
        let mut seen = std::collections::HashSet::new();
        markers.retain(|marker| seen.insert((marker.service.clone(), marker.environment.clone())));
    };
    newest_of_each(&mut chosen);
    let mut starts: Vec<Marker> = starts
        .into_iter()
        .filter(|start| {
            let environment = start.environment.as_deref().unwrap_or_default();
            let is_same = |other: &&Marker| {
                other.service == start.service && other.is_of(&start.service, environment)
            };
            let mut of_service = chosen.iter().filter(is_same);
            of_service.all(|other| start.at - other.at > TOGETHER)
        })
        .collect();
    newest_of_each(&mut starts);
    chosen.extend(starts);
    Ok(chosen)
}

/// Sets a marker, and publishes it to other servers; `at` in µs. Its number. `of`: its service, empty for all of them,
/// and its environment.
///
/// # Errors
/// Those of SQLite.
pub fn set(
    conn: &mut SqliteConnection,
    at: i64,
    (service, environment): (&str, Option<&str>),
    kind: Kind,
    name: &str,
) -> QueryResult<i64> {
    let name = &name[..name.floor_char_boundary(LONGEST_NAME)];
    let id = insert(conn, at, (service, environment), kind, name)?;
    share::publish(conn, at, (service, environment), kind, name)?;
    // The others come many at a time, and are bounded after the last of them.
    if kind == Kind::Manual {
        bounds::markers(conn)?;
    }
    Ok(id)
}

fn insert(
    conn: &mut SqliteConnection,
    at: i64,
    (service, environment): (&str, Option<&str>),
    kind: Kind,
    name: &str,
) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let id: Id = diesel::sql_query(
        "INSERT INTO marker (ts, service, environment, kind, name) VALUES (?, ?, ?, ?, ?) RETURNING id",
    )
    .bind::<BigInt, _>(at)
    .bind::<Text, _>(service)
    .bind::<Nullable<Text>, _>(environment)
    .bind::<Text, _>(kind.as_str())
    .bind::<Text, _>(name)
    .get_result(conn)?;
    Ok(id.id)
}

#[derive(Debug, QueryableByName)]
struct Reporter {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Nullable<Text>)]
    known_version: Option<String>,
    #[diesel(sql_type = Text)]
    process: String,
    #[diesel(sql_type = BigInt)]
    last_start: i64,
}

/// Versions and processes that are new: rows of `resource` after the mark. `None` where there are none.
pub(super) fn unseen(conn: &mut SqliteConnection) -> QueryResult<Option<Arrivals>> {
    let rows: Vec<Reporter> = Sql::new(include_str!("marker/unseen.sql")).load(conn)?;
    Ok((!rows.is_empty()).then_some(Arrivals(rows)))
}

/// New senders, to be written down.
#[derive(Debug)]
pub(super) struct Arrivals(Vec<Reporter>);

impl Arrivals {
    /// Sets their markers; `now` in µs.
    pub(super) fn write(self, conn: &mut SqliteConnection, now: i64) -> QueryResult<()> {
        let mut versions = std::collections::HashMap::new();
        let mut started = std::collections::HashSet::new();
        for row in self.0 {
            let of = (row.service.clone(), row.environment.clone());
            let place = (&*row.service, Some(&*row.environment));
            let known = versions.get(&of).cloned().or(row.known_version);
            if !row.version.is_empty() && known.as_deref() != Some(&row.version) {
                // The first version of a service is no change.
                if known.is_some() {
                    set(conn, now, place, Kind::Version, &row.version)?;
                }
                versions.insert(of.clone(), row.version.clone());
                diesel::sql_query("INSERT OR REPLACE INTO service_version VALUES (?, ?, ?)")
                    .bind::<Text, _>(&row.service)
                    .bind::<Text, _>(&row.environment)
                    .bind::<Text, _>(&row.version)
                    .execute(conn)?;
            }
            let is_old = now.div_euclid(apm_time::SECOND) - row.last_start >= TOGETHER;
            if is_old && started.insert(of) {
                set(conn, now, place, Kind::Start, &row.process)?;
            }
            diesel::sql_query("INSERT OR REPLACE INTO insight_state VALUES ('resource', ?)")
                .bind::<BigInt, _>(row.id)
                .execute(conn)?;
        }
        bounds::markers(conn)?;
        bounds::versions(conn)
    }
}

#[cfg(test)]
mod tests;
