//! Opens the file: checks whose it is and whether it is undamaged, and brings it to this version's schema.
//!
//! Nothing is ever replaced: a file that is not ours, is newer, or is damaged is reported and left as it is. What is
//! looked at does not grow with the file (but for small ones, which are checked in full): its size, the first and the
//! last row of every table, the last block. Damage elsewhere is reported by the query that meets it.

use std::path::Path;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::block::{Packed, SLOTS, documents};
use super::bounds::{Bounds, PAGE};
use super::error::{OpenError, StoreError};
use super::file::beside;
use super::kept;
use super::number::number;
use super::options::{Durability, StoreOptions};
use super::schema::block;
use super::{access, coarse_rollups, output};

mod lock;

pub(crate) use lock::Lock;
use lock::header;

/// `PRAGMA application_id` of our files: `PAPM`.
const APPLICATION_ID: i64 = 0x5041_504d;

/// Files up to this size are checked in full, bytes: some 50 ms.
const CHECK_IN_FULL: u64 = 8 << 20;

/// The migrations, which make and upgrade the database.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The things that a writer starts with.
pub(super) struct Opened {
    pub(super) conn: SqliteConnection,
    /// The first number that is free, at the start of a block.
    pub(super) next: i64,
}

/// Opens, checks and migrates a file, whose lock the caller holds.
pub(super) fn open(options: &StoreOptions) -> Result<Opened, OpenError> {
    let path = &*options.path;
    let header = header(path)?;
    let setup = |source: StoreError| setup_failed(path, source);
    let is_new = header.is_none();
    let mut conn = connect(path, "rwc")?;
    // A file without tables is left by a first start that was killed before its first migration.
    if is_new || owner(&mut conn, path)? == Owner::Nobody {
        prepare(&mut conn).map_err(|error| setup(error.into()))?;
    }
    // It is ours from here on.
    access::tighten(path);
    for suffix in ["-wal", "-shm", ".lock"] {
        access::tighten(&beside(path, suffix));
    }
    configure(&mut conn, options).map_err(|error| setup(error.into()))?;
    if !is_new {
        // The check comes before the migrations: a damaged file stays as it is.
        check(&mut conn, path, header.unwrap_or_default())?;
    }
    migrate(&mut conn, path, header).map_err(|source| OpenError::Migration {
        path: path.to_owned(),
        source,
    })?;
    coarse_rollups::repair(&mut conn).map_err(|error| setup(error.into()))?;
    let last = last_block(&mut conn).map_err(|error| match error {
        StoreError::BadBlock(reason) => damaged(path, reason),
        error => setup(error),
    })?;
    // The engine behind an output knows events by their numbers: none is given twice, even where all are deleted.
    let free = output::first_free(&mut conn).map_err(|error| setup(error.into()))?;
    // Blocks before it may be gone, the newest one too.
    let whole = kept::first_complete_block(&mut conn).map_err(|error| setup(error.into()))?;
    let next = last.map_or(0, |id| (id + 1) * SLOTS);
    let next = next.max(free).max(whole * SLOTS);
    Ok(Opened { conn, next })
}

/// Brings the schema to this version. With a large file that takes some time, so it is said what is done.
fn migrate(
    conn: &mut SqliteConnection,
    path: &Path,
    size: Option<u64>,
) -> diesel::migration::Result<()> {
    let pending = MigrationHarness::<Sqlite>::pending_migrations(conn, MIGRATIONS)?;
    let is_told = size.is_some_and(|size| size > CHECK_IN_FULL) && !pending.is_empty();
    if is_told {
        log::info!(
            "{} is of an earlier version: {} changes of its schema follow",
            path.display(),
            pending.len()
        );
    }
    for migration in &pending {
        let start = Instant::now();
        conn.run_migration(migration)?;
        if is_told {
            log::info!("{} took {:.1?}", migration.name(), start.elapsed());
        }
    }
    Ok(())
}

