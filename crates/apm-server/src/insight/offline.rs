//! Questions to a telemetry file without a server: read, and nothing else.

use std::path::Path;

use apm_time::{Range, SECOND};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use super::check::baseline::Seen;
use super::check::{self, CheckError, Gate, Report};
use super::workload::{self, Workload};

/// The time for which recorded events are read, µs, unless it is said since when.
const DAY: i64 = 86_400 * SECOND;

/// Why a file could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfflineError {
    /// There is no such file, or it cannot be read.
    #[error("cannot open the telemetry database: choose another with --apm-database")]
    Open(#[from] diesel::ConnectionError),
    /// It is of an older version, or not one of ours.
    #[error(transparent)]
    Check(#[from] CheckError),
}

/// Checks a gate on a file, whether a server runs on it or not.
///
/// # Errors
/// See [`OfflineError`].
pub fn check(path: &Path, gate: &Gate) -> Result<Report, OfflineError> {
    with_snapshot(path, |conn| check::run(conn, gate, apm_time::now()))
}

/// The work of requests on a file since the gate's start.
///
/// # Errors
/// See [`OfflineError`].
pub fn seen(path: &Path, gate: &Gate) -> Result<Seen, OfflineError> {
    with_snapshot(path, |conn| check::seen(conn, gate, apm_time::now()))
}

/// Reads what a service ran since a marker or a time, else in the last day.
///
/// # Errors
/// See [`OfflineError`].
pub fn workload(path: &Path, service: &str, since: Option<&str>) -> Result<Workload, OfflineError> {
    with_snapshot(path, |conn| {
        let now = apm_time::now();
        let from = check::since(conn, since, DAY, now)?;
        let range = Range {
            from,
            to: now.max(from + SECOND),
        };
        Ok(workload::read(conn, service, range, now)?)
    })
}

fn with_snapshot<T>(
    path: &Path,
    question: impl FnOnce(&mut SqliteConnection) -> Result<T, CheckError>,
) -> Result<T, OfflineError> {
    // Read-only, SQLite could not make the index of a log that is there.
    let mut conn = SqliteConnection::establish(&apm_store::uri(path, "rw"))?;
    conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA query_only = 1")
        .map_err(CheckError::Query)?;
    Ok(conn.transaction(question)?)
}
