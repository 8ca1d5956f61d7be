//! Questions for lists of traces: one document of each, the slowest ones, and durations over time.

use serde_json::{Value, json};

/// The field with the duration of a transaction.
const DURATION: &str = "transaction.duration.us";

/// Numbers of traces up to which an engine counts nearly exactly.
const COUNTED: u64 = 10_000;

/// A question about the documents that pass a query.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum OfTraces {
    /// The newest document of each trace, the newest first.
    Newest {
        /// Of documents that are not newer; milliseconds since the epoch. All count.
        until: Option<i64>,
        /// Traces, at most.
        most: usize,
        /// Fields of the documents that are read.
        fields: Vec<String>,
    },
    /// The oldest document of each trace.
    Oldest {
        /// Traces, at most.
        most: usize,
        /// Fields of the documents that are read.
        fields: Vec<String>,
    },
    /// Transactions by their durations.
    Ranked {
        /// The shortest first, and not the longest.
        is_ascending: bool,
        /// Transactions, at most.
        most: usize,
    },
    /// The numbers of transactions by time and duration.
    Durations {
        /// From, to, µs since the epoch.
        range: (i64, i64),
        /// Stretches of time of one length.
        columns: usize,
        /// Durations at which the next row begins, ascending, µs. The first row is below all of them.
        borders: Vec<i64>,
    },
}

/// The transactions of a stretch of time and of durations.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct FoundDurations {
    /// The start of the stretch of time, µs since the epoch.
    pub start: f64,
    /// The shortest duration, µs.
    pub least: i64,
    /// Their number.
    pub count: u64,
    /// Those of them that failed.
    pub failed: u64,
}

impl OfTraces {
    /// The body of the search, and the number of documents that are wanted.
    pub(super) fn question(self, query: &Value) -> (Value, usize) {
        match self {
            Self::Newest {
                until,
                most,
                fields,
            } => {
                let mut question = one_of_each(query, "desc", fields);
                question["aggs"] = json!({"traces": {"cardinality": {
                    "field": "trace.id", "precision_threshold": COUNTED}}});
                if let Some(until) = until {
                    // After the number, which is of all pages.
                    question["post_filter"] =
                        json!({"range": {"@timestamp": {"lte": until, "format": "epoch_millis"}}});
                }
                (question, most)
            }
            Self::Oldest { most, fields } => (one_of_each(query, "asc", fields), most),
            Self::Ranked { is_ascending, most } => {
                let order = if is_ascending { "asc" } else { "desc" };
                let question = json!({
                    "query": query,
                    "sort": [{DURATION: {"order": order, "unmapped_type": "long"}}],
                    "track_total_hits": true,
                });
                (question, most)
            }
            Self::Durations {
                range: (from, to),
                columns,
                borders,
            } => {
                let length = (to - from).max(1) as f64 / columns.max(1) as f64;
                let mut ranges = vec![json!({"to": borders.first()})];
                for (at, border) in borders.iter().enumerate() {
                    let mut range = json!({"from": border});
                    if let Some(next) = borders.get(at + 1) {
                        range["to"] = json!(next);
                    }
                    ranges.push(range);
                }
                // Times within durations: of a row without transactions the answer has one line.
                let question = json!({"query": query, "aggs": {"durations": {
                    "range": {"field": DURATION, "ranges": ranges},
                    "aggs": {"times": {
                        "histogram": {"field": "timestamp.us", "interval": length,
                            "offset": (from as f64).rem_euclid(length), "min_doc_count": 1},
                        "aggs": {"failed": {"filter": {"term": {"event.outcome": "failure"}}}},
                    }},
                }}});
                (question, 0)
            }
        }
    }
}

fn one_of_each(query: &Value, order: &str, fields: Vec<String>) -> Value {
    // An index that does not know the field has no document of a trace, and would refuse to tell traces apart.
    let of_traces = json!({"exists": {"field": "trace.id"}});
    json!({
        "query": {"bool": {"filter": [of_traces, query]}},
        "collapse": {"field": "trace.id"},
        "sort": [
            {"@timestamp": {"order": order, "unmapped_type": "date"}},
            {"timestamp.us": {"order": order, "unmapped_type": "long"}},
        ],
        "_source": fields,
    })
}

/// Reads the numbers by time and duration.
pub(super) fn read(answer: &Value) -> Vec<FoundDurations> {
    let rows = answer["durations"]["buckets"].as_array();
    let mut found = Vec::new();
    for row in rows.into_iter().flatten() {
        let least = row["from"].as_f64().unwrap_or_default() as i64;
        for cell in row["times"]["buckets"].as_array().into_iter().flatten() {
            let told = cell["key"].as_f64().zip(cell["doc_count"].as_u64());
            found.extend(told.map(|(start, count)| FoundDurations {
                start,
                least,
                count,
                failed: cell["failed"]["doc_count"].as_u64().unwrap_or_default(),
            }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_by_time_and_duration_are_read_as_opensearch_answers_them() {
        let answer = json!({"durations": {"buckets": [
            {"key": "*-10.0", "to": 10.0, "doc_count": 0, "times": {"buckets": []}},
            {"key": "10.0-100.0", "from": 10.0, "to": 100.0, "doc_count": 3, "times": {"buckets": [
                {"key": 1.769_860_8e15, "doc_count": 2, "failed": {"doc_count": 1}},
                {"key": 1.769_860_83e15, "doc_count": 1, "failed": {"doc_count": 0}},
            ]}},
            {"key": "100.0-*", "from": 100.0, "doc_count": 1, "times": {"buckets": [
                {"key": 1.769_860_8e15, "doc_count": 1, "failed": {"doc_count": 0}},
            ]}},
        ]}});
        let found: Vec<_> = read(&answer)
            .iter()
            .map(|one| (one.start as i64, one.least, one.count, one.failed))
            .collect();
        let (first, second) = (1_769_860_800_000_000, 1_769_860_830_000_000);
        assert_eq!(
            found,
            [(first, 10, 2, 1), (second, 10, 1, 0), (first, 100, 1, 0)]
        );
        assert!(read(&json!({})).is_empty());
    }

    #[test]
    fn rows_of_durations_follow_each_other_without_a_gap() {
        let (question, size) = OfTraces::Durations {
            range: (1_000, 2_000),
            columns: 10,
            borders: vec![2, 3, 10],
        }
        .question(&json!({"match_all": {}}));
        assert_eq!(size, 0);
        let asked = &question["aggs"]["durations"];
        assert_eq!(
            asked["range"]["ranges"],
            json!([{"to": 2}, {"from": 2, "to": 3}, {"from": 3, "to": 10}, {"from": 10}])
        );
        let times = &asked["aggs"]["times"]["histogram"];
        assert_eq!(
            (&times["interval"], &times["offset"]),
            (&100.0.into(), &0.0.into())
        );
    }
}
