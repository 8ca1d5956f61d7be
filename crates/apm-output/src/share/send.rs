//! Sends deltas. One that arrives twice does no harm: others take each number once.

use apm_store::output::Landed;
use apm_store::share::{self, Waiting};
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Sharing;
use crate::bulk::Part;
use crate::engine::Answer;
use crate::send::Sender;

/// Deltas of a request.
const TOGETHER: i32 = 16;

impl Sharing {
    /// Sends all deltas that wait.
    pub(super) async fn send(&self, sender: &Sender) -> Result<(), String> {
        loop {
            let clears = self.store.clears();
            let Some(store) = self.own_store().await? else {
                return Ok(());
            };
            let waiting = self
                .read(|conn| Ok(share::waiting(conn, TOGETHER)?))
                .await?;
            let Some(last) = waiting.last().map(|delta| delta.number) else {
                return Ok(());
            };
            let landed = sender.send(&self.part(&store, &waiting), false).await;
            let refused = refused(&landed);
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
    /// brought back from a backup, would do so.
    pub(super) async fn skip_numbers(&self) -> Result<(), String> {
        let clears = self.store.clears();
        let Some(store) = self.own_store().await? else {
            return Ok(());
        };
        self.client.refresh(&self.stream()).await?;
        let question = json!({
            "size": 0,
            "track_total_hits": false,
            "query": {"term": {"store": store}},
            "aggs": {"last": {"max": {"field": "number"}}},
        });
        let answer: Answer<serde_json::Value> =
            self.client.search(&self.stream(), &question).await?;
        let last = answer
            .aggregations
            .and_then(|found| found["last"]["value"].as_f64());
        if let Some(last) = last {
            self.write(clears, move |conn| share::skip_numbers(conn, last as i64))
                .await?;
        }
        Ok(())
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
