//! The guard that `start` returns: the agent for as long as the program runs.

use std::ops::Deref;
use std::sync::Arc;

use super::Agent;
use crate::recording::recorder::LAST_FLUSH;

/// The agent of a program. Keep it in a variable of `main`: when it is dropped, it sends what was recorded until then,
/// and waits for that, at most two seconds. So nothing is lost when `main` returns early by `?`, or panics.
///
/// It is used as the [`Agent`] that it holds. Clones of that, as in middleware, go on recording when the guard is gone.
///
/// `std::process::exit`, `abort` and a signal drop nothing. Before you call `exit` yourself, call
/// [`flush`](crate::flush); better, return an `ExitCode` from `main`.
///
/// ```no_run
/// # fn serve(agent: apm_agent::Agent) -> Result<(), std::io::Error> { drop(agent); Ok(()) }
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let agent = apm_agent::Agent::from_env()?.start();
///     serve(agent.clone())?;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "the agent sends what it has when this is dropped: keep it until the end of `main`"]
pub struct AgentGuard(Agent);

impl AgentGuard {
    pub(crate) fn new(agent: Agent) -> Self {
        Self(agent)
    }
}

impl Deref for AgentGuard {
    type Target = Agent;

    fn deref(&self) -> &Agent {
        &self.0
    }
}

impl Drop for AgentGuard {
    fn drop(&mut self) {
        // The last handle ends the agent by itself.
        if Arc::strong_count(&self.0.handle) > 1 {
            self.0.recorder().flush(LAST_FLUSH, true);
        }
    }
}
