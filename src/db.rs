//! The service's database: the pool, its PRAGMAs, the embedded migrations, and what can go wrong with the file.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use apm_agent::Agent;
use apm_store::access;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{self, ConnectionManager, CustomizeConnection, Pool, PooledConnection};
use diesel::result::DatabaseErrorKind;
use diesel::{Connection, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The longest time that a statement waits for another's lock.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time that a request waits for a free connection.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(5);

/// Requests that may hold a connection to write, at most. More would only wait for SQLite's one write lock.
const MOST_WRITERS: u32 = 4;

/// Settings of every connection. `busy_timeout` comes first, since the others may already need to wait.
const PRAGMAS: &[&str] = &[
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
];

/// The customizer that watches each connection.
pub type Instrument = Box<dyn CustomizeConnection<SqliteConnection, r2d2::Error>>;

/// A connection lent by the pool.
pub type Conn = PooledConnection<ConnectionManager<SqliteConnection>>;

/// Errors of the database, in words for the client and the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// Another process or request held the write lock for longer than the busy time-out.
    #[error("the database is locked by another writer for more than {} s, try again", BUSY_TIMEOUT.as_secs())]
    Locked(#[source] diesel::result::Error),
    /// The disk, or the page limit, is full; nothing was written.
    #[error("the disk is full, nothing was written: free some space")]
    Full(#[source] diesel::result::Error),
    /// The file under the open connections was deleted or replaced.
    #[error("the database file {} is gone or was replaced: put it back, or restart the service", .0.display())]
    Gone(PathBuf),
    /// No connection became free in time.
    #[error("no database connection became free within {} s", CHECKOUT_TIMEOUT.as_secs())]
    Pool(#[from] diesel::r2d2::PoolError),
    /// Other writers of this service were ahead for too long.
    #[error("other writes took more than {} s, try again", BUSY_TIMEOUT.as_secs())]
    NoTurn,
    /// Anything else that SQLite or Diesel reports.
    #[error("the database failed: {0}")]
    Other(#[source] diesel::result::Error),
}

impl From<diesel::result::Error> for DbError {
    fn from(error: diesel::result::Error) -> Self {
        // Diesel has no kind for these two; the texts are SQLite's own (sqlite3_errstr).
        let message = match &error {
            diesel::result::Error::DatabaseError(DatabaseErrorKind::Unknown, info) => {
                info.message().to_owned()
            }
            _ => String::new(),
        };
        if message.contains("database is locked") || message.contains("database table is locked") {
            Self::Locked(error)
        } else if message.contains("database or disk is full") {
            Self::Full(error)
        } else {
            Self::Other(error)
        }
    }
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    #[error("cannot open {path} (--database, DATABASE_URL)")]
    Connect {
        path: String,
        source: diesel::ConnectionError,
    },
    #[error("cannot set up {path} (--database, DATABASE_URL)")]
    Setup {
        path: String,
        source: diesel::result::Error,
    },
    #[error("cannot migrate {path} (--database, DATABASE_URL): {reason}")]
    Migrate { path: String, reason: String },
    #[error("cannot fill the connection pool of {path}")]
    Pool {
        path: String,
        source: diesel::r2d2::PoolError,
    },
}

/// The pool of connections to one SQLite file.
#[derive(Clone)]
pub struct Database {
    pool: Pool<ConnectionManager<SqliteConnection>>,
    /// SQLite lets one connection write at a time, and the others wait with theirs in hand. With a limit on how many
    /// do, connections are left for those who read.
    turns: Arc<Semaphore>,
    file: Option<Arc<File>>,
}

/// The files that the connections hold open: the database and its log.
#[derive(Debug)]
struct File {
    path: PathBuf,
    identity: Option<(u64, u64)>,
    log: PathBuf,
    log_identity: Option<(u64, u64)>,
}

impl Database {
    /// Opens and migrates the database at `url` (a path, `sqlite://path` or `file:` URI; not `:memory:`, as
    /// each connection of the pool would have a database of its own), then fills a pool of `size` connections.
    ///
    /// `agent` records the statements that run inside its transactions, and how long requests wait for a connection.
    pub fn open(url: &str, size: u32, agent: Option<&Agent>) -> Result<Self, OpenError> {
        let mut pool = Pool::builder();
        let mut instrument = None;
        if let Some(agent) = agent {
            pool = pool.event_handler(Box::new(agent.pool_events("people")));
            instrument = Some(Box::new(agent.diesel(plain(url))) as Instrument);
        }
        Self::open_with(url, size, pool, instrument)
    }

    /// [`Self::open`] with another instrumentation, or with none.
    pub fn open_with(
        url: &str,
        size: u32,
        pool: r2d2::Builder<ConnectionManager<SqliteConnection>>,
        instrument: Option<Instrument>,
    ) -> Result<Self, OpenError> {
        let url = plain(url);
        let path = || url.to_owned();
        keep_private(url);
        let mut conn = SqliteConnection::establish(url).map_err(|source| OpenError::Connect {
            path: path(),
            source,
        })?;
        set_pragmas(&mut conn).map_err(|source| OpenError::Setup {
            path: path(),
            source,
        })?;
        conn.run_pending_migrations(MIGRATIONS)
            .map_err(|error| OpenError::Migrate {
                path: path(),
                reason: error.to_string(),
            })?;
        drop(conn);
        let pool = pool
            .max_size(size)
            .connection_timeout(CHECKOUT_TIMEOUT)
            // A file does not drop its connections, and each check would be a statement of its own.
            .test_on_check_out(false)
            .connection_customizer(Box::new(SetUp { instrument }))
            .build(ConnectionManager::new(url))
            .map_err(|source| OpenError::Pool {
                path: path(),
                source,
            })?;
        let turns = (size / 2).clamp(1, MOST_WRITERS) as usize;
        Ok(Self {
            pool,
            turns: Arc::new(Semaphore::new(turns)),
            file: File::identify(url).map(Arc::new),
        })
    }

    /// Lends a connection, after making sure that the file which it writes to is still the one at the path.
    ///
    /// Blocks for up to 5 s while all connections are in use.
    pub fn conn(&self) -> Result<Conn, DbError> {
        if let Some(file) = &self.file {
            // In WAL mode SQLite itself goes on writing into a deleted file, and what it acknowledges is lost.
            file.check()?;
        }
        Ok(self.pool.get()?)
    }

    /// Waits until a request may take a connection to write. To be held until the write is done; first come, first
    /// served.
    ///
    /// # Errors
    /// If no turn comes within 5 s.
    pub async fn turn_to_write(&self) -> Result<OwnedSemaphorePermit, DbError> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        match timeout(BUSY_TIMEOUT, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(DbError::NoTurn),
        }
    }

    /// The pool, for the metrics of the agent.
    pub fn pool(&self) -> &Pool<ConnectionManager<SqliteConnection>> {
        &self.pool
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("file", &self.file)
            .field("pool", &self.pool.state())
            .finish()
    }
}

impl File {
    /// `None` for what is no plain file, as `:memory:`.
    fn identify(url: &str) -> Option<Self> {
        let path = path(url)?;
        let is_file = std::fs::metadata(path).is_ok_and(|meta| meta.is_file());
        // SQLite has the log beside the file that a link leads to.
        let mut log = std::fs::canonicalize(path).ok()?.into_os_string();
        log.push("-wal");
        let log = PathBuf::from(log);
        is_file.then(|| Self {
            path: path.to_owned(),
            identity: identity(path),
            log_identity: identity(&log),
            log,
        })
    }

    fn check(&self) -> Result<(), DbError> {
        if identity(&self.path) != self.identity {
            return Err(DbError::Gone(self.path.clone()));
        }
        // SQLite goes on writing into a log that was deleted, too.
        if identity(&self.log) != self.log_identity {
            return Err(DbError::Gone(self.log.clone()));
        }
        Ok(())
    }
}

/// Device and number of the file at a path.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}

/// Sets up a connection of the pool. The PRAGMAs come first, so that set-up is never recorded.
#[derive(Debug)]
struct SetUp {
    instrument: Option<Instrument>,
}

impl CustomizeConnection<SqliteConnection, r2d2::Error> for SetUp {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), r2d2::Error> {
        set_pragmas(conn).map_err(r2d2::Error::QueryError)?;
        match &self.instrument {
            Some(instrument) => instrument.on_acquire(conn),
            None => Ok(()),
        }
    }

    fn on_release(&self, conn: SqliteConnection) {
        if let Some(instrument) = &self.instrument {
            instrument.on_release(conn);
        }
    }
}

/// Keeps other users of the machine from the file: a new one is made for its owner only, and one that all could open is
/// taken from them. SQLite gives its log the mode of the database.
fn keep_private(url: &str) {
    let Some(file) = path(url) else { return };
    // A URI may ask SQLite not to make the file.
    if !file.exists() && !url.starts_with("file:") {
        // If it cannot be made, SQLite says why.
        let _ = access::open(file);
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        access::tighten(Path::new(&name));
    }
}

/// The file of a database at a path, `sqlite://path` or `file:` URI; `None` for one in memory.
pub fn path(url: &str) -> Option<&Path> {
    let path = plain(url);
    let path = path.strip_prefix("file:").unwrap_or(path);
    let path = path.split('?').next().unwrap_or(path);
    (!path.is_empty() && path != ":memory:").then(|| Path::new(path))
}

/// Diesel takes the path without a scheme.
fn plain(url: &str) -> &str {
    url.strip_prefix("sqlite://").unwrap_or(url)
}

fn set_pragmas(conn: &mut SqliteConnection) -> diesel::QueryResult<()> {
    conn.batch_execute(&format!(
        "PRAGMA busy_timeout = {}",
        BUSY_TIMEOUT.as_millis()
    ))?;
    PRAGMAS
        .iter()
        .try_for_each(|pragma| conn.batch_execute(pragma))
}
