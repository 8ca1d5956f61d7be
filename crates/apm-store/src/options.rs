//! The options of a store: its file, its durability, its limits.

use std::path::PathBuf;
use std::time::Duration;

use super::limits::NameLimits;

/// The time that a search of documents takes at most, unless [`StoreOptions::search_time`] says otherwise.
pub const SEARCH_TIME: Duration = Duration::from_secs(2);

/// The failures that an acknowledged batch survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process by any means. The last commits may be lost when the machine loses power.
    #[default]
    Normal,
    /// Power loss too, for one flush to the disk per commit.
    Full,
}

/// The rules by which traces stay when they are complete (`docs/adr/0385-tail-sampling-thins-early.md`). Those with an
/// error or a failed transaction stay in any case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TailSampling {
    /// The part of the other traces that stays, from 0 to 1.
    pub share: f64,
    /// Traces with a transaction that takes as long stay in any case. `None`: duration is no reason.
    pub slow: Option<Duration>,
    /// The time from the arrival of an event until its trace is judged by all that has arrived of it.
    pub wait: Duration,
}

/// The options of a store.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The database file; `-wal`, `-shm` and `.lock` files are made beside it.
    pub path: PathBuf,
    /// The failures that an acknowledged batch survives.
    pub durability: Durability,
    /// Bytes that the data files may take together; the oldest data goes first. `None`: no limit.
    pub max_size: Option<u64>,
    /// The age at which events are deleted, from their arrival. `None`: never.
    pub raw_max_age: Option<Duration>,
    /// The age at which rollups are deleted, from the last arrival in their bucket; minutes go with events. `None`:
    /// never.
    pub rollup_max_age: Option<Duration>,
    /// The part of the files, in percent, that traces may take which are kept beyond the newest events: failed, slow
    /// and pinned ones, samples of statements. 50 at most; 0: none.
    pub keep: u8,
    /// Whether traces are sampled once they are complete, and by which rules.
    pub tail: Option<TailSampling>,
    /// A clock that is at most this far ahead of the newest arrival is believed at once. Beyond, nothing is
    /// deleted for its age until events that arrive have agreed with the clock for ten minutes.
    pub trusted_jump: Duration,
    /// Events that may wait for the writer.
    pub queue_events: usize,
    /// Bytes of memory that waiting batches may take.
    pub queue_bytes: usize,
    /// The limits of different names.
    pub names: NameLimits,
    /// Connections for reading.
    pub readers: usize,
    /// The time that a search of documents may take. Readings that take less by design are lengthened alike
    /// ([`crate::share_taken`]).
    pub search_time: Duration,
    /// Whether events that an output has not sent yet ([`crate::output`]) go after everything else.
    pub keeps_unsent: bool,
    /// Whether what is counted here is noted for other servers ([`crate::share`]).
    pub shares_counts: bool,
    /// The pause between steps of the check of stored events. All events are checked once a day in any case.
    pub scrub_pause: Duration,
}

impl StoreOptions {
    /// The defaults: 7 days of events and 90 of rollups in at most 1 GiB.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            path: path.into(),
            durability: Durability::default(),
            max_size: Some(1 << 30),
            raw_max_age: Some(7 * DAY),
            rollup_max_age: Some(90 * DAY),
            keep: 20,
            tail: None,
            trusted_jump: Duration::from_secs(60 * 60),
            queue_events: 20_000,
            queue_bytes: 32 << 20,
            names: NameLimits::default(),
            readers: 4,
            search_time: SEARCH_TIME,
            keeps_unsent: false,
            shares_counts: false,
            scrub_pause: Duration::from_secs(10),
        }
    }
}
