//! Data that other projects published, and recordings of their programs. They lie beside the repository.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The variable that names the folder; with nothing in it, there is none.
const PLACE: &str = "POCKET_APM_SHARED";

/// A file or folder of the data in `fixtures/`; nothing, after a line that says what was skipped, where there is none.
///
/// # Panics
/// The data is missing, `CI` is set, and `POCKET_APM_SHARED` does not say that there is none. A test that compares
/// nothing must not pass by mistake.
#[must_use]
#[track_caller]
pub fn shared(path: &str) -> Option<PathBuf> {
    let is_strict = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty() && ci != "false");
    look(std::env::var_os(PLACE).as_deref(), is_strict, path)
}

#[track_caller]
fn look(place: Option<&OsStr>, is_strict: bool, path: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = place.map_or_else(beside, PathBuf::from);
    let is_none = folder.as_os_str().is_empty();
    let found = folder.join("fixtures").join(path);
    if !is_none && found.exists() {
        return Some(found);
    }
    assert!(
        is_none || !is_strict,
        "{} is not there: name the folder by {PLACE}, or leave that empty where there is none",
        found.display()
    );
    eprintln!(
        "skipped: {} is not there ({PLACE} names the folder)",
        found.display()
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_is_missing_is_skipped_by_a_developer_or_where_that_is_said() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("fixtures/a/b");
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(&file, "").expect("written");
        let place = Some(dir.path().as_os_str());
        for is_strict in [false, true] {
            assert_eq!(look(place, is_strict, "a/b"), Some(file.clone()));
            assert_eq!(look(Some(OsStr::new("")), is_strict, "a/b"), None);
        }
        assert_eq!(look(place, false, "a/c"), None);
    }

    #[test]
    #[should_panic(expected = "is not there")]
    fn data_that_is_missing_by_mistake_fails_in_ci() {
        let _ = look(Some(OsStr::new("/nowhere")), true, "a/b");
    }
}
