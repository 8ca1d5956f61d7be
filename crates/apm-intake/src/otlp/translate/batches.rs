//! The batches of a body: at least one for each resource, and no large ones.

use std::sync::Arc;

use apm_store::event::{Batch, Event, Resource, Sample, Text};

use crate::elastic::cannot_be;
use crate::otlp::bounds::{BATCH_BYTES, BATCH_EVENTS};

/// The batches so far.
#[derive(Debug)]
pub(super) struct Batches {
    received: i64,
    batches: Vec<Batch>,
    /// The memory of all but the last, bytes.
    closed: usize,
    /// Of which what comes next is; a new batch begins with it.
    resource: Option<Arc<Resource>>,
}

/// When something happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    /// µs since the epoch.
    pub(super) at: i64,
    /// The time that was sent, where it cannot be, µs since the epoch.
    pub(super) sent: Option<i64>,
}

impl Batches {
    pub(super) fn new(received: i64) -> Self {
        Self {
            received,
            batches: Vec::new(),
            closed: 0,
            resource: None,
        }
    }

    /// When the body came, µs since the epoch.
    pub(super) fn received(&self) -> i64 {
        self.received
    }

    /// Begins a resource: the next events are of it.
    pub(super) fn begin(&mut self, resource: &Arc<Resource>) {
        self.resource = Some(Arc::clone(resource));
    }

    /// The memory that the events take, bytes, roughly.
    pub(super) fn bytes(&self) -> usize {
        let last = self.batches.last().map_or(0, |batch| {
            batch.mark() as usize
                + batch.events.len() * size_of::<Event>()
                + batch.samples.len() * size_of::<Sample>()
        });
        self.closed + last
    }

    /// The batch that the next event belongs to.
    pub(super) fn next(&mut self) -> &mut Batch {
        let is_full = self.batches.last().is_none_or(|batch| {
            batch.events.len() >= BATCH_EVENTS || batch.mark() as usize >= BATCH_BYTES
        });
        if let Some(resource) = &self.resource
            && (is_full
                || self
                    .batches
                    .last()
                    .is_none_or(|last| !Arc::ptr_eq(&last.resource, resource)))
        {
            self.closed = self.bytes();
            self.batches
                .push(Batch::new(Arc::clone(resource), self.received));
        }
        self.batches
            .last_mut()
            .expect("a resource begins before its items")
    }

    /// A time that was sent, ns since the epoch, moved by as many ns. That of arrival stands for one that cannot be.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within the range of 64 bits after the clamp"
    )]
    pub(super) fn time(&self, nanos: u64, skew: i64) -> Time {
        let micros = (i128::from(nanos) + i128::from(skew)).div_euclid(1000);
        let sent = micros.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        match cannot_be(sent, self.received) {
            true => Time {
                at: self.received,
                sent: Some(sent),
            },
            false => Time {
                at: sent,
                sent: None,
            },
        }
    }

    /// Those that have events.
    pub(super) fn finish(self) -> Vec<Batch> {
        let mut batches = self.batches;
        batches.retain(|batch| !batch.events.is_empty());
        batches
    }
}

/// Says that the next event of the batch has a time that cannot be.
pub(super) fn note_time(batch: &mut Batch, time: Time) {
    if let Some(sent) = time.sent {
        let place = u32::try_from(batch.events.len()).expect("a batch is small");
        batch.sent.push((place, sent));
    }
}

/// Keeps a text that is not empty.
pub(super) fn keep(batch: &mut Batch, text: Option<&str>) -> Option<Text> {
    text.filter(|text| !text.is_empty())
        .map(|text| batch.keep(text))
}
