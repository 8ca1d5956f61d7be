//! The sender: a resource as the metadata that intake v2 has, and the additions of a scope.

use std::sync::Arc;

use apm_store::event::Resource as Metadata;

use super::super::model::{Resource, Scope};
use crate::conventions::{Json, KeyValue, Value, cut, label};

mod known;

use known::Known;

/// A resource, and what else its events need of it.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) resource: Arc<Metadata>,
    /// The name of the machine.
    pub(super) host: Option<String>,
    /// The difference that is added to each time, ns.
    pub(super) skew: i64,
    /// The language of its stack traces, in OpenTelemetry's words.
    pub(super) language: String,
    pub(super) is_jaeger: bool,
    dataset: Option<String>,
    namespace: Option<String>,
}

impl Default for Sender {
    fn default() -> Self {
        Self::from_resource(&Resource::default(), 0)
    }
}

impl Sender {
    /// `received`: when the body came, µs since the epoch.
    pub(super) fn from_resource(resource: &Resource<'_>, received: i64) -> Self {
        let mut known = Known::default();
        let mut labels = String::new();
        let mut json = Json::new(&mut labels);
        json.open('{');
        for KeyValue { key, value } in &resource.attributes {
            if !known.read(key, value) {
                label(&mut json, key, value);
            }
        }
        json.close('}');
        // The sender's clock is off by this. Time on the network counts as such as well.
        let skew = known
            .export_time
            .map_or(0, |sent| received.saturating_mul(1000).saturating_sub(sent));
        let document = known.document(&labels);
        let (agent_name, agent_version) = known.agent();
        Self {
            host: known.host_name.map(str::to_owned),
            skew,
            language: known.language.unwrap_or_default().to_owned(),
            is_jaeger: agent_name.starts_with("Jaeger"),
            dataset: known.dataset.map(str::to_owned),
            namespace: known.namespace.map(str::to_owned),
            resource: Arc::new(Metadata {
                service_name: known.service_name(),
                environment: known.environment.map(|name| cut(name).to_owned()),
                service_version: known.service_version.map(|version| cut(version).to_owned()),
                agent_name,
                agent_version,
                language: Some(cut(known.language.unwrap_or("unknown")).to_owned()),
                client: None,
                document,
            }),
        }
    }
}

/// The facts that a scope tells of its events.
#[derive(Debug, Default)]
pub(super) struct ScopeFacts {
    name: String,
    version: String,
    dataset: Option<String>,
    namespace: Option<String>,
}

impl ScopeFacts {
    pub(super) fn from_scope(scope: &Scope<'_>) -> Self {
        let named = |name: &str| {
            let mut attributes = scope.attributes.iter().rev();
            let found = attributes.find(|attribute| attribute.key == name);
            found
                .and_then(|attribute| attribute.value.text())
                .map(str::to_owned)
        };
        Self {
            name: cut(&scope.name).to_owned(),
            version: cut(&scope.version).to_owned(),
            dataset: named("data_stream.dataset"),
            namespace: named("data_stream.namespace"),
        }
    }

    /// Writes `service.framework`, as contexts have it.
    pub(super) fn write_context(&self, json: &mut Json<'_>) {
        json.object("framework", |json| {
            json.text("name", &self.name);
            json.text("version", &self.version);
        });
    }

    /// Writes the same as fields, where events have no context.
    pub(super) fn write_fields(&self, json: &mut Json<'_>) {
        json.text("service.framework.name", &self.name);
        json.text("service.framework.version", &self.version);
    }
}

/// Writes the data stream: what the event says of it, else its scope, else its resource. Errors have one of their own,
/// whatever is said.
pub(super) fn write_data_stream(
    json: &mut Json<'_>,
    (dataset, namespace): (Option<&str>, Option<&str>),
    (scope, sender): (&ScopeFacts, &Sender),
    is_error: bool,
) {
    let dataset = dataset
        .or(scope.dataset.as_deref())
        .or(sender.dataset.as_deref());
    let namespace = namespace
        .or(scope.namespace.as_deref())
        .or(sender.namespace.as_deref());
    if let Some(dataset) = dataset.filter(|_| !is_error) {
        json.text("data_stream.dataset", &stream_name(dataset, true));
    }
    json.text(
        "data_stream.namespace",
        &stream_name(namespace.unwrap_or_default(), false),
    );
}

/// A part of a data stream's name, with no character that none may have.
fn stream_name(name: &str, is_dataset: bool) -> String {
    let legal = |c: char| match c {
        '\\' | '/' | '*' | '?' | '"' | '<' | '>' | '|' | ' ' | ',' | '#' | ':' => '_',
        // Hyphens part the name of a stream into type, dataset and namespace; only the last may have one.
        '-' if is_dataset => '_',
        c => c.to_ascii_lowercase(),
    };
    let mut name: String = name.chars().map(legal).collect();
    name.truncate(name.floor_char_boundary(100));
    name
}

/// The texts of an array; other values are left out.
fn texts<'a>(value: &'a Value<'a>) -> impl Iterator<Item = &'a str> {
    let values: &[Value<'_>] = match value {
        Value::Array(values) => values,
        _ => &[],
    };
    values.iter().filter_map(Value::text)
}
