//! Memory for bodies that are read as a whole.
//!
//! A small body has its room in any case, as the number of open bodies has a limit. A larger one takes from a budget
//! that all of them share. It takes what has come, and not what its head announces: a sender that sends nothing holds
//! nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The most that a body may hold without a share of the budget, bytes.
const SMALL: usize = 64 * 1024;
/// The most that all bodies may hold beyond that, bytes; more where a single one may be larger.
const BODIES: usize = 64 << 20;
/// The part of the budget that a body takes at once, bytes.
const STEP: usize = 64 * 1024;
/// The memory that events may take for each byte of the body that they are decoded from. A span of nothing but ids and
/// times has some 60 bytes on the wire, and some 500 in memory.
const GROWTH: usize = 8;
/// The most that events of all bodies may take that are decoded and not handed over, bytes. A body that needs more gets
/// all of it.
const EVENTS: usize = 128 << 20;
/// Bodies that are decompressed at the same time: zstd needs a window of up to 8 MiB for it.
const UNPACKERS: usize = 8;
/// The longest time that a body waits for its share.
const WAIT: Duration = Duration::from_secs(3);
/// The memory that a permit stands for, bytes.
const UNIT: usize = 1024;

/// The budgets of all bodies of a server.
#[derive(Debug)]
pub(super) struct Room {
    bodies: Arc<Semaphore>,
    events: Arc<Semaphore>,
    all_events: usize,
    unpackers: Semaphore,
}

/// There was no room in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

impl Room {
    /// `largest`: the largest body, bytes.
    pub(super) fn new(largest: usize) -> Self {
        // As it came, and decompressed.
        let bodies = BODIES.max(largest.saturating_mul(2));
        // All bytes that there can be are fewer units than a semaphore has permits.
        let units = |bytes: usize| bytes / UNIT;
        Self {
            bodies: Arc::new(Semaphore::new(units(bodies))),
            events: Arc::new(Semaphore::new(units(EVENTS))),
            all_events: units(EVENTS),
            unpackers: Semaphore::new(UNPACKERS),
        }
    }

    /// A body that holds nothing yet.
    pub(super) fn begin(&self) -> Held {
        Held {
            bodies: Arc::clone(&self.bodies),
            bytes: 0,
            share: None,
        }
    }

    /// Room for the events of a body, until it is dropped. A body that needs more than all of it gets all of it.
    pub(super) async fn decode(&self, body: usize) -> Result<OwnedSemaphorePermit, NoRoom> {
        let units = body.saturating_mul(GROWTH).div_ceil(UNIT);
        let units = u32::try_from(units.clamp(1, self.all_events)).map_err(|_| NoRoom)?;
        in_time(Arc::clone(&self.events).acquire_many_owned(units)).await
    }

    /// A turn to decompress.
    pub(super) async fn unpack(&self) -> Result<impl Drop, NoRoom> {
        in_time(self.unpackers.acquire()).await
    }
}

/// The room of one body.
#[derive(Debug)]
pub(super) struct Held {
    bodies: Arc<Semaphore>,
    bytes: usize,
    share: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// Makes room for so many more bytes.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        self.bytes += bytes;
        let has = self
            .share
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits)
            * UNIT;
        let missing = self.bytes.saturating_sub(SMALL + has);
        if missing == 0 {
            return Ok(());
        }
        let units = missing.next_multiple_of(STEP) / UNIT;
        let units = u32::try_from(units).map_err(|_| NoRoom)?;
        let more = in_time(Arc::clone(&self.bodies).acquire_many_owned(units)).await?;
        match &mut self.share {
            Some(share) => share.merge(more),
            None => self.share = Some(more),
        }
        Ok(())
    }
}

async fn in_time<T, E>(share: impl Future<Output = Result<T, E>>) -> Result<T, NoRoom> {
    match timeout(WAIT, share).await {
        Ok(Ok(share)) => Ok(share),
        Ok(Err(_)) | Err(_) => Err(NoRoom),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn within_a_runtime(test: impl Future<Output = ()>) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().expect("a runtime");
        runtime.block_on(test);
    }

    #[test]
    fn small_bodies_have_room_when_large_ones_take_all_of_it() {
        within_a_runtime(async {
            let room = Room::new(1 << 20);
            let mut large = room.begin();
            large.grow(BODIES + SMALL).await.unwrap();
            let mut small = room.begin();
            for _ in 0..SMALL / 1024 {
                small.grow(1024).await.unwrap();
            }
            assert_eq!(small.grow(1).now_or_never(), None, "it waits");
            drop(large);
            assert_eq!(small.grow(1).await, Ok(()));
        });
    }

    #[test]
    fn a_body_beyond_the_budget_of_events_is_decoded_alone() {
        within_a_runtime(async {
            let room = Room::new(usize::MAX);
            let huge = room.decode(usize::MAX).await.unwrap();
            assert!(room.decode(1).now_or_never().is_none(), "it waits");
            drop(huge);
            assert!(room.decode(1).await.is_ok());
        });
    }
}
