//! The thread that follows the store.

mod session;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use apm_store::Store;
use tokio::runtime;
use tokio::sync::watch;

use crate::client::Client;
use crate::config::Config;
use crate::remote::{Events, Found, Remote};
use crate::share::{self, Coverage, Sharing};
use crate::stats::{Shared, Stats};
use session::{End, Session};

/// Why an output did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A file of certificates or of a credential cannot be used.
    #[error("cannot send to Elasticsearch or OpenSearch: {0}")]
    Files(String),
    /// The thread could not be started.
    #[error("cannot start the thread of the output")]
    Thread(#[source] std::io::Error),
}

/// An output that runs until it is stopped.
#[derive(Debug)]
pub struct Output {
    stop: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
    stats: Arc<Shared>,
    coverage: Arc<share::Shared>,
    remote: Remote,
}

impl Output {
    /// Starts to send what the store holds. The engine need not be there yet.
    ///
    /// # Errors
    /// If a file that the options name cannot be used.
    pub fn start(store: Store, config: Config) -> Result<Self, StartError> {
        let client = Client::new(&config).map_err(StartError::Files)?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("apm-output-read")
            .max_blocking_threads(2)
            .build()
            .map_err(StartError::Thread)?;
        let (stop, stopping) = watch::channel(false);
        let stats = Arc::new(Shared::default());
        stats.change(|stats| {
            stats.hosts = config.hosts.iter().map(ToString::to_string).collect();
            stats.namespace.clone_from(&config.namespace);
        });
        let client = Arc::new(client);
        let coverage = Arc::new(share::Shared::new(config.pace.silent));
        let sharing = store.options().shares_counts.then(|| Sharing {
            store: store.clone(),
            config: config.clone(),
            client: Arc::clone(&client),
            coverage: Arc::clone(&coverage),
            requests: Arc::default(),
            stop: stopping.clone(),
            process: share::name(),
            has_announced: AtomicBool::new(false),
            has_twin: AtomicBool::new(false),
        });
        let remote = Remote {
            client: Arc::clone(&client),
            handle: runtime.handle().clone(),
            namespace: config.namespace.clone(),
        };
        let session = Session {
            store,
            config,
            client,
            stats: Arc::clone(&stats),
            stop: stopping,
        };
        let thread = std::thread::Builder::new()
            .name("apm-output".to_owned())
            .spawn(move || {
                let longest = session.config.pace.longest_pause;
                guarded(
                    || runtime.block_on(run(&session, sharing.as_ref())),
                    || {
                        let words = "it panicked, as the log says, and begins again in a while";
                        session.stats.trouble(words);
                        runtime.block_on(session.pause(longest)).is_ok()
                    },
                );
            })
            .map_err(StartError::Thread)?;
        Ok(Self {
            stop,
            thread: Mutex::new(Some(thread)),
            stats,
            coverage,
            remote,
        })
    }

    /// A look at the output.
    pub fn stats(&self) -> Stats {
        self.stats.look()
    }

    /// The servers whose counts are here.
    pub fn coverage(&self) -> Coverage {
        self.coverage.look()
    }

    /// Reads events from the engine. Blocks, for some seconds at most.
    ///
    /// # Errors
    /// The words for a page.
    pub fn events(&self, events: Events) -> Result<Found, String> {
        self.remote.events(events)
    }

    /// Sends what is there within a short time, and ends. The rest stays in the store. Blocks until that is done.
    pub fn stop(&self) {
        self.stop.send_replace(true);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            log::error!("the output panicked");
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Does work, and does it again when it panicked: an output that has ended would tell its last numbers for ever.
/// `pause`: whether to go on.
fn guarded(mut work: impl FnMut(), mut pause: impl FnMut() -> bool) {
    // State in memory is made anew; shared are numbers and the store alone.
    while catch_unwind(AssertUnwindSafe(&mut work)).is_err() && pause() {}
}

/// One session after the other: each begins with the place that stands in the store.
async fn run(session: &Session, sharing: Option<&Sharing>) {
    let watching = async {
        tokio::join!(session.watch(), session.retain());
    };
    let sending = async {
        loop {
            match session.run().await {
                End::Stopped => return,
                End::Cleared => {}
                End::Failed(why) => {
                    session.stats.trouble(&why);
                    if session
                        .pause(session.config.pace.longest_pause)
                        .await
                        .is_err()
                    {
                        return;
                    }
                }
            }
        }
    };
    let sharing = async {
        if let Some(sharing) = sharing {
            sharing.run().await;
        }
    };
    let working = async {
        tokio::join!(sending, sharing);
    };
    tokio::select! {
        () = working => {}
        () = watching => {}
    }
    // The numbers of the last load, too.
    session.look().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_panics_begins_again_until_it_ends_or_is_to_stop() {
        let mut runs = 0;
        let mut pauses = 0;
        guarded(
            || {
                runs += 1;
                assert!(runs == 3, "not yet");
            },
            || {
                pauses += 1;
                true
            },
        );
        assert_eq!((runs, pauses), (3, 2));
        let mut runs = 0;
        guarded(
            || {
                runs += 1;
                panic!("each time");
            },
            || false,
        );
        assert_eq!(runs, 1);
    }
}
