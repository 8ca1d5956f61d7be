//! A copy of a database that may be in use.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::access;
use super::error::{OpenError, StoreError};
use super::events;
use super::file::beside;
use super::open::{self, uri};
use super::schema::block;

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
    let partial = partial(to);
    let io = |path: &Path, source| BackupError::Io {
        path: path.to_owned(),
        source,
    };
    // SQLite writes into an empty file. One that SQLite makes itself could be read by other users.
    access::create(&partial).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(partial.clone()),
        _ => io(&partial, source),
    })?;
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

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Copy {
        from: from.to_owned(),
        to: to.to_owned(),
        source,
    };
    let mut conn = open::owned(from)?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<Text, _>(uri(to, "rw"))
        .execute(&mut conn)
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
}
