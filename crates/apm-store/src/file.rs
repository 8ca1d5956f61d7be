//! The files behind a path, and whether they are still there.
//!
//! In WAL mode SQLite goes on writing into a file that was deleted or replaced, and what it acknowledges is lost; that
//! holds for the database and for its log. A log that was cut is worse: SQLite writes behind the hole, and the next
//! start ends at it. So the writer looks before and after each commit, which takes some microseconds.

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Links that are followed, at most: as many as SQLite follows.
const LINKS: usize = 100;

/// Bytes with which a log begins. They differ for each time that SQLite began it.
const HEAD: usize = 32;

/// The state of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// All as it was left.
    Same,
    /// The database is no longer the one at its path, or is empty.
    Gone,
    /// The database became shorter. A checkpoint may have done that.
    Shorter,
    /// The log, or its index, is no longer the one at its path. What is in it can still be read by those who hold it
    /// open.
    Moved,
    /// The log became shorter, or begins with other bytes.
    Changed,
}

/// The files that a store holds open.
#[derive(Debug)]
pub(super) struct Held {
    path: Arc<Path>,
    log_path: PathBuf,
    index_path: PathBuf,
    main: Option<Id>,
    main_bytes: u64,
    index: Option<Id>,
    log: Log,
}

/// The log as it was last seen.
#[derive(Debug, Default)]
struct Log {
    file: Option<File>,
    id: Option<Id>,
    bytes: u64,
    head: [u8; HEAD],
}

/// Device and number of a file.
type Id = (u64, u64);

impl Held {
    /// The files at a path, as they are now. To be called after SQLite opened them.
    pub(super) fn new(path: &Path) -> Self {
        let mut held = Self {
            path: path.into(),
            log_path: beside(path, "-wal"),
            index_path: beside(path, "-shm"),
            main: None,
            main_bytes: 0,
            index: None,
            log: Log::default(),
        };
        held.renew();
        held
    }

    /// The database.
    pub(super) fn path(&self) -> &Arc<Path> {
        &self.path
    }

    /// The log.
    pub(super) fn log_path(&self) -> &Path {
        &self.log_path
    }

    /// Takes what is at the paths for the files that SQLite has open.
    pub(super) fn renew(&mut self) {
        self.main = id_at(&self.path);
        self.index = id_at(&self.index_path);
        // SQLite locks the database and the index, and loses these locks when another handle on them is closed. The log
        // it does not.
        self.log.file = File::open(&self.log_path).ok();
        self.log.id = id_at(&self.log_path);
        self.remember();
    }

    /// Takes the files as they are now for sound.
    pub(super) fn remember(&mut self) {
        self.main_bytes = size_of(&self.path);
        self.log.bytes = size_of(&self.log_path);
        self.log.head = self.log.read_head();
    }

    /// Whether they are as they were when last remembered.
    pub(super) fn look(&self) -> Look {
        match self.after_own_work() {
            Look::Same if self.log.read_head() != self.log.head => Look::Changed,
            look => look,
        }
    }

    /// Whether the log begins as SQLite begins one.
    pub(super) fn log_begins_well(&self) -> bool {
        is_head(&self.log.read_head())
    }

    /// [`Self::look`] after this process wrote: the log may begin anew then.
    pub(super) fn after_own_work(&self) -> Look {
        let main = std::fs::metadata(&self.path).ok();
        // A file that was cut to nothing is still the same file by its number.
        let is_emptied = self.main_bytes > 0 && main.as_ref().is_none_or(|main| main.len() == 0);
        if main.as_ref().and_then(id) != self.main || is_emptied {
            return Look::Gone;
        }
        let log = std::fs::metadata(&self.log_path).ok();
        if log.as_ref().and_then(id) != self.log.id || id_at(&self.index_path) != self.index {
            return Look::Moved;
        }
        if main.is_some_and(|main| main.len() < self.main_bytes) {
            return Look::Shorter;
        }
        let bytes = log.map_or(0, |log| log.len());
        match bytes < self.log.bytes || (bytes > 0 && !self.log_begins_well()) {
            true => Look::Changed,
            false => Look::Same,
        }
    }
}

impl Log {
    #[cfg(unix)]
    fn read_head(&self) -> [u8; HEAD] {
        use std::os::unix::fs::FileExt;

        let mut head = [0; HEAD];
        // A log that has not begun yet has none.
        let read = self
            .file
            .as_ref()
            .map(|file| file.read_exact_at(&mut head, 0));
        match read {
            Some(Ok(())) => head,
            _ => [0; HEAD],
        }
    }

    /// Such systems refuse to write to a file that another one has open in this way.
    #[cfg(not(unix))]
    fn read_head(&self) -> [u8; HEAD] {
        [0; HEAD]
    }
}

/// Whether these are the first bytes of a log: SQLite's mark, and the checksum of what precedes it.
fn is_head(head: &[u8; HEAD]) -> bool {
    let big = |at: usize| u32::from_be_bytes(std::array::from_fn(|byte| head[at + byte]));
    let little = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| head[at + byte]));
    let mark = big(0);
    let mut sum = (0u32, 0u32);
    // The checksum is of the six words before it, two at a time.
    for at in (0..24).step_by(8) {
        // The last bit of the mark says in which order the bytes of words are added up.
        let word = |at| if mark & 1 == 1 { big(at) } else { little(at) };
        sum.0 = sum.0.wrapping_add(word(at)).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(word(at + 4)).wrapping_add(sum.0);
    }
    mark | 1 == 0x377f_0683 && sum == (big(24), big(28))
}

fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

fn id_at(path: &Path) -> Option<Id> {
    id(&std::fs::metadata(path).ok()?)
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    let open = id(&file.metadata()?);
    // Not behind a link: who has made it could lead anywhere.
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok(id(&found) == open),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn id(file: &Metadata) -> Option<Id> {
    use std::os::unix::fs::MetadataExt;

    Some((file.dev(), file.ino()))
}

/// Nothing to tell by: such systems refuse to delete a file that is open.
#[cfg(not(unix))]
fn id(_: &Metadata) -> Option<Id> {
    None
}

/// The other files of a database: beside the file itself, as SQLite makes them, whatever links lead to it.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = real(path).into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

/// The file that a path leads to, also where it does not exist yet.
fn real(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = std::fs::read_link(&path) else {
            break;
        };
        // A relative target begins at the folder of its link; an absolute one replaces the whole path.
        path.pop();
        path.push(target);
    }
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return path;
    };
    let directory = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    // The file itself may not be there yet, but its folder is.
    match directory.canonicalize() {
        Ok(directory) => directory.join(name),
        // The attempt to open it says what is wrong.
        Err(_) => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_told_by_its_first_bytes() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.db");
        let conn = rusqlite::Connection::open(&path).expect("opens");
        conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a)")
            .expect("written");
        let log = std::fs::read(beside(&path, "-wal")).expect("a log");
        let head: [u8; HEAD] = std::array::from_fn(|byte| log[byte]);
        assert!(is_head(&head));
        for at in 0..HEAD {
            let mut other = head;
            other[at] ^= 0x10;
            assert!(!is_head(&other), "byte {at}");
        }
        assert!(!is_head(&[0; HEAD]) && !is_head(&[0x5a; HEAD]));
    }
}
