//! Which file is behind a path, and whether it still is.
//!
//! In WAL mode SQLite goes on writing into a file that was deleted or replaced, and what it acknowledges is lost: so the writer looks
//! before and after each commit, which takes a microsecond or two.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StoreError;

/// Links that are followed, at most: as many as SQLite follows.
const LINKS: usize = 100;

/// The file that a store holds open.
#[derive(Debug)]
pub(super) struct Held {
    path: Arc<Path>,
    identity: Option<(u64, u64)>,
}

impl Held {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.into(),
            identity: identity(path),
        }
    }

    /// Whether it is still the one at its path.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if identity(&self.path) == self.identity {
            return Ok(());
        }
        Err(StoreError::Gone(Arc::clone(&self.path)))
    }
}

/// Device and number of the file at a path.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

/// Nothing to tell by: such systems refuse to delete a file that is open.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<(u64, u64)> {
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
    match directory.canonicalize() {
        Ok(directory) => directory.join(name),
        // The attempt to open it says what is wrong.
        Err(_) => path,
    }
}
