//! A response on its way to the client, whose end is the end of the transaction.

use std::sync::Arc;

use super::context::mark_unfinished;
use crate::recording::context::Scope;
use crate::recording::outcome::Outcome;
use crate::recording::transaction::Core;
use crate::util::lock;

/// A transaction whose body is being sent. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) core: Arc<Core>,
    /// The context that code in the body runs in.
    pub(crate) scope: Scope,
    /// Bytes that the body announced and has not produced; `None` when it did not say how many there are.
    left: Option<u64>,
    finished: bool,
    failed: bool,
}

impl Sending {
    /// Of a body of so many bytes, if it says it. One without any is never asked for them.
    pub(crate) fn new(core: Arc<Core>, scope: Scope, bytes: Option<u64>) -> Self {
        Self {
            core,
            scope,
            left: bytes,
            finished: bytes == Some(0),
            failed: false,
        }
    }

    /// A part of the body was produced.
    pub(crate) fn sent(&mut self, bytes: u64) {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(bytes);
            self.finished = *left == 0;
        }
    }

    /// The body was produced to its end.
    pub(crate) fn finish(&mut self) {
        self.finished = true;
    }

    /// The body broke off by an error.
    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether the client got all of it, as far as one can know.
    pub(crate) fn is_complete(&self) -> bool {
        self.finished && !self.failed
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let core = &self.core;
        if !self.is_complete() {
            let mut state = lock(&core.state);
            mark_unfinished(&mut state.context);
            if self.failed || std::thread::panicking() {
                state.outcome.find(Outcome::Failure);
            }
        }
        core.end();
    }
}
