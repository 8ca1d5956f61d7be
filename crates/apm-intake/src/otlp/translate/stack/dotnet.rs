//! .NET: what caused an exception stands between its message and its own calls.

use serde_json::{Map, Value as Tree};

use super::frame::{Frame, array, exception};
use super::{MAX_CAUSES, Parsed};

pub(super) fn parse(text: &str) -> Option<Parsed> {
    // Heads from the outermost in, and calls from the innermost out.
    let mut heads: Vec<&str> = Vec::new();
    let mut traces: Vec<Vec<Frame<'_>>> = vec![Vec::new()];
    for line in text.lines() {
        let line = line.trim();
        if let Some(head) = line.strip_prefix("---> ") {
            heads.push(head);
        } else if line.starts_with("--- End of inner exception stack trace") {
            traces.push(Vec::new());
        } else if line.starts_with("--- End of stack trace from previous location") {
            // The calls go on in another task.
        } else if let Some(call) = line.strip_prefix("at ") {
            traces.last_mut()?.push(frame(call)?);
        } else if traces.last().is_some_and(|trace| !trace.is_empty()) {
            return None;
        }
    }
    // A line ends the calls of each cause, and nothing ends those of the outermost exception.
    if traces.len() != heads.len() + 1 {
        return None;
    }
    let own = traces.pop()?;
    let mut cause: Option<Tree> = None;
    // Causes beyond the limit are the innermost ones.
    let few = heads.len().saturating_sub(MAX_CAUSES);
    for (head, frames) in heads.iter().rev().zip(&traces).skip(few) {
        let mut inner: Map<String, Tree> = exception(head);
        if let Some(frames) = array(frames) {
            inner.insert("stacktrace".to_owned(), frames);
        }
        if let Some(cause) = cause {
            inner.insert("cause".to_owned(), Tree::Array(vec![cause]));
        }
        cause = Some(Tree::Object(inner));
    }
    Some(Parsed {
        frames: array(&own)?,
        cause,
    })
}

/// `Shop.Orders.Ship(String id) in /src/Orders.cs:line 42`, where the place may be missing.
fn frame(call: &str) -> Option<Frame<'_>> {
    let (call, place) = match call.split_once(" in ") {
        Some((call, place)) => (call, place),
        None => (call, ""),
    };
    let (path, _) = call.split_once('(')?;
    if path.contains(' ') {
        return None;
    }
    let (class, function) = path.rsplit_once('.').unwrap_or(("", path));
    // `.ctor` and `.cctor` begin with a dot of their own.
    let class = class.strip_suffix('.').unwrap_or(class);
    let (file, line) = match place.rsplit_once(":line ") {
        Some((file, line)) => (file, Some(line.trim().parse().ok()?)),
        None => (place, None),
    };
    let is_library = ["System.", "Microsoft.", "lambda_method"]
        .iter()
        .any(|part| class.starts_with(part));
    Some(Frame {
        class,
        function,
        file,
        line,
        is_library,
        ..Frame::default()
    })
}
