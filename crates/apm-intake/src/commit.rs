//! Hands batches to the writer of the store, and waits for their commits.
//!
//! Events that were handed over and are not committed have a budget, whichever requests they come from.

use std::sync::Arc;
use std::time::Duration;

use apm_store::event::{Batch, Kind};
use apm_store::{Store, StoreError, SubmitError, Ticket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::counters::{Counters, Wire};

/// The most that may be handed over and not yet committed: events, or 2 KiB each where they are larger.
const IN_FLIGHT: usize = 16 * 1024;
/// The longest time that a batch waits for the writer before its request is refused.
const WRITER_WAIT: Duration = Duration::from_secs(1);

/// The way to the writer of the store.
#[derive(Debug)]
pub(super) struct Commits {
    store: Store,
    counters: Arc<Counters>,
    in_flight: Arc<Semaphore>,
}

/// A part of the budget.
pub(super) type Share = OwnedSemaphorePermit;

/// A batch that was handed over.
pub(super) struct Pending {
    ticket: Ticket,
    wire: Wire,
    events: [u64; Kind::ALL.len()],
    share: Share,
}

/// Why a batch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// The writer has as much to do as it may have.
    Full,
    /// The server stops.
    Stopping,
}

impl Commits {
    pub(super) fn new(store: Store, counters: Arc<Counters>) -> Self {
        Self {
            store,
            counters,
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
        }
    }

    /// The share of the budget that a batch takes; one that is larger than all of it takes all.
    pub(super) fn weight(batch: &Batch) -> usize {
        batch
            .events
            .len()
            .max(batch.size().div_ceil(2048))
            .clamp(1, IN_FLIGHT)
    }

    /// A share of the budget, or all of it where that is less.
    pub(super) async fn share(&self, weight: usize) -> Result<Share, NotTaken> {
        let weight = u32::try_from(weight.clamp(1, IN_FLIGHT)).expect("the budget is small");
        let acquired = Arc::clone(&self.in_flight).acquire_many_owned(weight);
        match timeout(WRITER_WAIT, acquired).await {
            Ok(Ok(share)) => Ok(share),
            // The budget is never closed, so both say that the time is over.
            Ok(Err(_)) | Err(_) => Err(NotTaken::Full),
        }
    }

    /// Hands a batch over. Its share is held until it is settled.
    pub(super) fn submit(
        &self,
        wire: Wire,
        batch: Batch,
        share: Share,
    ) -> Result<Pending, NotTaken> {
        // The writer takes the batch away, so its events are counted before.
        let mut events = [0; Kind::ALL.len()];
        for event in &batch.events {
            events[event.kind() as usize] += 1;
        }
        match self.store.submit(batch) {
            Ok(ticket) => Ok(Pending {
                ticket,
                wire,
                events,
                share,
            }),
            Err(SubmitError::ShuttingDown) => Err(NotTaken::Stopping),
            Err(_) => Err(NotTaken::Full),
        }
    }

    /// Waits for a commit, and counts what it stored. Gives the events and the share.
    pub(super) async fn settle(&self, pending: Pending) -> Result<(u64, Share), StoreError> {
        pending.ticket.await?;
        for (kind, events) in Kind::ALL.into_iter().zip(pending.events) {
            self.counters.accept(pending.wire, kind, events);
        }
        Ok((pending.events.iter().sum(), pending.share))
    }
}
