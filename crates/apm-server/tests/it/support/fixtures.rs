//! The data that others published, beside the project.

use std::path::PathBuf;

/// A file or folder of the server's fixtures; `None`, with a line that says so, where they are missing.
pub(crate) fn fixture(path: &str) -> Option<PathBuf> {
    find("server", path)
}

/// The content of a fixture of browsers.
pub(crate) fn browser(path: &str) -> Option<Vec<u8>> {
    find("rum", path).map(|path| std::fs::read(path).expect("a fixture can be read"))
}

fn find(folder: &str, path: &str) -> Option<PathBuf> {
    test_support::shared(&format!("{folder}/{path}"))
}

/// The content of a fixture.
pub(crate) fn read(path: &str) -> Option<Vec<u8>> {
    fixture(path).map(|path| std::fs::read(path).expect("a fixture can be read"))
}
