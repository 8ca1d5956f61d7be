//! Events in memory, in the tables of a store: for questions about events that are not stored here.

use std::path::Path;

use diesel::{Connection, SqliteConnection};
use diesel_migrations::MigrationHarness;

use super::apply::Memory;
use super::error::{OpenError, StoreError};
use super::event::Batch;
use super::limits::NameLimits;
use super::open::MIGRATIONS;

/// A database in memory with the rows and documents of some events. There are no limits of names, and no rollups.
///
/// # Errors
/// If SQLite has no memory, or an event cannot be stored.
pub fn scratch(batches: &[Batch]) -> Result<SqliteConnection, StoreError> {
    let mut conn = SqliteConnection::establish(":memory:")
        .map_err(|error| StoreError::BadBlock(error.to_string()))?;
    conn.run_pending_migrations(MIGRATIONS)
        .map_err(|error| StoreError::BadBlock(error.to_string()))?;
    let memory = Memory::new(0, NameLimits::new(0));
    let mut memory = memory.map_err(|error| {
        let path = Path::new(":memory:").to_owned();
        StoreError::BadBlock(
            OpenError::Io {
                path,
                source: error,
            }
            .to_string(),
        )
    })?;
    conn.transaction(|conn| memory.apply(conn, batches.iter()).map(drop))?;
    Ok(conn)
}
