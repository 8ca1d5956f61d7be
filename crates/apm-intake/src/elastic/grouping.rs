//! The grouping key of an error: two errors with one key are the same.
//!
//! xxHash64 with seed 0 over text without separators: the types of the exceptions, the log's message with its
//! parameters left out, and where the frames are, as Elastic's server computes it. An error without frames is known by
//! its message besides, without the values in it (`template`): Elastic's server takes the message as it is, and only
//! where there is nothing else, so that each id makes a group of its own, or one type holds everything (ADR 390).

mod template;

use serde_json::Value;
use xxhash_rust::xxh64::Xxh64;

use template::template;

/// The key of an error event (the object that `"error"` holds).
pub(crate) fn key(error: &Value) -> u64 {
    let exceptions = flatten(&error["exception"]);
    let log = &error["log"];
    let mut hash = Feed::default();
    for exception in &exceptions {
        hash.feed(&exception["type"]);
    }
    hash.feed(&log["param_message"]);
    let mut framed = false;
    for exception in &exceptions {
        framed |= hash.feed_frames(&exception["stacktrace"]);
    }
    framed |= !framed && hash.feed_frames(&log["stacktrace"]);
    if !framed && !is_text(&log["param_message"]) {
        let mut told = false;
        for exception in &exceptions {
            told |= hash.feed_template(&exception["message"]);
        }
        if !told {
            hash.feed_template(&log["message"]);
        }
    }
    hash.hash.digest()
}

/// An exception and its causes, depth first.
pub(crate) fn flatten(exception: &Value) -> Vec<&Value> {
    let mut flat = Vec::new();
    let mut open = vec![exception];
    while let Some(exception) = open.pop() {
        if exception.is_object() {
            flat.push(exception);
            open.extend(exception["cause"].as_array().into_iter().flatten().rev());
        }
    }
    flat
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

#[derive(Default)]
struct Feed {
    hash: Xxh64,
}

impl Feed {
    fn feed(&mut self, text: &Value) -> bool {
        let Some(text) = text.as_str().filter(|text| !text.is_empty()) else {
            return false;
        };
        self.hash.update(text.as_bytes());
        true
    }

    fn feed_template(&mut self, text: &Value) -> bool {
        let Some(text) = text.as_str().filter(|text| !text.is_empty()) else {
            return false;
        };
        self.hash.update(template(text).as_bytes());
        true
    }

    /// Feeds where the frames are; true if there were any that tell.
    fn feed_frames(&mut self, frames: &Value) -> bool {
        let mut any = false;
        for frame in frames.as_array().into_iter().flatten() {
            any |= ["module", "filename", "classname"]
                .into_iter()
                .any(|name| self.feed(&frame[name]));
            any |= self.feed(&frame["function"]);
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_without_a_stack_are_one_group_where_only_values_differ() {
        let log = |message: &str| key(&json!({"log": {"message": message}}));
        assert_eq!(log("user 42 not found"), log("user 7 not found"));
        assert_ne!(log("user 42 not found"), log("order 42 not found"));
        let thrown = |message: &str| key(&json!({"exception": {"type": "Io", "message": message}}));
        assert_eq!(thrown("no 'a.txt'"), thrown("no 'b.txt'"));
        assert_ne!(thrown("no 'a.txt'"), thrown("no right to 'a.txt'"));
    }

    #[test]
    fn errors_with_a_stack_or_a_template_of_their_own_are_known_by_these() {
        let framed = |message: &str| {
            let frames = json!([{"filename": "a.rs", "function": "f"}]);
            key(&json!({"exception": {"type": "Io", "message": message, "stacktrace": frames}}))
        };
        assert_eq!(framed("one"), framed("other"));
        let told =
            |message: &str| key(&json!({"log": {"param_message": "%s", "message": message}}));
        assert_eq!(told("one"), told("other"));
    }
}
