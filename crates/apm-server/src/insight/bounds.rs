//! Bounds of what insights write: senders decide how many versions, processes and findings there are to tell
//! of, and room for events is not made here. Each bound leaves some slack, so that rows go many at a time.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// Markers that nobody set by hand; and those that somebody did.
const MARKERS: i64 = 2_000;
const MANUAL_MARKERS: i64 = 10_000;
/// The newest markers of one kind and service stay before all others when there are too many: one that restarts again
/// and again, here or on another server, must not push out the versions of others.
const OF_A_SERVICE: i64 = 200;
/// Services of which the last version is known though nothing else is.
const VERSIONS: i64 = 5_000;
/// Findings.
const FINDINGS: i64 = 2_000;
/// Plans of statements.
const PLANS: i64 = 20_000;
/// Changes of the states of error groups.
const ERROR_CHANGES: i64 = 10_000;
/// States of error groups. A row outlives its group, and other servers may send any.
const ERROR_STATES: i64 = 20_000;
/// The number of rows beyond a limit that are tolerated before some are deleted.
const SLACK: i64 = 10;

/// Drops the oldest markers where there are too many.
pub(super) fn markers(conn: &mut SqliteConnection) -> QueryResult<()> {
    // Starts of processes must not push out what people set.
    for (which, most) in [
        ("kind <> 'manual'", MARKERS),
        ("kind = 'manual'", MANUAL_MARKERS),
    ] {
        if count(conn, &format!("marker WHERE {which}"))? > most + most / SLACK {
            diesel::sql_query(format!(
                "DELETE FROM marker WHERE id IN (SELECT id FROM (SELECT id, ts, row_number() OVER ( \
                    PARTITION BY service, environment, kind ORDER BY ts DESC, id DESC) AS place \
                    FROM marker WHERE {which}) ORDER BY place > ?, ts DESC, id DESC LIMIT -1 OFFSET ?)"
            ))
            .bind::<BigInt, _>(OF_A_SERVICE)
            .bind::<BigInt, _>(most)
            .execute(conn)?;
        }
    }
    Ok(())
}

/// Forgets the versions of services that are gone where there are too many.
pub(super) fn versions(conn: &mut SqliteConnection) -> QueryResult<()> {
    if count(conn, "service_version")? > VERSIONS + VERSIONS / SLACK {
        diesel::sql_query(
            "DELETE FROM service_version WHERE service NOT IN (SELECT name FROM service)",
        )
        .execute(conn)?;
    }
    Ok(())
}

/// Drops findings where there are too many: those that ended first, then those that were seen least lately.
pub(super) fn findings(conn: &mut SqliteConnection) -> QueryResult<()> {
    if count(conn, "finding")? > FINDINGS + FINDINGS / SLACK {
        diesel::sql_query(
            "DELETE FROM finding WHERE id IN (SELECT id FROM finding ORDER BY ended IS NOT NULL, last_seen DESC LIMIT \
                -1 OFFSET ?)",
        )
        .bind::<BigInt, _>(FINDINGS)
        .execute(conn)?;
    }
    Ok(())
}

/// Drops the plans that were sent least lately where there are too many.
pub(super) fn plans(conn: &mut SqliteConnection) -> QueryResult<()> {
    if count(conn, "statement_plan")? > PLANS + PLANS / SLACK {
        diesel::sql_query(
            "DELETE FROM statement_plan WHERE id IN (SELECT id FROM statement_plan ORDER BY last_seen DESC, id DESC \
             LIMIT -1 OFFSET ?)",
        )
        .bind::<BigInt, _>(PLANS)
        .execute(conn)?;
    }
    Ok(())
}

/// Drops the oldest changes of the states of error groups where there are too many.
pub(super) fn error_changes(conn: &mut SqliteConnection) -> QueryResult<()> {
    if count(conn, "error_change")? > ERROR_CHANGES + ERROR_CHANGES / SLACK {
        diesel::sql_query(
            "DELETE FROM error_change WHERE id IN (SELECT id FROM error_change ORDER BY id DESC LIMIT -1 OFFSET ?)",
        )
        .bind::<BigInt, _>(ERROR_CHANGES)
        .execute(conn)?;
    }
    Ok(())
}

/// Drops the states of error groups that were changed least lately where there are too many: such groups are open
/// again.
pub(super) fn error_states(conn: &mut SqliteConnection) -> QueryResult<()> {
    if count(conn, "error_triage")? > ERROR_STATES + ERROR_STATES / SLACK {
        diesel::sql_query(
            "DELETE FROM error_triage WHERE (service, grouping_key) IN ( \
                SELECT service, grouping_key FROM error_triage ORDER BY changed DESC LIMIT -1 OFFSET ?)",
        )
        .bind::<BigInt, _>(ERROR_STATES)
        .execute(conn)?;
    }
    Ok(())
}

/// Forgets the versions of error groups that are gone.
pub(super) fn gone_errors(conn: &mut SqliteConnection) -> QueryResult<()> {
    diesel::sql_query(
        "DELETE FROM error_version WHERE group_id NOT IN (SELECT id FROM error_group)",
    )
    .execute(conn)?;
    Ok(())
}

fn count(conn: &mut SqliteConnection, of: &str) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    let count: Count =
        diesel::sql_query(format!("SELECT count(*) AS n FROM {of}")).get_result(conn)?;
    Ok(count.n)
}

#[cfg(test)]
mod tests;
