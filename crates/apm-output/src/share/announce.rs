//! Says how far this server's deltas are, and reads what others say of theirs.

use std::sync::atomic::Ordering;

use apm_store::{is_obeyed, share};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use super::refused::Reason;
use super::{Memory, Sharing, now};
use crate::engine::unexpected;

/// Servers that are followed, at most. Each has the counts of all.
const SERVERS: usize = 100;

/// Announcements that are older than this are passed over: the server was taken away.
const GONE: i64 = 7 * 24 * 60 * 60;

/// The largest number in an announcement.
const LARGEST: i64 = i64::MAX / 4;

/// Looks at the engine between two looks for a process with the name of this one.
const TWIN: u32 = 3;

/// The place of an announcement in the engine.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Written {
    #[serde(rename = "_seq_no")]
    seq_no: i64,
    #[serde(rename = "_primary_term")]
    term: i64,
}

/// The announcement of a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Announced {
    pub(super) store: String,
    /// The name of the server that stays when all that it holds is deleted.
    pub(super) node: String,
    #[serde(default)]
    pub(super) name: String,
    /// The number of its first delta.
    pub(super) first: i64,
    /// The number of the last one that the engine has.
    pub(super) number: i64,
    /// Seconds for which the first of its deltas that the engine lacks has waited.
    #[serde(default)]
    pub(super) lag: i64,
    /// Another one with each announcement.
    #[serde(default)]
    pub(super) beat: u64,
    /// A random name of the process that wrote it.
    #[serde(default)]
    pub(super) process: String,
    /// When it was written, by the clock of that server, seconds since the epoch.
    pub(super) changed: i64,
    #[serde(default)]
    pub(super) version: String,
}

impl Announced {
    /// Whether a server can have written it: what follows is reckoned with its numbers.
    fn is_sound(&self) -> bool {
        let texts = [
            &self.store,
            &self.node,
            &self.name,
            &self.version,
            &self.process,
        ];
        let numbers = [self.first, self.number, self.lag, self.changed];
        texts.into_iter().all(|text| share::fits_name(text))
            && numbers.into_iter().all(|n| (0..=LARGEST).contains(&n))
    }
}

impl Sharing {
    pub(super) async fn announce(&self, memory: &mut Memory) -> Result<(), String> {
        let Some(store) = self.own_store().await? else {
            return Ok(());
        };
        let own = self.read(|conn| Ok(share::own(conn)?)).await?;
        self.coverage.own(own);
        let own = own.unwrap_or(share::Own {
            first: 1,
            ..share::Own::default()
        });
        memory.beat += 1;
        let announced = Announced {
            store,
            node: memory.node.clone(),
            name: self.config.server_name.clone(),
            first: own.first,
            number: own.sent,
            lag: own.since.map_or(0, |since| (now() - since).max(0)),
            beat: memory.beat,
            process: self.process.clone(),
            changed: now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut path = self.announcement(&announced.node);
        if let Some(Written { seq_no, term }) = memory.written {
            path += &format!("?if_seq_no={seq_no}&if_primary_term={term}");
        }
        let mut body = json!(announced);
        body["kind"] = "server".into();
        let reply = self.client.ask(Method::PUT, &path, Some(&body)).await?;
        match reply.status {
            200 | 201 => {
                memory.written = serde_json::from_slice(&reply.body).ok();
                self.has_announced.store(true, Ordering::Relaxed);
                Ok(())
            }
            409 => {
                // Somebody wrote it since. That was this process where an answer was lost.
                memory.written = None;
                self.look_for_twin(&announced.node).await
            }
            _ => Err(self.not_written("an announcement", &reply)),
        }
    }

    /// Looks whether another process announces itself under the name of this server: the file of the store was copied,
    /// and both would give the same numbers to different deltas. The one that began first finds out.
    ///
    /// # Errors
    /// The words for it, if there is one.
    pub(super) async fn look_for_twin(&self, node: &str) -> Result<(), String> {
        self.has_twin.store(false, Ordering::Relaxed);
        let Some(before) = self.written_by_another(node).await? else {
            return Ok(());
        };
        // One that is alive writes it again and again. That of the process before this one stays as it is.
        tokio::time::sleep(self.config.pace.follow * TWIN).await;
        match self.written_by_another(node).await? {
            Some(after) if after != before => {
                self.has_twin.store(true, Ordering::Relaxed);
                Err(format!(
                    "another server ({}) has a copy of this server's database and its name in the engine: each server \
                     needs a database of its own, so stop one of them and let it begin with an empty one",
                    name(&after.1)
                ))
            }
            _ => Ok(()),
        }
    }

    /// The beat of the announcement of this server, and the name in it, if another process wrote it.
    async fn written_by_another(&self, node: &str) -> Result<Option<(u64, String)>, String> {
        #[derive(Deserialize)]
        struct Found {
            #[serde(rename = "_source")]
            source: Announced,
        }
        let path = self.announcement(node);
        let reply = self.client.ask(Method::GET, &path, None).await?;
        match reply.status {
            200 => {
                let found = serde_json::from_slice::<Found>(&reply.body).ok();
                let other = found.filter(|found| found.source.process != self.process);
                Ok(other.map(|found| (found.source.beat, found.source.name)))
            }
            404 => Ok(None),
            _ => Err(unexpected("a look at an announcement", &reply)),
        }
    }

    /// The path of the announcement of a server.
    fn announcement(&self, node: &str) -> String {
        format!("{}/_doc/server-{node}", self.index())
    }

    /// The announcements of the other servers, by name. Of too many these are the last ones: servers that begin with an
    /// empty store at each start leave theirs behind.
    pub(super) async fn announced(&self, node: &str) -> Result<Vec<Announced>, String> {
        let question = json!({
            "size": SERVERS + 1,
            "track_total_hits": false,
            "query": {"bool": {"filter": [
                {"term": {"kind": "server"}},
                {"range": {"changed": {"gt": now() - GONE}}},
            ]}},
            "sort": [{"changed": {"order": "desc", "unmapped_type": "long"}}],
        });
        // Read one by one: what another program wrote must not hold up all.
        let answer = self
            .client
            .search::<Box<RawValue>>(&self.index(), &question)
            .await?;
        let mut others = Vec::new();
        for hit in answer.hits {
            match serde_json::from_str::<Announced>(hit.source.get()) {
                Ok(one) if !one.is_sound() => self.pass_over(&hit.id),
                Ok(one) if one.node == node => {}
                Ok(one) => others.push(Announced {
                    name: name(&one.name),
                    ..one
                }),
                Err(_) => self.pass_over(&hit.id),
            }
        }
        others.truncate(SERVERS);
        others.sort_by(|a, b| (&a.name, &a.store).cmp(&(&b.name, &b.store)));
        Ok(others)
    }

    /// Counts a document that no server wrote, once for each name in the engine.
    pub(super) fn pass_over(&self, id: &str) {
        let hash = xxh3_64(id.as_bytes());
        self.coverage.refuse(hash, Reason::Unreadable, id);
    }
}

/// A name that another server gives itself, for pages and the log.
fn name(text: &str) -> String {
    text.chars().filter(|c| !is_obeyed(*c)).take(100).collect()
}
