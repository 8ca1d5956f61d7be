//! Examples from the data that other projects published, and changes of them.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

/// Longest text that is taken from a document, bytes.
const LONGEST: usize = 4096;

/// The folder of the published data, or `None` after a line that says what is skipped.
#[must_use]
pub fn fixtures() -> Option<PathBuf> {
    let shared = std::env::var_os("POCKET_APM_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let fixtures = shared.join("fixtures");
    if fixtures.is_dir() {
        return Some(fixtures);
    }
    eprintln!(
        "skipped: {} is not there (set POCKET_APM_SHARED to the folder that holds fixtures/)",
        fixtures.display()
    );
    None
}

/// The contents of all files below `folder` whose path `is` accepts, decompressed, in the order of their paths.
///
/// # Panics
/// If a file cannot be read.
#[must_use]
pub fn files(folder: &Path, is: &dyn Fn(&Path) -> bool) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).expect("a folder that can be read");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(files(&path, is));
        } else if is(&path) {
            let bytes = std::fs::read(&path).expect("a file that can be read");
            found.push(
                match path.extension().is_some_and(|extension| extension == "gz") {
                    true => inflated(&bytes),
                    false => bytes,
                },
            );
        }
    }
    found
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    MultiGzDecoder::new(bytes)
        .read_to_end(&mut out)
        .expect("a whole gzip file");
    out
}

/// Every different text in the published documents: statements, names, headers, messages.
#[must_use]
pub fn texts(fixtures: &Path) -> BTreeSet<String> {
    let is_json = |path: &Path| path.to_string_lossy().contains("json");
    let mut texts = BTreeSet::new();
    for file in files(fixtures, &is_json) {
        match serde_json::from_slice(&file) {
            Ok(document) => collect(&document, &mut texts),
            Err(_) => {
                for line in file.split(|byte| *byte == b'\n') {
                    if let Ok(document) = serde_json::from_slice(line) {
                        collect(&document, &mut texts);
                    }
                }
            }
        }
    }
    texts
}

fn collect(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() <= LONGEST => drop(texts.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        _ => {}
    }
}

/// One change of `bytes`: cut, doubled, a byte changed, or a piece of `other` put in.
#[must_use]
pub fn changed(bytes: &[u8], other: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let at = random.usize(..=out.len());
    match random.u8(..4) {
        0 => out.truncate(at),
        1 => out.extend_from_within(at..),
        2 => {
            if let Some(byte) = out.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        _ => {
            let end = random.usize(..=other.len());
            let start = random.usize(..=end);
            out.splice(at..at, other[start..end].iter().copied());
        }
    }
    out
}
