//! JavaScript as V8 writes it, and browsers that write the same.

use super::Parsed;
use super::frame::{Frame, array, number_at_end};

pub(super) fn parse(text: &str) -> Option<Parsed> {
    let mut frames = Vec::new();
    for line in text.lines() {
        let Some(call) = line.trim_start().strip_prefix("at ") else {
            // The message stands above the calls, and an error's own fields below them.
            match frames.is_empty() {
                true => continue,
                false => break,
            }
        };
        frames.push(frame(call.trim_end())?);
    }
    Some(Parsed {
        frames: array(&frames)?,
        cause: None,
    })
}

/// `async Class.method (file:///app/a.js:11:250)`, or a place alone.
fn frame(call: &str) -> Option<Frame<'_>> {
    let call = call.strip_prefix("async ").unwrap_or(call);
    let (function, place) = match call
        .strip_suffix(')')
        .and_then(|call| call.rsplit_once(" ("))
    {
        Some((function, place)) => (function, place),
        None if call.contains(':') || call.starts_with('<') => ("", call),
        None => (call, ""),
    };
    // The last number is a column only where there is another before it.
    let (file, line, column) = match number_at_end(place) {
        Some((before, column)) => match number_at_end(before) {
            Some((file, line)) => (file, Some(line), Some(column)),
            None => (before, Some(column), None),
        },
        None if matches!(place, "" | "native" | "<anonymous>") || place.starts_with("index ") => {
            (place, None, None)
        }
        None => return None,
    };
    let file = file.strip_prefix("file://").unwrap_or(file);
    let function = function.strip_prefix("new ").unwrap_or(function);
    let is_inner = file.starts_with("node:") || file.starts_with("internal/");
    Some(Frame {
        function: if function.is_empty() {
            "<anonymous>"
        } else {
            function
        },
        file: if file.is_empty() { "<anonymous>" } else { file },
        line,
        column,
        is_library: is_inner || file.contains("/node_modules/"),
        ..Frame::default()
    })
}
