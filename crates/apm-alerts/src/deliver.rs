//! Delivery of messages, on a thread of its own.
//!
//! Each receiver has a queue and a worker: a slow one delays only itself. A message that a receiver refuses is sent
//! again after growing pauses, to the address that the receiver has then. Queues are bounded; a message that finds no
//! room is dropped, and the history says so. A message that waits when the server ends is sent after its next start.

mod address;
mod command;
mod email;
mod http;

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use apm_store::Store;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;

use crate::message::Message;
use crate::options::Options;
use crate::overview;
use crate::receiver::{Receiver, Target};
use crate::storage::history::{self, State};

/// Messages that may wait for one receiver.
const WAITING: usize = 64;

/// Messages that may wait to be given to the queue of their receiver.
const ARRIVING: usize = 512;

/// Why a message was not sent to a receiver that is named, but is not there.
pub(crate) const NO_RECEIVER: &str = "there is no receiver of this name";

/// A message for a receiver.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// The number of the message.
    pub(crate) id: i64,
    pub(crate) message: Arc<Message>,
    /// The name of the receiver: its address is looked up when it is needed.
    pub(crate) receiver: String,
}

/// Why an attempt failed.
#[derive(Debug)]
struct Failure {
    why: String,
    /// Whether another attempt may succeed.
    again: bool,
}

impl Failure {
    fn again(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            again: true,
        }
    }

    fn for_good(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            again: false,
        }
    }
}

/// Deliveries by what became of them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) sent: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) dropped: AtomicU64,
}

/// The thread that delivers.
#[derive(Debug)]
pub(crate) struct Courier {
    queue: mpsc::Sender<Parcel>,
    work: Arc<Work>,
    stop: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

/// The state that workers share.
#[derive(Debug)]
struct Work {
    store: Store,
    options: Options,
    counters: Arc<Counters>,
    web: http::Web,
}

impl Courier {
    /// Starts the thread.
    pub(crate) fn start(
        store: Store,
        options: Options,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (queue, arriving) = mpsc::channel(ARRIVING);
        let (stop, stopped) = oneshot::channel();
        let work = Arc::new(Work {
            web: http::Web::new(&options),
            store,
            options,
            counters,
        });
        let shared = Arc::clone(&work);
        let thread = std::thread::Builder::new()
            .name("apm-alerts-send".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = distribute(arriving, shared) => {}
                        _ = stopped => {}
                    }
                });
                // A lookup of a name may take long on a thread of its own: nobody waits for it.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            queue,
            work,
            stop: Mutex::new(Some((stop, thread))),
        })
    }

    /// Hands a message over. It never waits.
    pub(crate) fn send(&self, parcel: Parcel) {
        if let Err(TrySendError::Full(parcel) | TrySendError::Closed(parcel)) =
            self.queue.try_send(parcel)
        {
            self.work.give_up(&parcel);
        }
    }

    /// Ends the thread. Waiting messages stay in the database.
    pub(crate) fn stop(&self) {
        let stop = self
            .stop
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some((stop, thread)) = stop {
            // It may have ended already.
            let _ = stop.send(());
            if thread.join().is_err() {
                log::error!("the thread that delivers alerts panicked");
            }
        }
    }
}

/// Gives each message to the worker of its receiver.
async fn distribute(mut arriving: mpsc::Receiver<Parcel>, work: Arc<Work>) {
    let mut queues: HashMap<String, mpsc::Sender<Parcel>> = HashMap::new();
    while let Some(parcel) = arriving.recv().await {
        // A worker that panicked gets a successor.
        queues.retain(|_, queue| !queue.is_closed());
        let queue = queues.entry(parcel.receiver.clone()).or_insert_with(|| {
            let (queue, waiting) = mpsc::channel(WAITING);
            // It ends when its queue is dropped, with this task.
            tokio::spawn(deliver(waiting, Arc::clone(&work)));
            queue
        });
        if let Err(TrySendError::Full(parcel) | TrySendError::Closed(parcel)) =
            queue.try_send(parcel)
        {
            work.give_up(&parcel);
        }
    }
}

