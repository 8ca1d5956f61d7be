//! Events as ECS documents: what Discover shows and `/api/v1` returns.
//!
//! A document holds what Elastic's server would have indexed for the event: metadata, overridden by the event's own
//! context, with the fields that are derived from others (durations, outcome, target, node name). Of what the ingest
//! pipelines behind that server add, it holds what needs nothing but the event (`processor.event`,
//! `event.success_count`, `error.grouping_name`, metric samples as fields); not look-ups such as geography.
//!
//! Nothing here fails: what cannot be read is left out.

pub mod address;
mod context;
mod fields;
mod kinds;
mod metrics;
mod origin;
mod routing;
mod stacktrace;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use apm_time::rfc3339_millis;
use serde_json::Value;

use crate::event::{Kind, StoredEvent};
use crate::limits::OTHER;
use fields::Fields;

/// Different metadata whose fields are held by [`Documents`].
const SENDERS: usize = 256;

/// Makes documents of many events. The fields of the metadata that they share are worked out once.
#[derive(Debug, Default)]
pub struct Documents {
    /// By address, which stays that of the text for as long as the text is held.
    senders: HashMap<usize, (Arc<str>, Fields)>,
}

impl Documents {
    /// The document of an event.
    pub fn of(&mut self, event: &StoredEvent) -> Value {
        let resource = &event.resource;
        let address = Arc::as_ptr(resource).cast::<u8>().addr();
        if self.senders.len() >= SENDERS && !self.senders.contains_key(&address) {
            self.senders.clear();
        }
        let (_, sender) = self
            .senders
            .entry(address)
            .or_insert_with(|| (Arc::clone(resource), sender(resource)));
        with_sender(event, sender.clone())
    }
}

/// The document of an event.
#[must_use]
pub fn document(event: &StoredEvent) -> Value {
    with_sender(event, sender(&event.resource))
}

/// Whether a field shows texts as they stand in the JSON of the event or of its metadata, but for escapes.
#[must_use]
pub fn is_verbatim(field: &str) -> bool {
    const PARENTS: [&str; 9] = [
        "labels.",
        "attributes.",
        "user.",
        "transaction.custom.",
        "error.custom.",
        "cloud.",
        "container.",
        "kubernetes.",
        "process.",
    ];
    PARENTS.iter().any(|parent| field.starts_with(parent))
}

/// The fields of the metadata.
fn sender(resource: &str) -> Fields {
    let resource: Value = serde_json::from_str(resource).unwrap_or_default();
    let mut out = Fields::default();
    origin::sender(&mut out, &resource);
    out.set_all(&resource["ecs"]);
    out
}

/// The event added to the fields of its metadata.
fn with_sender(event: &StoredEvent, mut out: Fields) -> Value {
    let rest: Value = serde_json::from_str(&event.rest).unwrap_or_default();
    let stack: Value = event
        .stack
        .as_deref()
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    out.set("@timestamp", rfc3339_millis(event.timestamp));
    match event.kind {
        Kind::Transaction => kinds::transaction(&mut out, event, &rest),
        Kind::Span => kinds::span(&mut out, event, &rest, &stack),
        Kind::Error => kinds::error(&mut out, event, &rest, &stack),
        Kind::Metricset => kinds::metricset(&mut out, &rest),
        Kind::Log => kinds::log(&mut out, event, &rest),
    }
    // Only a time that cannot be is kept as it was sent.
    let sent = match event.kind {
        Kind::Log => "@timestamp",
        _ => "timestamp",
    };
    out.set("timestamp.sent", rest[sent].clone());
    origin::names(&mut out);
    overflow(&mut out, &rest["overflow"]);
    routing::data_stream(&mut out, event.kind, &rest);
    open_telemetry(&mut out, event.kind, &rest);
    if event.kind == Kind::Metricset {
        kinds::samples(&mut out, &rest);
    }
    out.into_value()
}

/// Fields of OpenTelemetry for which intake v2 has no place. The intake lets no agent send these members.
fn open_telemetry(out: &mut Fields, kind: Kind, rest: &Value) {
    out.set_all(&rest["ecs"]);
    let Some(understood) = rest["attributes"].as_object() else {
        return;
    };
    // Under the names that were sent, whether they became fields, labels or both.
    let labels = match kind {
        Kind::Log => &rest["labels"],
        Kind::Metricset => &rest["tags"],
        Kind::Transaction | Kind::Span | Kind::Error => &rest["context"]["tags"],
    };
    for (name, value) in understood
        .iter()
        .chain(labels.as_object().into_iter().flatten())
    {
        out.add(&format!("attributes.{name}"), value.clone());
    }
}

/// Adds the names that were sent and had no room. The document says `_other` in these fields, as the columns do, so a
/// search by either finds the same events.
fn overflow(out: &mut Fields, sent: &Value) {
    out.set("overflow.labels", sent["labels"].clone());
    for field in [
        "transaction.name",
        "transaction.type",
        "transaction.result",
        "error.grouping_key",
        "service.name",
        "service.environment",
    ] {
        let Some(value) = sent[field].as_str() else {
            continue;
        };
        out.set(&format!("overflow.{field}"), value);
        match field {
            "service.name" => out.set(field, OTHER),
            "service.environment" => out.remove(field),
            // Read from their columns.
            _ => {}
        }
    }
}
