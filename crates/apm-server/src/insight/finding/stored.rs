//! Stored findings: open while they hold, ended when they no longer do, silent when dismissed.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Draft, Says};
use crate::analytics::Scope;
use crate::analytics::sql::Sql;
use crate::insight::bounds;
use crate::insight::severity::Severity;

/// The time for which a finding may be missed before it counts as ended, seconds: one quiet minute is no repair.
const GRACE: i64 = 60;

/// A finding as it is kept.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Finding {
    /// 16 hex digits; the same when it comes again.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// `service.name`
    pub service: String,
    /// `service.environment`, may be empty.
    pub environment: String,
    /// Its severity.
    pub severity: Severity,
    /// Time that the remedy would save, µs per minute.
    pub saving: f64,
    /// The words.
    #[serde(flatten)]
    pub says: Says,
    /// Since when it holds, seconds since the epoch.
    pub first_seen: i64,
    /// When it was last found, seconds since the epoch.
    pub last_seen: i64,
    /// When it stopped to hold, seconds since the epoch.
    pub ended: Option<i64>,
    /// When it was dismissed, seconds since the epoch.
    pub dismissed: Option<i64>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = BigInt)]
    severity: i64,
    #[diesel(sql_type = Double)]
    saving: f64,
    #[diesel(sql_type = Text)]
    document: String,
    #[diesel(sql_type = BigInt)]
    first_seen: i64,
    #[diesel(sql_type = BigInt)]
    last_seen: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    ended: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    dismissed: Option<i64>,
}

/// The findings that are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Which<'a> {
    /// Ended ones too.
    pub ended: bool,
    /// Dismissed ones too.
    pub dismissed: bool,
    /// Only those about this statement.
    pub fingerprint: Option<&'a str>,
}

/// The query behind the list.
#[must_use]
pub fn sql(scope: &Scope, which: Which<'_>) -> Sql {
    scope
        .bind(Sql::new(include_str!("finding.sql")))
        .bind("ended", i64::from(which.ended))
        .bind("dismissed", i64::from(which.dismissed))
        .bind("fingerprint", which.fingerprint)
}

/// Findings, those that hold first, then by severity and saving.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    which: Which<'_>,
) -> QueryResult<Vec<Finding>> {
    let rows: Vec<Row> = sql(scope, which).load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some(Finding {
                // Written by an older version, perhaps: what cannot be read is found again.
                says: serde_json::from_str(&row.document).ok()?,
                severity: match row.severity {
                    0 => Severity::Notice,
                    1 => Severity::Cost,
                    _ => Severity::Grave,
                },
                id: row.id,
                kind: row.kind,
                service: row.service,
                environment: row.environment,
                saving: row.saving,
                first_seen: row.first_seen,
                last_seen: row.last_seen,
                ended: row.ended,
                dismissed: row.dismissed,
            })
        })
        .collect())
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Number of findings that hold, by service; services without any are left out.
///
/// # Errors
/// Those of SQLite.
pub fn counts(conn: &mut SqliteConnection, scope: &Scope) -> QueryResult<HashMap<String, u64>> {
    let rows: Vec<Count> = scope
        .bind(Sql::new(include_str!("counts.sql")))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| (row.service, row.n.unsigned_abs()))
        .collect())
}

/// Ends what is known to be over. `now` in seconds.
pub(in crate::insight) fn end(
    conn: &mut SqliteConnection,
    ids: &[String],
    now: i64,
) -> QueryResult<()> {
    for id in ids {
        diesel::sql_query("UPDATE finding SET ended = ? WHERE id = ? AND ended IS NULL")
            .bind::<BigInt, _>(now)
            .bind::<Text, _>(id)
            .execute(conn)?;
    }
    Ok(())
}

/// Keeps what was found for services that were looked at, and ends what was not found again. `now` in seconds.
pub(in crate::insight) fn keep(
    conn: &mut SqliteConnection,
    drafts: &[Draft],
    services: &[(String, String)],
    now: i64,
) -> QueryResult<()> {
    for draft in drafts {
        let document = serde_json::to_string(&draft.says).unwrap_or_default();
        diesel::sql_query(include_str!("keep.sql"))
            .bind::<Text, _>(draft.id())
            .bind::<Text, _>(draft.kind.as_str())
            .bind::<Text, _>(&draft.service)
            .bind::<Text, _>(&draft.environment)
            .bind::<Integer, _>(draft.severity as i32)
            .bind::<Double, _>(draft.saving)
            .bind::<Text, _>(document)
            .bind::<BigInt, _>(now)
            .bind::<BigInt, _>(now)
            .execute(conn)?;
    }
    // Of silent services nothing is known: their findings stay open until they send again.
    for (service, environment) in services {
        diesel::sql_query(
            "UPDATE finding SET ended = ? WHERE service = ? AND environment = ? AND ended IS NULL AND last_seen < ?",
        )
        .bind::<BigInt, _>(now)
        .bind::<Text, _>(service)
        .bind::<Text, _>(environment)
        .bind::<BigInt, _>(now - GRACE)
        .execute(conn)?;
    }
    // Nobody asks what ended a month ago, or was not seen since: then its service does not send any more.
    diesel::sql_query("DELETE FROM finding WHERE ended < ?1 OR last_seen < ?1")
        .bind::<BigInt, _>(now - 30 * 86_400)
        .execute(conn)?;
    bounds::findings(conn)
}

/// Hides a finding, or shows it again. Whether there is one.
///
/// # Errors
/// Those of SQLite.
pub fn dismiss(conn: &mut SqliteConnection, id: &str, dismissed: Option<i64>) -> QueryResult<bool> {
    let changed = diesel::sql_query("UPDATE finding SET dismissed = ? WHERE id = ?")
        .bind::<Nullable<BigInt>, _>(dismissed)
        .bind::<Text, _>(id)
        .execute(conn)?;
    Ok(changed > 0)
}

#[cfg(test)]
mod tests;
