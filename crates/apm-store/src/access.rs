//! A data file can be opened by its owner alone.
//!
//! A token guards what the server answers. A file that every user of the machine can read would be a way around it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file for reading and writing, and makes it when it is not there: readable by its owner only. SQLite gives
/// its log and its index the mode of the database.
///
/// # Errors
/// What the operating system says.
pub fn open(path: &Path) -> io::Result<File> {
    private().create(true).truncate(false).read(true).open(path)
}

/// Makes a file, readable by its owner only.
///
/// # Errors
/// There is a file already, or the system does not make one.
#[cfg(not(unix))]
pub(crate) fn create(path: &Path) -> io::Result<File> {
    private().create_new(true).open(path)
}

/// For writing; a file that is made is its owner's.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        options.mode(0o600);
    }
    options
}

/// Takes a file from everybody but its owner when every user may read or write it: earlier versions made such files. A
/// file that is shared with its group alone was set so by someone, and stays so. Says what it did, or why it could not.
#[cfg(unix)]
pub fn tighten(path: &Path) {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    let Ok(file) = std::fs::metadata(path) else {
        return;
    };
    let mode = file.permissions().mode() & 0o777;
    if !file.is_file() || mode & 0o007 == 0 {
        return;
    }
    let (path_text, wanted) = (path.display(), mode & 0o700);
    match std::fs::set_permissions(path, Permissions::from_mode(wanted)) {
        Ok(()) => log::info!(
            "{path_text} could be opened by every user of this machine (mode {mode:04o}); now only by its owner \
                ({wanted:04o})"
        ),
        Err(error) => log::warn!(
            "{path_text} can be opened by every user of this machine (mode {mode:04o}), and that cannot be changed: \
                {error}"
        ),
    }
}

/// Such systems have no modes.
#[cfg(not(unix))]
pub fn tighten(_: &Path) {}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_for_its_owner_or_for_those_it_was_shared_with() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.db");
        let mode = || metadata(&path).expect("a file").permissions().mode() & 0o777;
        drop(open(&path).expect("made"));
        assert_eq!(mode(), 0o600);
        for (before, after) in [
            (0o644, 0o600),
            (0o666, 0o600),
            (0o604, 0o600),
            (0o444, 0o400),
            (0o640, 0o640),
            (0o660, 0o660),
            (0o600, 0o600),
        ] {
            set_permissions(&path, Permissions::from_mode(before)).expect("set");
            tighten(&path);
            assert_eq!(mode(), after, "{before:o}");
        }
        tighten(&dir.path().join("none.db"));
    }
}
