//! The options of `pocket-apm advise` and `pocket-apm migrate-check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{AccessOptions, SERVICE_NAME, age, server_url};

mod baseline;

pub use baseline::BaselineOptions;

/// The options that `advise` and `migrate-check` share.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Replay")]
pub struct ReplayOptions {
    /// The service whose recorded statements are run.
    #[arg(long, value_name = "NAME", default_value = SERVICE_NAME)]
    pub service: String,
    /// The service's SQLite file, which is copied and never written [default: that of --explain, or of the embedded
    /// service].
    #[arg(long = "database", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// From when on statements are taken: a marker, by its name or number, or a time as 2026-01-31T12:00:00Z or now-7d
    /// [default: the last day].
    #[arg(long, value_name = "MARKER")]
    pub since: Option<String>,
    /// A running APM server to ask for the statements, instead of the file of --apm-database. It knows times, not
    /// markers.
    #[arg(long, value_name = "URL", value_parser = server_url)]
    pub server: Option<String>,
    #[command(flatten)]
    pub access: AccessOptions,
    /// Copy the schema and the statistics only, and make up rows from a sample of each table: for files that are too
    /// large to be copied.
    #[arg(long)]
    pub schema_only: bool,
    /// The longest time that all of it may take.
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = age)]
    pub time: Duration,
    /// Print JSON instead.
    #[arg(long)]
    pub json: bool,
}

/// The options of `pocket-apm advise`.
#[derive(Debug, Clone, Args)]
pub struct AdviseOptions {
    #[command(flatten)]
    pub replay: ReplayOptions,
    /// Look for indexes for this statement alone, by its fingerprint or the beginning of it. The cost of an index is
    /// still counted over all statements.
    #[arg(long, value_name = "FINGERPRINT")]
    pub statement: Option<String>,
}

/// The options of `pocket-apm migrate-check`.
#[derive(Debug, Clone, Args)]
pub struct MigrateCheckOptions {
    /// The migration: SQL, such as migrations/2026-01-31-000000_people/up.sql. `-` reads the standard input.
    pub migration: PathBuf,
    #[command(flatten)]
    pub replay: ReplayOptions,
}
