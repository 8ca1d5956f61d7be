//! A frame, in the shape of intake v2.

use serde_json::{Map, Value as Tree};

use super::MAX_FRAMES;

/// One call. Empty fields are not known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Frame<'a> {
    pub(super) class: &'a str,
    pub(super) module: &'a str,
    pub(super) function: &'a str,
    pub(super) file: &'a str,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    /// The line of its source.
    pub(super) source: &'a str,
    /// It is of a library, or of the runtime.
    pub(super) is_library: bool,
}

/// Frames as an array; nothing where there are none.
pub(super) fn array(frames: &[Frame<'_>]) -> Option<Tree> {
    let array: Vec<_> = frames.iter().take(MAX_FRAMES).map(object).collect();
    (!array.is_empty()).then(|| array.into())
}

fn object(frame: &Frame<'_>) -> Tree {
    let mut out = Map::new();
    let mut set = |name: &str, value: Tree| {
        out.insert(name.to_owned(), value);
    };
    for (name, text) in [
        ("classname", frame.class),
        ("module", frame.module),
        ("function", frame.function),
        ("context_line", frame.source),
    ] {
        if !text.is_empty() {
            set(name, text.into());
        }
    }
    // A frame must have a class or a file, if only an empty one.
    if !frame.file.is_empty() || frame.class.is_empty() {
        set("filename", frame.file.into());
    }
    for (name, number) in [("lineno", frame.line), ("colno", frame.column)] {
        if let Some(number) = number {
            set(name, number.into());
        }
    }
    if frame.is_library {
        set("library_frame", true.into());
    }
    Tree::Object(out)
}

/// Type and message of a line like `ValueError: no carrier`.
pub(super) fn exception(head: &str) -> Map<String, Tree> {
    let (kind, message) = head.split_once(": ").unwrap_or((head, ""));
    let mut out = Map::new();
    out.insert("type".to_owned(), kind.trim().into());
    if !message.trim().is_empty() {
        out.insert("message".to_owned(), message.trim().into());
    }
    out
}

/// A text that ends with a colon and a number.
pub(super) fn number_at_end(text: &str) -> Option<(&str, u32)> {
    let (before, number) = text.rsplit_once(':')?;
    Some((before, number.parse().ok()?))
}
