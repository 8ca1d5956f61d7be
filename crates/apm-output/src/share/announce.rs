//! Says how far this server's deltas are, and reads what others say of theirs.

use apm_store::share;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Memory, Sharing, now};

/// Servers that are followed, at most. Each has the counts of all.
const SERVERS: usize = 100;

/// Announcements that are older than this are passed over: the server was taken away.
const GONE: i64 = 7 * 24 * 60 * 60;

/// The largest number in an announcement.
const LARGEST: i64 = i64::MAX / 4;

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
    /// When it was written, by the clock of that server, seconds since the epoch.
    pub(super) changed: i64,
    #[serde(default)]
    pub(super) version: String,
}

impl Announced {
    /// Whether a server can have written it: what follows is reckoned with its numbers.
    fn is_sound(&self) -> bool {
        let texts = [&self.store, &self.node, &self.name, &self.version];
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
            changed: now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let path = format!("{}/_doc/server-{}", self.index(), announced.node);
        let mut body = json!(announced);
        body["kind"] = "server".into();
        let reply = self.client.ask(Method::PUT, &path, Some(&body)).await?;
        match reply.status {
            200 | 201 => Ok(()),
            _ => Err(self.not_written("an announcement", &reply)),
        }
    }

    /// The announcements of the other servers.
    pub(super) async fn announced(&self, node: &str) -> Result<Vec<Announced>, String> {
        let question = json!({
            "size": SERVERS + 1,
            "track_total_hits": false,
            "query": {"bool": {"filter": [
                {"term": {"kind": "server"}},
                {"range": {"changed": {"gt": now() - GONE}}},
            ]}},
        });
        let answer = self
            .client
            .search::<Announced>(&self.index(), &question)
            .await?;
        let all = answer.hits.into_iter().map(|hit| hit.source);
        let mut others: Vec<Announced> = all
            .filter(|one| one.node != node && one.is_sound())
            .collect();
        others.sort_by(|a, b| (&a.name, &a.store).cmp(&(&b.name, &b.store)));
        others.truncate(SERVERS);
        Ok(others)
    }
}
