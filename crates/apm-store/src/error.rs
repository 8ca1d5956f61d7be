//! Errors of the database, with words that tell a person what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Why a database was not opened. Nothing was changed in it, unless a migration failed half-way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open for writing.
    #[error("{path} is in use by another pocket-apm; stop that one or choose another file", path = path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The file or its directory cannot be read or written.
    #[error("cannot open {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// SQLite could not open it.
    #[error("cannot open {path}", path = path.display())]
    Connect {
        /// The database.
        path: PathBuf,
        /// SQLite's error.
        source: diesel::ConnectionError,
    },
    /// It is not a SQLite database, or one of another program.
    #[error("{path} is not a database of pocket-apm ({reason}); choose another file", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The thing that is there instead.
        reason: &'static str,
    },
    /// A newer version of this program has written it.
    #[error("{path} was written by a newer pocket-apm (schema {found}, this one knows {known}); upgrade, or choose \
        another file", path = path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema's version.
        found: String,
        /// The newest version that this program knows.
        known: String,
    },
    /// It is damaged. It is left as it is.
    #[error("{path} is damaged: {reason}; restore a copy, or move it away to start a new one", path = path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The damage.
        reason: String,
    },
    /// A migration failed.
    #[error("cannot bring {path} to this version's schema", path = path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// The migration's error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The set-up of a new connection failed.
    #[error("cannot set up {path}", path = path.display())]
    Setup {
        /// The database.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
}

/// Why a batch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The writer is behind; try again later.
    #[error("queue is full")]
    QueueFull,
    /// The store is closing.
    #[error("server is shutting down")]
    ShuttingDown,
}

/// Why a commit or a query failed. Cheap to clone: every submitter of a failed commit is told.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room on the disk, or the file reached its limit of pages.
    #[error("the disk is full")]
    DiskFull(#[source] Arc<DieselError>),
    /// Another process holds the database's lock.
    #[error("the database is locked by another process")]
    Locked(#[source] Arc<DieselError>),
    /// The bytes that were read are not a sound database.
    #[error("the database is damaged")]
    Corrupt(#[source] Arc<DieselError>),
    /// The operating system failed to read or write.
    #[error("the disk cannot be read or written")]
    Io(#[source] Arc<DieselError>),
    /// The file or its directory may not be written.
    #[error("the database cannot be written")]
    ReadOnly(#[source] Arc<DieselError>),
    /// The file is no longer the one at its path.
    #[error("{} was deleted, replaced or cut while it was in use, and nothing is stored until the server is started \
        again", .0.display())]
    Gone(Arc<Path>),
    /// Our own readers keep the log from being emptied.
    #[error("the log of {} is full, for queries take too long: try again", .0.display())]
    LogFull(Arc<Path>),
    /// Another process keeps the log from being emptied.
    #[error(
        "the log of {} is full, for another process reads that file without end: end it, such as an open SQL shell or \
            a copy",
        .0.display()
    )]
    LogPinned(Arc<Path>),
    /// The log was deleted, replaced or cut, and could not be made whole yet.
    #[error(
        "{log} was deleted, replaced or cut while it was in use, and nothing is stored until it is whole again: {why}",
        log = log.display()
    )]
    LogLost {
        /// The log.
        log: Arc<Path>,
        /// The state of the files that is in the way.
        why: Arc<str>,
    },
    /// A block or stack that cannot be decoded.
    #[error("the database is damaged: {0}")]
    BadBlock(String),
    /// All connections for reading are busy for too long.
    #[error("too many queries at once")]
    Busy,
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// Anything else that a query can run into.
    #[error("the database refused a query")]
    Query(#[source] Arc<DieselError>),
}

impl StoreError {
    /// A word for counters and status pages.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::DiskFull(_) => "disk_full",
            Self::Locked(_) => "locked",
            Self::Corrupt(_) | Self::BadBlock(_) => "corrupt",
            Self::Io(_) => "io",
            Self::ReadOnly(_) => "read_only",
            Self::Gone(_) => "gone",
            Self::LogFull(_) => "log_full",
            Self::LogPinned(_) => "log_pinned",
            Self::LogLost { .. } => "log_lost",
            Self::Busy => "busy",
            Self::Closed => "closed",
            Self::Query(_) => "query",
        }
    }
}

impl From<DieselError> for StoreError {
    /// Diesel hands on SQLite's message and not its code, so the message decides.
    fn from(error: DieselError) -> Self {
        let message = match &error {
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, info) => info.message(),
            _ => "",
        };
        let make = match message {
            m if m.contains("disk is full") => Self::DiskFull,
            m if m.contains("is locked") => Self::Locked,
            m if m.contains("malformed") || m.contains("not a database") => Self::Corrupt,
            m if m.contains("disk I/O error") || m.contains("unable to open") => Self::Io,
            m if m.contains("readonly database") => Self::ReadOnly,
            _ => Self::Query,
        };
        make(Arc::new(error))
    }
}
