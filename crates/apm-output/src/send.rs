//! Brings the documents of a request into the engine, each once, however often it takes.

mod existing;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use apm_store::output::{Landed, Refusal};
use futures_util::future::join_all;
use reqwest::Method;

use crate::bulk::{Fate, Part, fates, unreadable};
use crate::client::{Body, Client, Failure};
use crate::config::Pace;
use crate::dialect::Dialect;
use crate::engine::plain;
use crate::stats::Shared;
use crate::template::{self, Templates};

/// Refusals of a request that are kept to be looked at.
const REFUSALS: usize = 5;

/// Bytes of a refused document that are kept.
const SHOWN: usize = 1024;

/// Answers of a status that tells of nothing that passes, after which a document is refused, if others of its data
/// stream were taken beside it.
const ODD: u32 = 10;

/// Sends documents.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) client: Arc<Client>,
    pub(crate) dialect: Dialect,
    pub(crate) pace: Pace,
    /// The data streams, as a pattern.
    pub(crate) streams: String,
    /// The templates of the documents.
    pub(crate) templates: Templates,
    /// When documents that may have been sent before can have been so at the earliest, seconds since the epoch.
    pub(crate) since: i64,
    /// The name of the store: the engine tells whether requests of it are at work.
    pub(crate) owner: String,
    pub(crate) stats: Arc<Shared>,
}

/// The outcome of one request.
enum Outcome {
    /// Of each document.
    Fates(Vec<Fate>),
    /// The host was not reached.
    NotSent(String),
    /// None of them was taken.
    NoneTaken(String),
    /// For the sake of one document at least: it is too large, or cannot be read.
    Refused {
        /// The type of the error.
        reason: String,
        /// The words of the engine.
        error: String,
        /// Whether a request with fewer documents is the remedy, rather than one without this document.
        is_size: bool,
    },
    /// Nobody knows.
    Unknown(String),
}

/// The outcome of a step that needs no pause.
enum Step {
    /// The engine answered.
    Progress,
    /// Another host, or a smaller request, may do better.
    Again,
    /// It is known which documents are not there. An engine that answers a question may still take nothing.
    Asked,
}

/// The documents of a part that are not done yet.
struct Open {
    items: Vec<usize>,
    /// Whether some of them may be in the engine.
    is_unsure: bool,
    landed: Landed,
    refused: BTreeMap<String, i64>,
    /// Answers of an odd status, by the documents beside which others of their data stream were taken.
    odd: HashMap<usize, u32>,
    /// Documents of the next request, at most.
    together: usize,
    /// Documents of any request, at most.
    most: usize,
    /// Documents that a question found in the engine.
    found: usize,
    /// Whether the engine has the templates.
    has_templates: bool,
    /// When they can have been sent at the earliest, seconds since the epoch.
    since: i64,
}

/// The outcome of one part, or of several.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) landed: Landed,
    /// Documents of it that a question found in the engine.
    pub(crate) found: usize,
}

impl Sender {
    /// Sends some parts at the same time.
    pub(crate) async fn send_all(&self, parts: &[Part], is_unsure: bool) -> Sent {
        let sent = join_all(parts.iter().map(|part| self.send(part, is_unsure))).await;
        sent.into_iter().fold(Sent::default(), |mut sum, one| {
            sum.found += one.found;
            sum.landed.documents += one.landed.documents;
            sum.landed.repeated += one.landed.repeated;
            sum.landed.refused.extend(one.landed.refused);
            sum.landed.refusals.extend(one.landed.refusals);
            sum
        })
    }

    /// Sends all documents of a part; returns when each is done. `is_unsure`: they may have been sent before.
    pub(crate) async fn send(&self, part: &Part, is_unsure: bool) -> Sent {
        let mut open = Open {
            items: (0..part.len()).collect(),
            is_unsure,
            landed: Landed::default(),
            refused: BTreeMap::new(),
            odd: HashMap::new(),
            together: part.len(),
            most: part.len(),
            found: 0,
            has_templates: false,
            since: match is_unsure {
                true => self.since,
                false => apm_time::now() / apm_time::SECOND,
            },
        };
        let mut pause = self.pace.pause;
        while !open.items.is_empty() {
            match self.step(part, &mut open).await {
                Ok(Step::Progress) => {
                    self.stats.is_well();
                    pause = self.pace.pause;
                    open.together = (open.together * 2).min(open.most);
                }
                Ok(Step::Again | Step::Asked) => {}
                Err(why) => {
                    self.stats.trouble(&why);
                    // The engine may come back empty.
                    open.has_templates = false;
                    tokio::time::sleep(jittered(pause)).await;
                    pause = (pause * 2).min(self.pace.longest_pause);
                }
            }
        }
        open.landed.refused = open.refused.into_iter().collect();
        Sent {
            landed: open.landed,
            found: open.found,
        }
    }

