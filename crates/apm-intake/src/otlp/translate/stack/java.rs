//! Java: calls, and below them what caused the exception. Any line of another form makes the whole a text.

use serde_json::{Map, Value as Tree};

use super::frame::{Frame, array, exception};
use super::{MAX_CAUSES, MAX_SAID, Parsed};

pub(super) fn parse(text: &str) -> Option<Parsed> {
    let mut lines = text.lines().peekable();
    // The message may have several lines; without one, calls come first.
    while lines.peek().is_some_and(|line| !is_call(line)) {
        lines.next();
    }
    let mut traces: Vec<Trace<'_>> = vec![Trace::default()];
    let mut suppressed = None;
    for line in lines {
        let indent = line.len() - line.trim_start().len();
        let text = line.trim();
        if text.starts_with("Suppressed: ") {
            suppressed.get_or_insert(indent);
            continue;
        }
        // All that is indented deeper belongs to the suppressed exception.
        if suppressed.is_some_and(|suppressed| indent > suppressed) {
            continue;
        }
        if let Some(head) = text.strip_prefix("Caused by: ") {
            // At the same depth it is the cause of the suppressed exception.
            if suppressed.is_some_and(|suppressed| indent >= suppressed) {
                continue;
            }
            suppressed = None;
            if traces.len() > MAX_CAUSES {
                break;
            }
            traces.push(Trace {
                head,
                ..Trace::default()
            });
            continue;
        }
        suppressed = None;
        let (trace, before) = traces.split_last_mut()?;
        if let Some(more) = text
            .strip_prefix("... ")
            .and_then(|rest| rest.strip_suffix(" more"))
        {
            let more: usize = more.parse().ok()?;
            // `n more` stands for the last n calls of the exception around this one.
            let enclosing = &before.last()?.frames;
            let from = enclosing.len().checked_sub(more)?;
            trace.frames.extend_from_slice(&enclosing[from..]);
        } else if let Some(call) = text.strip_prefix("at ") {
            trace.frames.push(frame(call)?);
        } else if trace.frames.is_empty() && !trace.head.is_empty() {
            // The message of a cause goes on.
        } else {
            return None;
        }
        if trace.frames.len() > MAX_SAID {
            return None;
        }
    }
    let mut cause: Option<Tree> = None;
    for trace in traces[1..].iter().rev() {
        let mut own: Map<String, Tree> = exception(trace.head);
        own.insert("stacktrace".to_owned(), array(&trace.frames)?);
        if let Some(cause) = cause {
            own.insert("cause".to_owned(), Tree::Array(vec![cause]));
        }
        cause = Some(Tree::Object(own));
    }
    Some(Parsed {
        frames: array(&traces[0].frames)?,
        cause,
    })
}

#[derive(Debug, Default)]
struct Trace<'a> {
    head: &'a str,
    frames: Vec<Frame<'a>>,
}

fn is_call(line: &str) -> bool {
    let text = line.trim();
    text.starts_with("at ") && text.ends_with(')')
}

/// `module/package.Class.method(File.java:28)`, where the brackets may also say `Native Method` or `Unknown Source`.
fn frame(call: &str) -> Option<Frame<'_>> {
    let (path, place) = call.strip_suffix(')')?.rsplit_once('(')?;
    let (module, path) = path.rsplit_once('/').unwrap_or(("", path));
    let (class, function) = path.rsplit_once('.')?;
    let is_word = |c: char| !c.is_whitespace() && c != '(' && c != ')';
    if class.is_empty() || function.is_empty() || place.is_empty() || !path.chars().all(is_word) {
        return None;
    }
    let (file, line) = match place.rsplit_once(':') {
        Some((file, line)) => (file, Some(line.parse().ok()?)),
        None => (place, None),
    };
    Some(Frame {
        class,
        // `java.base@17.0.1` has its version behind it.
        module: module.split('@').next().unwrap_or(module),
        function,
        file,
        line,
        ..Frame::default()
    })
}
