//! The fields by which events are counted apart.

use std::collections::HashMap;
use std::sync::Arc;

use apm_store::document::Document;
use apm_store::event::StoredEvent;

use super::count::Dropped;

/// Metadata whose labels are held.
const SENDERS: usize = 256;

/// Fields of all aggregates, in the order of their names.
const COMMON: &[&str] = &[
    "agent.name",
    "service.environment",
    "service.language.name",
    "service.name",
];

const DESTINATION: &[&str] = &[
    "agent.name",
    "service.environment",
    "service.language.name",
    "service.name",
    "service.target.name",
    "service.target.type",
];

const TRANSACTION: &[&str] = &[
    "agent.name",
    "cloud.account.id",
    "cloud.account.name",
    "cloud.availability_zone",
    "cloud.machine.type",
    "cloud.project.id",
    "cloud.project.name",
    "cloud.provider",
    "cloud.region",
    "cloud.service.name",
    "container.id",
    "faas.coldstart",
    "faas.id",
    "faas.name",
    "faas.trigger.type",
    "faas.version",
    "host.hostname",
    "host.name",
    "host.os.platform",
    "kubernetes.pod.name",
    "service.environment",
    "service.language.name",
    "service.language.version",
    "service.name",
    "service.node.name",
    "service.runtime.name",
    "service.runtime.version",
    "service.version",
];

/// The kinds of aggregates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Metric {
    /// By name of transaction.
    Transaction,
    /// By service and type of transaction.
    ServiceTransaction,
    /// By destination of spans.
    Destination,
    /// That there is a service.
    Summary,
}

impl Metric {
    /// The value of `metricset.name`, and a part of the dataset.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::ServiceTransaction => "service_transaction",
            Self::Destination => "service_destination",
            Self::Summary => "service_summary",
        }
    }
}

/// By what is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) metric: Metric,
    /// The start of the bucket, seconds since the epoch.
    pub(super) bucket: i64,
    /// Members of the document, as JSON.
    pub(super) shared: Vec<u8>,
    /// The outcome, as JSON; empty where it does not count.
    pub(super) outcome: Vec<u8>,
    /// Members of `transaction`, or the name of a span, as JSON.
    pub(super) own: Vec<u8>,
    /// `span.destination.service.resource`, as JSON.
    pub(super) resource: Vec<u8>,
}

impl Key {
    pub(super) fn new(metric: Metric, bucket: i64, document: &Document<'_>, labels: &[u8]) -> Self {
        let mut key = Self {
            metric,
            bucket,
            shared: Vec::with_capacity(400),
            outcome: Vec::new(),
            own: Vec::new(),
            resource: Vec::new(),
        };
        let fields = match metric {
            Metric::Transaction => TRANSACTION,
            Metric::Destination => DESTINATION,
            Metric::ServiceTransaction | Metric::Summary => COMMON,
        };
        members(fields, 0, &mut key.shared, &mut |field, out| {
            document.write_field(field, out)
        });
        key.shared.extend_from_slice(labels);
        let mut own = |field| document.write_field(field, &mut key.own);
        match metric {
            Metric::Transaction => {
                transaction(&mut key.own, document, &["name", "result", "type"]);
                if document.text("parent.id").is_empty() {
                    key.own.extend_from_slice(b",\"root\":true");
                }
                document.write_field("event.outcome", &mut key.outcome);
            }
            Metric::ServiceTransaction => transaction(&mut key.own, document, &["type"]),
            Metric::Destination => {
                own("span.name");
                document.write_field("event.outcome", &mut key.outcome);
                let resource = "span.destination.service.resource";
                document.write_field(resource, &mut key.resource);
            }
            Metric::Summary => {}
        }
        key
    }

