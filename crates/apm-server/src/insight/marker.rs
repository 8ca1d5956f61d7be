//! Points in time to compare by: set by people and scripts, by a new `service.version`, by a process that starts.

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
            kind: match row.kind.as_str() {
                "version" => Kind::Version,
                "start" => Kind::Start,
                "plan" => Kind::Plan,
                _ => Kind::Manual,
            },
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

/// Sets a marker; `at` in µs. Its number. `of`: its service, empty for all of them, and its environment.
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
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let name = &name[..name.floor_char_boundary(LONGEST_NAME)];
    let id: Id = diesel::sql_query(
        "INSERT INTO marker (ts, service, environment, kind, name) VALUES (?, ?, ?, ?, ?) RETURNING id",
    )
    .bind::<BigInt, _>(at)
    .bind::<Text, _>(service)
    .bind::<Nullable<Text>, _>(environment)
    .bind::<Text, _>(kind.as_str())
    .bind::<Text, _>(name)
    .get_result(conn)?;
    // The others come many at a time, and are bounded after the last of them.
    if kind == Kind::Manual {
        bounds::markers(conn)?;
    }
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
mod tests {
    use serde_json::json;

    use super::*;

    fn of(service: Option<&str>, environment: Option<&str>) -> Scope {
        Scope {
            service: service.map(str::to_owned),
            environment: environment.map(str::to_owned),
            ..Scope::default()
        }
    }
    use crate::analytics::tests::empty;

    fn arrive(conn: &mut SqliteConnection, version: &str, pid: u32, now: i64) {
        arrive_in(conn, (1, ""), version, pid, now);
    }

    fn arrive_in(conn: &mut SqliteConnection, of: (i64, &str), version: &str, pid: u32, now: i64) {
        let service = json!({"name": "shop", "version": version});
        let metadata =
            json!({"service": service, "process": {"pid": pid}, "system": {"hostname": "a"}});
        let document = json!({ "metadata": metadata }).to_string();
        arrive_as(conn, of, &document, now);
    }

    fn arrive_as(
        conn: &mut SqliteConnection,
        (id, environment): (i64, &str),
        document: &str,
        now: i64,
    ) {
        diesel::sql_query(
            "INSERT OR IGNORE INTO service VALUES (?, 'shop', ?, 'rust', '1', '', '', 0, 0)",
        )
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(environment)
        .execute(conn)
        .unwrap();
        diesel::sql_query(
            "INSERT INTO resource (service_id, hash, document, last_seen) \
             VALUES (?, (SELECT count(*) FROM resource), ?, 0)",
        )
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(document)
        .execute(conn)
        .unwrap();
        if let Some(arrivals) = unseen(conn).unwrap() {
            arrivals.write(conn, now * apm_time::SECOND).unwrap();
        }
    }

    #[test]
    fn new_versions_and_processes_set_markers_once() {
        let conn = &mut empty();
        arrive(conn, "1.0", 10, 1_000);
        arrive(conn, "1.0", 11, 1_010);
        arrive(conn, "1.1", 12, 2_000);
        assert!(unseen(conn).unwrap().is_none());
        let found: Vec<String> = list(conn, &of(Some("shop"), None))
            .unwrap()
            .iter()
            .map(Marker::words)
            .collect();
        assert_eq!(
            found,
            [
                "the start of process 12 on a",
                "version 1.1",
                "the start of process 10 on a"
            ]
        );
        let compared = |conn: &mut SqliteConnection| -> Vec<String> {
            let found = latest(conn, 0, 9_000).unwrap();
            found.iter().map(Marker::words).collect()
        };
        assert_eq!(compared(conn), ["version 1.1"]);
        arrive(conn, "1.1", 13, 5_000);
        arrive(conn, "1.1", 14, 6_000);
        let restarted = ["version 1.1", "the start of process 14 on a"];
        assert_eq!(compared(conn), restarted, "a restart hides no deployment");
    }

    #[test]
    fn a_process_without_a_number_is_named_after_its_service() {
        let conn = &mut empty();
        let document = r#"{"metadata":{"service":{"name":"shop"},"system":{"hostname":"a"}}}"#;
        arrive_as(conn, (1, ""), document, 1_000);
        let found = &list(conn, &of(Some("shop"), None)).unwrap()[0];
        assert_eq!(found.words(), "the start of shop on a");
    }

    #[test]
    fn each_environment_has_its_own_version() {
        let conn = &mut empty();
        let (test, live) = ((1, "test"), (2, "live"));
        arrive_in(conn, live, "1.0", 10, 1_000);
        arrive_in(conn, test, "1.1", 11, 1_010);
        arrive_in(conn, live, "1.0", 12, 2_000);
        arrive_in(conn, test, "1.2", 13, 3_000);
        let versions = |conn: &mut SqliteConnection, environment| -> Vec<String> {
            let found = list(conn, &of(Some("shop"), environment)).unwrap();
            let versions = found.iter().filter(|marker| marker.kind == Kind::Version);
            versions.map(Marker::words).collect()
        };
        assert_eq!(versions(conn, None), ["version 1.2"]);
        assert_eq!(versions(conn, Some("test")), ["version 1.2"]);
        assert!(versions(conn, Some("live")).is_empty());
        let of_test = &list(conn, &of(None, Some("test"))).unwrap()[0];
        assert!(of_test.is_of("shop", "test") && !of_test.is_of("shop", "live"));
    }

    #[test]
    fn a_marker_is_found_by_number_and_by_name() {
        let conn = &mut empty();
        let long = "é".repeat(300);
        let first = set(conn, 5, ("", None), Kind::Manual, "before").unwrap();
        let second = set(conn, 6, ("shop", None), Kind::Manual, "before").unwrap();
        set(conn, 7, ("", None), Kind::Manual, &long).unwrap();
        assert_eq!(find(conn, "before").unwrap().unwrap().id, second);
        assert_eq!(find(conn, &first.to_string()).unwrap().unwrap().at, 0);
        assert_eq!(find(conn, "none").unwrap(), None);
        assert_eq!(list(conn, &of(Some("other"), None)).unwrap().len(), 2);
        assert!(list(conn, &of(None, None)).unwrap()[0].name.len() <= LONGEST_NAME);
    }
}
