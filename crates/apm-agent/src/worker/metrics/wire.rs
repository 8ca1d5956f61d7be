//! A metric set on the wire: samples of one moment that share their labels.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::util::wildcard::WildcardList;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Metricset {
    /// Microseconds since the epoch.
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<TransactionGroup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<SpanGroup>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    samples: BTreeMap<String, Sample>,
}

/// The transactions that a breakdown sample is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct TransactionGroup {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// The spans of these that it is about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SpanGroup {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subtype: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Sample {
    value: Value,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// Of a counter: that it begins anew with each report. Elastic's server takes no notice of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    temporality: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Value {
    Whole(u64),
    Float(f64),
}

impl Metricset {
    pub(crate) fn new(timestamp: u64) -> Self {
        Self {
            timestamp,
            transaction: None,
            span: None,
            tags: BTreeMap::new(),
            samples: BTreeMap::new(),
        }
    }

    /// The self times of one kind of span in one kind of transaction, since the last report.
    pub(crate) fn breakdown(
        timestamp: u64,
        transaction: TransactionGroup,
        span: SpanGroup,
        count: u64,
        sum_micros: u64,
    ) -> Self {
        let mut set = Self {
            transaction: Some(transaction),
            span: Some(span),
            ..Self::new(timestamp)
        };
        // The server discards such a set if it holds anything else.
        set.put("span.self_time.count", Value::Whole(count), None);
        set.put("span.self_time.sum.us", Value::Whole(sum_micros), None);
        set
    }

    pub(crate) fn with_tags(mut self, tags: BTreeMap<String, String>) -> Self {
        self.tags = tags;
        self
    }

    /// A value that goes up and down. What is no finite number cannot be written as JSON, and is left out.
    pub(crate) fn gauge(&mut self, name: &str, value: f64) {
        if !value.is_finite() {
            return;
        }
        // Below 2⁵³ whole numbers are exact.
        let whole = value >= 0.0 && value.fract() == 0.0 && value < 9e15;
        self.put(
            name,
            if whole {
                Value::Whole(value as u64)
            } else {
                Value::Float(value)
            },
            Some("gauge"),
        );
    }

    /// The sum of what was added since the last report.
    pub(super) fn counter(&mut self, name: &str, added: u64) {
        self.put(name, Value::Whole(added), Some("counter"));
    }

    fn put(&mut self, name: &str, value: Value, kind: Option<&'static str>) {
        let sample = Sample {
            value,
            kind,
            temporality: (kind == Some("counter")).then_some("delta"),
        };
        self.samples.insert(name.to_owned(), sample);
    }

    /// The set without the samples whose names are disabled; `None` if nothing is left.
    pub(crate) fn without(mut self, disabled: &WildcardList) -> Option<Self> {
        self.samples.retain(|name, _| !disabled.matches(name));
        (!self.samples.is_empty()).then_some(self)
    }

    /// The NDJSON line.
    pub(crate) fn line(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Line<'m> {
            metricset: &'m Metricset,
        }
        // Text keys and finite numbers: there is nothing that could fail.
        let mut line = serde_json::to_vec(&Line { metricset: self }).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(set: &Metricset) -> String {
        String::from_utf8(set.line()).unwrap()
    }

    #[test]
    fn sets_look_as_the_specification_shows_them() {
        let mut set = Metricset::new(7);
        set.gauge("a", 123.0);
        set.gauge("b", 0.5);
        set.gauge("c", f64::NAN);
        set.gauge("d", -1.0);
        assert_eq!(
            text(&set),
            "{\"metricset\":{\"timestamp\":7,\"samples\":{\"a\":{\"value\":123,\"type\":\"gauge\"},\
             \"b\":{\"value\":0.5,\"type\":\"gauge\"},\"d\":{\"value\":-1.0,\"type\":\"gauge\"}}}}\n"
        );
        let transaction = TransactionGroup {
            name: "GET /".to_owned(),
            kind: "request".to_owned(),
        };
        let span = SpanGroup {
            kind: "db".to_owned(),
            subtype: Some("sqlite".to_owned()),
        };
        assert_eq!(
            text(&Metricset::breakdown(7, transaction, span, 3, 4_567)),
            "{\"metricset\":{\"timestamp\":7,\"transaction\":{\"name\":\"GET /\",\"type\":\"request\"},\
             \"span\":{\"type\":\"db\",\"subtype\":\"sqlite\"},\"samples\":{\"span.self_time.count\":{\"value\":3},\
             \"span.self_time.sum.us\":{\"value\":4567}}}}\n"
        );
    }
}
