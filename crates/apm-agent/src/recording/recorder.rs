//! The state that all recording on an agent shares: the configuration, the clock, and everything in which events wait
//! for the worker.

mod flush;
mod handle;
mod running;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::config::{Config, Snapshot};
use crate::recording::breakdown::Breakdown;
use crate::recording::buffers::Buffers;
use crate::recording::captured::ErrorQueue;
use crate::recording::hosts::Hosts;
use crate::recording::server_version::ServerVersion;
use crate::recording::stack;
use crate::recording::stacks::StackQueue;
use crate::util::clock::Clock;
use crate::util::own_log;

pub(crate) use flush::{Command, LAST_FLUSH};
pub(crate) use handle::RecorderHandle;
#[cfg(feature = "testing")]
pub(crate) use running::set_running_here;
pub(crate) use running::{mark_agent_thread, on_agent_thread, running, set_running};

/// Takes the events of one agent.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) buffers: Buffers,
    pub(crate) errors: ErrorQueue,
    pub(crate) stacks: StackQueue,
    pub(crate) breakdown: Breakdown,
    pub(crate) hosts: Hosts,
    /// 0 is unknown, else major, minor and patch in 20 bits each, plus one.
    server_version: AtomicU64,
    stopped: AtomicBool,
    /// To the worker, if there is one.
    commands: OnceLock<mpsc::WeakSender<Command>>,
    /// The server took nothing when it was last tried.
    away: AtomicBool,
    /// The process that the worker runs in.
    process: u32,
    /// When it was last looked whether this is that process, in units of 2²⁰ µs.
    looked_at: AtomicU64,
}

impl Recorder {
    /// `metadata` is the line that every request to the server begins with.
    pub(crate) fn new(config: Config, metadata: Vec<u8>) -> Self {
        let settings = config.snapshot();
        let buffers = Buffers::new(metadata, settings.api_buffer_size);
        buffers.set_limit(settings.api_request_size);
        Self {
            clock: Clock::new(),
            buffers,
            errors: ErrorQueue::default(),
            stacks: StackQueue::default(),
            breakdown: Breakdown::default(),
            hosts: Hosts::default(),
            server_version: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            commands: OnceLock::new(),
            away: AtomicBool::new(false),
            process: std::process::id(),
            looked_at: AtomicU64::new(0),
            config,
        }
    }

    /// Whether there are new transactions.
    #[inline]
    pub(crate) fn records(&self, settings: &Snapshot) -> bool {
        settings.enabled && settings.recording && !self.is_stopped()
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
    }

    /// Takes over what central configuration changed, beyond what is read from the settings each time.
    pub(crate) fn settings_changed(&self) {
        let settings = self.config.load();
        own_log::set_level(settings.log_level.filter());
        self.buffers.set_limit(settings.api_request_size);
        self.buffers.wake.notify_one();
    }

    /// Nothing is recorded any more: the agent was shut down, cannot work, or is in another process.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether the server took nothing when it was last tried.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// The addresses of the calling thread's frames, innermost first. Cheap: nothing is resolved.
    pub(crate) fn capture_stack(&self) -> Vec<usize> {
        stack::capture(self.config.load().stack_trace_limit)
    }

    pub(crate) fn is_of_this_process(&self) -> bool {
        std::process::id() == self.process
    }

    /// Whether this process was forked from the agent's, and so has none: a fork copies no threads. Says so the first
    /// time, and stops recording. The buffers are left alone, as the thread may have held their locks when the process
    /// was forked.
    pub(crate) fn was_forked(&self) -> bool {
        if self.is_of_this_process() {
            return false;
        }
        if !self.stopped.swap(true, Ordering::Relaxed) {
            own_log::error(format_args!(
                "this process was forked from process {}, in which the agent runs, and has no agent: \
                 nothing is recorded here; start an agent after the fork, in each process that is to be watched",
                self.process
            ));
        }
        true
    }

    /// The same for busy code, which gives the time in microseconds: it is looked at about once a second.
    #[inline]
    pub(crate) fn was_forked_by(&self, now: u64) -> bool {
        let second = now >> 20;
        if self.looked_at.load(Ordering::Relaxed) == second {
            return false;
        }
        self.looked_at.store(second, Ordering::Relaxed);
        self.was_forked()
    }
}
