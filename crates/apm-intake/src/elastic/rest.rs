//! The text of members as it stands in the line: what is kept of an event beside its columns.

use apm_store::event::{Batch, Text};
use serde::Deserialize as _;
use serde_json::value::RawValue;

use super::fields::Fields;

/// The text of a member's value, as it stands in the line.
pub(super) fn value_of(line: &str, start: usize, end: Option<usize>) -> &str {
    let member = &line[start..end.unwrap_or(line.len())];
    // The key has no escapes, or it would not have been borrowed; so its second quotation mark ends it.
    let colon = member[1..].find('"').map_or(0, |quote| quote + 2);
    let value = member[colon..].trim_start_matches([' ', '\t', '\r', '\n', ':']);
    match end {
        Some(_) => value.trim_end_matches([' ', '\t', '\r', '\n', ',']),
        None => raw(value).unwrap_or(value),
    }
}

/// The first JSON value of a text, as it stands there.
fn raw(text: &str) -> Option<&str> {
    let mut reader = serde_json::Deserializer::from_str(text);
    <&RawValue>::deserialize(&mut reader)
        .ok()
        .map(RawValue::get)
}

/// Writes the members that are kept as a JSON object into the batch, and `others` and the visitor after them.
pub(super) fn keep_rest(fields: &Fields<'_>, line: &str, others: &str, batch: &mut Batch) -> Text {
    let mark = batch.mark();
    batch.push("{");
    for member in fields.members.iter().filter(|member| member.kept) {
        let text = match member.end {
            // The comma before the next member is no part of this one.
            Some(end) => line[member.start..end].trim_end_matches([' ', '\t', '\r', '\n', ',']),
            None => {
                let value = value_of(line, member.start, None);
                let end = value.as_ptr().addr() - line.as_ptr().addr() + value.len();
                &line[member.start..end]
            }
        };
        if batch.since(mark).len() > 1 {
            batch.push(",");
        }
        batch.push(text);
    }
    let visitor = batch.visitor.clone();
    for others in [others, visitor.as_deref().unwrap_or_default()] {
        if others.is_empty() {
            continue;
        }
        if batch.since(mark).len() > 1 {
            batch.push(",");
        }
        batch.push(others);
    }
    batch.push("}");
    batch.since(mark)
}
