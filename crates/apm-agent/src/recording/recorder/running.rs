//! The agent that runs in this process, for what happens outside every transaction.

use std::cell::Cell;
#[cfg(feature = "testing")]
use std::cell::RefCell;
use std::sync::{Arc, Weak};

use super::Recorder;
use crate::util::{Mutex, lock};

/// The agent that was started first and still runs.
static RUNNING: Mutex<Weak<Recorder>> = Mutex::new(Weak::new());

/// Makes an agent the running one, unless another is.
pub(crate) fn set_running(recorder: &Arc<Recorder>) {
    let mut running = lock(&RUNNING);
    if running
        .upgrade()
        .is_none_or(|other| other.is_stopped() || !other.is_of_this_process())
    {
        *running = Arc::downgrade(recorder);
    }
}

/// The agent that was started first and still runs; in a test, that of its thread.
pub(crate) fn running() -> Option<Arc<Recorder>> {
    #[cfg(feature = "testing")]
    if let Some(recorder) = HERE.with_borrow(Weak::upgrade) {
        return Some(recorder);
    }
    lock(&RUNNING).upgrade()
}

#[cfg(feature = "testing")]
thread_local! {
    /// The agent of a test, which runs on its thread only.
    static HERE: RefCell<Weak<Recorder>> = const { RefCell::new(Weak::new()) };
}

/// Makes an agent the running one of this thread, and gives back the one before.
#[cfg(feature = "testing")]
pub(crate) fn set_running_here(recorder: Weak<Recorder>) -> Weak<Recorder> {
    HERE.replace(recorder)
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
