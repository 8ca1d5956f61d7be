//! Lines of source around a frame, read on the agent's thread from files that are there.
//!
//! In a container the sources are usually not there; then frames simply have no source. Memory is bounded, whatever the
//! files are.

use std::collections::HashMap;
use std::path::Path;

/// Files that are remembered, also as missing.
const MAX_FILES: usize = 64;
/// Text that is remembered, in bytes.
const MAX_CACHED: usize = 4 * 1024 * 1024;
/// Larger files are not read.
const MAX_FILE: u64 = 1024 * 1024;
/// Longer lines are cut, in characters.
const MAX_LINE: usize = 400;

#[derive(Debug, Default)]
pub(super) struct SourceCache {
    files: HashMap<String, File>,
    bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct File {
    text: Option<String>,
    last_used: u64,
}

/// The line of a frame, and those around it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Lines {
    pub(super) before: Vec<String>,
    pub(super) line: String,
    pub(super) after: Vec<String>,
}

impl SourceCache {
    /// `count` lines in all, as many before `line` (which counts from 1) as after it. `None` where there is no such
    /// line.
    pub(super) fn lines(&mut self, path: &str, line: u32, count: u32) -> Option<Lines> {
        if count == 0 || !Path::new(path).is_absolute() {
            return None;
        }
        let text = self.text(path)?;
        let (line, around) = ((line as usize).checked_sub(1)?, count as usize / 2);
        let first = line.saturating_sub(around);
        let mut lines = text.lines().skip(first).map(cut);
        let before: Vec<String> = lines.by_ref().take(line - first).collect();
        let line = lines.next()?;
        Some(Lines {
            before,
            line,
            after: lines.take(around).collect(),
        })
    }

    fn text(&mut self, path: &str) -> Option<&str> {
        self.clock += 1;
        if !self.files.contains_key(path) {
            let text = read(path);
            let size = text.as_ref().map_or(0, String::len);
            while self.files.len() >= MAX_FILES
                || (self.bytes + size > MAX_CACHED && !self.files.is_empty())
            {
                self.forget_oldest();
            }
            self.bytes += size;
            self.files
                .insert(path.to_owned(), File { text, last_used: 0 });
        }
        let file = self.files.get_mut(path)?;
        file.last_used = self.clock;
        file.text.as_deref()
    }

    fn forget_oldest(&mut self) {
        let oldest = self
            .files
            .iter()
            .min_by_key(|(_, file)| file.last_used)
            .map(|(path, _)| path.clone());
        let Some(forgotten) = oldest.and_then(|path| self.files.remove(&path)) else {
            return;
        };
        self.bytes -= forgotten.text.map_or(0, |text| text.len());
    }
}

/// A regular file of UTF-8 text that is not too large: never a pipe or a device, which might block.
fn read(path: &str) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    (metadata.is_file() && metadata.len() <= MAX_FILE)
        .then(|| std::fs::read_to_string(path).ok())
        .flatten()
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(MAX_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(before: &[&str], line: &str, after: &[&str]) -> Lines {
        let owned = |lines: &[&str]| lines.iter().map(|&line| line.to_owned()).collect();
        Lines {
            before: owned(before),
            line: line.to_owned(),
            after: owned(after),
        }
    }

    #[test]
    fn five_lines_are_two_the_line_and_two_as_far_as_there_are_any() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.rs");
        std::fs::write(&path, "one\ntwo\r\nthree\nfour\nfive\nsix").unwrap();
        let path = path.to_str().unwrap();
        let mut cache = SourceCache::default();
        assert_eq!(
            cache.lines(path, 3, 5),
            Some(lines(&["one", "two"], "three", &["four", "five"]))
        );
        assert_eq!(
            cache.lines(path, 1, 5),
            Some(lines(&[], "one", &["two", "three"]))
        );
        assert_eq!(cache.lines(path, 6, 3), Some(lines(&["five"], "six", &[])));
        assert_eq!(cache.lines(path, 4, 1), Some(lines(&[], "four", &[])));
        for (line, count) in [(0, 5), (7, 5), (3, 0)] {
            assert_eq!(cache.lines(path, line, count), None);
        }
    }

    #[test]
    fn missing_relative_huge_and_binary_files_give_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("huge"), "x\n".repeat(MAX_FILE as usize)).unwrap();
        std::fs::write(path("binary"), [0xff, 0xfe, b'\n']).unwrap();
        let mut cache = SourceCache::default();
        for name in [
            path("huge"),
            path("binary"),
            path("missing"),
            path("."),
            "src/lib.rs".to_owned(),
        ] {
            assert_eq!(cache.lines(&name, 1, 5), None, "{name}");
        }
        std::fs::write(path("long"), "x".repeat(10_000)).unwrap();
        assert_eq!(
            cache
                .lines(&path("long"), 1, 5)
                .map(|lines| lines.line.chars().count()),
            Some(MAX_LINE + 1)
        );
    }

    #[test]
    fn the_cache_forgets_what_was_not_used_for_longest() {
        let dir = tempfile::tempdir().unwrap();
        let path = |index: usize| {
            dir.path()
                .join(index.to_string())
                .to_str()
                .unwrap()
                .to_owned()
        };
        let mut cache = SourceCache::default();
        for index in 0..2 * MAX_FILES {
            std::fs::write(path(index), "x".repeat(100_000)).unwrap();
            assert!(cache.lines(&path(index), 1, 5).is_some());
            assert!(cache.lines(&path(0), 1, 5).is_some());
            assert!(cache.files.len() <= MAX_FILES && cache.bytes <= MAX_CACHED);
        }
        assert!(cache.files.contains_key(&path(0)) && !cache.files.contains_key(&path(1)));
        assert_eq!(cache.bytes, cache.files.len() * 100_000);
    }
}
