//! The answer to a job, given after its commit.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::error::StoreError;

/// The result of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Events of this batch that are stored now.
    pub events: usize,
    /// The data version from which on queries see them.
    pub data_version: u64,
}

/// Resolves when the writer has committed the job, or failed to. Dropping it changes nothing.
#[derive(Debug)]
pub struct Ticket<T = Committed>(oneshot::Receiver<Result<T, StoreError>>);

/// The writer's end of a [`Ticket`].
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

impl<T> Ticket<T> {
    pub(super) fn new() -> (Answer<T>, Self) {
        let (answer, receiver) = oneshot::channel();
        (answer, Self(receiver))
    }

    /// Waits without an async runtime.
    ///
    /// # Panics
    /// Inside of an async runtime, whose thread it would block: await the ticket there.
    pub fn wait(self) -> Result<T, StoreError> {
        self.0.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, StoreError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}
