//! A copy of a database that may be in use.

use std::fs::File;
#[cfg(unix)]
use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::access;
use super::error::{OpenError, StoreError};
use super::events;
use super::file::beside;
#[cfg(unix)]
use super::file::is_at;
use super::open::{self, uri};
use super::schema::block;
use super::statement::Run as _;

/// Blocks that are listed at a time while all of them are checked.
const LISTED: i64 = 1_000;

/// A finished copy.
#[derive(Clone, Copy, Debug)]
pub struct Backup {
    /// Its size, bytes. It has no free pages, so it is often smaller than the original.
    pub bytes: u64,
    /// The blocks of events in it; each was unpacked and its checksum compared.
    pub blocks: u64,
}

/// The reason why there is no copy. The part that was written is deleted, and the original is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The original cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A backup never replaces a file.
    #[error("{path} exists already: choose another file, or delete it", path = .0.display())]
    Exists(PathBuf),
    /// SQLite would take the copy for a part of the original, and delete it.
    #[error("{path} is a name that the database itself uses: choose another file", path = .0.display())]
    Own(PathBuf),
    /// Another process makes the same copy.
    #[error("another backup writes {path}: wait for it, or choose another file", path = .0.display())]
    InUse(PathBuf),
    /// The file cannot be made.
    #[error("cannot write {path}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// SQLite could not write the copy.
    #[error("cannot copy {from} to {to}", from = from.display(), to = to.display())]
    Copy {
        /// The original.
        from: PathBuf,
        /// The copy.
        to: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The copy is not sound, because the original is not.
    #[error("the copy of {path} is damaged: {reason}; the original is damaged as well", path = path.display())]
    Damaged {
        /// The original.
        path: PathBuf,
        /// The first faults.
        reason: String,
    },
}

/// The file that a backup writes until it is whole and checked.
pub fn partial(to: &Path) -> PathBuf {
    beside(to, ".partial")
}

/// Copies a database as it is at one moment, and checks the copy: each page, and each block of events. A server may
/// write meanwhile; its log cannot be emptied until the copy is written.
///
/// # Errors
/// See [`BackupError`].
pub fn backup(from: &Path, to: &Path) -> Result<Backup, BackupError> {
    open::existing(from)?;
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    if is_beside(from, to) {
        return Err(BackupError::Own(to.to_owned()));
    }
    // A log of another database that had this name would be played into the copy when it is opened.
    for suffix in ["-wal", "-journal"] {
        let log = beside(to, suffix);
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            return Err(BackupError::Exists(log));
        }
    }
    let partial = partial(to);
    let io = |path: &Path, source| BackupError::Io {
        path: path.to_owned(),
        source,
    };
    // Held until the file has its name: nobody else writes it meanwhile.
    let _claimed = claim(&partial)?;
    let copied = copy(from, &partial).and_then(|()| check(from, &partial));
    let done = copied.and_then(|blocks| {
        // The data is on the disk before the file gets its name: a crash never leaves half a backup.
        let file =
            File::open(&partial).and_then(|file| file.sync_all().and_then(|()| file.metadata()));
        let bytes = file.map_err(|source| io(&partial, source))?.len();
        std::fs::rename(&partial, to).map_err(|source| io(to, source))?;
        Ok(Backup { bytes, blocks })
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    done
}

/// Whether a path is that of a file that SQLite or the store has beside a database.
fn is_beside(database: &Path, path: &Path) -> bool {
    let place = |path: &Path| {
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.canonicalize(),
            _ => Path::new(".").canonicalize(),
        };
        directory.ok().zip(path.file_name().map(ToOwned::to_owned))
    };
    let wanted = place(path);
    let mut own = ["-wal", "-shm", "-journal", ".lock"].into_iter();
    wanted.is_some() && own.any(|suffix| place(&beside(database, suffix)) == wanted)
}

/// Makes the file that is written, or takes over what a backup left that was killed: its lock ended with the process.
/// SQLite writes into an empty file; one that it makes itself could be read by other users.
#[cfg(unix)]
fn claim(partial: &Path) -> Result<File, BackupError> {
    let io = |source| BackupError::Io {
        path: partial.to_owned(),
        source,
    };
    // A link would lead to a file that is no backup's, and a pipe would wait for somebody to read.
    match std::fs::symlink_metadata(partial) {
        Ok(found) if !found.is_file() => return Err(BackupError::Exists(partial.to_owned())),
        _ => {}
    }
    let file = access::open(partial).map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(BackupError::InUse(partial.to_owned())),
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    // Between the two calls its writer may have finished: then it has another name, and is a whole backup.
    if !is_at(&file, partial).map_err(io)? {
        return Err(BackupError::InUse(partial.to_owned()));
    }
    file.set_len(0).map_err(io)?;
    Ok(file)
}

