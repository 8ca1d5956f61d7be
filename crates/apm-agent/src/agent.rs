//! The agent: the handle that a service keeps, and what all parts share.

mod ending;
mod guard;

use std::cell::Cell;
#[cfg(feature = "testing")]
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::breakdown::Breakdown;
use crate::builder::{Builder, ConfigError};
use crate::clock::Clock;
use crate::config::{CloudProvider, Config, Snapshot, StartupReport};
use crate::error::ErrorQueue;
use crate::hosts::Hosts;
use crate::metadata::{Framework, Metadata, cloud};
use crate::metrics::Metrics;
use crate::own_log;
use crate::stacktrace;
use crate::stats::Stats;
use crate::transaction::Transaction;
use crate::transaction::stacks::StackQueue;
use crate::transport::buffers::{Buffers, lock};
use crate::transport::client::{self, Client, Endpoint};
use crate::transport::sender::{self, Command};
use crate::transport::server_info::ServerVersion;

pub(crate) use ending::LAST_FLUSH;
pub use ending::flush;
pub use guard::AgentGuard;

/// A running agent. Clones are the same agent; it stops when it is shut down or the last clone is dropped, which sends what
/// was recorded and waits at most two seconds for that. [`Builder::start`] returns it in an [`AgentGuard`].
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
    inner: Arc<Inner>,
    /// `None` without a thread: disabled, or recording for a test.
    commands: Option<mpsc::Sender<Command>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What all parts of an agent share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) config: Config,
    metadata: Mutex<Metadata>,
    pub(crate) clock: Clock,
    pub(crate) buffers: Buffers,
    pub(crate) errors: ErrorQueue,
    pub(crate) stacks: StackQueue,
    pub(crate) breakdown: Breakdown,
    pub(crate) metrics: Metrics,
    pub(crate) hosts: Hosts,
    /// 0 is unknown, else major, minor and patch in 20 bits each, plus one.
    server_version: AtomicU64,
    stopped: AtomicBool,
    /// Of the agent's thread, if it has one.
    commands: OnceLock<mpsc::WeakSender<Command>>,
    /// The server took nothing when it was last tried.
    pub(crate) away: AtomicBool,
    /// The process that the agent's thread runs in.
    process: u32,
    /// When it was last looked whether this is that process, in units of 2²⁰ µs.
    looked_at: AtomicU64,
}

impl Agent {
    /// Begins a configuration in code. Call [`Builder::from_env`] last, so that the environment can overrule it.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Configures an agent from the environment variables `ELASTIC_APM_…` alone.
    ///
    /// # Errors
    /// None today; the signature is that of [`Builder::from_env`].
    pub fn from_env() -> Result<Builder, ConfigError> {
        Builder::default().from_env()
    }

    pub(crate) fn start(config: Config, warnings: &[String]) -> Self {
        let settings = config.snapshot();
        own_log::set_level(settings.log_level.filter());
        for warning in warnings {
            own_log::warn(format_args!("{warning}"));
        }
        let inner = Arc::new(Inner::new(config));
        if !settings.enabled {
            return Self::without_thread(inner);
        }
        for line in &StartupReport::new(&settings, lock(&inner.metadata).hostname()).lines {
            own_log::info(format_args!("{line}"));
        }
        let client = match Client::new(Endpoint::new(&settings)) {
            Ok(client) => client,
            Err(error) => {
                own_log::error(format_args!(
                    "the agent records nothing: {}",
                    with_causes(&error)
                ));
                inner.stopped.store(true, Ordering::Relaxed);
                return Self::without_thread(inner);
            }
        };
        let (commands, received) = mpsc::channel(16);
        match sender::spawn(Arc::clone(&inner), client, received) {
            Ok(thread) => {
                // Never set before: the agent is new.
                let _ = inner.commands.set(commands.downgrade());
                set_running(&inner);
                crate::panic::install();
                let thread = Mutex::new(Some(thread));
                Self {
                    handle: Arc::new(Handle {
                        inner,
                        commands: Some(commands),
                        thread,
                    }),
                }
            }
            Err(error) => {
                own_log::error(format_args!(
                    "the agent records nothing: its thread cannot be started: {error}"
                ));
                inner.stopped.store(true, Ordering::Relaxed);
                Self::without_thread(inner)
            }
        }
    }

    pub(crate) fn without_thread(inner: Arc<Inner>) -> Self {
        Self {
            handle: Arc::new(Handle {
                inner,
                commands: None,
                thread: Mutex::default(),
            }),
        }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.handle.inner
    }

    /// Begins a transaction by hand on this agent; see [`Transaction::begin`].
    pub fn transaction(
        &self,
        name: impl Into<std::borrow::Cow<'static, str>>,
        kind: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Transaction {
        Transaction::begin_on(Some(self.inner()), name.into(), kind.into(), None)
    }

    /// What became of every event so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner().buffers.counters.snapshot()
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
        self.inner().metrics.clone()
    }

    /// Whether the agent may ever record: not switched off by `enabled=false`.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.inner().config.load().enabled
    }

    /// Whether the agent records anything now.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        let inner = self.inner();
        !inner.was_forked() && inner.reports(&inner.config.load())
    }
}

