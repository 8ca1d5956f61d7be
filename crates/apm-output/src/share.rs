//! Servers before one engine share their counts, so that the pages of each show all of them.
//!
//! * `pack` numbers what was counted here, every few seconds, also while the engine is away ([`apm_store::share`]).
//! * `send` brings these deltas into a data stream, `announce` says in an index how far that is.
//! * `follow` reads what other servers announce, and adds their deltas to the rollups here, in the order of their
//!   numbers.
//! * `documents` exchanges what people decided: settings of agents, markers, states of errors.
//! * `coverage` tells which servers the pages cover.

mod announce;
mod coverage;
mod documents;
mod follow;
mod pack;
mod refused;
mod send;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use apm_store::{Store, StoreError, SubmitError};
use apm_store::{output, share};
use diesel::{QueryResult, SqliteConnection};
use tokio::sync::watch;

use crate::client::{Client, Reply};
use crate::config::Config;
use crate::dialect::Dialect;
use crate::engine::unexpected;
use crate::send::Sender;
use crate::stats;
use crate::template::{self, Templates};
pub(crate) use coverage::Shared;
pub use coverage::{Coverage, Peer};

/// Shares with other servers.
#[derive(Debug)]
pub(crate) struct Sharing {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) client: Arc<Client>,
    pub(crate) coverage: Arc<Shared>,
    /// Numbers of the requests with deltas, which are none of the output's.
    pub(crate) requests: Arc<stats::Shared>,
    pub(crate) stop: watch::Receiver<bool>,
    /// A random name of this process.
    pub(crate) process: String,
    /// Whether this process has announced itself.
    pub(crate) has_announced: AtomicBool,
    /// Whether another process has the name of this server.
    pub(crate) has_twin: AtomicBool,
}

/// Things that are remembered between looks.
struct Memory {
    /// Holes in the numbers of others: the store, the number before it, and since when.
    holes: HashMap<String, (i64, Instant)>,
    /// The name of this server that stays when all that it holds is deleted.
    node: String,
    /// The last look at all that people decided.
    looked: Option<documents::Looked>,
    /// Writes of this server's announcement.
    beat: u64,
    /// The last one.
    written: Option<announce::Written>,
    sender: Sender,
    /// Documents that the engine does not take, by id and version.
    unwanted: HashSet<(String, i64)>,
}

impl Sharing {
    /// Shares until the output stops.
    pub(crate) async fn run(&self) {
        let mut stop = self.stop.clone();
        let stopped = async {
            // Its other end is dropped after the thread has ended.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let working = async {
            // Two loops: counts are numbered while the engine is away, too.
            tokio::join!(self.pack(), self.exchange());
        };
        tokio::select! {
            () = working => {}
            () = stopped => {}
        }
        // The last counts are sent, if that does not take long.
        let last = async {
            self.pack_now().await;
            if self.has_twin.load(Ordering::Relaxed) {
                return;
            }
            if let Ok(dialect) = Dialect::ask(&self.client).await {
                let Ok(mut memory) = self.memory(dialect).await else {
                    return;
                };
                // Numbers that the engine has are not given again by a server that never reached it before.
                let are_numbers_known = self.has_announced.load(Ordering::Relaxed)
                    || self.settle_numbers(&memory).await.is_ok();
                if are_numbers_known {
                    let _ = self.send(&memory.sender).await;
                    let _ = self.announce(&mut memory).await;
                }
                let _ = self.send_documents(&mut memory).await;
            }
        };
        let _ = tokio::time::timeout(self.config.pace.grace, last).await;
    }

    /// Sends, announces and follows, again and again.
    async fn exchange(&self) {
        let mut pause = self.config.pace.pause;
        loop {
            let Err(why) = self.connected().await;
            self.coverage.trouble(&why);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.config.pace.longest_pause);
            // After a look that succeeded, this is a new trouble and begins with a short pause.
            if self.coverage.is_fresh() {
                pause = self.config.pace.pause;
            }
        }
    }

    /// Works until something fails.
    async fn connected(&self) -> Result<std::convert::Infallible, String> {
        let dialect = Dialect::ask(&self.client).await?;
        template::install_shared(&self.client).await?;
        let mut memory = self.memory(dialect).await?;
        // The output names the store when it begins, which may be after this.
        while self.own_store().await?.is_none() {
            tokio::time::sleep(self.config.pace.poll).await;
        }
        if self.has_announced.load(Ordering::Relaxed) {
            self.look_for_twin(&memory.node).await?;
        }
        self.settle_numbers(&memory).await?;
        loop {
            if memory.written.is_none() {
                // The announcement is gone, or there was none: the engine may have been emptied.
                template::renew(&self.client, dialect, Templates::Shared).await?;
            }
            // Deltas are in the engine before their numbers are announced, so that others find all that they are told
            // of.
            self.send(&memory.sender).await?;
            self.announce(&mut memory).await?;
            self.follow(&mut memory).await?;
            self.exchange_documents(&mut memory).await?;
            self.coverage.is_well();
            tokio::time::sleep(self.config.pace.follow).await;
        }
    }

    async fn memory(&self, dialect: Dialect) -> Result<Memory, String> {
        let given = name();
        let node = loop {
            let (clears, name) = (self.store.clears(), given.clone());
            if let Some(node) = self
                .write(clears, move |conn| share::node(conn, &name))
                .await?
            {
                break node;
            }
        };
        let owner = format!("pocket-apm-{node}-counts");
        Ok(Memory {
            node,
            holes: HashMap::new(),
            looked: None,
            beat: 0,
            written: None,
            unwanted: HashSet::new(),
            sender: Sender {
                client: Arc::clone(&self.client),
                dialect,
                pace: self.config.pace,
                streams: self.stream(),
                templates: Templates::Shared,
                since: 0,
                owner,
                stats: Arc::clone(&self.requests),
            },
        })
    }

    /// The data stream of deltas.
    fn stream(&self) -> String {
        format!("metrics-pocket.rollup-{}", self.config.namespace)
    }

    /// The index of what servers tell each other.
    fn index(&self) -> String {
        format!("pocket-apm-shared-{}", self.config.namespace)
    }

    /// The words for an answer to a write to [`Self::index`] that failed.
    fn not_written(&self, what: &str, reply: &Reply) -> String {
        let words = unexpected(what, reply);
        match reply.status {
            401 | 403 => format!(
                "the credential needs the privilege write on {} ({words})",
                self.index()
            ),
            _ => words,
        }
    }

    /// The name of this store; none until the output has given it one.
    async fn own_store(&self) -> Result<Option<String>, String> {
        let state = self.read(|conn| Ok(output::state(conn)?)).await?;
        Ok(state.map(|state| state.store))
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, String> {
        let read = self.store.read_async::<T, StoreError>(read).await;
        read.map_err(|error| format!("the store cannot be read: {error}"))
    }

    /// Writes, unless everything was deleted since `clears` was read.
    async fn write<T: Send + 'static>(
        &self,
        clears: u64,
        write: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<Option<T>, String> {
        let ticket = self.store.write_of(clears, write);
        let ticket = ticket.map_err(|error: SubmitError| error.to_string())?;
        let written = ticket.await;
        written.map_err(|error| format!("the store takes no counts: {error}"))
    }
}

/// Seconds since the epoch.
fn now() -> i64 {
    apm_time::now() / apm_time::SECOND
}

/// A duration of whole seconds.
fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

/// A random name: of a store, the first part of the ids of its documents.
pub(crate) fn name() -> String {
    let mut bytes = [0; 6];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = fastrand::u64(..).to_le_bytes()[..6]
            .try_into()
            .expect("six");
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
