//! Documents by the values of a field, as the engine counts them.

use serde_json::{Value, json};

/// Durations of the events that have one, of which a document has one at most.
const DURATIONS: [(&str, &str); 2] = [
    ("transactions", "transaction.duration.us"),
    ("spans", "span.duration.us"),
];

/// Documents by the values of a field, most first.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FoundGroups {
    /// The values with the most documents, and the documents without one.
    pub groups: Vec<FoundGroup>,
    /// Documents with other values.
    pub other: u64,
}

/// The documents with one value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FoundGroup {
    /// The value as text; none for documents without the field.
    pub value: Option<String>,
    /// Their number.
    pub count: u64,
    /// The transactions and spans among them.
    pub timed: u64,
    /// The sum of their durations, µs.
    pub duration: f64,
    /// The longest, µs.
    pub longest: f64,
}

/// The aggregations that are asked for.
pub(super) fn question(field: &str, most: usize) -> Value {
    let mut durations = json!({});
    for (name, field) in DURATIONS {
        durations[name] = json!({"stats": {"field": field}});
    }
    json!({
        "values": {"terms": {"field": field, "size": most}, "aggs": durations.clone()},
        "none": {"missing": {"field": field}, "aggs": durations},
    })
}

/// Reads their answer; none where it is not one.
pub(super) fn read(answer: &Value) -> Option<FoundGroups> {
    let values = &answer["values"];
    let mut groups = Vec::new();
    for bucket in values["buckets"].as_array()? {
        groups.push(group(Some(text(bucket)?), bucket)?);
    }
    let none = group(None, &answer["none"])?;
    if none.count > 0 {
        groups.push(none);
    }
    Some(FoundGroups {
        groups,
        other: values["sum_other_doc_count"].as_u64().unwrap_or_default(),
    })
}

fn group(value: Option<String>, bucket: &Value) -> Option<FoundGroup> {
    let mut group = FoundGroup {
        value,
        count: bucket["doc_count"].as_u64()?,
        timed: 0,
        duration: 0.0,
        longest: 0.0,
    };
    for (name, _) in DURATIONS {
        let stats = &bucket[name];
        group.timed += stats["count"].as_u64().unwrap_or_default();
        group.duration += stats["sum"].as_f64().unwrap_or_default();
        group.longest = group.longest.max(stats["max"].as_f64().unwrap_or_default());
    }
    Some(group)
}

/// The value of a bucket as documents have it: an index may have a whole number as 200.0.
pub(super) fn text(bucket: &Value) -> Option<String> {
    let key = &bucket["key"];
    if let Some(text) = key.as_str() {
        return Some(text.to_owned());
    }
    // Of a yes or no the key is 1 or 0, and its text is in the documents.
    if let Some(text @ ("true" | "false")) = bucket["key_as_string"].as_str() {
        return Some(text.to_owned());
    }
    let number = key.as_f64()?;
    match number.fract() == 0.0 && number.abs() < 1e15 {
        true => Some(format!("{number:.0}")),
        false => Some(key.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_with_their_durations_and_the_documents_without_a_value() {
        let stats =
            |count: u64, sum: f64, max: Value| json!({"count": count, "sum": sum, "max": max});
        let answer = json!({
            "values": {"sum_other_doc_count": 7, "buckets": [
                {"key": 200.0, "doc_count": 5, "transactions": stats(3, 30.0, 20.0.into()),
                    "spans": stats(1, 50.0, 50.0.into())},
                {"key": 1, "key_as_string": "true", "doc_count": 2},
                {"key": "a", "doc_count": 1, "transactions": stats(0, 0.0, Value::Null)},
            ]},
            "none": {"doc_count": 4},
        });
        let found = read(&answer).expect("groups");
        let values: Vec<_> = found
            .groups
            .iter()
            .map(|one| one.value.as_deref())
            .collect();
        assert_eq!(values, [Some("200"), Some("true"), Some("a"), None]);
        let first = &found.groups[0];
        assert_eq!((first.count, first.timed), (5, 4));
        assert!((first.duration - 80.0).abs() < 1e-9 && (first.longest - 50.0).abs() < 1e-9);
        assert_eq!((found.groups[3].count, found.other), (4, 7));
        assert_eq!(read(&json!({})), None);
    }
}
