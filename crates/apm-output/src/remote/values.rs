//! Questions about the values that transactions have.

use serde_json::{Value, json};

use super::groups::text;

/// A question about the transactions that pass a query.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OfValues {
    /// The duration below which so many percent of them lie.
    Percentile(f64),
    /// The values of some fields, with the numbers of transactions that have them, and of those that pass one more
    /// query.
    Shares {
        /// The query.
        set: Value,
        /// The fields.
        fields: Vec<String>,
        /// Values of a field, at most.
        most: usize,
    },
    /// The numbers of those that pass some more queries, one by one.
    Counts(Vec<Value>),
}

/// The answer to [`OfValues`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FoundValues {
    /// The duration, µs; none where there are no transactions.
    pub percentile: Option<f64>,
    /// Transactions that pass the query.
    pub all: u64,
    /// Those of them that pass the other one, too.
    pub selected: u64,
    /// The values, in the order of the fields.
    pub fields: Vec<FoundField>,
    /// The numbers, in the order of the queries.
    pub counts: Vec<u64>,
}

/// The values of a field.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FoundField {
    /// Each with the transactions that have it, and those of them that pass the other query.
    pub values: Vec<(String, u64, u64)>,
    /// True if there are more.
    pub has_more: bool,
}

impl OfValues {
    /// The body of the search.
    pub(super) fn question(&self, query: &Value) -> Value {
        let aggregations = match self {
            Self::Percentile(percent) => json!({"slow": {"percentiles": {
                "field": "transaction.duration.us", "percents": [percent], "keyed": false}}}),
            Self::Shares { set, fields, most } => {
                let inside = json!({"filter": set});
                let mut aggregations = json!({"inside": inside});
                for (at, field) in fields.iter().enumerate() {
                    aggregations[name(at)] = json!({
                        "terms": {"field": field, "size": most}, "aggs": {"inside": inside}});
                }
                aggregations
            }
            Self::Counts(queries) => json!({"counts": {"filters": {"filters": queries}}}),
        };
        json!({"query": query, "aggs": aggregations, "track_total_hits": true})
    }
}

/// The name of the aggregation of a field.
fn name(at: usize) -> String {
    format!("field{at}")
}

/// Reads the answer.
pub(super) fn read(answer: &Value, all: u64) -> FoundValues {
    let inside = |of: &Value| of["inside"]["doc_count"].as_u64().unwrap_or_default();
    let field = |of: &Value| {
        let buckets = of["buckets"].as_array()?.iter();
        let value = |bucket: &Value| {
            let count = bucket["doc_count"].as_u64()?;
            Some((text(bucket)?, count, inside(bucket)))
        };
        Some(FoundField {
            values: buckets.filter_map(value).collect(),
            has_more: of["sum_other_doc_count"]
                .as_u64()
                .is_some_and(|more| more > 0),
        })
    };
    let counts = answer["counts"]["buckets"].as_array();
    let counts = counts.into_iter().flatten();
    FoundValues {
        percentile: answer["slow"]["values"][0]["value"].as_f64(),
        all,
        selected: inside(answer),
        fields: (0..).map_while(|at| field(&answer[name(at)])).collect(),
        counts: counts
            .filter_map(|bucket| bucket["doc_count"].as_u64())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_their_numbers_in_the_set_and_in_all() {
        let set = json!({"term": {"event.outcome": "failure"}});
        let asked = OfValues::Shares {
            set: set.clone(),
            fields: vec!["labels.a".to_owned(), "host.name".to_owned()],
            most: 7,
        };
        let question = asked.question(&json!({"match_all": {}}));
        assert_eq!(question["aggs"]["inside"]["filter"], set);
        let terms = &question["aggs"]["field1"];
        assert_eq!(terms["terms"], json!({"field": "host.name", "size": 7}));
        assert_eq!(terms["aggs"]["inside"]["filter"], set);
        let bucket = |key: Value, count: u64, inside: u64| {
            json!({
            "key": key, "doc_count": count, "inside": {"doc_count": inside}})
        };
        let answer = json!({
            "inside": {"doc_count": 4},
            "field0": {"sum_other_doc_count": 0, "buckets": [bucket("x".into(), 9, 4), bucket(2.0.into(), 1, 0)]},
            "field1": {"sum_other_doc_count": 3, "buckets": []},
        });
        let found = read(&answer, 10);
        assert_eq!((found.all, found.selected), (10, 4));
        let values = [("x".to_owned(), 9, 4), ("2".to_owned(), 1, 0)];
        assert_eq!(found.fields[0].values, values);
        assert!(!found.fields[0].has_more && found.fields[1].has_more);
        assert_eq!(found.fields.len(), 2);
    }

    #[test]
    fn the_percentile_and_the_numbers_of_queries_are_read() {
        let answer = json!({
            "slow": {"values": [{"key": 95.0, "value": 1234.5}]},
            "counts": {"buckets": [{"doc_count": 3}, {"doc_count": 0}]},
        });
        let found = read(&answer, 10);
        assert_eq!((found.percentile, found.counts), (Some(1234.5), vec![3, 0]));
        let none = read(
            &json!({"slow": {"values": [{"key": 95.0, "value": null}]}}),
            0,
        );
        assert_eq!((none.percentile, none.fields.len()), (None, 0));
    }
}
