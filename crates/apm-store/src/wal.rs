//! The size of the write-ahead log, and how it is kept within its bound.
//!
//! SQLite copies the log into the file when a commit leaves more than so many pages in it ([`Bounds::checkpoint`]), and
//! then starts the log again from the beginning, if nobody reads from it. Readers that overlap are always in the way.
//! So beyond [`Bounds::brief`] new readers are kept out for at most [`BRIEF`], which is enough for usual pages. Beyond
//! [`Bounds::hard`] the writer stops too, and waits for those who read. What waits to be stored fills the queue then,
//! and agents are answered with 503. Another process that reads cannot be kept out: when it holds the log at its bound,
//! events are refused until it ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Integer;

use super::bounds::{Bounds, PAGE};
use super::error::StoreError;
use super::file::beside;
use super::gate::Gate;
use super::stats::Counters;

/// The time for which new readers are kept out while the log has room left.
const BRIEF: Duration = Duration::from_millis(50);

/// The time until readers are kept out again after that was in vain.
const REST: Duration = Duration::from_millis(500);

/// The longest time that the writer waits for readers when the log has no room left.
const STALL: Duration = Duration::from_secs(4);

/// The longest time that another process that reads is waited for then, milliseconds: most end at once.
const FOREIGN: u32 = 250;

/// The time that another process is in the way before the log says so.
const TOLD: Duration = Duration::from_secs(5);

/// Bytes of the log that a commit takes beside what its events take.
const COMMIT: u64 = 256 << 10;

/// Bytes of a page in the log, with what stands before it.
const FRAME: u64 = PAGE + 24;

/// Bytes before the first page of the log.
const HEAD: u64 = 32;

/// The size of the log, in pages.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub(super) struct Frames {
    #[diesel(sql_type = Integer)]
    busy: i32,
    /// Pages in it.
    #[diesel(sql_type = Integer)]
    log: i32,
    /// Of these, copied into the file.
    #[diesel(sql_type = Integer)]
    checkpointed: i32,
}

impl Frames {
    /// Asks for a look or a checkpoint.
    fn ask(conn: &mut SqliteConnection, mode: &str) -> QueryResult<Self> {
        diesel::sql_query(format!("PRAGMA wal_checkpoint({mode})")).get_result(conn)
    }

    /// The present size of the log; nothing is changed.
    pub(super) fn read(conn: &mut SqliteConnection) -> QueryResult<Self> {
        Self::ask(conn, "NOOP")
    }

    /// Bytes that the log must have at least.
    pub(super) fn bytes(self) -> u64 {
        match self.pages() {
            0 => 0,
            frames => HEAD + frames * FRAME,
        }
    }

    /// Pages in the log.
    pub(super) fn pages(self) -> u64 {
        u64::try_from(self.log).unwrap_or_default()
    }

    /// Whether all of it is in the file too.
    pub(super) fn is_copied(self) -> bool {
        self.checkpointed >= self.log
    }
}

/// The result of an attempt to empty the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emptied {
    Yes,
    /// Our own readers did not end in time.
    ReadersInTheWay,
    /// Another process reads.
    Pinned,
}

/// Keeps the log within its bounds.
#[derive(Debug)]
pub(super) struct Wal {
    database: Arc<Path>,
    path: PathBuf,
    bounds: Bounds,
    gate: Arc<Gate>,
    counters: Arc<Counters>,
    /// When readers may be kept out again.
    next_try: Instant,
    /// Since when another process is in the way.
    pinned: Option<Instant>,
    told: bool,
    /// Whether something was refused for that: until the log is emptied, smaller things are refused too.
    is_full: bool,
}

