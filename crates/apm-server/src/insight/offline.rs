//! Questions to a telemetry file without a server: read, and nothing else.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use super::check::{self, CheckError, Gate, Report};

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
    let mut conn = SqliteConnection::establish(&apm_store::uri(path, "rw"))?;
    conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA query_only = 1")
        .map_err(CheckError::Query)?;
    Ok(conn.transaction(|conn| check::run(conn, gate, apm_time::now()))?)
}
