//! Markers of several servers before one engine.

use apm_store::share::{self, Document};
use apm_time::LATEST;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::{Kind, LONGEST_NAME, TOGETHER, insert};
use crate::insight::bounds;

/// The kind of a shared document.
pub(crate) const KIND: &str = "marker";

/// The same version or plan on several servers within so many seconds is one marker.
const SAME: i64 = 600;

/// Time, kind, service, environment and name: all that a marker is.
type Key = (i64, String, String, Option<String>, String);

/// Publishes a marker that was set here to other servers.
pub(super) fn publish(
    conn: &mut SqliteConnection,
    at: i64,
    (service, environment): (&str, Option<&str>),
    kind: Kind,
    name: &str,
) -> QueryResult<()> {
    let key = serde_json::json!([at, kind.as_str(), service, environment, name]);
    share::publish(conn, KIND, &key.to_string(), Some("{}"), apm_time::now())
}

/// Takes a marker that was set on another server, unless the same is known here.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn take(conn: &mut SqliteConnection, document: &Document) -> QueryResult<bool> {
    let Ok((at, kind, service, environment, name)) = serde_json::from_str::<Key>(&document.key)
    else {
        return Ok(false);
    };
    let Some(kind) = Kind::of(&kind) else {
        return Ok(false);
    };
    if name.len() > LONGEST_NAME
        || !share::fits_name(&service)
        || environment
            .as_deref()
            .is_some_and(|name| !share::fits_name(name))
        || !(0..=LATEST).contains(&at)
    {
        return Ok(false);
    }
    let of = (&*service, environment.as_deref());
    if is_known(conn, at, of, kind, &name)? {
        return Ok(true);
    }
    insert(conn, at, of, kind, &name)?;
    if let (Kind::Version, Some(environment)) = (kind, &environment) {
        // The agents of that version that come here are no news.
        diesel::sql_query(
            "INSERT OR REPLACE INTO service_version SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM marker \
             WHERE kind = 'version' AND service = ?1 AND environment = ?2 AND ts > ?4)",
        )
        .bind::<Text, _>(&service)
        .bind::<Text, _>(environment)
        .bind::<Text, _>(&name)
        .bind::<BigInt, _>(at)
        .execute(conn)?;
        bounds::versions(conn)?;
    }
    bounds::markers(conn)?;
    Ok(true)
}

/// True if this server has set or taken the same marker.
fn is_known(
    conn: &mut SqliteConnection,
    at: i64,
    (service, environment): (&str, Option<&str>),
    kind: Kind,
    name: &str,
) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Known {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    // Processes that start together are one start, whatever they are called.
    let (near, name) = match kind {
        Kind::Manual => (0, Some(name)),
        Kind::Version | Kind::Plan => (SAME, Some(name)),
        Kind::Start => (TOGETHER, None),
    };
    let known: Known = diesel::sql_query(
        "SELECT EXISTS (SELECT 1 FROM marker WHERE ts BETWEEN ?1 - ?2 AND ?1 + ?2 AND kind = ?3 AND service = ?4 \
         AND environment IS ?5 AND name = coalesce(?6, name)) AS n",
    )
    .bind::<BigInt, _>(at)
    .bind::<BigInt, _>(near * apm_time::SECOND)
    .bind::<Text, _>(kind.as_str())
    .bind::<Text, _>(service)
    .bind::<Nullable<Text>, _>(environment)
    .bind::<Nullable<Text>, _>(name)
    .get_result(conn)?;
    Ok(known.n == 1)
}
