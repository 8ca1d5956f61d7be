//! Takes the deltas of other servers in the order of their numbers.

use std::collections::HashMap;
use std::time::Instant;

use apm_store::share::{self, Delta, Follow, Peer};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::announce::Announced;
use super::{Memory, Sharing};

/// Deltas that are read together.
const TOGETHER: usize = 16;

/// Documents of one answer after another that are none, at most.
const STRANGE: usize = 1000;

/// Bytes of a delta that are read.
const LARGEST: usize = 8 << 20;

/// A delta as the engine has it.
#[derive(Deserialize)]
struct Document {
    number: i64,
    delta: Box<RawValue>,
}

impl Sharing {
    /// Takes all that the other servers say is there.
    pub(super) async fn follow(&self, memory: &mut Memory) -> Result<(), String> {
        let others = self.announced(&memory.node).await?;
        let peers = self.read(|conn| Ok(share::peers(conn)?)).await?;
        let mut places: HashMap<String, Peer> = peers
            .into_iter()
            .map(|peer| (peer.store.clone(), peer))
            .collect();
        for other in &others {
            let mut place = places.remove(&other.store);
            loop {
                let after = place.as_ref().map_or(other.first - 1, |peer| peer.number);
                self.coverage.heard(other, after, place.as_ref());
                // The place is read from the store after each step: it alone says what is in the rollups.
                if after >= other.number || !self.take(memory, other, place.as_ref()).await? {
                    break;
                }
                let store = other.store.clone();
                let peers = self.read(|conn| Ok(share::peers(conn)?)).await?;
                place = peers.into_iter().find(|peer| peer.store == store);
            }
        }
        self.coverage
            .retain(|store| others.iter().any(|other| other.store == store));
        memory
            .holes
            .retain(|store, _| others.iter().any(|other| other.store == *store));
        Ok(())
    }

    /// Takes the next deltas of a server; whether its place has moved.
    async fn take(
        &self,
        memory: &mut Memory,
        other: &Announced,
        place: Option<&Peer>,
    ) -> Result<bool, String> {
        // Read before the deltas: counts of before must not be added to a store that was emptied meanwhile.
        let clears = self.store.clears();
        let after = place.map_or(other.first - 1, |peer| peer.number);
        let found = self.deltas(&other.store, after).await?;
        let mut next = after;
        let mut follow = Follow {
            store: other.store.clone(),
            name: other.name.clone(),
            after: place.map(|peer| peer.number),
            to: after,
            skipped: 0,
            deltas: Vec::new(),
        };
        for document in &found {
            // The same number may come twice.
            if document.number > next {
                // A hole. What is behind it waits until it is filled or given up.
                if document.number != next + 1 {
                    break;
                }
                next += 1;
                let json = document.delta.get();
                match (json.len() <= LARGEST)
                    .then(|| Delta::read(json.as_bytes()))
                    .flatten()
                {
                    Some(delta) => follow.deltas.push(delta),
                    None => follow.skipped += 1,
                }
            }
        }
        if next == after {
            if !self.is_over(memory, &other.store, after).await? {
                return Ok(false);
            }
            // After the refresh all that is there is seen.
            let found = self.deltas(&other.store, after).await?;
            let first = found
                .first()
                .map_or(other.number + 1, |document| document.number);
            if first == after + 1 {
                return Ok(true);
            }
            // All of the hole is passed over at once: the engine was asked after a refresh.
            next = first - 1;
            follow.skipped = next - after;
            log::warn!(
                "{} deltas of {} are missing, from number {}: its counts of that time are not on the pages here",
                follow.skipped,
                other.name,
                after + 1
            );
        }
        memory.holes.remove(&other.store);
        follow.to = next;
        let ticket = self
            .store
            .follow(clears, follow)
            .map_err(|error| error.to_string())?;
        match ticket.await {
            Ok(Some(followed)) => Ok(followed.is_taken),
            // Everything was deleted here: it begins again.
            Ok(None) => Ok(false),
            Err(error) => Err(format!(
                "the store takes no counts of other servers: {error}"
            )),
        }
    }

    /// Whether a hole in the numbers of a server was waited for long enough.
    async fn is_over(&self, memory: &mut Memory, store: &str, after: i64) -> Result<bool, String> {
        let hole = memory
            .holes
            .entry(store.to_owned())
            .or_insert((after, Instant::now()));
        if hole.0 != after {
            *hole = (after, Instant::now());
        }
        if hole.1.elapsed() < self.config.pace.hole {
            return Ok(false);
        }
        self.client.refresh(&self.stream()).await?;
        Ok(true)
    }

    /// The next deltas of a server, in the order of their numbers.
    async fn deltas(&self, store: &str, after: i64) -> Result<Vec<Document>, String> {
        // Documents that no server wrote. They must not take the places of those that are behind them.
        let mut strange: Vec<String> = Vec::new();
        loop {
            let question = json!({
                "size": TOGETHER,
                "track_total_hits": false,
                "query": {"bool": {
                    "filter": [
                        {"term": {"store": store}},
                        {"range": {"number": {"gt": after}}},
                    ],
                    "must_not": [{"ids": {"values": strange}}],
                }},
                "sort": [{"number": {"order": "asc", "unmapped_type": "long"}}],
            });
            let answer = self
                .client
                .search::<Box<RawValue>>(&self.stream(), &question)
                .await?;
            let is_full = answer.hits.len() >= TOGETHER;
            let mut found = Vec::new();
            for hit in answer.hits {
                match serde_json::from_str::<Document>(hit.source.get()) {
                    Ok(document) => found.push(document),
                    Err(_) => {
                        self.pass_over(&hit.id);
                        strange.push(hit.id);
                    }
                }
            }
            if !found.is_empty() || !is_full || strange.len() > STRANGE {
                return Ok(found);
            }
        }
    }
}
