//! Brings the documents of a request into the engine, each once, however often it takes.

mod existing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use apm_store::output::{Landed, Refusal};
use reqwest::Method;

use crate::bulk::{Fate, Part, fates};
use crate::client::{Body, Client, Failure};
use crate::config::Pace;
use crate::dialect::Dialect;
use crate::engine::plain;
use crate::stats::Shared;

/// Refusals of a request that are kept to be looked at.
const REFUSALS: usize = 5;

/// Bytes of a refused document that are kept.
const SHOWN: usize = 1024;

/// Sends documents.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) client: Arc<Client>,
    pub(crate) dialect: Dialect,
    pub(crate) pace: Pace,
    /// The data streams, as a pattern.
    pub(crate) streams: String,
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
    /// Too large.
    TooLarge,
    /// Nobody knows.
    Unknown(String),
}

/// The outcome of a step that needs no pause.
enum Step {
    /// The engine answered.
    Progress,
    /// Another host, or a smaller request, may do better.
    Again,
}

/// The documents of a part that are not done yet.
struct Open {
    items: Vec<usize>,
    /// Whether some of them may be in the engine.
    is_unsure: bool,
    landed: Landed,
    refused: BTreeMap<String, i64>,
}

impl Sender {
    /// Sends all documents of a part; returns when each is done. `is_unsure`: they may have been sent before.
    pub(crate) async fn send(&self, part: &Part, is_unsure: bool) -> Landed {
        let mut open = Open {
            items: (0..part.len()).collect(),
            is_unsure,
            landed: Landed::default(),
            refused: BTreeMap::new(),
        };
        let mut pause = self.pace.pause;
        let mut together = part.len();
        while !open.items.is_empty() {
            match self.step(part, &mut open, &mut together).await {
                Ok(Step::Progress) => {
                    self.stats.is_well();
                    pause = self.pace.pause;
                }
                Ok(Step::Again) => {}
                Err(why) => {
                    self.stats.trouble(&why);
                    tokio::time::sleep(jittered(pause)).await;
                    pause = (pause * 2).min(self.pace.longest_pause);
                }
            }
        }
        open.landed.refused = open.refused.into_iter().collect();
        open.landed
    }

    /// One request, or a question before it. The error says why a pause is needed.
    async fn step(
        &self,
        part: &Part,
        open: &mut Open,
        together: &mut usize,
    ) -> Result<Step, String> {
        if open.is_unsure {
            let existing = self.existing(part, &open.items).await?;
            open.landed.documents += existing.len() as i64;
            open.items.retain(|item| !existing.contains(item));
            open.is_unsure = false;
            return Ok(Step::Progress);
        }
        let items = &open.items[..open.items.len().min((*together).max(1))];
        match self.request(part, items).await {
            Outcome::Fates(fates) => {
                let items = items.to_vec();
                open.judge(part, &items, fates, &self.stats)
            }
            // The next host may take them.
            Outcome::NotSent(_) if self.client.has_another() => Ok(Step::Again),
            Outcome::NotSent(why) | Outcome::NoneTaken(why) => Err(why),
            Outcome::TooLarge if items.len() == 1 => {
                let refused = Fate::Refused {
                    reason: "too_large".to_owned(),
                    error: "413 the engine takes no request of this size".to_owned(),
                };
                let items = items.to_vec();
                open.judge(part, &items, vec![refused], &self.stats)
            }
            Outcome::TooLarge => {
                *together = items.len() / 2;
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
        match reply.status {
            200 => match fates(&reply.body, items.len()) {
                Some(fates) => Outcome::Fates(fates),
                None => Outcome::Unknown(format!("not the answer of an engine: {}", why())),
            },
            413 => Outcome::TooLarge,
            // Here the engine has refused the request as a whole.
            status if status < 500 => Outcome::NoneTaken(format!("the engine answers {}", why())),
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
        for (item, fate) in items.iter().zip(fates) {
            match fate {
                Fate::Taken => self.landed.documents += 1,
                Fate::Known => self.landed.repeated += 1,
                Fate::Later { is_sure, why } => {
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
