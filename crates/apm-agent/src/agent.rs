//! The agent: the handle that a service keeps, and what all parts share.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc as std_mpsc;
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::breakdown::Breakdown;
use crate::builder::{Builder, ConfigError};
use crate::clock::Clock;
use crate::error::{ErrorQueue, Place};
use crate::model::frame::Frame;
use crate::sampler::SampleRate;
use crate::settings::{Settings, TransactionSettings};
use crate::stats::Stats;
use crate::trace_context::ContinuationStrategy;
use crate::transaction::Transaction;
use crate::transport::buffers::{Buffers, lock};
use crate::transport::client::{Client, Endpoint};
use crate::transport::sender::{self, Command};
use crate::transport::server_info::ServerVersion;

/// What the user agent calls the agent, and what the server shows as its version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A running agent. Clones are the same agent; it stops when it is shut down or the last clone is dropped.
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
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) buffers: Buffers,
    pub(crate) errors: ErrorQueue,
    pub(crate) breakdown: Breakdown,
    /// 0 is unknown, else major, minor and patch in 20 bits each, plus one.
    server_version: AtomicU64,
    stopped: std::sync::atomic::AtomicBool,
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

    pub(crate) fn start(settings: Settings) -> Self {
        let inner = Arc::new(Inner::new(settings));
        if !inner.settings.enabled {
            return Self::without_thread(inner);
        }
        let client = match Client::new(inner.endpoint()) {
            Ok(client) => client,
            Err(error) => {
                let cause = std::error::Error::source(&error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                log::error!(target: "apm_agent", "the agent records nothing: {error}: {cause}");
                inner.stopped.store(true, Ordering::Relaxed);
                return Self::without_thread(inner);
            }
        };
        let (commands, received) = mpsc::channel(16);
        match sender::spawn(Arc::clone(&inner), client, received) {
            Ok(thread) => {
                set_running(&inner);
                crate::panic::install();
                Self {
                    handle: Arc::new(Handle {
                        inner,
                        commands: Some(commands),
                        thread: Mutex::new(Some(thread)),
                    }),
                }
            }
            Err(error) => {
                log::error!(target: "apm_agent", "the agent records nothing: its thread cannot be started: {error}");
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

    /// Sends what was recorded until now and waits for it, at most `timeout`. `true` when everything was sent.
    ///
    /// Blocks the calling thread: meant for tests and the end of short programs.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.command(timeout, |deadline, done| Command::Flush { deadline, done })
    }

    /// Sends what was recorded, waits at most `timeout` for that, and ends the agent. What could not be sent is counted as dropped.
    /// `true` when everything was sent.
    ///
    /// Call it after the server has stopped. The service goes on without recording.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        let sent = self.command(timeout, |deadline, done| Command::Shutdown {
            deadline,
            done,
        });
        self.inner().stopped.store(true, Ordering::Relaxed);
        let thread = lock(&self.handle.thread).take();
        if let Some(thread) = thread
            && thread.is_finished()
        {
            // A panic of the sender was reported by the panic hook.
            let _ = thread.join();
        }
        sent
    }

    fn command(
        &self,
        timeout: Duration,
        command: impl FnOnce(Instant, std_mpsc::SyncSender<bool>) -> Command,
    ) -> bool {
        /// Time for the answer after the deadline itself.
        const GRACE: Duration = Duration::from_millis(100);
        let Some(commands) = &self.handle.commands else {
            return true;
        };
        let (done, answer) = std_mpsc::sync_channel(1);
        if commands
            .try_send(command(Instant::now() + timeout, done))
            .is_err()
        {
            return false;
        }
        answer.recv_timeout(timeout + GRACE).unwrap_or(false)
    }

    /// What became of every event so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner().buffers.counters.snapshot()
    }

    /// Whether the agent may ever record: not switched off by `enabled=false`.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.inner().settings.enabled
    }

    /// Whether the agent records anything now.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.inner().recording()
    }
}

impl Inner {
    pub(crate) fn new(settings: Settings) -> Self {
        let metadata = metadata_line(&settings);
        Self {
            clock: Clock::new(),
            buffers: Buffers::new(metadata),
            errors: ErrorQueue::default(),
            breakdown: Breakdown::default(),
            server_version: AtomicU64::new(0),
            stopped: std::sync::atomic::AtomicBool::new(false),
            settings,
        }
    }

