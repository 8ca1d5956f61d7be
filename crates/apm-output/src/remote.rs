//! Events of the engine: those that other servers stored, or that are no longer here.

mod groups;
mod traces;
mod values;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::client::Client;
pub use groups::{FoundGroup, FoundGroups};
pub use traces::{FoundDurations, OfTraces};
pub use values::{FoundField, FoundValues, OfValues};

/// Documents of one answer. More than 10,000 an engine refuses.
const MOST: usize = 10_000;

/// Values of a field that are counted in a bucket.
const VALUES: usize = 100;

/// The longest time that a page waits for the engine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for events, from threads that may block.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) client: Arc<Client>,
    /// The thread of the output drives it.
    pub(crate) handle: Handle,
    pub(crate) namespace: String,
}

/// Events of the engine.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The documents.
    pub documents: Vec<FoundDocument>,
    /// Whether there are more.
    pub has_more: bool,
    /// Of a page: how many documents pass, by the start of their bucket, seconds since the epoch.
    pub counts: Vec<(i64, u64)>,
    /// The same by the values of a field, where one is named; documents without it count as those with an empty value.
    pub values: Vec<(i64, String, u64)>,
    /// The groups, where these were asked for.
    pub groups: FoundGroups,
    /// If one document of each trace was asked for, the number of all traces, which the engine estimates beyond some
    /// thousands; where documents were asked for by their durations, the number of all.
    pub total: Option<u64>,
    /// The numbers by time and duration, where these were asked for.
    pub durations: Vec<FoundDurations>,
    /// The values of transactions, where these were asked for.
    pub transactions: FoundValues,
}

/// A document of the engine.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FoundDocument {
    /// The name of the store that sent it, and the number that it had there; none where another program did.
    pub origin: Option<(String, i64)>,
    /// Its fields.
    pub document: Value,
}

/// A question for events.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Events {
    /// All of a trace.
    Trace(String),
    /// Those that pass a query of the engine, the newest first.
    Query {
        /// The query.
        query: Value,
        /// Their number, at most.
        most: usize,
    },
    /// The numbers of those that pass a query by the values of a field, metrics among them.
    Groups {
        /// The query.
        query: Value,
        /// The field.
        field: String,
        /// Values, at most.
        most: usize,
    },
    /// A page of those that pass a query, the newest first, metrics among them.
    Page {
        /// The query, which holds for the counts, too.
        query: Value,
        /// One more that documents pass, and not the counts.
        narrow: Option<Value>,
        /// The page begins with documents that are not newer; milliseconds since the epoch.
        until: Option<i64>,
        /// Their number, at most.
        most: usize,
        /// Seconds of a bucket, where they are to be counted.
        interval: Option<i64>,
        /// A field by whose values they are counted, too.
        by: Option<&'static str>,
    },
    /// Those that pass a query, by traces or by durations.
    OfTraces {
        /// The query.
        query: Value,
        /// The question about them.
        what: OfTraces,
    },
    /// Values of the transactions that pass a query.
    OfValues {
        /// The query, which only transactions pass.
        query: Value,
        /// The question about them.
        what: OfValues,
    },
}

impl Remote {
    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// The words for a page.
    pub(crate) fn events(&self, events: Events) -> Result<Found, String> {
        let (answer, answered) = sync_channel(1);
        let (client, streams) = (Arc::clone(&self.client), self.streams(&events));
        self.handle.spawn(async move {
            let found = tokio::time::timeout(PATIENCE, ask(&client, &streams, events)).await;
            let found = found.unwrap_or_else(|_| Err("the engine takes too long".to_owned()));
            // The asker may have gone.
            let _ = answer.send(found);
        });
        match answered.recv_timeout(PATIENCE + Duration::from_secs(1)) {
            Ok(found) => found,
            Err(RecvTimeoutError::Timeout) => Err("the engine takes too long".to_owned()),
            Err(RecvTimeoutError::Disconnected) => Err("the output has ended".to_owned()),
        }
    }

    /// Data streams of events; those of counts are left out.
    fn streams(&self, events: &Events) -> String {
        let namespace = &self.namespace;
        let all = format!("traces-apm*-{namespace},logs-apm*-{namespace}");
        match events {
            Events::Page { .. } | Events::Groups { .. } => {
                format!("{all},metrics-apm.internal-{namespace},metrics-apm.app.*-{namespace}")
            }
            // Log lines are not among them, and an index of theirs may lack the fields.
            Events::OfTraces { .. } => {
                format!("traces-apm*-{namespace},logs-apm.error-{namespace}")
            }
            Events::OfValues { .. } => format!("traces-apm*-{namespace}"),
            Events::Trace(_) | Events::Query { .. } => all,
        }
    }
}

