//! Python: the innermost call stands last, and what caused an exception before it.

use serde_json::Value as Tree;

use super::frame::{Frame, array, exception};
use super::{MAX_CAUSES, Parsed};

const HEAD: &str = "Traceback (most recent call last):";

pub(super) fn parse(text: &str) -> Option<Parsed> {
    let mut parts = text.split(HEAD);
    parts.next().filter(|before| before.trim().is_empty())?;
    let traces = parts.map(trace).collect::<Option<Vec<_>>>()?;
    let (last, before) = traces.split_last()?;
    // Python prints the causes first, each of them that of the next.
    let mut cause = None;
    let from = before.len().saturating_sub(MAX_CAUSES);
    for trace in &before[from..] {
        let mut own = exception(trace.head);
        own.insert("stacktrace".to_owned(), array(&trace.frames)?);
        if let Some(cause) = cause {
            own.insert("cause".to_owned(), Tree::Array(vec![cause]));
        }
        cause = Some(Tree::Object(own));
    }
    Some(Parsed {
        frames: array(&last.frames)?,
        cause,
    })
}

struct Trace<'a> {
    frames: Vec<Frame<'a>>,
    /// `ValueError: no carrier`
    head: &'a str,
}

fn trace(text: &str) -> Option<Trace<'_>> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let head = loop {
        let line = lines.next()?;
        if let Some(call) = line.strip_prefix("  File \"") {
            let (file, rest) = call.split_once("\", line ")?;
            let (number, function) = rest.split_once(", in ").unwrap_or((rest, ""));
            let is_library = [
                "/site-packages/",
                "/dist-packages/",
                "/lib/python",
                "<frozen ",
            ]
            .iter()
            .any(|part| file.contains(part));
            frames.push(Frame {
                file,
                line: Some(number.trim().parse().ok()?),
                function: function.trim(),
                is_library,
                ..Frame::default()
            });
        } else if line.starts_with("    ") {
            let frame = frames.last_mut()?;
            // Marks below a line of source show where in it the error is.
            let is_marks = line.trim().bytes().all(|byte| b"^~".contains(&byte));
            if frame.source.is_empty() && !is_marks {
                frame.source = line.trim();
            }
        } else if line.starts_with("  [Previous line repeated ") {
            // The frame above stands for them.
        } else {
            break line;
        }
    };
    frames.reverse();
    (!frames.is_empty()).then_some(Trace { frames, head })
}