    /// The key of spans that an agent left out.
    pub(super) fn dropped(
        bucket: i64,
        document: &Document<'_>,
        labels: &[u8],
        dropped: &Dropped,
    ) -> Self {
        let mut key = Self::new(Metric::Destination, bucket, document, &[]);
        // `new` has read the transaction, which has no fields of a span.
        key.shared.clear();
        key.own.clear();
        let json = |text: &str, out: &mut Vec<u8>| {
            serde_json::to_writer(out, text).expect("memory takes all bytes");
        };
        members(DESTINATION, 0, &mut key.shared, &mut |field, out| {
            let target = match field {
                "service.target.name" => &dropped.service_target_name,
                "service.target.type" => &dropped.service_target_type,
                field => return document.write_field(field, out),
            };
            if let Some(text) = target {
                json(text, out);
            }
            target.is_some()
        });
        key.shared.extend_from_slice(labels);
        key.outcome.clear();
        json(
            dropped.outcome.as_deref().unwrap_or("unknown"),
            &mut key.outcome,
        );
        key.resource.clear();
        json(&dropped.destination_service_resource, &mut key.resource);
        key
    }

    /// The key of the bucket of a width that holds this one.
    pub(super) fn of_width(&self, width: i64) -> Self {
        Self {
            bucket: self.bucket.div_euclid(width) * width,
            ..self.clone()
        }
    }
}

/// Members of `transaction`.
fn transaction(out: &mut Vec<u8>, document: &Document<'_>, names: &[&str]) {
    for name in names {
        let mark = out.len();
        let comma = if mark == 0 { "" } else { "," };
        out.extend_from_slice(format!("{comma}\"{name}\":").as_bytes());
        if !document.write_field(&format!("transaction.{name}"), out) {
            out.truncate(mark);
        }
    }
}

/// Whether a span went to another service.
pub(super) fn has_target(document: &Document<'_>) -> bool {
    [
        "service.target.type",
        "service.target.name",
        "span.destination.service.resource",
    ]
    .iter()
    .any(|field| !document.text(field).is_empty())
}

/// Writes members of an object: `fields` are in the order of their names and have the same beginning, `depth` bytes
/// long. `write` adds a value, if there is one.
fn members(
    fields: &[&'static str],
    depth: usize,
    out: &mut Vec<u8>,
    write: &mut dyn FnMut(&str, &mut Vec<u8>) -> bool,
) {
    let start = out.len();
    let mut rest = fields;
    while let Some(first) = rest.first() {
        let name = first[depth..].split('.').next().unwrap_or_default();
        let end = depth + name.len();
        let is_same = |field: &&&str| {
            field[..end.min(field.len())] == first[..end]
                && matches!(field.as_bytes().get(end), None | Some(b'.'))
        };
        let count = rest.iter().take_while(is_same).count();
        let (of_name, others) = rest.split_at(count);
        rest = others;
        let mark = out.len();
        if mark > start {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        let is_written = if first.len() == end {
            write(first, out)
        } else {
            out.push(b'{');
            let empty = out.len();
            members(of_name, end + 1, out, write);
            let is_written = out.len() > empty;
            out.push(b'}');
            is_written
        };
        // Nothing came below the name: it goes again, with its comma.
        if !is_written {
            out.truncate(mark);
        }
    }
}

/// The labels of the metadata, as members that follow others.
pub(super) fn labels<'l>(
    held: &'l mut HashMap<usize, (Arc<str>, Vec<u8>)>,
    event: &StoredEvent,
    document: &Document<'_>,
) -> &'l [u8] {
    let address = Arc::as_ptr(&event.resource).cast::<u8>().addr();
    if held.len() >= SENDERS && !held.contains_key(&address) {
        held.clear();
    }
    let (_, labels) = held.entry(address).or_insert_with(|| {
        let mut out = Vec::new();
        for group in ["labels", "numeric_labels"] {
            let mark = out.len();
            out.extend_from_slice(format!(",\"{group}\":").as_bytes());
            if !document.write_sender_field(group, &mut out) {
                out.truncate(mark);
            }
        }
        // Held, or other metadata could get its address.
        (Arc::clone(&event.resource), out)
    });
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_nest_and_those_without_a_value_are_left_out() {
        let mut out = Vec::new();
        let fields = ["a.b.c", "a.b.d", "a.e", "f", "g.h"];
        members(&fields, 0, &mut out, &mut |field, out| {
            let is_there = matches!(field, "a.b.d" | "a.e" | "f");
            if is_there {
                out.push(b'1');
            }
            is_there
        });
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#""a":{"b":{"d":1},"e":1},"f":1"#
        );
    }

    #[test]
    fn fields_are_in_the_order_that_nesting_needs() {
        for fields in [COMMON, DESTINATION, TRANSACTION] {
            assert!(fields.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
