//! Telemetry on disk: one SQLite file, one writer, any number of readers.

use diesel_migrations::{EmbeddedMigrations, embed_migrations};

pub mod id;
pub mod schema;

/// What makes and upgrades the database.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
