//! One run of the worker, from the place that stands in the store.

mod retain;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use apm_store::output::{self, Flight, Landed};
use apm_store::{Store, StoreError, SubmitError};
use diesel::{QueryResult, SqliteConnection};
use futures_util::future::join;
use tokio::sync::watch;

use crate::client::Client;
use crate::config::Config;
use crate::dialect::Dialect;
use crate::load::{Load, Loader, Looked};
use crate::send::Sender;
use crate::share;
use crate::stats::{Lag, Shared};
use crate::template::{self, Templates};

/// The time between two looks at the place in the store.
const WATCH: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Session {
    pub(super) store: Store,
    pub(super) config: Config,
    pub(super) client: Arc<Client>,
    pub(super) stats: Arc<Shared>,
    pub(super) stop: watch::Receiver<bool>,
}

/// Why a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// The output is to stop.
    Stopped,
    /// Everything in the store was deleted, the place too.
    Cleared,
    /// The store cannot be read.
    Failed(String),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Stopped,
            error => Self::Failed(format!("the store cannot be read: {error}")),
        }
    }
}

impl Session {
    /// Sends until there is a reason to end.
    pub(super) async fn run(&self) -> End {
        let Err(end) = self.try_run().await else {
            return End::Stopped;
        };
        end
    }

    async fn try_run(&self) -> Result<(), End> {
        // Read before the place: a deletion of everything that comes later ends the session.
        let clears = self.store.clears();
        let name = share::name();
        let state = self
            .write(clears, move |conn| output::open(conn, &name))
            .await?;
        let (dialect, name) = self.stoppable(self.connect()).await?;
        if let Some(name) = name {
            let met = name.clone();
            let before = self
                .write(clears, move |conn| output::meet(conn, &met))
                .await?;
            if let Some(before) = before {
                log::warn!(
                    "the engine is another one than before (cluster {name}, and not {before}): events that were sent \
                     until now are in that one, and all others go to this one"
                );
            }
        }
        let sent = state.sent;
        let since = self
            .store
            .read_async::<_, StoreError>(move |conn| Ok(output::arrived_after(conn, sent)?));
        let since = since.await?;
        let sender = Sender {
            client: Arc::clone(&self.client),
            dialect,
            pace: self.config.pace,
            streams: streams(&self.config.namespace),
            templates: Templates::Events,
            since,
            owner: format!("pocket-apm-{}", state.store),
            stats: Arc::clone(&self.stats),
        };
        let mut place = Loader::new(self.store.clone(), &self.config, dialect, &state);
        if let Some(flight) = state.flight {
            let (loader, load) = blocking(place, move |loader| match flight.kind {
                output::Cargo::Events => loader.again(flight).map(Some),
                output::Cargo::Aggregates => loader.aggregates(Some(flight)),
            })
            .await;
            // Another one begins at the place behind the flight.
            drop(loader);
            let mut landed = Landed::default();
            if let Some(load) = load? {
                landed = self
                    .stoppable(sender.send_all(&load.parts.parts, true))
                    .await?
                    .landed;
                landed.lost = load.missing;
            }
            let state = self
                .write(clears, move |conn| {
                    output::end(conn, flight, &landed)?;
                    // The store has its name already.
                    output::open(conn, "")
                })
                .await?;
            place = Loader::new(self.store.clone(), &self.config, dialect, &state);
        }
        self.follow(clears, &sender, place).await
    }

