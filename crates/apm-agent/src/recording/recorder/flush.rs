//! Asking the worker to send now, and waiting for that.

use std::sync::mpsc as std_mpsc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::{Recorder, on_agent_thread};

/// The time for which the end of a program waits for the last events to be sent.
pub(crate) const LAST_FLUSH: Duration = Duration::from_secs(2);

/// A request to the worker, besides its usual work.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send everything until the deadline, and say whether that succeeded; with `metrics`, these as well.
    Flush {
        deadline: Instant,
        metrics: bool,
        done: std_mpsc::SyncSender<bool>,
    },
    /// The same, then end the thread. What could not be sent is counted as dropped.
    Shutdown {
        deadline: Instant,
        done: std_mpsc::SyncSender<bool>,
    },
}

impl Recorder {
    /// The way to the worker, which is set once, when it is started.
    pub(crate) fn set_commands(&self, commands: &mpsc::Sender<Command>) {
        // Never set before: the agent is new.
        let _ = self.commands.set(commands.downgrade());
    }

    /// Sends what was recorded until now; with `metrics`, these as well, although they are not due. `true` when
    /// everything was sent.
    pub(crate) fn flush(&self, timeout: Duration, metrics: bool) -> bool {
        if self.is_stopped() {
            return self.buffers.counters.snapshot().pending() == 0;
        }
        self.command(timeout, |deadline, done| Command::Flush {
            deadline,
            metrics,
            done,
        })
    }

    /// Sends what was recorded until now, and ends the worker. `true` when everything was sent.
    pub(crate) fn shut_down(&self, timeout: Duration) -> bool {
        let sent = self.command(timeout, |deadline, done| Command::Shutdown {
            deadline,
            done,
        });
        self.stop();
        sent
    }

    /// Asks the worker for something, and waits for the answer.
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
}
