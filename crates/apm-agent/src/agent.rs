//! The agent: the handle that a service keeps, and what all parts share.

mod builder;
mod ending;
mod guard;

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::config::{Config, Snapshot, StartupReport};
use crate::recording::handle::Transaction;
use crate::recording::recorder::{self, Command, Recorder};
use crate::recording::stats::Stats;
use crate::util::{Mutex, own_log};
use crate::worker::client::{Client, Endpoint};
use crate::worker::metadata::Framework;
use crate::worker::metrics::Metrics;
use crate::worker::sender;
use crate::worker::shared::Shared;

pub use builder::{Builder, ConfigError};
pub use ending::flush;
pub use guard::AgentGuard;

/// A running agent. Clones are the same agent; it stops when it is shut down or the last clone is dropped, which sends
/// what was recorded and waits at most two seconds for that. [`Builder::start`] returns it in an [`AgentGuard`].
///
/// ```no_run
/// # fn main() -> Result<(), apm_agent::ConfigError> {
/// let agent = apm_agent::Agent::from_env()?.start();
/// // … serve …
/// agent.shutdown(std::time::Duration::from_secs(5));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Agent {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    /// `None` without a thread: disabled, or recording for a test.
    commands: Option<mpsc::Sender<Command>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Agent {
    /// Begins a configuration in code. Without [`Builder::from_env`] the environment is not read.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Configures an agent from the environment variables `ELASTIC_APM_…`: the same as `Agent::builder().from_env()`.
    ///
    /// # Errors
    /// [`ConfigError::NotUnicode`] when one of these variables is not Unicode.
    pub fn from_env() -> Result<Builder, ConfigError> {
        Builder::default().from_env()
    }

    pub(crate) fn start(config: Config, warnings: &[String]) -> Self {
        let settings = config.snapshot();
        own_log::set_level(settings.log_level.filter());
        for warning in warnings {
            own_log::warn(format_args!("{warning}"));
        }
        let shared = Arc::new(Shared::new(config, FRAMEWORK));
        if !settings.enabled {
            return Self::without_thread(shared);
        }
        for line in &StartupReport::new(&settings, &shared.hostname()).lines {
            own_log::info(format_args!("{line}"));
        }
        let (commands, received) = mpsc::channel(16);
        let thread = match start_thread(&settings, &shared, received) {
            Ok(thread) => thread,
            Err(why) => {
                own_log::error(format_args!("the agent records nothing: {why}"));
                shared.recorder.stop();
                return Self::without_thread(shared);
            }
        };
        // Others find the recorder by `running` only once it can wake its thread.
        shared.recorder.set_commands(&commands);
        recorder::set_running(&shared.recorder);
        if settings.capture_panics {
            crate::recording::panic::install();
        }
        Self {
            handle: Arc::new(Handle {
                shared,
                commands: Some(commands),
                thread: Mutex::new(Some(thread)),
            }),
        }
    }

    pub(crate) fn without_thread(shared: Arc<Shared>) -> Self {
        Self {
            handle: Arc::new(Handle {
                shared,
                commands: None,
                thread: Mutex::default(),
            }),
        }
    }

    /// An agent that has no thread and reads nothing but its configuration.
    #[cfg(feature = "testing")]
    pub(crate) fn for_tests(config: Config) -> Self {
        Self::without_thread(Arc::new(Shared::new(config, FRAMEWORK)))
    }

    #[cfg(feature = "testing")]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    pub(crate) fn recorder(&self) -> &Arc<Recorder> {
        &self.handle.shared.recorder
    }

    /// Whether there is a thread that sends what is recorded.
    #[cfg(plans)]
    pub(crate) fn sends(&self) -> bool {
        self.handle.commands.is_some()
    }

    /// Begins a transaction by hand on this agent; see [`Transaction::begin`].
    pub fn transaction(
        &self,
        name: impl Into<std::borrow::Cow<'static, str>>,
        kind: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Transaction {
        Transaction::begin_on(Some(self.recorder()), name.into(), kind.into(), None)
    }

    /// Counts of all events so far, by what happened to them.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.recorder().buffers.counters.snapshot()
    }

    /// Gauges and counters of the service's own, reported with the agent's metrics.
    ///
    /// ```
    /// # fn example(agent: &apm_agent::Agent) {
    /// let orders = agent.metrics().counter("orders.placed");
    /// orders.add(1);
    /// agent.metrics().observe("cache.entries", || 7.0);
    /// # }
    /// ```
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.handle.shared.metrics.clone()
    }

    /// Whether the agent may ever record: not switched off by `enabled=false`.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.recorder().config.load().enabled
    }

    /// Whether the agent records anything now.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        let recorder = self.recorder();
        !recorder.was_forked() && recorder.reports(&recorder.config.load())
    }
}

#[cfg(feature = "actix")]
const FRAMEWORK: Option<Framework> = Some(Framework {
    name: "actix-web",
    version: "4",
});
#[cfg(all(feature = "axum", not(feature = "actix")))]
const FRAMEWORK: Option<Framework> = Some(Framework {
    name: "axum",
    version: "0.8",
});
#[cfg(not(any(feature = "actix", feature = "axum")))]
const FRAMEWORK: Option<Framework> = None;

/// Starts the agent's thread. The error says why that cannot be done.
fn start_thread(
    settings: &Snapshot,
    shared: &Arc<Shared>,
    commands: mpsc::Receiver<Command>,
) -> Result<JoinHandle<()>, String> {
    let client = Client::new(Endpoint::new(settings)).map_err(|error| with_causes(&error))?;
    sender::spawn(Arc::clone(shared), client, commands)
        .map_err(|error| format!("its thread cannot be started: {error}"))
}

/// An error and what caused it, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