    /// One request, or a question before it. The error says why a pause is needed.
    async fn step(&self, part: &Part, open: &mut Open) -> Result<Step, String> {
        if open.is_unsure {
            let existing = self.existing(part, &open.items, open.since).await?;
            open.found += existing.len();
            open.landed.documents += existing.len() as i64;
            open.items.retain(|item| !existing.contains(item));
            open.is_unsure = false;
            return Ok(match existing.is_empty() {
                true => Step::Asked,
                false => Step::Progress,
            });
        }
        if !open.has_templates {
            template::renew(&self.client, self.dialect, self.templates).await?;
            open.has_templates = true;
        }
        let items = &open.items[..open.items.len().min(open.together.max(1))];
        match self.request(part, items).await {
            Outcome::Fates(fates) => {
                let items = items.to_vec();
                open.judge(part, &items, fates, &self.stats)
            }
            // The next host may take them.
            Outcome::NotSent(_) if self.client.has_another() => Ok(Step::Again),
            Outcome::NotSent(why) | Outcome::NoneTaken(why) => Err(why),
            Outcome::Refused { reason, error, .. } if items.len() == 1 => {
                let items = items.to_vec();
                open.judge(
                    part,
                    &items,
                    vec![Fate::Refused { reason, error }],
                    &self.stats,
                )
            }
            Outcome::Refused { is_size, .. } => {
                open.together = items.len() / 2;
                if is_size {
                    open.most = open.together;
                }
                Ok(Step::Again)
            }
            Outcome::Unknown(why) => {
                open.is_unsure = true;
                Err(why)
            }
        }
    }

    async fn request(&self, part: &Part, items: &[usize]) -> Outcome {
        let body = Body {
            kind: "application/x-ndjson",
            is_gzip: true,
            bytes: part.body(items),
            owner: Some(self.owner.clone()),
        };
        let bytes = body.bytes.len() as u64;
        self.stats.change(|stats| {
            stats.requests += 1;
            stats.bytes += bytes;
        });
        let path = self.dialect.bulk();
        let reply = match self.client.call(Method::POST, path, Some(&body)).await {
            Ok(reply) => reply,
            Err(Failure::NotSent(why)) => return Outcome::NotSent(why),
            Err(Failure::Unknown(why)) => return Outcome::Unknown(why),
        };
        let why = || format!("{} {}", reply.status, beginning(&reply.body));
        if reply.status == 400
            && let Some((reason, error)) = unreadable(&reply.body)
        {
            return Outcome::Refused {
                reason,
                error,
                is_size: false,
            };
        }
        match reply.status {
            200 => match fates(&reply.body, items.len()) {
                Some(fates) => Outcome::Fates(fates),
                None => Outcome::Unknown(format!("not the answer of an engine: {}", why())),
            },
            413 => Outcome::Refused {
                reason: "too_large".to_owned(),
                error: "413 the engine takes no request of this size".to_owned(),
                is_size: true,
            },
            // Here the engine has refused the request as a whole. A proxy that gave up waiting for it says 408.
            status if status < 500 && status != 408 => {
                Outcome::NoneTaken(format!("the engine answers {}", why()))
            }
            _ => Outcome::Unknown(format!("the engine answers {}", why())),
        }
    }
}

impl Open {
    /// Takes the fates of some documents; the error says why some are to be sent later.
    fn judge(
        &mut self,
        part: &Part,
        items: &[usize],
        fates: Vec<Fate>,
        stats: &Shared,
    ) -> Result<Step, String> {
        let mut later = Vec::new();
        let mut why_later = None;
        let is_done = |fate: &Fate| matches!(fate, Fate::Taken | Fate::Known);
        let pairs = items.iter().zip(&fates);
        let takes: HashSet<&[u8]> = pairs
            .filter(|(_, fate)| is_done(fate))
            .map(|(item, _)| part.stream(*item))
            .collect();
        for (item, fate) in items.iter().zip(fates) {
            match fate {
                Fate::Taken => self.landed.documents += 1,
                Fate::Known => self.landed.repeated += 1,
                Fate::Later { is_odd, why, .. }
                    if is_odd && self.is_hopeless(*item, takes.contains(part.stream(*item))) =>
                {
                    // An engine that takes others of the data stream has trouble with this document alone.
                    self.refuse(part, *item, "gave_up".to_owned(), why);
                }
                Fate::Later { is_sure, why, .. } => {
                    self.is_unsure |= !is_sure;
                    later.push(*item);
                    why_later.get_or_insert(why);
                }
                Fate::Refused { reason, error } => self.refuse(part, *item, reason, error),
            }
        }
        // They stand at the front, as each request takes the first ones.
        self.items.drain(..items.len());
        stats.change(|stats| stats.retried += later.len() as u64);
        // Those that are new go first: of the others the engine has too much.
        self.items.extend(later);
        why_later.map_or(Ok(Step::Progress), Err)
    }

    /// Counts an answer of an odd status. `beside_others`: that were taken. Whether the document is given up.
    fn is_hopeless(&mut self, item: usize, beside_others: bool) -> bool {
        if beside_others {
            self.odd.entry(item).or_default();
        }
        let Some(count) = self.odd.get_mut(&item) else {
            return false;
        };
        *count += 1;
        *count >= ODD
    }

    fn refuse(&mut self, part: &Part, item: usize, reason: String, error: String) {
        *self.refused.entry(reason.clone()).or_default() += 1;
        if self.landed.refusals.len() < REFUSALS {
            self.landed.refusals.push(Refusal {
                at: apm_time::now() / apm_time::SECOND,
                reason,
                error,
                document: beginning_of(part.document(item), SHOWN),
            });
        }
    }
}

/// The beginning of an answer.
fn beginning(body: &[u8]) -> String {
    plain(&beginning_of(body, 200))
}

fn beginning_of(text: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(most)]);
    text.trim().to_owned()
}

/// Between half of a time and all of it: several servers do not come back at the same moment.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
}