async fn ask(client: &Client, streams: &str, events: Events) -> Result<Found, String> {
    let newest_first = json!([{"@timestamp": {"order": "desc", "unmapped_type": "date"}}]);
    let (mut question, size) = match events {
        Events::Trace(id) => (
            json!({"query": {"bool": {"filter": [{"term": {"trace.id": id}}]}}}),
            MOST,
        ),
        Events::Groups { query, field, most } => (
            json!({"query": query, "aggs": groups::question(&field, most)}),
            0,
        ),
        Events::Query { query, most } => (json!({"query": query, "sort": newest_first}), most),
        Events::Page {
            query,
            narrow,
            until,
            most,
            interval,
            by,
        } => {
            let mut question = json!({"query": query, "sort": newest_first});
            let until = until.map(
                |until| json!({"range": {"@timestamp": {"lte": until, "format": "epoch_millis"}}}),
            );
            let after: Vec<Value> = narrow.into_iter().chain(until).collect();
            if !after.is_empty() {
                // After the counts, which are of all pages.
                question["post_filter"] = json!({"bool": {"filter": after}});
            }
            if let Some(interval) = interval {
                let mut times = json!({"date_histogram": {
                    "field": "@timestamp", "fixed_interval": format!("{interval}s"), "min_doc_count": 1}});
                if let Some(field) = by {
                    times["aggs"] = json!({"values": {"terms": {"field": field, "size": VALUES, "missing": ""}}});
                }
                question["aggs"] = json!({"times": times});
            }
            (question, most)
        }
        Events::OfTraces { query, what } => what.question(&query),
        Events::OfValues { query, what } => (what.question(&query), 0),
    };
    let size = size.min(MOST);
    question["size"] = json!(size);
    if question["track_total_hits"].is_null() {
        question["track_total_hits"] = json!(false);
    }
    question["timeout"] = json!(format!("{}s", PATIENCE.as_secs()));
    let answer = client.search::<Value>(streams, &question).await?;
    let aggregations = answer.aggregations.unwrap_or_default();
    let buckets = aggregations["times"]["buckets"].as_array();
    let mut counts = Vec::new();
    let mut values = Vec::new();
    for bucket in buckets.into_iter().flatten() {
        let place = bucket["key"].as_i64().zip(bucket["doc_count"].as_u64());
        let Some((start, count)) = place.map(|(key, count)| (key / 1000, count)) else {
            continue;
        };
        counts.push((start, count));
        let of_values = bucket["values"]["buckets"].as_array();
        values.extend(of_values.into_iter().flatten().filter_map(|bucket| {
            let value = bucket["key"].as_str()?.to_owned();
            Some((start, value, bucket["doc_count"].as_u64()?))
        }));
    }
    let groups = groups::read(&aggregations).unwrap_or_default();
    let total = aggregations["traces"]["value"].as_u64().or(answer.total);
    let durations = traces::read(&aggregations);
    let transactions = values::read(&aggregations, answer.total.unwrap_or_default());
    let has_more = answer.hits.len() >= size;
    let documents = answer.hits.into_iter().map(|hit| FoundDocument {
        origin: origin(&hit.id),
        document: hit.source,
    });
    Ok(Found {
        documents: documents.collect(),
        has_more,
        counts,
        values,
        groups,
        total,
        durations,
        transactions,
    })
}

/// The store and the number that an id tells: `store-number-mark`, in hexadecimal digits.
fn origin(id: &str) -> Option<(String, i64)> {
    let mut parts = id.split('-');
    let (store, number, mark) = (parts.next()?, parts.next()?, parts.next()?);
    let is_ours = parts.next().is_none() && store.len() == 12 && mark.len() == 8;
    let number = i64::from_str_radix(number, 16).ok()?;
    is_ours.then(|| (store.to_owned(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_where_an_event_is_stored() {
        let told = Some(("0123456789ab".to_owned(), 0x1f));
        assert_eq!(origin("0123456789ab-1f-01234567"), told);
        for other in [
            "",
            "AZx_1-2",
            "0123456789ab-xyz-01234567",
            "0123456789ab-a1f-0123",
        ] {
            assert_eq!(origin(other), None, "{other}");
        }
    }
}
