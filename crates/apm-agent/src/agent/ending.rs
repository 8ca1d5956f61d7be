//! The end of an agent, and of the process.

use std::time::Duration;

use super::{Agent, Handle};
use crate::recording::recorder::{self, LAST_FLUSH};
use crate::util::lock;

impl Agent {
    /// Sends what was recorded until now and waits for it, at most `timeout`. `true` when everything was sent.
    ///
    /// Blocks the calling thread: meant for tests and the end of short programs.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.recorder().flush(timeout, false)
    }

    /// Sends what was recorded, waits at most `timeout` for that, and ends the agent. What could not be sent is counted
    /// as dropped. `true` when everything was sent.
    ///
    /// Call it after the server has stopped. The service goes on without recording.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.handle.shut_down(timeout)
    }
}

/// Sends what the running agent has recorded until now, with the last metrics, and waits for it, at most `timeout`.
/// `true` when everything was sent, or no agent runs.
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
    recorder::running().is_none_or(|agent| agent.flush(timeout, true))
}

impl Handle {
    fn shut_down(&self, timeout: Duration) -> bool {
        let sent = self.shared.recorder.shut_down(timeout);
        let thread = lock(&self.thread).take();
        // A thread that is still busy is left alone: it could take longer than the timeout.
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
        if self.commands.is_some() && !self.shared.recorder.is_stopped() {
            self.shut_down(LAST_FLUSH);
        }
    }
}
