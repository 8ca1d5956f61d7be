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
mod instance;
mod kinds;
mod metrics;
mod origin;
mod routing;
mod sent;
mod stacktrace;
#[cfg(test)]
mod tests;
mod user_agent;
mod visitor;

use std::collections::HashMap;
use std::sync::Arc;

use apm_time::rfc3339_millis;
use serde_json::Value;

use crate::event::{Kind, StoredEvent};
use crate::json::Json;
use crate::limits::OTHER;
use fields::Fields;
pub use instance::{Instance, instance};
pub use sent::{Sent, milliseconds, sent};

/// Different metadata whose fields are held by [`Documents`].
const SENDERS: usize = 256;

/// This machine's name.
#[must_use]
pub fn hostname() -> String {
    origin::hostname().to_owned()
}

/// The value of `data_stream.namespace` where none is set.
const NAMESPACE: &str = "default";

/// Makes documents of many events. The fields of the metadata that they share are worked out once.
#[derive(Debug, Default)]
pub struct Documents {
    /// By address, which stays that of the text for as long as the text is held.
    senders: HashMap<usize, (Arc<str>, Fields<'static>)>,
    form: Form,
}

/// The form of documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// The value of `data_stream.namespace`; `None`: `default`.
    pub namespace: Option<String>,
    /// Whether the samples of a metricset are a list, as APM Server sends them: a pipeline of Elasticsearch makes
    /// fields of it, and their types. Otherwise they are fields.
    pub lists_samples: bool,
}

/// A document, before it is written.
#[derive(Debug)]
pub struct Document<'a> {
    fields: Fields<'a>,
    sender: &'a Fields<'static>,
}

impl Document<'_> {
    /// The text of a field, empty where there is none.
    pub fn text(&self, field: &str) -> &str {
        self.fields.text(field)
    }

    /// Adds the JSON of a field to a text; whether there is one.
    pub fn write_field(&self, field: &str, out: &mut Vec<u8>) -> bool {
        self.fields.write_field(field, out)
    }

    /// The same of a field as the metadata alone has it.
    pub fn write_sender_field(&self, field: &str, out: &mut Vec<u8>) -> bool {
        self.sender.write_field(field, out)
    }

    /// Adds the JSON of the document to a text.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.fields.write(out);
    }
}

impl Documents {
    /// Makes documents in another form than Discover shows.
    pub fn new(form: Form) -> Self {
        Self {
            form,
            ..Self::default()
        }
    }

    /// The document of an event.
    pub fn document(&mut self, event: &StoredEvent) -> Value {
        self.make(event, |document| document.fields.into_value())
    }

    /// Calls `then` with the document of an event, no text of which is copied.
    pub fn with<T>(&mut self, event: &StoredEvent, then: impl FnOnce(&Document<'_>) -> T) -> T {
        self.make(event, |document| then(&document))
    }

    fn make<T>(&mut self, event: &StoredEvent, then: impl FnOnce(Document<'_>) -> T) -> T {
        let resource = &event.resource;
        let address = Arc::as_ptr(resource).cast::<u8>().addr();
        // Senders change with each start of a service: those of long ago would stay for ever.
        if self.senders.len() >= SENDERS && !self.senders.contains_key(&address) {
            self.senders.clear();
        }
        let (_, sender) = self
            .senders
            .entry(address)
            .or_insert_with(|| (Arc::clone(resource), sender(resource)));
        with_sender(event, sender, &self.form, then)
    }
}

/// The document of an event.
#[must_use]
pub fn document(event: &StoredEvent) -> Value {
    Documents::default().document(event)
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
fn sender(resource: &str) -> Fields<'static> {
    let resource = Json::read(resource).unwrap_or_default();
    let mut out = Fields::default();
    origin::sender(&mut out, &resource);
    out.set_all(&resource["ecs"]);
    out.into_static()
}

/// The event added to the fields of its metadata.
fn with_sender<'a, T>(
    event: &'a StoredEvent,
    sender: &'a Fields<'static>,
    form: &Form,
    then: impl FnOnce(Document<'_>) -> T,
) -> T {
    let rest = Json::read(&event.rest).unwrap_or_default();
    let stack = event
        .stack
        .as_deref()
        .and_then(|json| Json::read(json).ok());
    let stack = stack.unwrap_or_default();
    let mut fields = sender.share();
    fill(&mut fields, event, &rest, &stack, form);
    then(Document { fields, sender })
}

fn fill<'a>(
    out: &mut Fields<'a>,
    event: &'a StoredEvent,
    rest: &'a Json<'a>,
    stack: &'a Json<'a>,
    form: &Form,
) {
    out.set("@timestamp", rfc3339_millis(event.timestamp));
    visitor::visitor(out, &rest["visitor"]);
    match event.kind {
        Kind::Transaction => kinds::transaction(out, event, rest),
        Kind::Span => kinds::span(out, event, rest, stack),
        Kind::Error => kinds::error(out, event, rest, stack),
        Kind::Metricset => kinds::metricset(out, rest),
        Kind::Log => kinds::log(out, event, rest),
    }
    if rest["visitor"].is_object() {
        visitor::browser(out);
    }
    // Only a time that cannot be is kept as it was sent.
    let sent = match event.kind {
        Kind::Log => "@timestamp",
        _ => "timestamp",
    };
    out.set("timestamp.sent", rest[sent].share());
    origin::names(out);
    overflow(out, &rest["overflow"]);
    let namespace = form.namespace.as_deref().unwrap_or(NAMESPACE);
    routing::data_stream(out, event.kind, rest, namespace);
    open_telemetry(out, event.kind, rest);
    if event.kind == Kind::Metricset {
        match form.lists_samples {
            true => kinds::listed_samples(out, rest),
            false => kinds::samples(out, rest),
        }
    }
}

/// Fields of OpenTelemetry for which intake v2 has no place. The intake lets no agent send these members.
fn open_telemetry<'a>(out: &mut Fields<'a>, kind: Kind, rest: &'a Json<'a>) {
    out.set_all(&rest["ecs"]);
    if !rest["attributes"].is_object() {
        return;
    }
    // Under the names that were sent, whether they became fields, labels or both.
    let labels = match kind {
        Kind::Log => &rest["labels"],
        Kind::Metricset => &rest["tags"],
        Kind::Transaction | Kind::Span | Kind::Error => &rest["context"]["tags"],
    };
    for (name, value) in rest["attributes"].members().chain(labels.members()) {
        out.add(format!("attributes.{name}"), value.share());
    }
}

/// Adds the names that were sent and had no room. The document says `_other` in these fields, as the columns do, so a
/// search by either finds the same events.
fn overflow<'a>(out: &mut Fields<'a>, sent: &'a Json<'a>) {
    out.set("overflow.labels", sent["labels"].share());
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
        out.set(format!("overflow.{field}"), value);
        match field {
            "service.name" => out.set(field, OTHER),
            "service.environment" => out.remove(field),
            // Read from their columns.
            _ => {}
        }
    }
}
