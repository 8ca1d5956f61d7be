//! Exchanges what people decided: settings of agents, markers, states of errors. The highest version wins.

use std::collections::HashMap;
use std::time::Instant;

use apm_store::share::{self, Document, Take};
use reqwest::Method;
use serde_json::json;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::refused::Reason;
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
        let was_older = self.send_documents(memory).await?;
        let clears = self.store.clears();
        let is_recent = memory.looked.is_some_and(|looked| {
            looked.clears == clears && looked.at.elapsed() < self.config.pace.reread
        });
        // A newer version that the engine has may be older than what a short look finds.
        if is_recent && !was_older {
            return self.receive_documents(memory, take, clears, None).await;
        }
        for kind in self.config.kinds.iter().copied() {
            self.receive_documents(memory, take, clears, Some(kind))
                .await?;
        }
        // After all kinds were read: a failure in between looks at all of them again.
        memory.looked = Some(Looked {
            at: Instant::now(),
            clears,
        });
        Ok(())
    }

    /// Sends changes; whether the engine had newer ones.
    pub(super) async fn send_documents(&self, memory: &mut Memory) -> Result<bool, String> {
        let mut was_older = false;
        loop {
            let clears = self.store.clears();
            let pending = self
                .read(|conn| Ok(share::pending(conn, TOGETHER)?))
                .await?;
            if pending.is_empty() {
                return Ok(was_older);
            }
            for document in pending {
                was_older |= self.put(memory, &document).await?;
                // A document that was changed meanwhile has another version. It is not marked, and sent again.
                self.write(clears, move |conn| share::mark_sent(conn, &document))
                    .await?;
            }
        }
    }

    /// Sends a change; whether the engine has a newer one. Its version is that of the engine's document, too.
    async fn put(&self, memory: &mut Memory, document: &Document) -> Result<bool, String> {
        let Document {
            kind, key, version, ..
        } = document;
        let path = format!(
            "{}/_doc/{}?version={version}&version_type=external",
            self.index(),
            document_id(kind, key),
        );
        let mut source = json!(document);
        source["changed"] = (version / apm_time::SECOND).into();
        let reply = self.client.ask(Method::PUT, &path, Some(&source)).await?;
        match reply.status {
            200 | 201 => Ok(false),
            409 => Ok(true),
            400 => {
                // It must not hold up the others, and is not sent again and again.
                memory.unwanted.insert((document_id(kind, key), *version));
                log::error!("{}", unexpected(&format!("a shared {kind}"), &reply));
                Ok(false)
            }
            _ => Err(self.not_written("a shared document", &reply)),
        }
    }

    /// Takes the newest documents of a kind; of all kinds those that were changed lately, where none is named.
    async fn receive_documents(
        &self,
        memory: &Memory,
        take: Take,
        clears: u64,
        kind: Option<&'static str>,
    ) -> Result<(), String> {
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
            .search::<Box<RawValue>>(&self.index(), &question)
            .await?;
        let is_whole = answer.hits.len() < MOST;
        // The versions by their ids in the engine.
        let mut there = HashMap::new();
        let mut found = Vec::new();
        let mut hashes = HashMap::new();
        for hit in answer.hits {
            let text = hit.source.get();
            let hash = xxh3_64(text.as_bytes());
            there.insert(hit.id.clone(), i64::MAX);
            if self.coverage.is_refused(hash) {
                continue;
            }
            match serde_json::from_str::<Document>(text) {
                Ok(document) if document.is_too_large() => {
                    self.coverage.refuse(hash, Reason::TooLarge, &hit.id);
                }
                Ok(document) => {
                    there.insert(hit.id, document.version);
                    hashes.insert((document.kind.clone(), document.key.clone()), hash);
                    found.push(document);
                }
                // It was written by no server of ours.
                Err(_) => self.coverage.refuse(hash, Reason::Unreadable, &hit.id),
            }
        }
        if let Some(kind) = kind
            && is_whole
        {
            self.share_again(memory, clears, kind, &there).await?;
        }
        let newer = self
            .read(move |conn| Ok(share::newer(conn, found)?))
            .await?;
        if newer.is_empty() {
            return Ok(());
        }
        let received = self.write(clears, move |conn| share::receive(conn, newer, take));
        for Document { kind, key, .. } in received.await?.unwrap_or_default().refused {
            let id = document_id(&kind, &key);
            if let Some(hash) = hashes.get(&(kind, key)) {
                self.coverage.refuse(*hash, Reason::NotUnderstood, &id);
            }
        }
        Ok(())
    }
}

impl Sharing {
    /// Documents that the engine had and lacks are sent again: it is another one, was emptied, or was brought back from
    /// a snapshot. `there`: the versions of all of this kind that it has. Servers that do so at the same time do no
    /// harm, because the engine takes each version once.
    async fn share_again(
        &self,
        memory: &Memory,
        clears: u64,
        kind: &'static str,
        there: &HashMap<String, i64>,
    ) -> Result<(), String> {
        let sent = self
            .read(move |conn| Ok(share::sent_of(conn, kind)?))
            .await?;
        let mut missing = Vec::new();
        for (key, version) in sent {
            let id = document_id(kind, &key);
            let has = there.get(&id).is_some_and(|there| *there >= version);
            if !has && !memory.unwanted.contains(&(id, version)) {
                missing.push((key, version));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        log::info!(
            "{} documents ({kind}) that servers share are not in the engine, and are sent again",
            missing.len()
        );
        self.write(clears, move |conn| share::mark_unsent(conn, kind, &missing))
            .await?;
        Ok(())
    }
}

/// The id of a document in the engine.
fn document_id(kind: &str, key: &str) -> String {
    format!("{kind}-{:032x}", xxh3_128(key.as_bytes()))
}
