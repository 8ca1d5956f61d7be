//! Fields of some documents, and their most frequent values.

use std::collections::{BTreeMap, HashMap};

use kql::{for_each_leaf, text_of};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

/// Values kept of each field.
const TOP: usize = 5;
/// Longer values are told apart by their beginning only: the list is for filters, not for reading.
const LONGEST: usize = 256;

/// A field.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct Field {
    /// Its dotted name.
    pub name: String,
    /// In how many of the documents it is.
    pub count: usize,
    /// Its most frequent values.
    pub top: Vec<TopValue>,
    /// Number of its different values.
    pub distinct: usize,
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize)]
pub struct TopValue {
    /// As text, cut to 256 characters.
    pub value: String,
    /// In how many of the documents it is.
    pub count: usize,
}

/// The fields of some documents, by name.
#[must_use]
pub fn fields<'a>(documents: impl IntoIterator<Item = &'a Json>) -> Vec<Field> {
    let mut seen: BTreeMap<String, (usize, HashMap<String, usize>)> = BTreeMap::new();
    for document in documents {
        // An array counts once for each of its different values, and the field once.
        let mut own: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for_each_leaf(document, &mut |name, leaf| {
            let value: String = text_of(leaf).chars().take(LONGEST).collect();
            let values = own.entry(name.to_owned()).or_default();
            if !values.contains(&value) {
                values.push(value);
            }
        });
        for (name, values) in own {
            let (count, counts) = seen.entry(name).or_default();
            *count += 1;
            for value in values {
                *counts.entry(value).or_default() += 1;
            }
        }
    }
    seen.into_iter()
        .map(|(name, (count, counts))| {
            let distinct = counts.len();
            let mut top: Vec<TopValue> = counts
                .into_iter()
                .map(|(value, count)| TopValue { value, count })
                .collect();
            top.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
            top.truncate(TOP);
            Field {
                name,
                count,
                top,
                distinct,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_counted_once_per_document() {
        let documents = [
            json!({"a": {"b": ["x", "x", "y"]}, "n": 1}),
            json!({"a": {"b": "x"}, "n": null}),
            json!({"a": {"b": "z"}, "n": 2.5}),
        ];
        let found = fields(&documents);
        let summary: Vec<_> = found
            .iter()
            .map(|field| {
                (
                    field.name.as_str(),
                    field.count,
                    field.distinct,
                    field.top[0].value.as_str(),
                    field.top[0].count,
                )
            })
            .collect();
        assert_eq!(summary, [("a.b", 3, 3, "x", 2), ("n", 2, 2, "1", 1)]);
    }

    #[test]
    fn only_the_most_frequent_values_are_kept() {
        let documents: Vec<Json> = (0..20).map(|i| json!({"k": i % 7})).collect();
        let found = fields(&documents);
        assert_eq!((found[0].top.len(), found[0].distinct), (5, 7));
        assert_eq!(
            found[0].top[0],
            TopValue {
                value: "0".to_owned(),
                count: 3
            }
        );
    }
}
