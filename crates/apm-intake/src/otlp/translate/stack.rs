//! Stack traces as frames: by the language that the resource names, else by what the text looks like.
//!
//! Texts differ in numbers, addresses and messages, and frames do not: so errors are grouped by them. A text that no
//! reader understands as a whole stays a text.

mod dotnet;
mod frame;
mod go;
mod java;
mod node;
mod python;
mod ruby;
mod rust;

use serde_json::Value as Tree;

/// The frames of a stack trace, and what caused it.
#[derive(Debug, PartialEq)]
pub(super) struct Parsed {
    /// An array, innermost first.
    pub(super) frames: Tree,
    /// An exception with frames and a cause of its own.
    pub(super) cause: Option<Tree>,
}

/// A reader of one language's traces. It understands all of a text, or nothing.
type Read = fn(&str) -> Option<Parsed>;

/// Frames that are kept of one trace.
const MAX_FRAMES: usize = 512;
/// Frames that a text may stand for: Java says of some only how many they are.
const MAX_SAID: usize = 4096;
/// Causes that are followed.
const MAX_CAUSES: usize = 16;

/// The frames of a trace. `language`: in the words of OpenTelemetry.
pub(super) fn parse(language: &str, text: &str) -> Option<Parsed> {
    const ALL: [Read; 7] = [
        python::parse,
        go::parse,
        java::parse,
        rust::parse,
        dotnet::parse,
        node::parse,
        ruby::parse,
    ];
    let text = text.trim_end();
    if text.is_empty() {
        return None;
    }
    match language {
        "java" => java::parse(text),
        "python" => python::parse(text),
        "nodejs" | "webjs" => node::parse(text),
        "go" => go::parse(text),
        "dotnet" => dotnet::parse(text),
        "ruby" => ruby::parse(text),
        "rust" => rust::parse(text),
        _ => ALL.into_iter().find_map(|read| read(text)),
    }
}

#[cfg(test)]
mod tests;
