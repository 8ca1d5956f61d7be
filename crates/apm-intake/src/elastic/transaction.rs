//! `transaction`: what was found becomes an event.

use apm_store::event::{Batch, DroppedSpans, Event, Outcome, Transaction};
use serde_json::{Map, Value as Tree};

use super::columns::{microseconds, service};
use super::fields::Fields;
use super::otel::{self, Bridged};
use super::rest::keep_rest;
use super::schema::Slot;
use super::timestamp::settle;
use crate::conventions::{EventKind, Facts, Json, TransactionMeaning};
use crate::refused::Refused;

/// Columns that a bridge to OpenTelemetry may say otherwise.
#[derive(Debug)]
struct Columns {
    kind: Option<String>,
    result: Option<String>,
    outcome: Outcome,
    status: Option<i64>,
    /// Members in the place of those that were taken out.
    members: String,
}

/// Appends the transaction to the batch.
pub(super) fn build(fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> Result<(), Refused> {
    let status = fields.int(Slot::Status);
    // A 4xx is the caller's fault: the server did what it should.
    let outcome = fields.outcome().unwrap_or(match status {
        Some(500..) => Outcome::Failure,
        Some(_) => Outcome::Success,
        None => Outcome::Unknown,
    });
    let mut columns = Columns {
        kind: None,
        result: None,
        outcome,
        status,
        members: String::new(),
    };
    if let Some(bridged) = Bridged::take(fields, line) {
        understand(&bridged, fields, line, &mut columns);
    }
    let first = u32::try_from(batch.dropped.len()).expect("a batch is small");
    for dropped in std::mem::take(&mut fields.dropped) {
        let dropped = DroppedSpans {
            resource: dropped.resource.map(|text| batch.keep(&text)),
            target_type: dropped.target_type.map(|text| batch.keep(&text)),
            target_name: dropped.target_name.map(|text| batch.keep(&text)),
            outcome: dropped.outcome,
            count: dropped.count,
            sum: dropped.sum,
        };
        batch.dropped.push(dropped);
    }
    let kind = fields.word(Slot::Type).or(columns.kind.as_deref());
    let result = fields.word(Slot::Result).or(columns.result.as_deref());
    let event = Transaction {
        id: batch.keep_id(fields.text(Slot::Id).unwrap_or_default()),
        trace_id: batch.keep_id(fields.text(Slot::TraceId).unwrap_or_default()),
        parent_id: fields.word(Slot::ParentId).map(|id| batch.keep_id(id)),
        service: service(fields, batch),
        kind: batch.keep(kind.unwrap_or("unknown")),
        result: result.map(|result| batch.keep(result)),
        timestamp: settle(fields, line, batch).unwrap_or(batch.received),
        duration: microseconds(fields.number(Slot::Duration).unwrap_or_default()),
        name: fields.word(Slot::Name).map(|name| batch.keep(name)),
        outcome: columns.outcome,
        sampled: fields.bool(Slot::Sampled).unwrap_or(true),
        sample_rate: fields.number(Slot::SampleRate),
        status: columns.status,
        spans_started: fields.count(Slot::SpansStarted).unwrap_or_default(),
        spans_dropped: fields.count(Slot::SpansDropped),
        dropped: first..u32::try_from(batch.dropped.len()).expect("a batch is small"),
        rest: keep_rest(fields, line, &columns.members, batch),
    };
    batch.events.push(Event::Transaction(event));
    Ok(())
}

/// Takes what a bridge says of the transaction.
fn understand(bridged: &Bridged, fields: &mut Fields<'_>, line: &str, columns: &mut Columns) {
    let facts = Facts::from_attributes(&bridged.attributes, EventKind::Transaction);
    let meaning = TransactionMeaning::new(&facts, 0, None);
    let is_unknown = columns.outcome == Outcome::Unknown;
    columns.result = meaning.result_of(is_unknown).map(Into::into);
    columns.kind = meaning.kind.map(str::to_owned);
    if is_unknown {
        columns.outcome = meaning.outcome;
    }
    let mut context = otel::take_context(fields, line);
    if meaning.has_exchange() {
        columns.status = meaning.status();
        forget_exchange(&mut context);
    }
    // Parts of the old address must not stand beside parts of the new one.
    if meaning.is_http()
        && let Some(Tree::Object(request)) = context.get_mut("request")
    {
        request.remove("url");
    }
    let mut said = String::from("{");
    meaning.write_context(&mut Json::new(&mut said));
    said.push('}');
    otel::merge(&mut context, &said);
    otel::merge_labels(&mut context, &facts);
    fields
        .labels
        .extend(facts.label_names().map(|name| name.to_owned().into()));
    let kind = match (
        &bridged.kind,
        fields.word(Slot::Type).or(columns.kind.as_deref()),
    ) {
        (Some(kind), _) => kind.as_str(),
        (None, Some("messaging")) => "CONSUMER",
        (None, Some("request")) => "SERVER",
        (None, _) => "INTERNAL",
    };
    columns.members = otel::members(kind, context, &facts, |json| meaning.write_fields(json));
}

/// Removes what the context says of method, version and status: attributes that tell one of them tell all that is so.
/// Headers and bodies stay, which no attribute tells.
fn forget_exchange(context: &mut Map<String, Tree>) {
    for (object, names) in [
        ("request", &["method", "http_version"][..]),
        ("response", &["status_code"]),
    ] {
        if let Some(Tree::Object(members)) = context.get_mut(object) {
            members.retain(|name, _| !names.contains(&&**name));
        }
    }
}