impl Wal {
    pub(super) fn new(
        database: &Path,
        bounds: Bounds,
        gate: Arc<Gate>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            database: database.into(),
            path: beside(database, "-wal"),
            bounds,
            gate,
            counters,
            next_try: Instant::now(),
            pinned: None,
            told: false,
            is_full: false,
        }
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Bytes of the log's file.
    pub(super) fn size(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |log| log.len())
    }

    /// Makes sure that a transaction of so many bytes fits into the log.
    pub(super) fn make_room(
        &mut self,
        conn: &mut SqliteConnection,
        bytes: u64,
    ) -> Result<(), StoreError> {
        let bytes = bytes + COMMIT;
        let Bounds { brief, hard, .. } = self.bounds;
        // The file is never shorter than what is in it, and costs less to ask; it stays long when the log begins anew.
        let fits = self.size() + bytes <= brief || Frames::read(conn)?.bytes() + bytes <= brief;
        let is_time = Instant::now() >= self.next_try;
        // The process that was in the way may be gone. It is reported until the next attempt succeeds.
        let is_pinned = self.pinned.is_some() && is_time;
        if fits && !self.is_full && !is_pinned {
            return Ok(());
        }
        if is_time && self.empty(conn, BRIEF)? == Emptied::Yes {
            return Ok(());
        }
        let used = Frames::read(conn)?.bytes();
        // One that is larger than the whole log is let through when nothing else is in it.
        if !self.is_full && (used == 0 || used + bytes <= hard) {
            return Ok(());
        }
        // Each attempt keeps readers out: between two of them nothing is tried.
        if self.pinned.is_some() && !is_time {
            self.is_full = true;
            return Err(StoreError::LogPinned(Arc::clone(&self.database)));
        }
        self.counters.log_stalls.fetch_add(1, Ordering::Relaxed);
        match self.empty(conn, STALL)? {
            Emptied::Yes => Ok(()),
            Emptied::ReadersInTheWay => Err(StoreError::LogFull(Arc::clone(&self.database))),
            Emptied::Pinned => {
                self.is_full = true;
                Err(StoreError::LogPinned(Arc::clone(&self.database)))
            }
        }
    }

    /// Empties a log that takes a good part of what the files may take, or what they take too much; whether that was
    /// not to be done now. For when nothing is written.
    pub(super) fn tidy(
        &mut self,
        conn: &mut SqliteConnection,
        max_size: Option<u64>,
    ) -> QueryResult<bool> {
        let log = self.size();
        let file = std::fs::metadata(&self.database).map_or(0, |file| file.len());
        let is_too_much = |max| log > max / 16 || (log > 0 && file + log > max);
        if self.pinned.is_none() && !max_size.is_some_and(is_too_much) {
            return Ok(false);
        }
        if Instant::now() < self.next_try {
            return Ok(true);
        }
        Ok(self.empty(conn, BRIEF)? != Emptied::Yes)
    }

    /// Whether another process is in the way.
    pub(super) fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }

    /// Keeps readers out for at most so long, and empties the log when none is left.
    pub(super) fn empty(
        &mut self,
        conn: &mut SqliteConnection,
        patience: Duration,
    ) -> QueryResult<Emptied> {
        // Pages that can be copied while others read are copied now, to make the time short in which they wait.
        Frames::ask(conn, "PASSIVE")?;
        let gate = Arc::clone(&self.gate);
        let closed = gate.close(patience);
        self.counters.reader_pauses.fetch_add(1, Ordering::Relaxed);
        let emptied = if closed.drained {
            // No reader of ours is left, so only another process can be in the way.
            let wait = if patience > BRIEF { FOREIGN } else { 0 };
            conn.batch_execute(&format!("PRAGMA busy_timeout = {wait}"))?;
            let frames = Frames::ask(conn, "TRUNCATE");
            conn.batch_execute("PRAGMA busy_timeout = 5000")?;
            match frames?.busy {
                0 => Emptied::Yes,
                _ => Emptied::Pinned,
            }
        } else {
            Emptied::ReadersInTheWay
        };
        // Readers go on before anything is logged.
        drop(closed);
        self.note(emptied);
        Ok(emptied)
    }

    fn note(&mut self, emptied: Emptied) {
        let now = Instant::now();
        let database = self.database.display();
        match emptied {
            Emptied::Yes => {
                if std::mem::take(&mut self.told) {
                    log::info!("the log of {database} is emptied again");
                }
                self.pinned = None;
                self.is_full = false;
                self.next_try = now;
            }
            Emptied::ReadersInTheWay => self.next_try = now + REST,
            Emptied::Pinned => {
                let since = *self.pinned.get_or_insert(now);
                self.next_try = now + REST;
                if !self.told && now - since >= TOLD {
                    self.told = true;
                    log::warn!(
                        "another process reads {database} and keeps its log from being emptied: it has {} of at most \
                         {} bytes, and then events are refused; end that process, such as an open SQL shell or a copy",
                        self.size(),
                        self.bounds.hard
                    );
                }
            }
        }
        self.counters.set_pinned(self.pinned);
    }
}
