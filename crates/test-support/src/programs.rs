//! Programs that the scripts of `.ci` install for tests, below the folder `target`.

use std::path::PathBuf;

/// The folder `target`, in whose `debug/deps` the program of tests lies.
fn target() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    own.ancestors().nth(3).map(PathBuf::from)
}

/// A file or folder that `.ci/agents` has installed; nothing, after a line that says so, where it did not run.
#[must_use]
pub fn installed(name: &str) -> Option<PathBuf> {
    let path = target()?.join("agents").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there; run .ci/agents", path.display());
    None
}

/// A program that `.ci/deploy` has unpacked, or that the machine has; nothing, after a line that says so, without.
#[must_use]
pub fn tool(name: &str) -> Option<PathBuf> {
    let unpacked = target()?.join("tools/bin").join(name);
    if unpacked.exists() {
        return Some(unpacked);
    }
    let folders = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&folders).map(|folder| folder.join(name));
    let found = places.find(|place| place.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no {name}; run .ci/deploy");
    }
    found
}
