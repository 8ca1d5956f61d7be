//! Sends deltas. One that arrives twice does no harm: others take each number once.

use apm_store::output::Landed;
use apm_store::share::{self, Given, Waiting};
use reqwest::Method;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Memory, Sharing};
use crate::bulk::Part;
use crate::engine::{Answer, unexpected};
use crate::send::Sender;

/// Deltas of a request.
const TOGETHER: i32 = 16;

/// The largest number of a delta of this store that is believed.
const LARGEST: i64 = i64::MAX / 4;

impl Sharing {
    /// Sends all deltas that wait.
    pub(super) async fn send(&self, sender: &Sender) -> Result<(), String> {
        loop {
            let clears = self.store.clears();
            let Some(store) = self.own_store().await? else {
                return Ok(());
            };
            // `clears` is read before the deltas: where everything is deleted meanwhile, the write below does nothing.
            let waiting = self
                .read(|conn| Ok(share::waiting(conn, TOGETHER)?))
                .await?;
            let Some(last) = waiting.last().map(|delta| delta.number) else {
                return Ok(());
            };
            let sent = sender.send(&self.part(&store, &waiting), false).await;
            let refused = refused(&sent.landed);
            // Deltas leave the store after the engine has answered for each. A crash in between sends them again.
            self.write(clears, move |conn| share::sent(conn, last, refused))
                .await?;
        }
    }

    fn part(&self, store: &str, waiting: &[Waiting]) -> Part {
        let mut part = Part::default();
        for delta in waiting {
            let Waiting {
                number,
                made,
                delta,
            } = delta;
            // After a loss of power a number may be given again.
            let hash = xxh3_64_with_seed(delta, number.cast_unsigned()) as u32;
            let id = format!("{store}-d{number:x}-{hash:08x}");
            part.push(&self.stream(), id, |out| {
                let head = format!(
                    r#"{{"@timestamp":{},"store":{},"number":{number},"delta":"#,
                    made * 1000,
                    json!(store)
                );
                out.extend_from_slice(head.as_bytes());
                out.extend_from_slice(delta);
                out.push(b'}');
            });
        }
        part.pack();
        part
    }

    /// Numbers that the engine has of this store are not given again: a store that lost its last commits, or was
    /// brought back from a backup, would do so. This is done before any delta is sent, so that those which wait with
    /// such a number are either in the engine already or get another one.
    pub(super) async fn settle_numbers(&self, memory: &Memory) -> Result<(), String> {
        let clears = self.store.clears();
        let Some(store) = self.own_store().await? else {
            return Ok(());
        };
        // Without it, a search would miss the last deltas, and their numbers would be given again.
        self.client.refresh(&self.stream()).await?;
        let question = json!({
            "size": 0,
            "track_total_hits": false,
            "query": {"bool": {"filter": [
                {"term": {"store": store}},
                {"range": {"number": {"gt": 0, "lte": LARGEST}}},
            ]}},
            "aggs": {"first": {"min": {"field": "number"}}, "last": {"max": {"field": "number"}}},
        });
        let answer: Answer<serde_json::Value> =
            self.client.search(&self.stream(), &question).await?;
        let found = answer.aggregations.unwrap_or_default();
        let number = |name: &str| found[name]["value"].as_f64().map(|number| number as i64);
        // Old deltas are deleted by age. Other servers have them, and do not look at their numbers again.
        let announced = self.announced_number(&memory.node, &store).await?;
        let mut given = Given {
            first: number("first"),
            last: number("last").unwrap_or_default().max(announced),
            done: Vec::new(),
        };
        let (mut after, last) = (0, given.last);
        loop {
            let waiting = self
                .read(move |conn| Ok(share::waiting_between(conn, after, last, TOGETHER)?))
                .await?;
            let (Some(one), Some(behind)) = (waiting.first(), waiting.last()) else {
                break;
            };
            after = behind.number;
            // After a crash the engine may have what waits here: by its id it is the same delta.
            let part = self.part(&store, &waiting);
            let items: Vec<usize> = (0..part.len()).collect();
            let existing = memory.sender.existing(&part, &items, one.made).await?;
            let done = waiting.iter().enumerate();
            let done = done.filter(|(item, _)| existing.contains(item));
            given.done.extend(done.map(|(_, delta)| delta.number));
        }
        let moved = self.write(clears, move |conn| share::go_on(conn, &given));
        if let Some(moved @ 1..) = moved.await? {
            log::warn!(
                "this server's database is older than its counts in the engine: {moved} deltas that wait get new \
                 numbers, from {} on",
                last + 1
            );
        }
        Ok(())
    }

    /// The number that this server announced last for its store; 0 where the engine does not know.
    async fn announced_number(&self, node: &str, store: &str) -> Result<i64, String> {
        let path = format!("{}/_doc/server-{node}", self.index());
        let reply = self.client.ask(Method::GET, &path, None).await?;
        match reply.status {
            200 => {
                let found: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                let source = &found["_source"];
                let number = source["number"]
                    .as_i64()
                    .filter(|_| source["store"] == store);
                Ok(number
                    .filter(|n| (0..=LARGEST).contains(n))
                    .unwrap_or_default())
            }
            404 => Ok(0),
            _ => Err(unexpected("a look at an announcement", &reply)),
        }
    }
}

fn refused(landed: &Landed) -> i64 {
    if let Some(refusal) = landed.refusals.first() {
        log::error!(
            "the engine refuses counts for other servers: {}",
            refusal.error
        );
    }
    landed.refused.iter().map(|(_, count)| count).sum()
}
