//! A disk that really is full: a small one in memory, which only one test sees. It needs Linux and the right to make
//! namespaces (`unshare`).

use std::path::PathBuf;
use std::process::Command;

/// The variable that names the folder of the disk.
const DIR: &str = "POCKET_APM_SMALL_DISK";

/// Runs an ignored test of the calling test binary in a process of its own that has a disk of 12 MiB, which
/// [`small_disk`] finds.
///
/// # Panics
/// If the test fails, or the machine makes no such disk.
#[track_caller]
pub fn on_small_disk(test: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let script = format!(
        "mount -t tmpfs -o size=12m none \"${DIR}\" && exec \"$0\" --exact {test} --ignored --nocapture"
    );
    let child = Command::new("unshare")
        .args(["-Urm", "sh", "-c", &script])
        .arg(std::env::current_exe().expect("a test has a path"))
        .env(DIR, dir.path())
        .status();
    assert!(child.expect("unshare").success(), "{test}");
}

/// The folder of the small disk, in a process that [`on_small_disk`] started.
#[must_use]
pub fn small_disk() -> Option<PathBuf> {
    std::env::var_os(DIR).map(PathBuf::from)
}
