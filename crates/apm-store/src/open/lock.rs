//! The lock of a database, and the first look at its file.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::damaged;
use crate::access;
use crate::error::OpenError;
use crate::file::beside;

/// Keeps other processes from writing: numbers are given out in memory. It ends with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock {
    /// On a file beside the database, which is there before the database is looked at.
    _beside: File,
    /// On the database itself, which has several names where there are hard links. To be closed after the connections:
    /// SQLite loses its own locks when another handle on the file is closed.
    _file: File,
}

impl Lock {
    /// Takes the lock, and makes the database when there is none.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        refuse_special_file(path)?;
        let path_of_lock = beside(path, ".lock");
        let had_lock = path_of_lock.exists();
        let beside = exclusive(path, &path_of_lock)?;
        header(path).inspect_err(|_| {
            // A file of somebody else's program: nothing is left beside it. Another process that waits for this lock
            // fails for the same reason.
            if !had_lock {
                let _ = std::fs::remove_file(&path_of_lock);
            }
        })?;
        let file = exclusive(path, path)?;
        warn_of_names(path, &file);
        Ok(Self {
            _beside: beside,
            _file: file,
        })
    }
}

/// Locks `file`, which is made when there is none, for the database at `path`.
fn exclusive(path: &Path, file: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io {
        path: file.to_owned(),
        source,
    };
    let locked = access::open(file).map_err(io)?;
    match locked.try_lock() {
        Ok(()) => Ok(locked),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

/// Refuses a directory, a pipe or a device, without opening it: a pipe would wait for somebody to write.
fn refuse_special_file(path: &Path) -> Result<(), OpenError> {
    match std::fs::metadata(path) {
        Ok(file) if !file.is_file() => Err(OpenError::Foreign {
            path: path.to_owned(),
            reason: "it is no regular file",
        }),
        // A file that is missing will be made. One that cannot be looked at is reported when it is opened.
        _ => Ok(()),
    }
}

/// SQLite names the log after the name by which the database was opened: by another name it would not find it.
#[cfg(unix)]
fn warn_of_names(path: &Path, file: &File) {
    use std::os::unix::fs::MetadataExt;

    let names = file.metadata().map_or(1, |file| file.nlink());
    if names > 1 {
        log::warn!(
            "{} has {names} names (hard links): always start with the same one, or events that are only in its log are \
             lost",
            path.display()
        );
    }
}

#[cfg(not(unix))]
fn warn_of_names(_: &Path, _: &File) {}

/// The size of an existing database, after a look at its first bytes; `None` for a new one.
pub(super) fn header(path: &Path) -> Result<Option<u64>, OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    refuse_special_file(path)?;
    let size = match std::fs::metadata(path) {
        Ok(file) => file.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return nothing(path, "it is missing").map(|()| None);
        }
        Err(error) => return Err(io(error)),
    };
    if size == 0 {
        return nothing(path, "it is empty").map(|()| None);
    }
    let mut file = File::open(path).map_err(io)?;
    let mut magic = Vec::new();
    (&mut file).take(16).read_to_end(&mut magic).map_err(io)?;
    if magic != b"SQLite format 3\0" {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
            reason: "it does not begin as a SQLite file does",
        });
    }
    Ok(Some(size))
}

/// A new database may be made where nothing is. Not beside a log: what that holds belongs to a file that was there, and
/// the new one would take its place.
fn nothing(path: &Path, what: &str) -> Result<(), OpenError> {
    let log = beside(path, "-wal");
    match std::fs::metadata(&log) {
        Ok(file) if file.len() > 0 => {
            let reason = format!(
                "{what}, and {} beside it holds {} bytes that belong to it; if no copy is left, move that file away \
                 too",
                log.display(),
                file.len()
            );
            Err(damaged(path, reason))
        }
        _ => Ok(()),
    }
}
