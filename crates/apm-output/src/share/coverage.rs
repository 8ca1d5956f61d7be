//! The servers whose counts the pages here have.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use apm_store::share::{self, Own};

use super::announce::Announced;
use super::refused::{Reason, Refused};
use super::seconds;

/// The counts that the pages have.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Coverage {
    /// This server's own deltas; none before the first.
    pub own: Option<Own>,
    /// The other servers before the engine, by name.
    pub peers: Vec<Peer>,
    /// The reason why nothing is shared now.
    pub trouble: Option<String>,
    /// The time since the last look at the engine that succeeded; none before the first.
    pub looked: Option<Duration>,
    /// Documents of other servers that were not taken since the start, by the word for the reason.
    pub refused: Vec<(&'static str, u64)>,
}

/// Another server before the engine.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Peer {
    /// The name of its store.
    pub store: String,
    /// Its own name.
    pub name: String,
    /// The age of its newest counts that are here, at most.
    pub behind: Duration,
    /// Deltas that it has sent and that are not here yet.
    pub waiting: i64,
    /// Deltas that never came.
    pub skipped: i64,
    /// Rows that could not be added.
    pub dropped: i64,
    /// Whether nothing was heard of it for a minute.
    pub is_silent: bool,
}

impl Coverage {
    /// The number of servers, this one among them.
    #[must_use]
    pub fn servers(&self) -> usize {
        self.peers.len() + 1
    }

    /// The age of the newest counts of the server that is furthest behind, of those that are heard of.
    #[must_use]
    pub fn behind(&self) -> Duration {
        let heard = self.peers.iter().filter(|peer| !peer.is_silent);
        heard.map(|peer| peer.behind).max().unwrap_or_default()
    }
}

/// The numbers that the worker keeps.
#[derive(Debug)]
pub(crate) struct Shared {
    silent: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    own: Option<Own>,
    peers: BTreeMap<String, Heard>,
    trouble: Option<String>,
    looked: Option<Instant>,
    refused: Refused,
}

#[derive(Debug)]
struct Heard {
    name: String,
    beat: (u64, i64),
    /// When the beat changed.
    at: Instant,
    /// When everything that it had announced was here.
    complete: Instant,
    /// Its own lag then.
    lag: Duration,
    waiting: i64,
    skipped: i64,
    dropped: i64,
}

impl Shared {
    pub(crate) fn new(silent: Duration) -> Self {
        Self {
            silent,
            state: Mutex::default(),
        }
    }

    pub(crate) fn look(&self) -> Coverage {
        let state = self.lock();
        let peers = state.peers.iter().map(|(store, heard)| Peer {
            store: store.clone(),
            name: heard.name.clone(),
            behind: heard.complete.elapsed() + heard.lag,
            waiting: heard.waiting,
            skipped: heard.skipped,
            dropped: heard.dropped,
            is_silent: heard.at.elapsed() >= self.silent,
        });
        let mut peers: Vec<Peer> = peers.collect();
        peers.sort_by(|a, b| (&a.name, &a.store).cmp(&(&b.name, &b.store)));
        Coverage {
            own: state.own,
            peers,
            trouble: state.trouble.clone(),
            looked: state.looked.map(|looked| looked.elapsed()),
            refused: state.refused.counts(),
        }
    }

    /// Whether a document with this hash was refused before.
    pub(super) fn is_refused(&self, hash: u64) -> bool {
        self.lock().refused.has(hash)
    }

    /// Notes that a document is not taken.
    pub(super) fn refuse(&self, hash: u64, reason: Reason, id: &str) {
        self.lock().refused.add(hash, reason, id);
    }

    pub(super) fn own(&self, own: Option<Own>) {
        self.lock().own = own;
    }

    /// Notes what a server says, and the number up to which its deltas are here.
    pub(super) fn heard(&self, other: &Announced, after: i64, place: Option<&share::Peer>) {
        let beat = (other.beat, other.changed);
        let now = Instant::now();
        let mut state = self.lock();
        let heard = state.peers.entry(other.store.clone()).or_insert_with(|| {
            // Of a server that is not there any more the announcement is old.
            let age = seconds(super::now() - other.changed);
            let age = if age >= self.silent {
                age
            } else {
                Duration::ZERO
            };
            Heard {
                name: String::new(),
                beat,
                at: now.checked_sub(age).unwrap_or(now),
                complete: now.checked_sub(age).unwrap_or(now),
                lag: Duration::ZERO,
                waiting: 0,
                skipped: 0,
                dropped: 0,
            }
        });
        // Silence is reckoned by the clock of here, because clocks of servers differ.
        if heard.beat != beat {
            heard.beat = beat;
            heard.at = now;
        }
        heard.name.clone_from(&other.name);
        heard.waiting = (other.number - after).max(0);
        heard.skipped = place.map_or(0, |peer| peer.skipped);
        heard.dropped = place.map_or(0, |peer| peer.dropped);
        if heard.waiting == 0 {
            // Counts that it has not announced may be as old as its last announcement.
            heard.complete = heard.at;
            heard.lag = seconds(other.lag);
        }
    }

    /// Servers that are no longer announced are forgotten.
    pub(super) fn retain(&self, is_there: impl Fn(&str) -> bool) {
        self.lock().peers.retain(|store, _| is_there(store));
    }

    /// Notes why nothing is shared. The first trouble is logged, and no other until a look succeeds again.
    pub(super) fn trouble(&self, words: &str) {
        let before = self.lock().trouble.replace(words.to_owned());
        if before.is_none() {
            log::warn!("counts are not shared with other servers: {words}");
        }
    }

    /// A look at the engine succeeded.
    pub(super) fn is_well(&self) {
        let mut state = self.lock();
        state.looked = Some(Instant::now());
        if state.trouble.take().is_some() {
            log::info!("counts are shared again");
        }
    }

    /// Whether a look succeeded lately.
    pub(super) fn is_fresh(&self) -> bool {
        self.lock()
            .looked
            .is_some_and(|looked| looked.elapsed() < self.silent)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
