//! A trace in Jaeger's JSON.

use std::collections::HashMap;

use apm_store::StoreError;
use diesel::SqliteConnection;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::analytics::trace::item::{Item, TraceError, What};
use crate::analytics::trace::read::statements;
use crate::analytics::trace::{self};

/// A trace.
#[derive(Debug, Serialize)]
pub(super) struct Trace {
    #[serde(rename = "traceID")]
    id: String,
    /// The list of its spans. A span is as text what it takes in an answer, and some times that as a tree.
    spans: Box<RawValue>,
    /// The senders of the spans, by the ids that these name.
    processes: HashMap<String, Process>,
    warnings: Option<Vec<String>>,
}

/// The spans that an answer may still have.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) spans: usize,
    pub(super) bytes: usize,
}

impl Room {
    pub(super) fn is_full(&self) -> bool {
        self.spans == 0 || self.bytes == 0
    }
}

/// Spans as text, one behind the other.
#[derive(Debug, Default)]
struct Spans {
    text: String,
    count: usize,
}

impl Spans {
    /// Adds one that has room. Behind the first one that has none, no other has.
    fn add(&mut self, span: &str, room: &mut Room) -> bool {
        if room.spans == 0 || span.len() > room.bytes {
            room.bytes = 0;
            return false;
        }
        room.spans -= 1;
        room.bytes -= span.len();
        if self.count > 0 {
            self.text.push(',');
        }
        self.text.push_str(span);
        self.count += 1;
        true
    }

