//! Exchanges what people decided: settings of agents, markers, states of errors. The highest version wins.

use std::time::Instant;

use apm_store::share::{self, Document, Take};
use reqwest::Method;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_128;

use super::{Memory, Sharing, now};
use crate::engine::unexpected;

/// Documents of an answer.
const MOST: usize = 10_000;

/// Documents that are read together from the store.
const TOGETHER: i64 = 100;

/// Seconds before now within which a change is looked for each time. Clocks differ, and a server may have been cut off
/// from the engine: all are looked at from time to time.
const RECENT: i64 = 600;

/// The last look at all documents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looked {
    at: Instant,
    /// Deletions of everything here before it.
    clears: u64,
}

impl Sharing {
    /// Sends the documents that were changed here, and takes those that others changed.
    pub(super) async fn exchange_documents(&self, memory: &mut Memory) -> Result<(), String> {
        let Some(take) = self.config.take else {
            return Ok(());
        };
        let was_older = self.tell().await?;
        let clears = self.store.clears();
        let is_recent = memory.looked.is_some_and(|looked| {
            looked.clears == clears && looked.at.elapsed() < self.config.pace.reread
        });
        if is_recent && !was_older {
            return self.hear(take, clears, None).await;
        }
        for kind in self.config.kinds.iter().copied() {
            self.hear(take, clears, Some(kind)).await?;
        }
        memory.looked = Some(Looked {
            at: Instant::now(),
            clears,
        });
        Ok(())
    }

    /// Sends changes; whether the engine had newer ones.
    pub(super) async fn tell(&self) -> Result<bool, String> {
        let mut was_older = false;
        loop {
            let clears = self.store.clears();
            let untold = self.read(|conn| Ok(share::untold(conn, TOGETHER)?)).await?;
            if untold.is_empty() {
                return Ok(was_older);
            }
            for document in untold {
                was_older |= self.put(&document).await?;
                self.write(clears, move |conn| share::told(conn, &document))
                    .await?;
            }
        }
    }

    /// Sends a change; whether the engine has a newer one. Its version is that of the engine's document, too.
    async fn put(&self, document: &Document) -> Result<bool, String> {
        let Document {
            kind, key, version, ..
        } = document;
        let path = format!(
            "{}/_doc/{kind}-{:032x}?version={version}&version_type=external",
            self.index(),
            xxh3_128(key.as_bytes()),
        );
        let mut source = json!(document);
        source["changed"] = (version / apm_time::SECOND).into();
        let reply = self.client.ask(Method::PUT, &path, Some(&source)).await?;
        match reply.status {
            200 | 201 => Ok(false),
            409 => Ok(true),
            400 => {
                // It must not hold up the others.
                log::error!("{}", unexpected(&format!("a shared {kind}"), &reply));
                Ok(false)
            }
            _ => Err(self.not_written("a shared document", &reply)),
        }
    }

    /// Takes the newest documents of a kind; of all kinds those that were changed lately, where none is named.
    async fn hear(&self, take: Take, clears: u64, kind: Option<&str>) -> Result<(), String> {
        let filter = match kind {
            Some(kind) => json!([{"term": {"kind": kind}}]),
            None => json!([
                {"terms": {"kind": self.config.kinds}},
                {"range": {"changed": {"gte": now() - RECENT}}},
            ]),
        };
        let question = json!({
            "size": MOST,
            "track_total_hits": false,
            "query": {"bool": {"filter": filter}},
            "sort": [{"changed": {"order": "desc", "unmapped_type": "long"}}],
        });
        let answer = self
            .client
            .search::<Value>(&self.index(), &question)
            .await?;
        // One that cannot be read was written by nobody of ours.
        let hits = answer.hits.into_iter();
        let found: Vec<Document> = hits
            .filter_map(|hit| serde_json::from_value(hit.source).ok())
            .collect();
        let news = self.read(move |conn| Ok(share::news(conn, found)?)).await?;
        if !news.is_empty() {
            self.write(clears, move |conn| share::hear(conn, news, take))
                .await?;
        }
        Ok(())
    }
}
