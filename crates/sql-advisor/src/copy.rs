//! A copy of a database, in a directory that is removed at the end.
//!
//! The file itself is opened for reading only. SQLite makes a `-shm` and a `-wal` file beside a database in WAL mode
//! when it is opened, for reading too; where there is none, nobody has the database open, and it is read without them.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::error::AdviseError;
use crate::fill;
use crate::guard::{Guard, LONGEST_SOURCE_VALUE, message};
use crate::options::Options;

/// Bytes of a value on the copy. One comparison by `LIKE` takes time by its length, and is not ended before it is over.
const LONGEST_VALUE: i32 = 2 << 20;

/// The copy may become so many times as large as the database: indexes, and pages that an interrupted statement leaves.
const GROWTH: u64 = 4;

/// Room that even a small copy needs, bytes.
const LEAST_ROOM: u64 = 16 << 20;

/// The longest time to wait for a writer that holds the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// A copy, and the only connection to it.
#[derive(Debug)]
pub(crate) struct Copy {
    pub(crate) conn: Connection,
    pub(crate) guard: Guard,
    directory: TempDir,
}

impl Copy {
    /// Copies a database.
    pub(crate) fn create(file: &Path, options: &Options) -> Result<Self, AdviseError> {
        // Before SQLite is first used, where that is still to come: or memory has no bound.
        let _ = sqlite_meter::bound_memory();
        let parent = &options.directory;
        let size = size(file)?;
        if !options.schema_only {
            room(file, parent, size)?;
        }
        let directory = tempfile::Builder::new()
            .prefix("sql-advisor-")
            .tempdir_in(parent)
            .map_err(|error| AdviseError::copy(parent, error))?;
        let path = directory.path().join("copy.db");
        if !options.schema_only {
            vacuum_into(file, &path, options)?;
        }
        let failed = |error: rusqlite::Error| AdviseError::copy(directory.path(), message(&error));
        let conn = Connection::open(&path).map_err(failed)?;
        set_up(&conn, size).map_err(failed)?;
        if options.schema_only {
            let source = open(file, &uri(file, "mode=ro"))?;
            let guard = Guard::new(&source, options, LONGEST_SOURCE_VALUE).map_err(failed)?;
            fill::shape(&source, &guard, &conn, options)
                .map_err(|reason| AdviseError::open(file, reason))?;
        }
        let guard = Guard::new(&conn, options, LONGEST_VALUE).map_err(failed)?;
        Ok(Self {
            conn,
            guard,
            directory,
        })
    }

    /// Bytes of all its pages.
    pub(crate) fn bytes(&self) -> Result<u64, AdviseError> {
        self.size(false)
    }

    /// Bytes of the pages that are in use.
    pub(crate) fn used(&self) -> Result<u64, AdviseError> {
        self.size(true)
    }

    fn size(&self, without_free: bool) -> Result<u64, AdviseError> {
        let number = |name: &str| {
            self.conn
                .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0))
                .map_err(|error| self.error(message(&error)))
        };
        let free = if without_free {
            number("freelist_count")?
        } else {
            0
        };
        let bytes = (number("page_count")? - free) * number("page_size")?;
        Ok(u64::try_from(bytes).unwrap_or_default())
    }

    pub(crate) fn error(&self, reason: impl ToString) -> AdviseError {
        if self.guard.is_stopped() {
            return AdviseError::Stopped;
        }
        AdviseError::copy(self.directory.path(), reason)
    }
}

/// Speed before safety: the copy is thrown away.
fn set_up(conn: &Connection, size: u64) -> rusqlite::Result<()> {
    conn.execute_batch(
        "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; \
         PRAGMA cache_size = -65536; PRAGMA trusted_schema = 0; PRAGMA automatic_index = 1",
    )?;
    let page: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    // Even the copy of a small database may take a gigabyte, as rows may be added.
    let most = (size * GROWTH).max(1 << 30) / u64::try_from(page.max(512)).unwrap_or(4096);
    conn.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(()))
}

/// Bytes of a database and of its log.
fn size(file: &Path) -> Result<u64, AdviseError> {
    let meta = std::fs::metadata(file).map_err(|error| AdviseError::open(file, error))?;
    if !meta.is_file() {
        return Err(AdviseError::open(file, "it is no file"));
    }
    Ok(meta.len() + beside(file, "-wal").metadata().map_or(0, |meta| meta.len()))
}

/// Whether a copy and its indexes fit.
fn room(file: &Path, directory: &Path, size: u64) -> Result<(), AdviseError> {
    let free =
        fs4::available_space(directory).map_err(|error| AdviseError::copy(directory, error))?;
    // The copy itself, and as much again for indexes and temporary files.
    let needed = size * 2 + LEAST_ROOM;
    if free < needed {
        return Err(AdviseError::Room {
            path: file.to_owned(),
            directory: directory.to_owned(),
            needed,
            free,
        });
    }
    Ok(())
}

fn vacuum_into(file: &Path, to: &Path, options: &Options) -> Result<(), AdviseError> {
    let copy = |how: &str| {
        let conn = open(file, &uri(file, how))?;
        let guard = Guard::new(&conn, options, LONGEST_SOURCE_VALUE)
            .map_err(|error| AdviseError::open(file, message(&error)))?;
        let to = to
            .to_str()
            .ok_or_else(|| AdviseError::copy(to, "its path is no UTF-8"))?;
        // One attached file is what VACUUM INTO needs.
        let attached = rusqlite::limits::Limit::SQLITE_LIMIT_ATTACHED;
        let done = conn
            .set_limit(attached, 1)
            .and_then(|_| conn.execute("VACUUM INTO ?1", [to]).map(drop));
        done.map_err(|error| match guard.is_stopped() {
            true => AdviseError::Stopped,
            false => AdviseError::open(file, message(&error)),
        })
    };
    if is_quiet(file) {
        // `immutable` reads without locks: only the file tells that nobody wrote meanwhile.
        let before = stamp(file);
        if copy("mode=ro&immutable=1").is_ok() && is_quiet(file) && stamp(file) == before {
            return Ok(());
        }
        // Somebody opened it meanwhile.
        let _ = std::fs::remove_file(to);
    }
    copy("mode=ro")
}

/// Whether a database in WAL mode has no log: nobody has it open, and the file alone is all of it.
fn is_quiet(file: &Path) -> bool {
    let mut header = [0; 20];
    let read = std::fs::File::open(file)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut header));
    // Bytes 18 and 19 are the versions for writing and for reading: 2 stands for WAL.
    let is_wal = read.is_ok() && header[18] == 2 && header[19] == 2;
    is_wal && !beside(file, "-wal").exists() && !beside(file, "-shm").exists()
}

fn stamp(file: &Path) -> Option<(u64, SystemTime)> {
    let meta = std::fs::metadata(file).ok()?;
    Some((meta.len(), meta.modified().ok()?))
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The path as a URI, in which `?`, `#` and `%` have a meaning.
fn uri(file: &Path, how: &str) -> String {
    let path = file.to_string_lossy();
    let path = path
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    format!("file:{path}?{how}")
}

fn open(file: &Path, uri: &str) -> Result<Connection, AdviseError> {
    let failed = |error: rusqlite::Error| AdviseError::open(file, message(&error));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(uri, flags).map_err(failed)?;
    conn.busy_timeout(PATIENCE).map_err(failed)?;
    // Views and triggers of the file must call no function that has effects.
    conn.execute_batch("PRAGMA trusted_schema = 0")
        .map_err(failed)?;
    // SQLite notices only when it reads the file whether it is a database.
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(failed)?;
    Ok(conn)
}