/// A connection for reading only.
pub(super) fn reader(path: &Path) -> Result<SqliteConnection, StoreError> {
    let mut conn =
        SqliteConnection::establish(&uri(path, "rw")).map_err(|error| match path.try_exists() {
            Ok(false) => StoreError::Gone(path.into()),
            _ => StoreError::BadBlock(error.to_string()),
        })?;
    for pragma in [
        "PRAGMA busy_timeout = 5000",
        "PRAGMA query_only = 1",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cache_size = -4096",
    ] {
        conn.batch_execute(pragma)?;
    }
    Ok(conn)
}

/// Refuses a file that is missing, or not a database.
pub(super) fn existing(path: &Path) -> Result<(), OpenError> {
    match header(path)? {
        Some(_) => Ok(()),
        None => Err(OpenError::Io {
            path: path.to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        }),
    }
}

/// A connection to a database of ours that exists. Another process may write it.
pub(super) fn owned(path: &Path) -> Result<SqliteConnection, OpenError> {
    let mut conn = connect(path, "rw")?;
    match owner(&mut conn, path)? {
        Owner::Us => Ok(conn),
        Owner::Nobody => Err(OpenError::Foreign {
            path: path.to_owned(),
            reason: "it has no tables",
        }),
    }
}

/// A connection that waits for other processes.
fn connect(path: &Path, mode: &str) -> Result<SqliteConnection, OpenError> {
    let mut conn =
        SqliteConnection::establish(&uri(path, mode)).map_err(|source| OpenError::Connect {
            path: path.to_owned(),
            source,
        })?;
    conn.batch_execute("PRAGMA busy_timeout = 5000")
        .map_err(|error| setup_failed(path, error.into()))?;
    Ok(conn)
}

fn setup_failed(path: &Path, source: StoreError) -> OpenError {
    match source {
        StoreError::Corrupt(source) => damaged(path, source.to_string()),
        source => OpenError::Setup {
            path: path.to_owned(),
            source,
        },
    }
}

/// Path → URI, in which `?`, `#` and `%` mean themselves.
pub fn uri(path: &Path, mode: &str) -> String {
    let path = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    format!("file:{path}?mode={mode}")
}

/// Sets what has to come before the first table. Each statement runs once, so none of them is kept prepared.
fn prepare(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(&format!("PRAGMA page_size = {PAGE}"))?;
    // Lets retention give space back to the disk in small steps.
    conn.batch_execute("PRAGMA auto_vacuum = INCREMENTAL")?;
    conn.batch_execute(&format!("PRAGMA application_id = {APPLICATION_ID}"))
}

fn configure(conn: &mut SqliteConnection, options: &StoreOptions) -> QueryResult<()> {
    let bounds = Bounds::for_max_size(options.max_size);
    let checkpoint = format!("PRAGMA wal_autocheckpoint = {}", bounds.pages());
    let limit = format!("PRAGMA journal_size_limit = {}", bounds.retained());
    let synchronous = match options.durability {
        Durability::Normal => "PRAGMA synchronous = NORMAL",
        Durability::Full => "PRAGMA synchronous = FULL",
    };
    for pragma in [
        "PRAGMA journal_mode = WAL",
        synchronous,
        "PRAGMA temp_store = MEMORY",
        &checkpoint,
        &limit,
        // SQLite takes a negative size as KiB.
        "PRAGMA cache_size = -16384",
    ] {
        conn.batch_execute(pragma)?;
    }
    Ok(())
}

/// The program whose tables a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Us,
    /// There are no tables.
    Nobody,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// A number that differs after another process wrote.
pub(super) fn foreign_writes(conn: &mut SqliteConnection) -> QueryResult<i64> {
    number(conn, "SELECT data_version AS n FROM pragma_data_version")
}

fn lines(conn: &mut SqliteConnection, sql: &str) -> QueryResult<Vec<String>> {
    let lines = diesel::sql_query(sql).load::<Line>(conn)?;
    Ok(lines.into_iter().map(|row| row.line).collect())
}