    /// Sends one load after the other.
    async fn follow(&self, clears: u64, sender: &Sender, mut loader: Loader) -> Result<(), End> {
        let mut ended: Option<(Flight, Landed)> = None;
        let mut ready: Option<Looked> = None;
        let mut has_aggregates = true;
        // A store that was brought back from a backup has events behind its place that were sent. They are the first:
        // the engine is asked for them until it has none of a load.
        let (mut is_unsure, mut are_aggregates_unsure) = (true, true);
        loop {
            let is_stopping = *self.stop.borrow();
            // The last look completes the aggregates.
            let is_last = is_stopping && ready.is_none();
            let looked = match ready.take() {
                Some(looked) => looked,
                None => {
                    let looked;
                    (loader, looked) = blocking(loader, move |loader| loader.look(is_last)).await;
                    looked?
                }
            };
            has_aggregates |= looked.flush.is_some();
            let has_more = looked.has_more;
            let load = self.commit(clears, ended.take(), looked).await?;
            if let Some(load) = load {
                let sending = sender.send_all(&load.parts.parts, is_unsure);
                let sent = if has_more && !is_stopping {
                    // The next load is made meanwhile.
                    let next = blocking(loader, |loader| loader.look(false));
                    let (sent, next) = self.stoppable(join(sending, next)).await?;
                    loader = next.0;
                    ready = Some(next.1?);
                    sent
                } else {
                    self.stoppable(sending).await?
                };
                is_unsure &= sent.found > 0;
                ended = Some((load.flight, sent.landed));
            }
            if has_aggregates {
                // The store holds one flight at a time.
                self.commit(clears, ended.take(), Looked::default()).await?;
                (loader, has_aggregates) = self
                    .send_aggregates(clears, sender, loader, &mut are_aggregates_unsure)
                    .await?;
            }
            if has_more || has_aggregates {
                continue;
            }
            self.commit(clears, ended.take(), Looked::default()).await?;
            if is_last {
                return Ok(());
            }
            if !is_stopping {
                // A stop ends the pause, and one more round sends the last.
                let _ = self.pause(self.config.pace.poll).await;
            }
        }
    }

    /// Sends aggregates that wait; whether there may be more.
    async fn send_aggregates(
        &self,
        clears: u64,
        sender: &Sender,
        loader: Loader,
        is_unsure: &mut bool,
    ) -> Result<(Loader, bool), End> {
        let (loader, load) = blocking(loader, |loader| loader.aggregates(None)).await;
        let Some(load) = load? else {
            return Ok((loader, false));
        };
        let flight = load.flight;
        self.write(clears, move |conn| output::begin(conn, flight))
            .await?;
        let sent = self
            .stoppable(sender.send_all(&load.parts.parts, *is_unsure))
            .await?;
        *is_unsure &= sent.found > 0;
        let landed = sent.landed;
        self.write(clears, move |conn| output::end(conn, flight, &landed))
            .await?;
        Ok((loader, true))
    }

    /// Writes what a flight came to, which aggregates are complete, and which flight is next, all at once.
    async fn commit(
        &self,
        clears: u64,
        ended: Option<(Flight, Landed)>,
        looked: Looked,
    ) -> Result<Option<Load>, End> {
        let Looked {
            load,
            flush,
            unreadable,
            ..
        } = looked;
        let begins = load.as_ref().map(|load| load.flight);
        if ended.is_none() && flush.is_none() && unreadable.is_none() && begins.is_none() {
            return Ok(load);
        }
        let changes = Arc::new((ended, flush, unreadable));
        self.write(clears, move |conn| {
            let (ended, flush, unreadable) = &*changes;
            if let Some((flight, landed)) = ended {
                output::end(conn, *flight, landed)?;
            }
            if let Some(flush) = flush {
                output::aggregate(conn, flush.to, flush.widths, &flush.documents)?;
            }
            // A flight that is about to begin ends before what cannot be read.
            match (begins, unreadable) {
                (Some(flight), _) => output::begin(conn, flight)?,
                (None, Some((to, lost))) => output::skip(conn, *to, *lost)?,
                (None, None) => {}
            }
            Ok(())
        })
        .await?;
        Ok(load)
    }

