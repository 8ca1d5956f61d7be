//! Plans that agents sent, by statement and version of the service: what they were, and since when they are others.
//!
//! An agent sends a plan when it is another one, and again each hour, as labels of a metric set (ADR 201, 481).

mod arrivals;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Plan, Row};
use crate::analytics::Scope;
use crate::analytics::sql::Sql;
pub(in crate::insight) use arrivals::Unseen;

/// In the column of versions: the database has none.
const NO_VERSION: i64 = -1;

/// A stretch of time in which a statement had one plan.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "PlanRun")]
pub struct Run {
    /// `service.name`
    pub service: String,
    /// `service.environment`, may be empty.
    pub environment: String,
    /// `span.db.instance`, may be empty.
    pub instance: String,
    /// `service.version`, may be empty.
    pub version: String,
    /// The plan.
    pub plan: Plan,
    /// SQLite's count of the changes of its schema; none of other databases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<i64>,
    /// When it was first sent, seconds since the epoch.
    pub first_seen: i64,
    /// When it was last sent, seconds since the epoch: agents send it again each hour.
    pub last_seen: i64,
}

/// A plan that is not that of before.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::insight) struct Change {
    pub(in crate::insight) service: String,
    pub(in crate::insight) environment: String,
    pub(in crate::insight) instance: String,
    pub(in crate::insight) fingerprint: i64,
    /// `service.version` since then and before, may be empty.
    pub(in crate::insight) version: String,
    pub(in crate::insight) version_before: String,
    pub(in crate::insight) before: Plan,
    pub(in crate::insight) after: Plan,
    /// Seconds since the epoch.
    pub(in crate::insight) at: i64,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text)]
    instance: String,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Text)]
    plan: String,
    #[diesel(sql_type = BigInt)]
    schema_version: i64,
    #[diesel(sql_type = BigInt)]
    first_seen: i64,
    #[diesel(sql_type = BigInt)]
    last_seen: i64,
}

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Text)]
    instance: String,
    #[diesel(sql_type = BigInt)]
    fingerprint: i64,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Text)]
    version_before: String,
    #[diesel(sql_type = Text)]
    plan: String,
    #[diesel(sql_type = Text)]
    plan_before: String,
    #[diesel(sql_type = BigInt)]
    first_seen: i64,
}

/// The plans of a statement, newest first, at most 100.
///
/// # Errors
/// Those of SQLite.
pub fn list(conn: &mut SqliteConnection, scope: &Scope, fingerprint: u64) -> QueryResult<Vec<Run>> {
    let sql = scope.bind(Sql::new(include_str!("history/list.sql")));
    let rows: Vec<Stored> = sql
        .bind("fingerprint", fingerprint.cast_signed())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Run {
            service: row.service,
            environment: row.environment,
            instance: row.instance,
            version: row.version,
            plan: parse(&row.plan),
            schema_version: Some(row.schema_version).filter(|version| *version != NO_VERSION),
            first_seen: row.first_seen,
            last_seen: row.last_seen,
        })
        .collect())
}

/// The newest plan of a statement that its agent sent.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::insight) struct Sent {
    pub(in crate::insight) plan: Plan,
    /// Whether it is of SQLite.
    pub(in crate::insight) is_sqlite: bool,
}

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = Text)]
    plan: String,
    #[diesel(sql_type = BigInt)]
    schema_version: i64,
}

/// A statement on a database of a service.
#[derive(Debug, Clone, Copy)]
pub(in crate::insight) struct Of<'a> {
    pub(in crate::insight) service: &'a str,
    pub(in crate::insight) environment: &'a str,
    pub(in crate::insight) instance: &'a str,
    pub(in crate::insight) fingerprint: i64,
}

/// The steps of the newest plan of a statement that its agent sent since a time (seconds). An older one may no longer
/// hold: an agent that cannot ask for plans any more sends none.
pub(in crate::insight) fn newest(
    conn: &mut SqliteConnection,
    of: Of<'_>,
    since: i64,
) -> QueryResult<Option<Vec<String>>> {
    let found: Option<Newest> = Sql::new(include_str!("history/newest.sql"))
        .bind("fingerprint", of.fingerprint)
        .bind("service", of.service)
        .bind("environment", of.environment)
        .bind("instance", of.instance)
        .bind("since", since)
        .first(conn)
        .optional()?;
    let steps = |newest: Newest| {
        parse(&newest.plan)
            .all()
            .map(|step| step.detail.clone())
            .collect()
    };
    Ok(found.map(steps))
}

/// The newest plan of a statement on its database, by its row in the dictionary.
pub(in crate::insight) fn of_statement(
    conn: &mut SqliteConnection,
    statement: i64,
) -> QueryResult<Option<Sent>> {
    let found: Option<Newest> = Sql::new(include_str!("history/of_statement.sql"))
        .bind("statement", statement)
        .first(conn)
        .optional()?;
    Ok(found.map(|newest| Sent {
        plan: parse(&newest.plan),
        is_sqlite: newest.schema_version != NO_VERSION,
    }))
}

/// The statements whose plan is another since a time, in seconds.
pub(in crate::insight) fn changes(
    conn: &mut SqliteConnection,
    from: i64,
) -> QueryResult<Vec<Change>> {
    let sql = Sql::new(include_str!("history/changes.sql")).bind("from", from);
    let rows: Vec<Changed> = sql.load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| Change {
            service: row.service,
            environment: row.environment,
            instance: row.instance,
            fingerprint: row.fingerprint,
            version: row.version,
            version_before: row.version_before,
            before: parse(&row.plan_before),
            after: parse(&row.plan),
            at: row.first_seen,
        })
        .collect())
}

/// A plan from its lines, where two spaces stand for each level.
fn parse(text: &str) -> Plan {
    let mut rows: Vec<Row> = Vec::new();
    // The numbers of the steps above the next line, by level.
    let mut above: Vec<i64> = Vec::new();
    for (id, line) in (1..).zip(text.lines()) {
        let detail = line.trim_start();
        let level = (line.len() - detail.len()) / 2;
        above.truncate(level);
        rows.push(Row {
            id,
            parent: above.last().copied().unwrap_or(0),
            detail: detail.to_owned(),
        });
        above.push(id);
    }
    Plan::from_rows(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_the_tree_that_they_were() {
        let plan = parse(
            "COMPOUND QUERY\n  LEFT-MOST SUBQUERY\n    SCAN a\n  UNION ALL\n    SCAN b\nSCAN c",
        );
        let tops: Vec<&str> = plan.steps.iter().map(|step| &*step.detail).collect();
        assert_eq!(tops, ["COMPOUND QUERY", "SCAN c"]);
        let parts: Vec<&str> = plan.steps[0]
            .steps
            .iter()
            .map(|step| &*step.detail)
            .collect();
        assert_eq!(parts, ["LEFT-MOST SUBQUERY", "UNION ALL"]);
        assert_eq!(plan.steps[0].steps[1].steps[0].detail, "SCAN b");
        assert_eq!(parse(""), Plan::default());
        // A line that is further in than its level allows, as after a cut.
        assert_eq!(parse("          SCAN a\n…").all().count(), 2);
    }
}
