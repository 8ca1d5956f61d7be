//! `span`: what was found becomes an event.

use super::decode::{Refused, keep_rest, value_of};
use super::found::Found;
use super::schema::Slot;
use super::stack;
use super::timestamp::settle;
use super::transaction::{keep, microseconds, service};
use crate::event::{Batch, Composite, Event, Outcome, Span, Text};

/// Appends the span to the batch.
pub(super) fn build(found: &mut Found<'_>, line: &str, batch: &mut Batch) -> Result<(), Refused> {
    let stack = match found.stack.map(|index| found.members[index]) {
        Some(member) => {
            let json = value_of(line, member.start, member.end);
            Some(stack::checked(json, "span", batch)?)
        }
        None => None,
    };
    let status = found.int(Slot::Status);
    let outcome = found.outcome().unwrap_or(match status {
        Some(400..) => Outcome::Failure,
        Some(_) => Outcome::Success,
        None => Outcome::Unknown,
    });
    let (kind, subtype, action) = kinds(found, batch);
    let (resource, target_type, target_name) = target(found, batch);
    let start = found.number(Slot::Start).map_or(0, microseconds);
    let event = Span {
        id: batch.keep_id(found.text(Slot::Id).unwrap_or_default()),
        trace_id: batch.keep_id(found.text(Slot::TraceId).unwrap_or_default()),
        transaction_id: found.word(Slot::TransactionId).map(|id| batch.keep_id(id)),
        parent_id: batch.keep_id(found.text(Slot::ParentId).unwrap_or_default()),
        service: service(found, batch),
        timestamp: settle(found, line, batch)
            .unwrap_or_else(|| batch.received.saturating_add(start)),
        duration: microseconds(found.number(Slot::Duration).unwrap_or_default()),
        name: batch.keep(found.text(Slot::Name).unwrap_or_default()),
        kind,
        subtype,
        action,
        outcome,
        sample_rate: found.number(Slot::SampleRate),
        status,
        resource,
        target_type,
        target_name,
        db_instance: keep(found, Slot::DbInstance, batch),
        db_statement: keep(found, Slot::DbStatement, batch),
        composite: found.count(Slot::CompositeCount).map(|count| Composite {
            count,
            sum: microseconds(found.number(Slot::CompositeSum).unwrap_or_default()),
        }),
        stack,
        rest: keep_rest(found, line, batch),
    };
    batch.events.push(Event::Span(event));
    Ok(())
}

/// Type, subtype and action; where neither of the latter was sent, the type holds all three: `db.mysql.query`.
fn kinds(found: &Found<'_>, batch: &mut Batch) -> (Text, Option<Text>, Option<Text>) {
    let kind = found.word(Slot::Type).unwrap_or("unknown");
    let (subtype, action) = (found.text(Slot::Subtype), found.text(Slot::Action));
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

/// What the span talks to: the resource, and the target's type and name, which agents that do not send a
/// type leave to be read from the resource (`mysql/users` is `mysql` and `users`).
fn target(found: &Found<'_>, batch: &mut Batch) -> (Option<Text>, Option<Text>, Option<Text>) {
    let resource = keep(found, Slot::DestinationResource, batch);
    if found.text(Slot::TargetType).is_some() || resource.is_none() {
        return (
            resource,
            keep(found, Slot::TargetType, batch),
            keep(found, Slot::TargetName, batch),
        );
    }
    let text = found.text(Slot::DestinationResource).unwrap_or_default();
    match inferred_target(text) {
        Some((kind, name)) => (
            resource,
            Some(batch.keep(kind)),
            name.map(|name| batch.keep(name)),
        ),
        None => (resource, None, resource),
    }
}

/// The type and name that a resource of the form `type` or `type/name` stands for.
pub(crate) fn inferred_target(resource: &str) -> Option<(&str, Option<&str>)> {
    let is_type = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match resource.split_once('/') {
        None => is_type(resource).then_some((resource, None)),
        Some((kind, name)) => (is_type(kind) && is_name(name)).then_some((kind, Some(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_from_a_resource() {
        assert_eq!(inferred_target("mysql"), Some(("mysql", None)));
        assert_eq!(
            inferred_target("postgres/testdb"),
            Some(("postgres", Some("testdb")))
        );
        for other in ["localhost:8080", "", "/x", "x/", "a/b/c", "Mysql"] {
            assert_eq!(inferred_target(other), None, "{other}");
        }
    }
}
