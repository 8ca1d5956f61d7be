//! Asks the engine which documents it has.

mod younger;

use std::collections::{HashMap, HashSet};

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Sender, beginning};
use crate::bulk::Part;
use crate::client::{Body, OWNER, Reply};

/// Names of streams that do not exist yet are no error.
const LENIENT: &str = "ignore_unavailable=true&allow_no_indices=true";

/// Documents of an answer, at most. More an engine refuses.
const LARGEST: usize = 10_000;

#[derive(Deserialize)]
struct Refreshed {
    #[serde(rename = "_shards")]
    shards: Shards,
}

#[derive(Deserialize)]
struct Shards {
    failed: u64,
}

#[derive(Deserialize)]
struct Found {
    timed_out: bool,
    #[serde(rename = "_shards")]
    shards: Shards,
    #[serde(default)]
    hits: Hits,
}

#[derive(Default, Deserialize)]
struct Hits {
    #[serde(default)]
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    #[serde(rename = "_id")]
    id: String,
}

/// The requests that are at work, by node.
#[derive(Default, Deserialize)]
struct Tasks {
    #[serde(default)]
    nodes: HashMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    tasks: HashMap<String, Task>,
}

#[derive(Deserialize)]
struct Task {
    #[serde(default)]
    headers: HashMap<String, String>,
}

/// Why an answer is not certain.
enum Doubt {
    /// The engine does not answer for all indices.
    Engine(String),
    /// It was not reached, or does not let us ask.
    Other(String),
}

impl Doubt {
    fn words(self) -> String {
        match self {
            Self::Engine(words) | Self::Other(words) => words,
        }
    }
}

impl Sender {
    /// The documents, of those that are named, that the engine has in any index of the data streams. `create` alone
    /// does not tell: after a rollover the index that is written to does not know those before it.
    ///
    /// `since`: when they can have been sent at the earliest, seconds since the epoch; 0 where nobody knows.
    ///
    /// # Errors
    /// If the answer is not certain.
    pub(crate) async fn existing(
        &self,
        part: &Part,
        items: &[usize],
        since: i64,
    ) -> Result<HashSet<usize>, String> {
        if self.is_at_work().await? {
            return Err("an earlier request is still at work in the engine".to_owned());
        }
        match self.found(&self.streams, part, items).await {
            Ok(found) => Ok(found),
            Err(Doubt::Other(why)) => Err(why),
            Err(Doubt::Engine(why)) => {
                // An old index that cannot be read has none of them, and must not stop the output for ever.
                let Some(younger) = self.younger(since).await else {
                    return Err(why);
                };
                let mut found = HashSet::new();
                for indices in &younger.indices {
                    let some = self.found(indices, part, items).await;
                    found.extend(some.map_err(Doubt::words)?);
                }
                log::warn!(
                    "not all indices of {} can be read ({}): {} that were full before these documents can have been \
                     sent were not asked for them",
                    self.streams,
                    why,
                    younger.passed_over
                );
                Ok(found)
            }
        }
    }

    /// The documents, of those that are named, in some indices.
    async fn found(
        &self,
        indices: &str,
        part: &Part,
        items: &[usize],
    ) -> Result<HashSet<usize>, Doubt> {
        // A search finds only what was there at the last refresh.
        let path = format!("{indices}/_refresh?{LENIENT}&filter_path=_shards.failed");
        let reply = self.ask(&path, None).await?;
        match serde_json::from_slice::<Refreshed>(&reply.body) {
            Ok(refreshed) if refreshed.shards.failed == 0 => {}
            _ => return Err(Doubt::Engine(uncertain("a refresh", &reply))),
        }
        let path = format!(
            "{indices}/_search?{LENIENT}&allow_partial_search_results=false\
             &filter_path=timed_out,_shards.failed,hits.hits._id"
        );
        let by_id: HashMap<&str, usize> =
            items.iter().map(|item| (part.id(*item), *item)).collect();
        let ids: Vec<&str> = by_id.keys().copied().collect();
        let question = json!({
            // One that is there twice must not take the place of another.
            "size": (ids.len() * 2).min(LARGEST),
            "_source": false,
            "track_total_hits": false,
            "query": {"ids": {"values": ids}},
        });
        let reply = self.ask(&path, Some(&Body::json(&question))).await?;
        match serde_json::from_slice::<Found>(&reply.body) {
            Ok(found) if !found.timed_out && found.shards.failed == 0 => {
                let hits = found.hits.hits.iter();
                Ok(hits
                    .filter_map(|hit| by_id.get(&*hit.id).copied())
                    .collect())
            }
            _ => Err(Doubt::Engine(uncertain("a search", &reply))),
        }
    }

    /// Whether the engine still works on a request of this store. One whose sender was killed goes on, and may take
    /// documents after a question found none: if the data stream is rolled over in between, they would be there twice.
    /// An engine that does not tell is believed to do nothing.
    ///
    /// The parts of a request (`bulk[s]`) are asked for, too: they go on where the node that took it was killed.
    async fn is_at_work(&self) -> Result<bool, String> {
        let path = "_tasks?actions=indices:data/write/bulk*&filter_path=nodes.*.tasks.*.headers";
        let reply = self.client.call(Method::GET, path, None).await;
        let reply = reply.map_err(|failure| failure.words().to_owned())?;
        if reply.status != 200 {
            return Ok(false);
        }
        let found: Tasks = serde_json::from_slice(&reply.body).unwrap_or_default();
        let tasks = found.nodes.values().flat_map(|node| node.tasks.values());
        let mut owners = tasks.filter_map(|task| task.headers.get(OWNER));
        Ok(owners.any(|owner| *owner == self.owner))
    }

    async fn ask(&self, path: &str, body: Option<&Body>) -> Result<Reply, Doubt> {
        let reply = self.client.call(Method::POST, path, body).await;
        let reply = reply.map_err(|failure| Doubt::Other(failure.words().to_owned()))?;
        match reply.status {
            200 => Ok(reply),
            403 => Err(Doubt::Other(format!(
                "after a failure the output asks which documents are there, and the engine refuses that: the \
                 credential needs the privileges read and maintenance on {} ({})",
                self.streams,
                beginning(&reply.body)
            ))),
            _ => Err(Doubt::Engine(uncertain("a question", &reply))),
        }
    }
}

fn uncertain(what: &str, reply: &Reply) -> String {
    format!(
        "the engine answers {what} with {} {}",
        reply.status,
        beginning(&reply.body)
    )
}
