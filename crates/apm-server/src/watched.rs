//! Values that are read from files, and read again when the files change: keys, tokens and certificates are renewed
//! while a server runs.

use std::fmt;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use apm_store::text_file;

/// The shortest pause between looks at the files. Nothing is done while nobody asks for the value.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The time for which a file has to be left alone before its time of change tells later changes apart.
const SETTLED: Duration = Duration::from_secs(2);

type Read<T> = Box<dyn Fn() -> Result<T, String> + Send + Sync>;

/// A value and the files that it was read from.
pub(crate) struct Watched<T> {
    files: Vec<PathBuf>,
    read: Read<T>,
    value: RwLock<Arc<T>>,
    start: Instant,
    /// When the files were last looked at, ms since the start.
    looked: AtomicU64,
    known: Mutex<Known>,
}

/// The files as they are known.
#[derive(Debug)]
struct Known {
    /// When the value was read.
    seen: Seen,
    /// The marks of a change that has just come, until they are found again at the next look: a file may be
    /// half-written before.
    changed: Option<Vec<Option<Mark>>>,
}

/// The files as they were when the value was read.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    marks: Vec<Option<Mark>>,
    /// Whether each had been left alone for long enough.
    is_settled: bool,
    /// Whether all are there, and none was written since the look before may have been: nobody is writing them.
    is_whole: bool,
}

/// The marks of a file that change with it.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
    /// Whether it can be read again: to open a pipe would wait for somebody to write.
    is_file: bool,
}

impl<T> fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl<T> Watched<T> {
    /// Reads the value for the first time.
    ///
    /// # Errors
    /// What `read` says.
    pub(crate) fn open(
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        // Looked at first: what changes while it is read is read again.
        let seen = Seen::read(&files);
        let value = read()?;
        Ok(Self {
            files,
            read: Box::new(read),
            value: RwLock::new(Arc::new(value)),
            start: Instant::now(),
            looked: AtomicU64::new(0),
            known: Mutex::new(Known {
                seen,
                changed: None,
            }),
        })
    }

    /// The value as the files have it, or had it two seconds ago. While they cannot be read it stays as it was, and the
    /// log says so.
    pub(crate) fn get(&self) -> Arc<T> {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let looked = self.looked.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(looked) >= LOOK_EVERY.as_millis() as u64;
        // One caller looks at the files; the others use the known value.
        let order = Ordering::Relaxed;
        if is_due
            && self
                .looked
                .compare_exchange(looked, now, order, order)
                .is_ok()
        {
            self.look();
        }
        self.value()
    }

    /// The value that is known.
    fn value(&self) -> Arc<T> {
        Arc::clone(&self.value.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn look(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = Seen::read(&self.files);
        let is_changed = found.marks != known.seen.marks;
        if is_changed && !found.is_whole && known.changed.as_ref() != Some(&found.marks) {
            known.changed = Some(found.marks);
            return;
        }
        known.changed = None;
        if !is_changed && known.seen.is_settled {
            return;
        }
        let read = match found.marks.iter().flatten().all(|mark| mark.is_file) {
            true => (self.read)(),
            false => Err(format!("no regular files: {}", self.names())),
        };
        match read {
            Ok(value) => {
                *self.value.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
                if is_changed {
                    log::info!("changed files were read again: {}", self.names());
                }
            }
            Err(error) if is_changed => {
                log::error!("{error}. The earlier content stays in use");
            }
            Err(_) => {}
        }
        known.seen = found;
    }

    fn names(&self) -> String {
        let names = self.files.iter().map(|file| file.display().to_string());
        names.collect::<Vec<_>>().join(", ")
    }
}

impl Seen {
    fn read(files: &[PathBuf]) -> Self {
        let marks: Vec<_> = files.iter().map(|file| Mark::read(file)).collect();
        let now = SystemTime::now();
        let age = |mark: &Mark| mark.modified.and_then(|at| now.duration_since(at).ok());
        let all_older = |than: Duration| {
            let mut ages = marks.iter().flatten().map(age);
            ages.all(|age| age.is_some_and(|age| age > than))
        };
        Self {
            is_settled: all_older(SETTLED),
            is_whole: all_older(LOOK_EVERY) && marks.iter().all(Option::is_some),
            marks,
        }
    }
}

impl Mark {
    fn read(file: &Path) -> Option<Self> {
        let data = std::fs::metadata(file).ok()?;
        Some(Self {
            modified: data.modified().ok(),
            length: data.len(),
            inode: inode(&data),
            is_file: data.is_file(),
        })
    }
}

#[cfg(unix)]
fn inode(data: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

/// Reads a small text file; the error names it.
pub(crate) fn text(file: &Path, most: u64) -> Result<String, String> {
    text_file::read(file, most).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(file: &Path) -> Result<u32, String> {
        let text = text(file, 10)?;
        text.trim()
            .parse()
            .map_err(|error| format!("{}: {error}", file.display()))
    }

    fn looked(watched: &Watched<u32>) -> u32 {
        // A change is read when it is found for the second time.
        watched.look();
        watched.look();
        *watched.value()
    }

    #[test]
    fn a_file_is_read_again_when_it_changes_and_stays_in_force_while_it_is_wrong() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("number");
        let own = file.clone();
        let open = || {
            let own = own.clone();
            Watched::open(vec![own.clone()], move || number(&own))
        };
        assert!(open().unwrap_err().contains("number"));
        std::fs::write(&file, "1\n").unwrap();
        let watched = open().unwrap();
        assert_eq!(*watched.get(), 1);
        // As long as before, and within the same tick of the clock.
        std::fs::write(&file, "2\n").unwrap();
        assert_eq!(looked(&watched), 2);
        std::fs::write(&file, "two").unwrap();
        assert_eq!(looked(&watched), 2);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(looked(&watched), 2);
        // The file is replaced by a rename, as careful programs do.
        let new = directory.path().join("new");
        std::fs::write(&new, "3\n").unwrap();
        std::fs::rename(new, &file).unwrap();
        assert_eq!(looked(&watched), 3);
        assert!(text(&file, 1).unwrap_err().contains("more than 1 bytes"));
    }

    #[test]
    fn a_file_that_is_being_written_is_read_when_it_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("number");
        std::fs::write(&file, "100\n").unwrap();
        let own = file.clone();
        let watched = Watched::open(vec![file.clone()], move || number(&own)).unwrap();
        for part in ["", "2", "20", "200\n"] {
            std::fs::write(&file, part).unwrap();
            watched.look();
            assert_eq!(*watched.value(), 100, "{part}");
        }
        watched.look();
        assert_eq!(*watched.value(), 200);
    }

    #[test]
    fn a_change_of_long_ago_is_there_at_the_first_look() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("number");
        std::fs::write(&file, "1\n").unwrap();
        let own = file.clone();
        let watched = Watched::open(vec![file.clone()], move || number(&own)).unwrap();
        std::fs::write(&file, "22\n").unwrap();
        // Nobody asked for an hour.
        let changed = SystemTime::now() - Duration::from_secs(3600);
        let open = std::fs::File::options().write(true).open(&file).unwrap();
        open.set_modified(changed).unwrap();
        watched.look();
        assert_eq!(*watched.value(), 22);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("number");
        std::fs::write(&file, "1\n").unwrap();
        let own = file.clone();
        let watched = Watched::open(vec![file.clone()], move || number(&own)).unwrap();
        std::fs::remove_file(&file).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&file).status();
        assert!(made.unwrap().success());
        assert_eq!(looked(&watched), 1);
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, "2\n").unwrap();
        assert_eq!(looked(&watched), 2);
    }
}
