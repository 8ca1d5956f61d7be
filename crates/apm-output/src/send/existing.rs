//! Asks the engine which documents it has.

use std::collections::{HashMap, HashSet};

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{Sender, beginning};
use crate::bulk::Part;
use crate::client::{Body, Reply};

/// Names of streams that do not exist yet are no error.
const LENIENT: &str = "ignore_unavailable=true&allow_no_indices=true";

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

impl Sender {
    /// The documents, of those that are named, that the engine has in any index of the data streams. `create` alone
    /// does not tell: after a rollover the index that is written to does not know those before it.
    ///
    /// # Errors
    /// If the answer is not certain.
    pub(super) async fn existing(
        &self,
        part: &Part,
        items: &[usize],
    ) -> Result<HashSet<usize>, String> {
        // A search finds only what was there at the last refresh.
        let path = format!(
            "{}/_refresh?{LENIENT}&filter_path=_shards.failed",
            self.streams
        );
        let reply = self.ask(&path, None).await?;
        match serde_json::from_slice::<Refreshed>(&reply.body) {
            Ok(refreshed) if refreshed.shards.failed == 0 => {}
            _ => return Err(uncertain("a refresh", &reply)),
        }
        let path = format!(
            "{}/_search?{LENIENT}&allow_partial_search_results=false\
             &filter_path=timed_out,_shards.failed,hits.hits._id",
            self.streams
        );
        let by_id: HashMap<&str, usize> =
            items.iter().map(|item| (part.id(*item), *item)).collect();
        let ids: Vec<&str> = by_id.keys().copied().collect();
        let question = json!({
            "size": ids.len(),
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
            _ => Err(uncertain("a search", &reply)),
        }
    }

    async fn ask(&self, path: &str, body: Option<&Body>) -> Result<Reply, String> {
        let reply = self.client.call(Method::POST, path, body).await;
        let reply = reply.map_err(|failure| failure.words().to_owned())?;
        match reply.status {
            200 => Ok(reply),
            403 => Err(format!(
                "after a failure the output asks which documents are there, and the engine refuses that: the \
                 credential needs the privileges read and maintenance on {} ({})",
                self.streams,
                beginning(&reply.body)
            )),
            _ => Err(uncertain("a question", &reply)),
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
