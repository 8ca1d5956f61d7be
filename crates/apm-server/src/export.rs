//! A stored trace as agents would send it again: NDJSON of intake v2, which [`crate::import`] and any APM server take.
//!
//! Each sender's metadata stands before its events. An import gives the same events as were exported, but for
//! the numbers of the events and the times of their arrival.

use std::sync::Arc;

use apm_store::StoreError;
use apm_store::document::milliseconds;
use apm_store::event::{Kind, StoredEvent};
use diesel::SqliteConnection;
use kql::pasted::{Part, readings};
use serde_json::{Map, Value, json};

/// Blocks that are read at once: about a thousand events.
const TOGETHER: usize = 8;

/// A trace on its way out, part by part: a large one does not have to fit into memory.
#[derive(Debug)]
pub struct Export {
    id: String,
    blocks: Vec<i64>,
    next: usize,
    /// The sender of the last event.
    sender: Option<Arc<str>>,
}

impl Export {
    /// Finds where a trace is stored, whose id may be pasted in one way or another.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn begin(conn: &mut SqliteConnection, id: &str) -> Result<Self, StoreError> {
        let mut export = Self {
            id: id.to_owned(),
            blocks: Vec::new(),
            next: 0,
            sender: None,
        };
        for id in readings(id, Part::Trace) {
            export.blocks = apm_store::trace_blocks(conn, &id)?;
            export.id = id.to_string();
            if !export.blocks.is_empty() {
                break;
            }
        }
        Ok(export)
    }

    /// The next lines; nothing at the end.
    ///
    /// # Errors
    /// Those of SQLite, and of events that cannot be read.
    pub fn lines(&mut self, conn: &mut SqliteConnection) -> Result<Option<String>, StoreError> {
        while self.next < self.blocks.len() {
            let end = self.blocks.len().min(self.next + TOGETHER);
            let events = apm_store::trace_in(conn, &self.id, &self.blocks[self.next..end])?;
            self.next = end;
            if !events.is_empty() {
                return Ok(Some(self.written(&events)));
            }
        }
        Ok(None)
    }

    fn written(&mut self, events: &[StoredEvent]) -> String {
        let mut out = String::new();
        for event in events {
            if self.sender.as_ref() != Some(&event.resource) {
                self.sender = Some(Arc::clone(&event.resource));
                let stored: Value = serde_json::from_str(&event.resource).unwrap_or_default();
                push(&mut out, &json!({ "metadata": stored["metadata"] }));
            }
            let line = json!({ event.kind.as_str(): body(event) });
            push(&mut out, &line);
        }
        out
    }
}

/// Events as lines.
pub(crate) fn lines(events: &[StoredEvent]) -> String {
    let mut export = Export {
        id: String::new(),
        blocks: Vec::new(),
        next: 0,
        sender: None,
    };
    export.written(events)
}

fn push(out: &mut String, line: &Value) {
    out.push_str(&line.to_string());
    out.push('\n');
}

/// An event as it was sent: what became columns goes back into its members.
fn body(event: &StoredEvent) -> Value {
    let rest: Value = serde_json::from_str(&event.rest).unwrap_or_default();
    let mut rest = match rest {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let stack = event
        .stack
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok());
    // A time that cannot be was kept as it was sent.
    let timestamp = match event.kind {
        Kind::Log => "@timestamp",
        _ => "timestamp",
    };
    let timestamp = (!rest.contains_key(timestamp)).then_some(timestamp);
    let mut set = |name: &str, value: Value| {
        if !value.is_null() {
            rest.insert(name.to_owned(), value);
        }
    };
    if let Some(name) = timestamp {
        set(name, json!(event.timestamp));
    }
    if event.kind == Kind::Log {
        set("trace.id", json!(event.trace_id));
        set("transaction.id", json!(event.transaction_id));
        set("span.id", json!(event.id));
        return Value::Object(rest);
    }
    set("id", json!(event.id));
    set("trace_id", json!(event.trace_id));
    set("transaction_id", json!(event.transaction_id));
    set("parent_id", json!(event.parent_id));
    match event.kind {
        Kind::Transaction | Kind::Span => {
            set("name", json!(event.name));
            set("type", json!(event.event_type));
            set("duration", json!(event.duration.map(milliseconds)));
            set(
                "outcome",
                json!(event.outcome.map(|outcome| outcome.as_str())),
            );
            set("sample_rate", json!(event.sample_rate));
        }
        Kind::Error | Kind::Metricset | Kind::Log => {}
    }
    match event.kind {
        Kind::Transaction => {
            set("result", json!(event.result));
            set("sampled", json!(event.sampled));
            // The wire format requires `started`.
            let mut count = json!({ "started": event.spans_started.unwrap_or(0) });
            if let Some(dropped) = event.spans_dropped {
                count["dropped"] = json!(dropped);
            }
            set("span_count", count);
        }
        Kind::Span => {
            set("subtype", json!(event.subtype));
            set("action", json!(event.action));
            set("stacktrace", stack.unwrap_or_default());
        }
        Kind::Error => {
            // The trace that is stored apart is the exception's where there is one, else the log's.
            let of = if rest.get("exception").is_some_and(Value::is_object) {
                "exception"
            } else {
                "log"
            };
            if let (Some(stack), Some(owner)) = (stack, rest.get_mut(of)) {
                let stack: Value = stack;
                owner["stacktrace"] = stack;
            }
        }
        Kind::Metricset | Kind::Log => {}
    }
    Value::Object(rest)
}