    fn endpoint(&self) -> Endpoint {
        let settings = &self.settings;
        let authorization = match (&settings.api_key, &settings.secret_token) {
            (Some(key), _) => Some(format!("ApiKey {key}")),
            (None, Some(token)) => Some(format!("Bearer {token}")),
            (None, None) => None,
        };
        Endpoint {
            urls: vec![settings.server_url.trim_end_matches('/').to_owned()],
            authorization,
            user_agent: user_agent(&settings.service_name, settings.service_version.as_deref()),
            timeout: settings.server_timeout,
        }
    }

    /// Whether new transactions and errors are recorded.
    pub(crate) fn recording(&self) -> bool {
        self.settings.enabled && self.settings.recording && !self.stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn sample_rate(&self) -> SampleRate {
        self.settings.sample_rate
    }

    pub(crate) fn continuation_strategy(&self) -> ContinuationStrategy {
        ContinuationStrategy::Continue
    }

    pub(crate) fn transaction_settings(&self) -> TransactionSettings {
        self.settings.transaction
    }

    pub(crate) fn api_request_time(&self) -> Duration {
        self.settings.api_request_time
    }

    pub(crate) fn disable_send(&self) -> bool {
        self.settings.disable_send
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
    }

    /// Waits until the metadata is complete, within the limits of its look-ups. For the agent's thread.
    pub(crate) async fn delay_for_metadata(&self) {}

    /// What the agent's thread does at every tick: turns what waits for it into events.
    pub(crate) fn tick(self: &Arc<Self>, now: Instant, all: bool) {
        self.errors.process(self, now, all);
    }

    /// The addresses of the calling thread's frames, innermost first. Cheap: nothing is resolved.
    pub(crate) fn capture_stack(&self) -> Vec<usize> {
        Vec::new()
    }

    /// Frames for an error, innermost first. Slow: for the agent's thread.
    pub(crate) fn resolve(&self, location: Option<&Place>, _addresses: &[usize]) -> Vec<Frame> {
        location
            .map(|place| Frame {
                filename: place.file.clone(),
                abs_path: Some(place.file.clone()),
                lineno: Some(place.line),
                colno: Some(place.column),
                ..Frame::default()
            })
            .into_iter()
            .collect()
    }
}

fn metadata_line(settings: &Settings) -> Vec<u8> {
    let mut line = serde_json::to_vec(&serde_json::json!({"metadata": {
        "service": {
            "name": settings.service_name,
            "version": settings.service_version,
            "environment": settings.environment,
            "agent": {"name": "rust", "version": VERSION},
            "language": {"name": "rust"},
        },
        "process": {"pid": std::process::id()},
    }}))
    .unwrap_or_default();
    line.push(b'\n');
    line
}

/// `apm-agent-rust/1.2.3 (my-service 4.5)`: what the header's grammar does not allow in a comment becomes `_`.
fn user_agent(service: &str, version: Option<&str>) -> String {
    let clean = |text: &str| -> String {
        let allowed = |c: char| matches!(c, '\t' | '\x20'..='\x27' | '\x2a'..='\x5b' | '\x5d'..='\x7e' | '\u{80}'..='\u{ff}');
        text.chars()
            .map(|c| if allowed(c) { c } else { '_' })
            .collect()
    };
    match version {
        Some(version) => format!(
            "apm-agent-rust/{VERSION} ({} {})",
            clean(service),
            clean(version)
        ),
        None => format!("apm-agent-rust/{VERSION} ({})", clean(service)),
    }
}

/// The agent that was started first and still runs: for what happens outside every transaction.
static RUNNING: Mutex<Weak<Inner>> = Mutex::new(Weak::new());

fn set_running(inner: &Arc<Inner>) {
    let mut running = lock(&RUNNING);
    if running
        .upgrade()
        .is_none_or(|other| other.stopped.load(Ordering::Relaxed))
    {
        *running = Arc::downgrade(inner);
    }
}

/// See [`RUNNING`].
pub(crate) fn running() -> Option<Arc<Inner>> {
    lock(&RUNNING).upgrade()
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