    /// Runs a write until it succeeds.
    async fn write<T: Send + 'static>(
        &self,
        clears: u64,
        write: impl Fn(&mut SqliteConnection) -> QueryResult<T> + Clone + Send + 'static,
    ) -> Result<T, End> {
        loop {
            let error = match self.store.write_of(clears, write.clone()) {
                Ok(ticket) => match ticket.await {
                    Ok(Some(written)) => return Ok(written),
                    Ok(None) => return Err(End::Cleared),
                    Err(StoreError::Closed) => return Err(End::Stopped),
                    Err(error) => error.to_string(),
                },
                Err(SubmitError::ShuttingDown) => return Err(End::Stopped),
                Err(error) => error.to_string(),
            };
            self.stats
                .trouble(&format!("the store takes no note of what is sent: {error}"));
            self.pause(self.config.pace.pause).await?;
        }
    }

    /// Finds out which engine it is, and what it lacks.
    async fn connect(&self) -> (Dialect, Option<String>) {
        let mut pause = self.config.pace.pause;
        loop {
            let connected = async {
                let (dialect, name) = Dialect::ask_with_name(&self.client).await?;
                template::install(&self.client, dialect).await?;
                Ok::<_, String>((dialect, name))
            };
            match connected.await {
                Ok((dialect, name)) => {
                    let version = dialect
                        .version
                        .map(|(major, minor)| format!(" {major}.{minor}"));
                    let engine = dialect.product.as_str();
                    let engine = format!("{engine}{}", version.unwrap_or_default());
                    self.stats.is_well();
                    self.stats.change(|stats| stats.engine = Some(engine));
                    return (dialect, name);
                }
                Err(why) => {
                    self.stats.trouble(&why);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(self.config.pace.longest_pause);
                }
            }
        }
    }

    /// Ends some work a short time after the output is to stop.
    async fn stoppable<T>(&self, work: impl Future<Output = T>) -> Result<T, End> {
        let mut stop = self.stop.clone();
        let stopped = async {
            // Its other end is dropped after the thread has ended.
            let _ = stop.wait_for(|stop| *stop).await;
            tokio::time::sleep(self.config.pace.grace).await;
        };
        tokio::select! {
            done = work => Ok(done),
            () = stopped => Err(End::Stopped),
        }
    }

    /// Waits, unless the output is to stop.
    pub(super) async fn pause(&self, time: Duration) -> Result<(), End> {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            _ = stop.wait_for(|stop| *stop) => Err(End::Stopped),
        }
    }

    /// Keeps the numbers up to date.
    pub(super) async fn watch(&self) {
        loop {
            self.look().await;
            tokio::time::sleep(WATCH).await;
        }
    }

    /// Reads the place in the store.
    pub(super) async fn look(&self) {
        let looked = self.store.read_async::<_, StoreError>(|conn| {
            let Some(state) = output::state(conn)? else {
                return Ok(None);
            };
            let refused = output::refused(conn)?.iter().map(|(_, count)| *count).sum();
            let newest = output::newest(conn, state.sent)?;
            Ok(Some((state, refused, newest)))
        });
        if let Ok(Some((state, refused, newest))) = looked.await {
            let refused: i64 = refused;
            let waited = newest
                .waiting_since
                .map_or(0, |since| apm_time::now() / apm_time::SECOND - since);
            let lag = Lag {
                events: u64::try_from(newest.last - state.sent).unwrap_or_default(),
                time: Duration::from_secs(u64::try_from(waited).unwrap_or_default()),
            };
            let refused = u64::try_from(refused).unwrap_or_default();
            self.stats
                .place(&state, refused, lag, self.config.lag_warning);
        }
    }
}

/// Runs work on a thread that may block.
async fn blocking<T: Send + 'static>(
    mut loader: Loader,
    work: impl FnOnce(&mut Loader) -> T + Send + 'static,
) -> (Loader, T) {
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&mut loader);
        (loader, done)
    });
    match done.await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// All data streams of a namespace.
fn streams(namespace: &str) -> String {
    ["traces", "logs", "metrics"]
        .map(|kind| format!("{kind}-apm*-{namespace}"))
        .join(",")
}
