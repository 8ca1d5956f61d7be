//! The indices that can have documents which were sent after a time.

use std::collections::{HashMap, HashSet};

use reqwest::Method;
use serde::Deserialize;

use super::super::Sender;

/// Seconds by which the clocks of a server and of the engine may differ. A larger number asks more indices.
const CLOCKS: i64 = 24 * 60 * 60;

/// Bytes of the names in the address of a request, at most. Engines take 4096 bytes.
const NAMES: usize = 2500;

/// Indices of data streams.
pub(super) struct Younger {
    /// Those that can have the documents, for one question each.
    pub(super) indices: Vec<String>,
    /// The number of the others.
    pub(super) passed_over: usize,
}

#[derive(Deserialize)]
struct Streams {
    data_streams: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    /// In the order in which they were written.
    indices: Vec<Index>,
}

#[derive(Deserialize)]
struct Index {
    index_name: String,
}

#[derive(Deserialize)]
struct Settings {
    settings: Created,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "index.creation_date")]
    date: String,
}

impl Sender {
    /// The indices that were written to after a time, or may have been. None where none can be passed over, or the
    /// engine does not tell.
    pub(super) async fn younger(&self, since: i64) -> Option<Younger> {
        if since <= CLOCKS {
            return None;
        }
        let streams = &self.streams;
        let path = format!("_data_stream/{streams}?expand_wildcards=open,hidden");
        let streams_there: Streams = self.told(&path).await?;
        let path = format!(
            "{streams}/_settings/index.creation_date?flat_settings=true&ignore_unavailable=true\
             &allow_no_indices=true&expand_wildcards=open,hidden"
        );
        let created: HashMap<String, Settings> = self.told(&path).await?;
        let created: HashMap<&str, i64> = created
            .iter()
            .map(|(name, index)| Some((name.as_str(), index.settings.date.parse().ok()?)))
            .collect::<Option<_>>()?;
        let old = old(&streams_there, &created, (since - CLOCKS) * 1000);
        let mut indices = Vec::new();
        for name in created.keys().filter(|name| !old.contains(*name)) {
            add(&mut indices, name);
        }
        (!old.is_empty()).then_some(Younger {
            indices,
            passed_over: old.len(),
        })
    }

    async fn told<T: for<'a> Deserialize<'a>>(&self, path: &str) -> Option<T> {
        let reply = self.client.ask(Method::GET, path, None).await.ok()?;
        if reply.status != 200 {
            log::debug!("the engine answers {path} with {}", reply.status);
            return None;
        }
        serde_json::from_slice(&reply.body).ok()
    }
}

/// The indices whose successor was there at a time, milliseconds since the epoch. A data stream takes documents into
/// its last index alone.
fn old<'n>(streams: &'n Streams, created: &HashMap<&str, i64>, time: i64) -> HashSet<&'n str> {
    let mut old = HashSet::new();
    for stream in &streams.data_streams {
        for pair in stream.indices.windows(2) {
            let successor = created.get(pair[1].index_name.as_str());
            if successor.is_some_and(|created| *created < time) {
                old.insert(pair[0].index_name.as_str());
            }
        }
    }
    old
}

/// Adds a name to the last list that has room for it.
fn add(lists: &mut Vec<String>, name: &str) {
    match lists.last_mut() {
        Some(last) if last.len() + name.len() < NAMES => {
            last.push(',');
            last.push_str(name);
        }
        _ => lists.push(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_old_once_its_successor_was_there() {
        let streams: Streams = serde_json::from_value(serde_json::json!({"data_streams": [
            {"indices": [{"index_name": "a1"}, {"index_name": "a2"}, {"index_name": "a3"}]},
            {"indices": [{"index_name": "b1"}]},
            {"indices": [{"index_name": "c1"}, {"index_name": "c2"}]},
        ]}))
        .unwrap();
        // Nothing is known of c2.
        let created = HashMap::from([("a1", 10), ("a2", 20), ("a3", 30), ("b1", 1), ("c1", 1)]);
        assert_eq!(old(&streams, &created, 30), HashSet::from(["a1"]));
        assert_eq!(old(&streams, &created, 31), HashSet::from(["a1", "a2"]));
        assert_eq!(old(&streams, &created, 20), HashSet::new());
        let mut lists = Vec::new();
        for _ in 0..40 {
            add(&mut lists, &"n".repeat(200));
        }
        assert!(lists.len() > 3 && lists.iter().all(|list| list.len() <= NAMES));
    }
}
