//! The grouping key of an error, as Elastic's server computes it: two errors with one key are the same.
//!
//! xxHash64 with seed 0 over raw text without separators, the first of these that gives any: the types of the
//! exceptions, the log's message with its parameters left out, where the frames are; else the messages.

use serde_json::Value;
use xxhash_rust::xxh64::Xxh64;

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
    if !framed {
        hash.feed_frames(&log["stacktrace"]);
    }
    if !hash.fed {
        for exception in &exceptions {
            hash.feed(&exception["message"]);
        }
    }
    if !hash.fed {
        hash.feed(&log["message"]);
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

#[derive(Default)]
struct Feed {
    hash: Xxh64,
    fed: bool,
}

impl Feed {
    fn feed(&mut self, text: &Value) -> bool {
        let Some(text) = text.as_str().filter(|text| !text.is_empty()) else {
            return false;
        };
        self.hash.update(text.as_bytes());
        self.fed = true;
        true
    }

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