    fn list(self) -> Box<RawValue> {
        RawValue::from_string(format!("[{}]", self.text)).expect("a list of objects is JSON")
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    #[serde(rename = "traceID")]
    trace: String,
    #[serde(rename = "spanID")]
    id: String,
    flags: u32,
    operation_name: String,
    references: Vec<Reference>,
    /// µs since the epoch.
    start_time: i64,
    /// µs.
    duration: i64,
    tags: Vec<Tag>,
    logs: Vec<Log>,
    #[serde(rename = "processID")]
    process: String,
    warnings: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Reference {
    #[serde(rename = "refType")]
    kind: &'static str,
    #[serde(rename = "traceID")]
    trace: String,
    #[serde(rename = "spanID")]
    span: String,
}

#[derive(Debug, Serialize)]
struct Process {
    #[serde(rename = "serviceName")]
    service: String,
    tags: Vec<Tag>,
}

#[derive(Debug, Serialize)]
struct Tag {
    key: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: Value,
}

#[derive(Debug, Serialize)]
struct Log {
    timestamp: i64,
    fields: Vec<Tag>,
}

impl Trace {
    /// The first items of a trace in their order, those that have room.
    pub(super) fn of(
        conn: &mut SqliteConnection,
        trace: &trace::Trace,
        room: &mut Room,
    ) -> Result<Self, StoreError> {
        let shown = &trace.items[..trace.items.len().min(room.spans)];
        let texts = statements(conn, shown)?;
        let mut errors: HashMap<u32, Vec<&TraceError>> = HashMap::new();
        for error in &trace.errors {
            if let Some(item) = error.item {
                errors.entry(item).or_default().push(error);
            }
        }
        let mut processes = HashMap::new();
        let mut spans = Spans::default();
        for (index, item) in shown.iter().enumerate() {
            let process = process(&mut processes, &item.what);
            let parent = item
                .parent
                .and_then(|parent| trace.items.get(parent as usize));
            let of_item = u32::try_from(index)
                .ok()
                .and_then(|index| errors.get(&index));
            let statement = item.what.statement.and_then(|id| texts.get(&id));
            let span = Span {
                trace: trace.id.clone(),
                id: item.id.to_string(),
                // The flag of what was sampled.
                flags: 1,
                operation_name: item.what.name.to_string(),
                references: parent
                    .map(|parent| reference(&trace.id, parent))
                    .into_iter()
                    .collect(),
                start_time: trace.start.saturating_add(item.at),
                duration: item.duration,
                tags: tags(item, statement),
                logs: of_item
                    .into_iter()
                    .flatten()
                    .map(|error| log(error))
                    .collect(),
                process,
                warnings: None,
            };
            let span = serde_json::to_string(&span).expect("texts and numbers are JSON");
            if !spans.add(&span, room) {
                break;
            }
        }
        let left = trace.items.len() - spans.count;
        let warnings = (left > 0).then(|| vec![format!("{left} more spans are left out")]);
        Ok(Self {
            id: trace.id.clone(),
            spans: spans.list(),
            processes: processes
                .into_iter()
                .map(|(_, (id, process))| (id, process))
                .collect(),
            warnings,
        })
    }
}

/// The sender of an item, by its service and environment.
fn process(known: &mut HashMap<(String, String), (String, Process)>, what: &What) -> String {
    let key = (what.service.to_string(), what.environment.to_string());
    // Before the entry is made, which borrows the map.
    let number = known.len() + 1;
    let (id, _) = known.entry(key).or_insert_with(|| {
        let mut tags = vec![text("agent.name", &what.agent)];
        if !what.environment.is_empty() {
            tags.push(text("deployment.environment", &what.environment));
        }
        let service = what.service.to_string();
        (format!("p{number}"), Process { service, tags })
    });
    id.clone()
}

fn reference(trace: &str, parent: &Item) -> Reference {
    Reference {
        kind: "CHILD_OF",
        trace: trace.to_owned(),
        span: parent.id.to_string(),
    }
}

fn tags(item: &Item, statement: Option<&String>) -> Vec<Tag> {
    let what = &item.what;
    let kind = match (item.is_transaction, &*what.kind) {
        (true, "messaging") => "consumer",
        (true, "request") => "server",
        (false, "messaging") => "producer",
        (false, _) if !what.destination.is_empty() => "client",
        _ => "internal",
    };
    let mut tags = vec![text("span.kind", kind), text("span.type", &what.kind)];
    if what.kind.as_ref() == "db" && !what.subtype.is_empty() {
        tags.push(text("db.system", &what.subtype));
    }
    if let Some(statement) = statement {
        tags.push(text("db.statement", statement));
    }
    if !what.destination.is_empty() {
        tags.push(text("peer.service", &what.destination));
    }
    if !what.result.is_empty() {
        tags.push(text("transaction.result", &what.result));
    }
    if let Some(status) = item.status {
        tags.push(number("http.status_code", i64::from(status)));
    }
    if let Some(composite) = item.composite() {
        tags.push(number("span.composite.count", composite.count));
    }
    if item.failed() {
        tags.push(Tag {
            key: "error",
            kind: "bool",
            value: json!(true),
        });
    }
    tags
}

fn log(error: &TraceError) -> Log {
    let mut fields = vec![text("event", "error")];
    for (key, value) in [
        ("error.kind", &error.kind),
        ("message", &error.message),
        ("error.culprit", &error.culprit),
    ] {
        if !value.is_empty() {
            fields.push(text(key, value));
        }
    }
    Log {
        timestamp: error.timestamp,
        fields,
    }
}

fn text(key: &'static str, value: &str) -> Tag {
    Tag {
        key,
        kind: "string",
        value: json!(value),
    }
}

fn number(key: &'static str, value: i64) -> Tag {
    Tag {
        key,
        kind: "int64",
        value: json!(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_beyond_the_bytes_of_an_answer_are_left_out() {
        let (long, short) = (json!({"id": "a".repeat(40)}), json!({"id": "b"}));
        let mut room = Room {
            spans: 10,
            bytes: 130,
        };
        let mut first = Spans::default();
        let added = (0..10).take_while(|_| first.add(&long.to_string(), &mut room));
        assert_eq!(added.count(), 2);
        assert_eq!(first.list().get(), format!("[{long},{long}]"));
        // One that is short enough would stand before those that were left out.
        assert!(room.is_full() && !Spans::default().add(&short.to_string(), &mut room));

        let mut room = Room {
            spans: 3,
            bytes: 1_000,
        };
        let mut second = Spans::default();
        let added = (0..10).take_while(|_| second.add(&short.to_string(), &mut room));
        assert_eq!(added.count(), 3);
        assert_eq!(second.list().get(), format!("[{short},{short},{short}]"));
        assert!(room.is_full());
        assert_eq!(Spans::default().list().get(), "[]");
    }
}