impl Inner {
    pub(crate) fn new(config: Config) -> Self {
        let settings = config.snapshot();
        let metadata = Metadata::collect(&settings, FRAMEWORK);
        let buffers = Buffers::new(metadata.line(true), settings.api_buffer_size);
        buffers.set_limit(settings.api_request_size);
        Self {
            clock: Clock::new(),
            buffers,
            errors: ErrorQueue::default(),
            stacks: StackQueue::default(),
            breakdown: Breakdown::default(),
            metrics: Metrics::default(),
            hosts: Hosts::default(),
            server_version: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            commands: OnceLock::new(),
            away: AtomicBool::new(false),
            process: std::process::id(),
            looked_at: AtomicU64::new(0),
            metadata: Mutex::new(metadata),
            config,
        }
    }

    /// Whether there are new transactions.
    pub(crate) fn records(&self, settings: &Snapshot) -> bool {
        settings.enabled && settings.recording && !self.stopped.load(Ordering::Relaxed)
    }

    /// Whether events are made: of errors, logs and metrics, and of the transactions.
    pub(crate) fn reports(&self, settings: &Snapshot) -> bool {
        self.records(settings) && !settings.context_propagation_only
    }

    /// Unsampled transactions go to servers before 8.0, and while the version is not known.
    pub(crate) fn wants_unsampled(&self) -> bool {
        self.server_version()
            .is_none_or(ServerVersion::wants_unsampled)
    }

    pub(crate) fn server_version(&self) -> Option<ServerVersion> {
        let packed = self.server_version.load(Ordering::Relaxed).checked_sub(1)?;
        let part = |shift: u32| (packed >> shift) as u32 & 0xf_ffff;
        Some(ServerVersion(part(40), part(20), part(0)))
    }

    pub(crate) fn set_server_version(&self, version: ServerVersion) {
        let part = |number: u32| u64::from(number.min(0xf_ffff));
        let packed = (part(version.0) << 40 | part(version.1) << 20 | part(version.2)) + 1;
        self.server_version.store(packed, Ordering::Relaxed);
        if version.refuses_activation_method() {
            self.buffers
                .set_metadata(lock(&self.metadata).line(self.takes_activation_method()));
        }
    }

    /// Takes over what central configuration changed, beyond what is read from the settings each time.
    pub(crate) fn settings_changed(&self) {
        let settings = self.config.load();
        own_log::set_level(settings.log_level.filter());
        self.buffers.set_limit(settings.api_request_size);
        self.buffers.wake.notify_one();
    }

    /// Completes the metadata by what a cloud's metadata service knows; takes about a second where there is none. For the agent's thread.
    pub(crate) async fn look_up_cloud(&self) {
        let provider = self.config.load().cloud_provider;
        if provider == CloudProvider::None {
            return;
        }
        let Ok(http) = client::for_local_services() else {
            return;
        };
        if let Some(cloud) = cloud::look_up(provider, &http, &cloud::Services::default()).await {
            let mut metadata = lock(&self.metadata);
            metadata.set_cloud(cloud);
            self.buffers
                .set_metadata(metadata.line(self.takes_activation_method()));
        }
    }

    fn takes_activation_method(&self) -> bool {
        !self
            .server_version()
            .is_some_and(ServerVersion::refuses_activation_method)
    }

    /// The addresses of the calling thread's frames, innermost first. Cheap: nothing is resolved.
    pub(crate) fn capture_stack(&self) -> Vec<usize> {
        stacktrace::capture(self.config.load().stack_trace_limit)
    }
}

#[cfg(feature = "actix")]
const FRAMEWORK: Option<Framework> = Some(Framework {
    name: "actix-web",
    version: "4",
});
#[cfg(not(feature = "actix"))]
const FRAMEWORK: Option<Framework> = None;

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

/// The agent that was started first and still runs: for what happens outside every transaction.
static RUNNING: Mutex<Weak<Inner>> = Mutex::new(Weak::new());

fn set_running(inner: &Arc<Inner>) {
    let mut running = lock(&RUNNING);
    if running
        .upgrade()
        .is_none_or(|other| other.stopped.load(Ordering::Relaxed) || !other.is_of_this_process())
    {
        *running = Arc::downgrade(inner);
    }
}

/// See [`RUNNING`].
pub(crate) fn running() -> Option<Arc<Inner>> {
    #[cfg(feature = "testing")]
    if let Some(inner) = HERE.with_borrow(Weak::upgrade) {
        return Some(inner);
    }
    lock(&RUNNING).upgrade()
}

#[cfg(feature = "testing")]
thread_local! {
    /// The agent of a test, which runs on its thread only.
    static HERE: RefCell<Weak<Inner>> = const { RefCell::new(Weak::new()) };
}

/// Makes an agent the running one of this thread, and gives back the one before.
#[cfg(feature = "testing")]
pub(crate) fn set_running_here(inner: Weak<Inner>) -> Weak<Inner> {
    HERE.replace(inner)
}

thread_local! {
    static AGENT_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Marks the calling thread as the agent's: what happens on it is never recorded.
pub(crate) fn mark_agent_thread() {
    AGENT_THREAD.set(true);
}

pub(crate) fn on_agent_thread() -> bool {
    AGENT_THREAD.try_with(Cell::get).unwrap_or(true)
}
