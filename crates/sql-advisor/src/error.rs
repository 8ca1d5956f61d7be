//! Why nothing could be measured.

use std::path::{Path, PathBuf};

/// Why nothing could be measured. A fault of one statement is no error: the report tells of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdviseError {
    /// The database cannot be read.
    #[error("cannot read the database {path}: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// The error of SQLite or the system.
        reason: String,
    },
    /// The copy does not fit.
    #[error(
        "a copy of {path} needs {needed} bytes in {directory}, where {free} are free: make room, set TMPDIR to another \
         directory, or copy the schema only"
    )]
    Room {
        /// The file.
        path: PathBuf,
        /// The directory in which the copy would be.
        directory: PathBuf,
        /// Bytes.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// The copy could not be made, or not be worked with.
    #[error("cannot work with a copy in {directory}: {reason}")]
    Copy {
        /// The directory of the copy.
        directory: PathBuf,
        /// The error of SQLite or the system.
        reason: String,
    },
    /// There is no statement to measure.
    #[error("no statement was recorded that could be measured: {0}")]
    NoStatement(String),
    /// The migration fails.
    #[error("the migration fails on a copy of the database: {0}")]
    Migration(String),
    /// A table that should get more rows is not there, or cannot get them.
    #[error("cannot fill the table {table}: {reason}")]
    Fill {
        /// Its name.
        table: String,
        /// Why.
        reason: String,
    },
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
}

impl AdviseError {
    pub(crate) fn open(path: &Path, reason: impl ToString) -> Self {
        Self::Open {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn copy(directory: &Path, reason: impl ToString) -> Self {
        Self::Copy {
            directory: directory.to_owned(),
            reason: reason.to_string(),
        }
    }
}