/// Refuses what is not ours and what is newer.
fn owner(conn: &mut SqliteConnection, path: &Path) -> Result<Owner, OpenError> {
    let failed = |error: diesel::result::Error| setup_failed(path, error.into());
    let id = "SELECT application_id AS n FROM pragma_application_id";
    let id = number(conn, id).map_err(failed)?;
    let tables = number(conn, "SELECT count(*) AS n FROM sqlite_schema").map_err(failed)?;
    if tables == 0 {
        return Ok(Owner::Nobody);
    }
    if id != APPLICATION_ID {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            reason: "it has tables of another program",
        });
    }
    let known = newest_known();
    let found = "SELECT coalesce(max(version), '') AS line FROM __diesel_schema_migrations";
    let found = lines(conn, found).map_err(failed)?;
    let found = found.into_iter().next().unwrap_or_default();
    // Versions begin with a date, so the order of their texts is that of time.
    if found > known {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(Owner::Us)
}

/// The version of the newest migration that this program has.
fn newest_known() -> String {
    let migrations: Vec<Box<dyn Migration<Sqlite>>> = MIGRATIONS.migrations().unwrap_or_default();
    let versions = migrations
        .iter()
        .map(|migration| migration.name().version().to_string());
    versions.max().unwrap_or_default()
}

fn damaged(path: &Path, reason: String) -> OpenError {
    OpenError::Damaged {
        path: path.to_owned(),
        reason,
    }
}

/// Looks for damage, in a time that does not depend on the size of the file.
fn check(conn: &mut SqliteConnection, path: &Path, size: u64) -> Result<(), OpenError> {
    let failed = |error: diesel::result::Error| setup_failed(path, error.into());
    let pages = number(conn, "SELECT page_count AS n FROM pragma_page_count").map_err(failed)?;
    let page_size = number(conn, "SELECT page_size AS n FROM pragma_page_size").map_err(failed)?;
    let log = std::fs::metadata(beside(path, "-wal")).map_or(0, |wal| wal.len());
    let should = pages.unsigned_abs() * page_size.unsigned_abs();
    // The last pages may be in the log alone, so a file with a log may be short.
    if log == 0 && size < should {
        let reason = format!("it has {size} of {should} bytes: its end is missing");
        return Err(damaged(path, reason));
    }
    if size > CHECK_IN_FULL {
        return read_ends(conn).map_err(failed);
    }
    let found = faults(conn).map_err(failed)?;
    if found.is_empty() {
        Ok(())
    } else {
        Err(damaged(path, found.join("; ")))
    }
}

/// Reads the first and the last row of each table.
fn read_ends(conn: &mut SqliteConnection) -> QueryResult<()> {
    let tables = lines(
        conn,
        "SELECT name AS line FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )?;
    for table in tables {
        let table = table.replace('"', "\"\"");
        for order in ["ASC", "DESC"] {
            let probe = format!(
                "SELECT count(*) AS n FROM (SELECT * FROM \"{table}\" ORDER BY 1 {order} LIMIT 1)"
            );
            number(conn, &probe)?;
        }
    }
    Ok(())
}

/// The first faults that SQLite finds in the whole file.
pub(super) fn faults(conn: &mut SqliteConnection) -> QueryResult<Vec<String>> {
    let mut found = lines(
        conn,
        "SELECT quick_check AS line FROM pragma_quick_check LIMIT 3",
    )?;
    found.retain(|line| line != "ok");
    Ok(found)
}

/// The newest block, which must be sound.
fn last_block(conn: &mut SqliteConnection) -> Result<Option<i64>, StoreError> {
    let last: Option<Packed> = block::table
        .order(block::id.desc())
        .select(Packed::as_select())
        .first(conn)
        .optional()?;
    let Some(last) = last else {
        return Ok(None);
    };
    documents(&last.unpack()?)?;
    Ok(Some(last.id()))
}
