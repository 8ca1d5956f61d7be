//! `span`: what was found becomes an event.

use apm_store::event::{Batch, Composite, Event, Outcome, Span, Text, inferred_target};

use super::columns::{keep, microseconds, service};
use super::fields::Fields;
use super::rest::{keep_rest, value_of};
use super::schema::Slot;
use super::stack;
use super::timestamp::{settle, settle_relative};
use crate::refused::Refused;

/// Appends the span to the batch.
pub(super) fn build(fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> Result<(), Refused> {
    let stack = match fields.stack.map(|index| fields.members[index]) {
        Some(member) => {
            let json = value_of(line, member.start, member.end);
            Some(stack::checked(json, "span", batch)?)
        }
        None => None,
    };
    let status = fields.int(Slot::Status);
    let outcome = fields.outcome().unwrap_or(match status {
        Some(400..) => Outcome::Failure,
        Some(_) => Outcome::Success,
        None => Outcome::Unknown,
    });
    let (kind, subtype, action) = kinds(fields, batch);
    let (resource, target_type, target_name) = target(fields, batch);
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
        kind,
        subtype,
        action,
        outcome,
        sample_rate: fields.number(Slot::SampleRate),
        status,
        resource,
        target_type,
        target_name,
        db_instance: keep(fields, Slot::DbInstance, batch),
        db_statement: keep(fields, Slot::DbStatement, batch),
        composite: fields.count(Slot::CompositeCount).map(|count| Composite {
            count,
            sum: microseconds(fields.number(Slot::CompositeSum).unwrap_or_default()),
        }),
        cost: fields.cost(),
        stack,
        rest: keep_rest(fields, line, batch),
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