/// Makes the file that is written. Elsewhere a lock would keep SQLite out as well, so the file of a backup that was
/// killed has to be deleted by hand.
#[cfg(not(unix))]
fn claim(partial: &Path) -> Result<(), BackupError> {
    let made = access::create(partial);
    made.map(drop).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(partial.to_owned()),
        _ => BackupError::Io {
            path: partial.to_owned(),
            source,
        },
    })
}

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Copy {
        from: from.to_owned(),
        to: to.to_owned(),
        source,
    };
    let mut conn = open::owned(from)?;
    // One statement reads in one transaction: the copy is the database of one moment.
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(uri(to, "rw"))
        .run(&mut conn)
        .map_err(|error| failed(error.into()))?;
    Ok(())
}

/// Reads the whole copy, and returns the number of its blocks.
fn check(from: &Path, copy: &Path) -> Result<u64, BackupError> {
    let damaged = |reason: String| BackupError::Damaged {
        path: from.to_owned(),
        reason,
    };
    let query = |source: StoreError| damaged(source.to_string());
    let mut conn = SqliteConnection::establish(&uri(copy, "ro"))
        .map_err(|error| damaged(error.to_string()))?;
    // 4 MiB: pages are read once, and a larger cache holds what nobody asks for again.
    conn.batch_execute("PRAGMA cache_size = -4096")
        .map_err(|error| query(error.into()))?;
    let found = open::faults(&mut conn).map_err(|error| query(error.into()))?;
    if !found.is_empty() {
        return Err(damaged(found.join("; ")));
    }
    let mut blocks = 0;
    let mut after = -1;
    loop {
        let ids: Vec<i64> = block::table
            .filter(block::id.gt(after))
            .order(block::id.asc())
            .limit(LISTED)
            .select(block::id)
            .load(&mut conn)
            .map_err(|error| query(error.into()))?;
        let Some(last) = ids.last() else {
            return Ok(blocks);
        };
        after = *last;
        for id in ids {
            events::check_block(&mut conn, id).map_err(query)?;
            blocks += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_sqlite_without_tables_is_refused_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("empty.db"), dir.path().join("copy.db"));
        let mut conn = SqliteConnection::establish(&uri(&from, "rwc")).unwrap();
        conn.batch_execute("PRAGMA user_version = 7").unwrap();
        drop(conn);
        let before = std::fs::read(&from).unwrap();

        let error = backup(&from, &to).unwrap_err().to_string();
        assert!(error.contains("it has no tables"), "{error}");
        assert!(!to.exists() && !partial(&to).exists());
        assert_eq!(std::fs::read(&from).unwrap(), before);
    }

    #[cfg(unix)]
    #[test]
    fn what_a_killed_backup_left_is_taken_over_but_not_what_another_one_writes() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("apm.db"), dir.path().join("copy.db"));
        let partial = partial(&to);
        drop(crate::Store::open(crate::StoreOptions::new(&from)).unwrap());
        std::fs::write(&partial, vec![7; 100_000]).unwrap();

        let other = access::open(&partial).unwrap();
        other.lock().unwrap();
        let error = backup(&from, &to).unwrap_err();
        assert!(matches!(error, BackupError::InUse(_)), "{error}");
        assert_eq!(std::fs::metadata(&partial).unwrap().len(), 100_000);
        assert!(!to.exists());

        // The lock of a process that was killed is gone.
        drop(other);
        backup(&from, &to).unwrap();
        assert!(to.exists() && !partial.exists());
        drop(crate::Store::open(crate::StoreOptions::new(&to)).unwrap());
    }

    #[test]
    fn a_copy_gets_no_name_of_the_original_and_none_that_has_a_log() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("apm.db");
        drop(crate::Store::open(crate::StoreOptions::new(&from)).unwrap());
        for suffix in ["-wal", "-shm", "-journal"] {
            let own = dir.path().join(".").join(format!("apm.db{suffix}"));
            let error = backup(&from, &own).unwrap_err();
            assert!(matches!(error, BackupError::Own(_)), "{suffix}: {error}");
            assert!(!own.exists() && !partial(&own).exists());
        }
        for suffix in ["-wal", "-journal"] {
            let to = dir.path().join(format!("copy{suffix}.db"));
            let log = beside(&to, suffix);
            std::fs::write(&log, "left of another database").unwrap();
            let error = backup(&from, &to).unwrap_err();
            assert!(matches!(error, BackupError::Exists(path) if path == log));
            std::fs::write(&log, "").unwrap();
            backup(&from, &to).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_place_of_the_partial_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("apm.db"), dir.path().join("copy.db"));
        drop(crate::Store::open(crate::StoreOptions::new(&from)).unwrap());
        let precious = dir.path().join("precious");
        std::fs::write(&precious, "text").unwrap();
        std::os::unix::fs::symlink(&precious, partial(&to)).unwrap();

        let error = backup(&from, &to).unwrap_err();
        assert!(matches!(error, BackupError::Exists(_)), "{error}");
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "text");
    }
}
