//! `span`: what was found becomes an event.

use apm_store::event::{Batch, Composite, Event, Outcome, Span, Text, inferred_target};
use serde_json::Value as Tree;

use super::columns::{keep, microseconds, service};
use super::fields::Fields;
use super::otel::{self, Bridged};
use super::rest::{keep_rest, value_of};
use super::schema::Slot;
use super::stack;
use super::timestamp::{settle, settle_relative};
use crate::conventions::{EventKind, Facts, Json, Kind, SpanMeaning};
use crate::refused::Refused;

/// Columns that a bridge to OpenTelemetry may say otherwise.
#[derive(Debug)]
struct Columns {
    kind: Text,
    subtype: Option<Text>,
    action: Option<Text>,
    outcome: Outcome,
    status: Option<i64>,
    resource: Option<Text>,
    target_type: Option<Text>,
    target_name: Option<Text>,
    db_instance: Option<Text>,
    db_statement: Option<Text>,
}

/// Appends the span to the batch.
pub(super) fn build(fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> Result<(), Refused> {
    let stack = match (
        fields.sound_stack,
        fields.stack.map(|index| fields.members[index]),
    ) {
        (Some((json, hash)), _) => Some(batch.keep_stack(json, hash)),
        (None, Some(member)) => {
            let json = value_of(line, member.start, member.end);
            Some(stack::checked(json, "span", batch)?)
        }
        (None, None) => None,
    };
    let status = fields.int(Slot::Status);
    // For a caller a 4xx is a failure, too.
    let outcome = fields.outcome().unwrap_or(match status {
        Some(400..) => Outcome::Failure,
        Some(_) => Outcome::Success,
        None => Outcome::Unknown,
    });
    let (kind, subtype, action) = kinds(fields, batch);
    let (resource, target_type, target_name) = target(fields, batch);
    let mut columns = Columns {
        kind,
        subtype,
        action,
        outcome,
        status,
        resource,
        target_type,
        target_name,
        db_instance: keep(fields, Slot::DbInstance, batch),
        db_statement: keep(fields, Slot::DbStatement, batch),
    };
    let members = match Bridged::take(fields, line) {
        Some(bridged) => understand(&bridged, fields, line, batch, &mut columns),
        None => String::new(),
    };
    let start = fields.number(Slot::Start).map_or(0, microseconds);
    let timestamp = match settle(fields, line, batch) {
        Some(timestamp) => timestamp,
        None => settle_relative(start, fields, line, batch),
    };
    let event = Span {
        id: batch.keep_id(fields.text(Slot::Id).unwrap_or_default()),
        trace_id: batch.keep_id(fields.text(Slot::TraceId).unwrap_or_default()),
        transaction_id: fields.word(Slot::TransactionId).map(|id| batch.keep_id(id)),
        parent_id: batch.keep_id(fields.text(Slot::ParentId).unwrap_or_default()),
        service: service(fields, batch),
        timestamp,
        duration: microseconds(fields.number(Slot::Duration).unwrap_or_default()),
        name: batch.keep(fields.text(Slot::Name).unwrap_or_default()),
        kind: columns.kind,
        subtype: columns.subtype,
        action: columns.action,
        outcome: columns.outcome,
        sample_rate: fields.number(Slot::SampleRate),
        status: columns.status,
        resource: columns.resource,
        target_type: columns.target_type,
        target_name: columns.target_name,
        db_instance: columns.db_instance,
        db_statement: columns.db_statement,
        composite: fields.count(Slot::CompositeCount).map(|count| Composite {
            count,
            sum: microseconds(fields.number(Slot::CompositeSum).unwrap_or_default()),
        }),
        cost: fields.cost(),
        stack,
        rest: keep_rest(fields, line, &members, batch),
    };
    batch.events.push(Event::Span(event));
    Ok(())
}

/// Type, subtype and action; where neither of the latter was sent, the type holds all three: `db.mysql.query`.
fn kinds(fields: &Fields<'_>, batch: &mut Batch) -> (Text, Option<Text>, Option<Text>) {
    let kind = fields.word(Slot::Type).unwrap_or("unknown");
    let (subtype, action) = (fields.text(Slot::Subtype), fields.text(Slot::Action));
    let (kind, subtype, action) = match kind.split_once('.') {
        Some((kind, rest)) if subtype.is_none() && action.is_none() => match rest.split_once('.') {
            Some((subtype, action)) => (kind, Some(subtype), Some(action)),
            None => (kind, Some(rest), None),
        },
        _ => (kind, subtype, action),
    };
    let kind = batch.keep(if kind.is_empty() { "unknown" } else { kind });
    let mut word = |word: Option<&str>| {
        word.filter(|word| !word.is_empty())
            .map(|word| batch.keep(word))
    };
    (kind, word(subtype), word(action))
}

/// The target of the span: the resource, and the target's type and name, which agents that do not send a
/// type leave to be read from the resource (`mysql/users` is `mysql` and `users`).
fn target(fields: &Fields<'_>, batch: &mut Batch) -> (Option<Text>, Option<Text>, Option<Text>) {
    let resource = keep(fields, Slot::DestinationResource, batch);
    if fields.text(Slot::TargetType).is_some() || resource.is_none() {
        return (
            resource,
            keep(fields, Slot::TargetType, batch),
            keep(fields, Slot::TargetName, batch),
        );
    }
    let text = fields.text(Slot::DestinationResource).unwrap_or_default();
    match inferred_target(text) {
        Some((kind, name)) => (
            resource,
            Some(batch.keep(kind)),
            name.map(|name| batch.keep(name)),
        ),
        None => (resource, None, resource),
    }
}

/// Takes what a bridge says of the span. Gives the members in the place of those that were taken out.
fn understand(
    bridged: &Bridged,
    fields: &mut Fields<'_>,
    line: &str,
    batch: &mut Batch,
    columns: &mut Columns,
) -> String {
    let facts = Facts::from_attributes(&bridged.attributes, EventKind::Span);
    let named = Kind::named(bridged.kind.as_deref().unwrap_or_default());
    // A bridge sends no status of OpenTelemetry: the event's own outcome tells how it ended.
    let meaning = SpanMeaning::new(&facts, 0, named);
    match (meaning.kind, fields.word(Slot::Type)) {
        (Some(kind), _) => {
            columns.kind = batch.keep(kind);
            columns.subtype = meaning.subtype.map(|subtype| batch.keep(subtype));
        }
        (None, None) if named == Kind::Internal => {
            columns.kind = batch.keep("app");
            columns.subtype = Some(batch.keep("internal"));
        }
        (None, _) => {}
    }
    let some = |text: Option<&str>, batch: &mut Batch| {
        text.filter(|text| !text.is_empty())
            .map(|text| batch.keep(text))
    };
    columns.action = some(meaning.action, batch).or(columns.action);
    if columns.outcome == Outcome::Unknown {
        columns.outcome = meaning.outcome;
    }
    columns.status = meaning.status().or(columns.status);
    columns.db_instance = some(meaning.db_instance(), batch).or(columns.db_instance);
    columns.db_statement = some(meaning.db_statement(), batch).or(columns.db_statement);
    columns.resource = some(meaning.resource(), batch).or(columns.resource);
    if let Some((kind, name)) = &meaning.target {
        columns.target_type = some(Some(*kind), batch);
        columns.target_name = some(name.as_deref(), batch);
    }
    let mut context = otel::take_context(fields, line);
    let kind = batch.text(columns.kind);
    let mut said = String::from("{");
    let mut json = Json::new(&mut said);
    meaning.write_context(&mut json, kind);
    json.object("service", |json| meaning.write_target(json));
    json.close('}');
    // The port of another address is not that of this one.
    if meaning.has_address()
        && let Some(Tree::Object(destination)) = context.get_mut("destination")
    {
        destination.remove("address");
        destination.remove("port");
    }
    otel::merge(&mut context, &said);
    otel::merge_labels(&mut context, &facts);
    fields
        .labels
        .extend(facts.label_names().map(|name| name.to_owned().into()));
    // The type tells the kind where none was sent, as on Elastic's server.
    let span_kind = match (&bridged.kind, kind) {
        (Some(kind), _) => kind.as_str(),
        (None, "db" | "external" | "storage") => "CLIENT",
        (None, _) => "INTERNAL",
    };
    otel::members(span_kind, context, &facts, |json| facts.write_fields(json))
}