/// The worker of a receiver.
async fn deliver(mut waiting: mpsc::Receiver<Parcel>, work: Arc<Work>) {
    while let Some(parcel) = waiting.recv().await {
        let mut pauses = work.options.retries.iter();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let failure = match work.attempt(&parcel).await {
                Ok(()) => {
                    work.counters.sent.fetch_add(1, Ordering::Relaxed);
                    work.note(&parcel, State::Sent, attempts, None);
                    break;
                }
                Err(failure) => failure,
            };
            // After the last pause, or where another attempt is no use, the message has failed.
            let pause = pauses.next().filter(|_| failure.again);
            let name = &parcel.receiver;
            let Some(pause) = pause else {
                log::warn!("an alert was not delivered to {name}: {}", failure.why);
                work.counters.failed.fetch_add(1, Ordering::Relaxed);
                work.note(&parcel, State::Failed, attempts, Some(failure.why));
                break;
            };
            log::info!(
                "an alert will be sent to {name} again in {} s: {}",
                pause.as_secs(),
                failure.why
            );
            // Before the pause: a start in the meantime finds the message as one that waits, and sends it.
            work.note(&parcel, State::Waiting, attempts, Some(failure.why));
            tokio::time::sleep(spread(*pause)).await;
        }
    }
}

/// A pause made longer by up to a quarter, so that receivers are not asked in step.
fn spread(pause: Duration) -> Duration {
    let mut random = [0];
    let share = match getrandom::fill(&mut random) {
        // A byte divided by 1024 is less than a quarter.
        Ok(()) => f64::from(random[0]) / 1_024.0,
        Err(_) => 0.0,
    };
    pause.mul_f64(1.0 + share)
}

impl Work {
    async fn attempt(&self, parcel: &Parcel) -> Result<(), Failure> {
        let url = &self.options.url;
        let message = &parcel.message;
        let (receiver, trusted) = self.receiver(&parcel.receiver).await?;
        let sent = async {
            match &receiver.target {
                Target::Webhook {
                    url: to,
                    authorization,
                } => {
                    let body = message.json(url);
                    self.web
                        .post(to, authorization.as_deref(), &body, trusted)
                        .await
                }
                Target::Slack { url: to } => {
                    let body = message.slack(url);
                    self.web.post(to, None, &body, trusted).await
                }
                Target::Email { to } => email::send(&self.options, message, to, url).await,
                Target::Command { command } if trusted => command::run(command, message, url).await,
                Target::Command { .. } => Err(Failure::for_good(
                    "only the configuration file can name a command",
                )),
            }
        };
        match tokio::time::timeout(self.options.timeout, sent).await {
            Ok(done) => done,
            Err(_) => Err(Failure::again(format!(
                "it took longer than {} s",
                self.options.timeout.as_secs()
            ))),
        }
    }

    /// A receiver as it is now, and whether it is of the configuration file, and may be anywhere. One that was changed
    /// or deleted while a message waited is not the one of before.
    async fn receiver(&self, name: &str) -> Result<(Receiver, bool), Failure> {
        let options = self.options.clone();
        let all = self
            .store
            .read_async(move |conn| overview::receivers(conn, &options));
        let all = all
            .await
            .map_err(|error| Failure::again(format!("the receivers cannot be read: {error}")))?;
        let found = all.into_iter().find(|(receiver, _)| receiver.name == name);
        found.ok_or_else(|| Failure::for_good(NO_RECEIVER))
    }

    /// Writes down what became of a message. Nobody waits for it.
    fn note(&self, parcel: &Parcel, state: State, attempts: i32, error: Option<String>) {
        let (id, receiver) = (parcel.id, parcel.receiver.clone());
        let at = apm_time::now() / apm_time::SECOND;
        // Its text may come from the other side.
        let error = error.map(|error| crate::message::plain(&error));
        let noted = self
            .store
            .write(move |conn| history::note(conn, id, &receiver, (state, attempts, at, error)));
        if let Err(error) = noted {
            log::warn!("the result of an alert's delivery was not written: {error}");
        }
    }

    fn give_up(&self, parcel: &Parcel) {
        self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        let name = &parcel.receiver;
        log::warn!("an alert to {name} was dropped: too many wait");
        self.note(parcel, State::Dropped, 0, Some("too many wait".to_owned()));
    }
}
