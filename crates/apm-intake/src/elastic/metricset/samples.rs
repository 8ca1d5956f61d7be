//! Samples and labels of a metricset.
//!
//! The walk keeps numbers. The other fields of a sample are read from the line a second time, where it has any: most
//! metricsets have numbers only.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use apm_store::event::{Batch, Distribution, Measured, MetricKind, Sample, Text};
use serde::Deserialize;
use serde_json::Value;

use super::known::is_counter;
use crate::conventions::cut;
use crate::elastic::fields::Fields;
use crate::elastic::rest::value_of;

/// Values of a distribution that are counted.
const MAX_VALUES: usize = 4096;

/// A sample as it was sent; `counts` and `values` have the same length.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent<'l> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'l, str>>,
    #[serde(borrow)]
    unit: Option<Cow<'l, str>>,
    /// `delta` or `cumulative`. Our own agent says it of its counters; Elastic's agents do not know it.
    #[serde(borrow)]
    temporality: Option<Cow<'l, str>>,
    values: Option<Vec<Option<f64>>>,
    counts: Option<Vec<Option<f64>>>,
}

/// Keeps the samples of a metricset; gives its labels.
pub(super) fn keep(fields: &mut Fields<'_>, line: &str, batch: &mut Batch) -> Option<Text> {
    let samples = std::mem::take(&mut fields.samples);
    let text = member(fields, line, "samples").unwrap_or_default();
    let has_more = samples.iter().any(|(_, number)| number.is_none())
        || text.contains("\"type\"")
        || text.contains("\"unit\"");
    let sent: HashMap<Cow<'_, str>, Option<Sent<'_>>> = match has_more {
        true => serde_json::from_str(text).unwrap_or_default(),
        false => HashMap::new(),
    };
    let nothing = Sent::default();
    for (name, number) in &samples {
        let sent = sent.get(&**name).and_then(Option::as_ref);
        let sent = sent.unwrap_or(&nothing);
        let Some(value) = number.map(Measured::Number).or_else(|| distribution(sent)) else {
            continue;
        };
        let unit = sent
            .unit
            .as_deref()
            .map(cut)
            .filter(|unit| !unit.is_empty());
        let kind = kind(name, sent, &value);
        let sample = Sample {
            name: batch.keep(name),
            unit: unit.map(|unit| batch.keep(unit)),
            kind,
            // Distributions of intake v2 are those of the time since the last report.
            is_delta: match kind {
                MetricKind::Histogram => sent.temporality.as_deref() != Some("cumulative"),
                _ => sent.temporality.as_deref() == Some("delta"),
            },
            start: None,
            value,
        };
        batch.samples.push(sample);
    }
    let labels = labels(member(fields, line, "tags")?)?;
    Some(batch.keep(&labels))
}

/// The text of a member's value.
fn member<'l>(fields: &Fields<'_>, line: &'l str, name: &str) -> Option<&'l str> {
    let is_named = |start: usize| {
        let key = line[start..].strip_prefix('"');
        key.and_then(|key| key.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('"'))
    };
    let found = fields
        .members
        .iter()
        .find(|member| is_named(member.start))?;
    Some(value_of(line, found.start, found.end))
}

fn kind(name: &str, sent: &Sent<'_>, value: &Measured) -> MetricKind {
    match (value, sent.kind.as_deref()) {
        (Measured::Distribution(_), _) => MetricKind::Histogram,
        (_, Some("counter")) => MetricKind::Counter,
        (_, None) if is_counter(name) => MetricKind::Counter,
        _ => MetricKind::Gauge,
    }
}

fn distribution(sent: &Sent<'_>) -> Option<Measured> {
    let (values, counts) = (sent.values.as_ref()?, sent.counts.as_ref()?);
    let pairs = values.iter().zip(counts).take(MAX_VALUES);
    let mut bins: Vec<(f64, f64)> = pairs
        .filter_map(|(value, count)| Some(((*value)?, (*count)?)))
        .filter(|(value, count)| value.is_finite() && count.is_finite() && *count > 0.0)
        .collect();
    bins.sort_by(|a, b| a.0.total_cmp(&b.0));
    Some(Measured::Distribution(Distribution {
        count: bins.iter().map(|(_, count)| count).sum(),
        sum: Some(bins.iter().map(|(value, count)| value * count).sum()),
        min: bins.first().map(|(value, _)| *value),
        max: bins.last().map(|(value, _)| *value),
        bins,
        quantiles: Vec::new(),
    }))
}

/// Labels as a JSON object whose names are sorted; nothing where there are none.
fn labels(text: &str) -> Option<String> {
    let labels: BTreeMap<Cow<'_, str>, Value> = serde_json::from_str(text).ok()?;
    let labels: BTreeMap<_, _> = labels
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect();
    if labels.is_empty() {
        return None;
    }
    serde_json::to_string(&labels).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_same_text_in_whatever_order_they_come() {
        let one = labels(r#"{"b": 1, "a":"x","c":null}"#);
        assert_eq!(one.as_deref(), Some(r#"{"a":"x","b":1}"#));
        assert_eq!(one, labels(r#"{"a":"x","b":1}"#));
        assert_eq!(labels("{}"), None);
    }

    #[test]
    fn a_distribution_leaves_out_what_is_no_count() {
        let sent: Sent<'_> =
            serde_json::from_str(r#"{"values":[5,1,null,7],"counts":[2,1,9,0]}"#).expect("JSON");
        let Some(Measured::Distribution(found)) = distribution(&sent) else {
            panic!("no distribution");
        };
        assert_eq!(found.bins, [(1.0, 1.0), (5.0, 2.0)]);
        assert_eq!((found.count, found.sum), (3.0, Some(11.0)));
    }
}
