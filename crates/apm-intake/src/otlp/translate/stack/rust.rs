//! Rust: numbered calls, each with its place below it where there is debug information.

use super::Parsed;
use super::frame::{Frame, array, number_at_end};

pub(super) fn parse(text: &str) -> Option<Parsed> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    for line in text.lines() {
        let text = line.trim();
        if let Some(place) = text.strip_prefix("at ") {
            let frame = frames.last_mut()?;
            let (before, last) = number_at_end(place)?;
            match number_at_end(before) {
                Some((file, line)) => {
                    (frame.file, frame.line, frame.column) = (file, Some(line), Some(last))
                }
                None => (frame.file, frame.line) = (before, Some(last)),
            }
            frame.is_library |= ["/rustc/", "/.cargo/registry/"]
                .iter()
                .any(|part| frame.file.contains(part));
        } else if let Some((number, call)) = text.split_once(": ") {
            number.parse::<u32>().ok()?;
            // The compiler's hash at the end changes with each build: errors are grouped without it.
            let function = call
                .rsplit_once("::h")
                .filter(|(_, hash)| hash.len() == 16)
                .map_or(call, |(name, _)| name);
            let module = function.rsplit_once("::").map_or("", |(module, _)| module);
            frames.push(Frame {
                module,
                function,
                is_library: ["std::", "core::", "alloc::"]
                    .iter()
                    .any(|part| function.starts_with(part)),
                ..Frame::default()
            });
        } else if !matches!(text, "" | "stack backtrace:") {
            return None;
        }
    }
    Some(Parsed {
        frames: array(&frames)?,
        cause: None,
    })
}
