//! Ends: of the agent, of the process, and of a process that was forked from the agent's.

use std::sync::atomic::Ordering;
use std::sync::mpsc as std_mpsc;
use std::time::{Duration, Instant};

use super::{Agent, Handle, Inner, lock, on_agent_thread, running};
use crate::own_log;
use crate::transport::sender::Command;

/// How long the end of a program waits for the last events to be sent.
pub(crate) const LAST_FLUSH: Duration = Duration::from_secs(2);

impl Agent {
    /// Sends what was recorded until now and waits for it, at most `timeout`. `true` when everything was sent.
    ///
    /// Blocks the calling thread: meant for tests and the end of short programs.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.inner().flush(timeout, false)
    }

    /// Sends what was recorded, waits at most `timeout` for that, and ends the agent. What could not be sent is counted as dropped.
    /// `true` when everything was sent.
    ///
    /// Call it after the server has stopped. The service goes on without recording.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.handle.shut_down(timeout)
    }
}

/// Sends what the running agent has recorded until now, with the last metrics, and waits for it, at most `timeout`. `true`
/// when everything was sent, or no agent runs.
///
/// For code that ends the process itself and has no [`Agent`] at hand: `std::process::exit` drops no guard.
///
/// ```no_run
/// # use std::time::Duration;
/// fn give_up(error: &dyn std::error::Error) -> ! {
///     apm_agent::capture_error(error);
///     apm_agent::flush(Duration::from_secs(2));
///     std::process::exit(1)
/// }
/// ```
pub fn flush(timeout: Duration) -> bool {
    running().is_none_or(|agent| agent.flush(timeout, true))
}

impl Handle {
    fn shut_down(&self, timeout: Duration) -> bool {
        let inner = &self.inner;
        let sent = inner.command(timeout, |deadline, done| Command::Shutdown {
            deadline,
            done,
        });
        inner.stopped.store(true, Ordering::Relaxed);
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread
            && thread.is_finished()
        {
            // A panic of the sender was reported by the panic hook.
            let _ = thread.join();
        }
        sent
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.commands.is_some() && !self.inner.stopped.load(Ordering::Relaxed) {
            self.shut_down(LAST_FLUSH);
        }
    }
}

impl Inner {
    /// Sends what was recorded until now; with `metrics`, these as well, although they are not due.
    pub(crate) fn flush(&self, timeout: Duration, metrics: bool) -> bool {
        if self.stopped.load(Ordering::Relaxed) {
            return self.buffers.counters.snapshot().pending() == 0;
        }
        self.command(timeout, |deadline, done| Command::Flush {
            deadline,
            metrics,
            done,
        })
    }

    /// Asks the agent's thread for something, and waits for the answer.
    fn command(
        &self,
        timeout: Duration,
        command: impl FnOnce(Instant, std_mpsc::SyncSender<bool>) -> Command,
    ) -> bool {
        /// Time for the answer after the deadline itself.
        const GRACE: Duration = Duration::from_millis(100);
        let Some(commands) = self.commands.get() else {
            // There is no thread: disabled, or recording for a test.
            return true;
        };
        // The thread would wait for itself; in a forked process there is none.
        if on_agent_thread() || self.was_forked() {
            return false;
        }
        let (done, answer) = std_mpsc::sync_channel(1);
        let command = command(Instant::now() + timeout, done);
        let asked = commands
            .upgrade()
            .is_some_and(|commands| commands.try_send(command).is_ok());
        asked && answer.recv_timeout(timeout + GRACE).unwrap_or(false)
    }

    /// Whether the server took nothing when it was last tried.
    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    pub(crate) fn is_of_this_process(&self) -> bool {
        std::process::id() == self.process
    }

    /// Whether this process was forked from the agent's, and so has none: a fork copies no threads. Says so the first time,
    /// and stops recording. The buffers are left alone, as the thread may have held their locks when the process was forked.
    pub(crate) fn was_forked(&self) -> bool {
        if self.is_of_this_process() {
            return false;
        }
        if !self.stopped.swap(true, Ordering::Relaxed) {
            own_log::error(format_args!(
                "this process was forked from process {}, in which the agent runs, and has no agent: nothing is recorded here; \
                 start an agent after the fork, in each process that is to be watched",
                self.process
            ));
        }
        true
    }

    /// The same for busy code, which gives the time in microseconds: it is looked at about once a second.
    pub(crate) fn was_forked_by(&self, now: u64) -> bool {
        let second = now >> 20;
        if self.looked_at.load(Ordering::Relaxed) == second {
            return false;
        }
        self.looked_at.store(second, Ordering::Relaxed);
        self.was_forked()
    }
}
