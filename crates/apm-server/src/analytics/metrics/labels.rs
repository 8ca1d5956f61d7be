//! The labels of a metric's series, and their values.

use std::collections::{BTreeMap, HashSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::sort_rows::SortRows as _;

/// Values of a label that are told, those with most series first.
const MOST_VALUES: usize = 50;

/// A label of a metric.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "MetricLabel")]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its values, those of most series first, at most 50.
    pub values: Vec<LabelValue>,
    /// Number of values that are left out.
    pub more: usize,
}

/// A value of a label.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
#[schemars(rename = "MetricLabelValue")]
pub struct LabelValue {
    /// The value.
    pub value: String,
    /// Number of series that have it.
    pub series: usize,
}

/// The labels of series, by name.
pub(super) fn labels(series: &[(i64, BTreeMap<String, String>)]) -> Vec<Label> {
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    // Of several services the same labels may come twice.
    let mut seen = HashSet::new();
    for (_, labels) in series {
        if !seen.insert(labels) {
            continue;
        }
        for (name, value) in labels {
            *counts.entry(name).or_default().entry(value).or_default() += 1;
        }
    }
    let label = |(name, values): (&str, BTreeMap<&str, usize>)| {
        let mut values: Vec<LabelValue> = values
            .into_iter()
            .map(|(value, series)| LabelValue {
                value: value.to_owned(),
                series,
            })
            .collect();
        values.sort_rows_by_key(|value| std::cmp::Reverse(value.series));
        let more = values.len().saturating_sub(MOST_VALUES);
        values.truncate(MOST_VALUES);
        Label {
            name: name.to_owned(),
            values,
            more,
        }
    };
    counts.into_iter().map(label).collect()
}
