//! The `otel` object of agents with a bridge to OpenTelemetry: it says what a transaction or span is by OpenTelemetry's
//! attributes, and leaves it to the server to understand them, as it understands those of OTLP.

use std::borrow::Cow;

use serde_json::{Map, Value as Tree};

use super::fields::Fields;
use super::rest::value_of;
use crate::conventions::{Facts, Json, KeyValue, Value};

/// Attributes that are numbers with a fraction, even where they have none.
const DOUBLES: [&str; 2] = [
    "aws.dynamodb.provisioned_read_capacity",
    "aws.dynamodb.provisioned_write_capacity",
];

/// The words of a bridge.
#[derive(Debug)]
pub(super) struct Bridged {
    /// The kind of the span, as it was sent.
    pub(super) kind: Option<String>,
    pub(super) attributes: Vec<KeyValue<'static>>,
}

impl Bridged {
    /// Takes the `otel` object; nothing where it says nothing.
    pub(super) fn take(fields: &mut Fields<'_>, line: &str) -> Option<Self> {
        let otel = take_member(fields, line, "\"otel\"", Self::says_something)?;
        let kind = otel["span_kind"].as_str().filter(|kind| !kind.is_empty());
        let attributes = otel["attributes"].as_object().into_iter().flatten();
        let attributes = attributes.filter_map(|(key, value)| {
            let value = typed(key, value)?;
            Some(KeyValue {
                key: Cow::Owned(key.clone()),
                value,
            })
        });
        Some(Self {
            kind: kind.map(str::to_owned),
            attributes: attributes.collect(),
        })
    }

    fn says_something(otel: &Tree) -> bool {
        let has_kind = otel["span_kind"]
            .as_str()
            .is_some_and(|kind| !kind.is_empty());
        let has_attributes = otel["attributes"]
            .as_object()
            .is_some_and(|members| !members.is_empty());
        has_kind || has_attributes
    }
}

/// Takes the context, as a value.
pub(super) fn take_context(fields: &mut Fields<'_>, line: &str) -> Map<String, Tree> {
    match take_member(fields, line, "\"context\"", Tree::is_object) {
        Some(Tree::Object(context)) => context,
        _ => Map::new(),
    }
}

/// Takes a member of the event out of what is kept as it came, if its value is as it should be.
fn take_member(
    fields: &mut Fields<'_>,
    line: &str,
    key: &str,
    is_wanted: fn(&Tree) -> bool,
) -> Option<Tree> {
    // The last of several members with one name counts.
    let mut members = fields.members.iter_mut().rev();
    let member = members.find(|member| member.kept && line[member.start..].starts_with(key))?;
    let value = serde_json::from_str(value_of(line, member.start, member.end)).ok()?;
    if !is_wanted(&value) {
        return None;
    }
    member.kept = false;
    Some(value)
}

/// An attribute with its type; nothing for `null` and objects.
fn typed(key: &str, value: &Tree) -> Option<Value<'static>> {
    Some(match value {
        Tree::Null | Tree::Object(_) => return None,
        Tree::String(text) => Value::Text(Cow::Owned(text.clone())),
        Tree::Bool(flag) => Value::Bool(*flag),
        Tree::Number(number) => match number.as_i64().filter(|_| !DOUBLES.contains(&key)) {
            Some(int) => Value::Int(int),
            None => Value::Double(number.as_f64()?),
        },
        Tree::Array(values) => Value::Array(
            values
                .iter()
                .filter_map(|value| typed(key, value))
                .collect(),
        ),
    })
}

/// The members of an event that its attributes stand for, in the place of those that were taken.
pub(super) fn members(
    kind: &str,
    context: Map<String, Tree>,
    facts: &Facts<'_>,
    fields: impl FnOnce(&mut Json<'_>),
) -> String {
    let mut out = String::new();
    let mut json = Json::new(&mut out);
    json.key("otel").open('{');
    json.text("span_kind", kind);
    json.close('}');
    if !context.is_empty() {
        json.key("context").raw(&Tree::Object(context).to_string());
    }
    json.key("attributes").open('{');
    facts.write_understood(&mut json);
    json.close('}');
    json.object("ecs", fields);
    out
}

/// Adds what attributes say to a context: members of its objects are replaced one by one, others as a whole.
pub(super) fn merge(context: &mut Map<String, Tree>, said: &str) {
    let Ok(Tree::Object(said)) = serde_json::from_str(said) else {
        return;
    };
    for (name, value) in said {
        match (context.get_mut(&name), value) {
            (Some(Tree::Object(old)), Tree::Object(new)) => old.extend(new),
            (_, value) => _ = context.insert(name, value),
        }
    }
}

/// Adds labels; of tags that are shown under the same name, they take the place.
pub(super) fn merge_labels(context: &mut Map<String, Tree>, facts: &Facts<'_>) {
    let mut said = String::from("{");
    facts.write_labels(&mut Json::new(&mut said));
    said.push('}');
    let Ok(Tree::Object(labels)) = serde_json::from_str(&said) else {
        return;
    };
    if labels.is_empty() {
        return;
    }
    // Documents show these characters as `_`, so that two names may be one there.
    let shown = |name: &str| name.replace(['.', '*', '"'], "_");
    let names: Vec<_> = labels.keys().map(|name| shown(name)).collect();
    let tags = context
        .entry("tags")
        .or_insert_with(|| Tree::Object(Map::new()));
    if !tags.is_object() {
        *tags = Tree::Object(Map::new());
    }
    if let Tree::Object(tags) = tags {
        tags.retain(|name, _| !names.contains(&shown(name)));
        tags.extend(labels);
    }
}
