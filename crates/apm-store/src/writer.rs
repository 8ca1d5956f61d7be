//! The one writer: takes what waits, writes it in one transaction, answers after COMMIT.
//!
//! A transaction takes up to [`TOGETHER`] events, or fewer as soon as the queue is empty, so that one batch alone is
//! committed at once and many batches share a commit. When it fails everything of it is rolled back and each
//! submitter is told why; when the reason lies in the data and not in the disk, each batch is tried again alone, so
//! that nobody fails for another's sake.

mod follow;
mod whole;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;

use super::apply::Memory;
use super::coarse_rollups::CoarseRollups;
use super::error::StoreError;
use super::file::Held;
use super::options::StoreOptions;
use super::pool::Pool;
use super::queue::{Queue, Weight};
use super::retention::Retention;
use super::share::{self, Follow, Followed};
use super::stats::Counters;
use super::ticket::Answer;
use super::ticket::Committed;
use super::wal::Wal;
use super::{clear, open};
use crate::event::Batch;

/// Events per transaction. Fewer cost more, above all because each transaction changes the same rows of the rollups
/// again: 1.1 rows for each event of the bench with 1 000 events, 0.69 with 5 000, 0.50 with 10 000. More of them make
/// those wait longer that come when the queue is full.
const TOGETHER: usize = 10_000;

/// The pause between looks at the files while nothing is to be written.
const LOOK: Duration = Duration::from_secs(1);

/// The longest time that retention may hold up waiting batches while the files are too large.
const PRESSURE: Duration = Duration::from_millis(250);

/// Work for the writer.
pub(super) enum Job {
    /// Events to store.
    Batch(Box<Batch>, Answer<Committed>),
    /// Anything else that writes, in a transaction of its own.
    Write(Write),
    /// Counts of another server, unless everything was deleted since the number of clears was read.
    Follow(Box<Follow>, u64, Answer<Option<Followed>>),
    /// Deletes all that was stored before.
    Clear(Answer<()>),
}

/// Statements to run, which answer by themselves: also why they cannot be run.
type Write = Box<dyn FnOnce(Result<&mut SqliteConnection, StoreError>, &Counters) + Send>;

pub(super) struct Writer {
    pub(super) conn: SqliteConnection,
    pub(super) memory: Memory,
    pub(super) coarse: CoarseRollups,
    pub(super) queue: Arc<Queue<Job>>,
    pub(super) counters: Arc<Counters>,
    pub(super) retention: Retention,
    pub(super) options: StoreOptions,
    /// Those who read.
    pub(super) pool: Arc<Pool>,
    pub(super) wal: Wal,
    /// The files that it writes to.
    pub(super) files: Held,
    /// Whether the connection is one to the files, which it is not where they could not be opened again.
    pub(super) is_open: bool,
    /// Whether the log was found lost and is not made whole yet.
    pub(super) is_lost: bool,
    /// The last value of `PRAGMA data_version`: it differs after another process wrote.
    pub(super) foreign_writes: i64,
    /// Keeps other processes away as long as this one writes. After the connection, which is closed first.
    pub(super) _lock: open::Lock,
}

impl Writer {
    /// Works until the queue is closed and drained.
    pub(super) fn run(mut self) {
        let _end = End {
            queue: Arc::clone(&self.queue),
            counters: Arc::clone(&self.counters),
        };
        self.retention.begin(&mut self.conn, clock());
        let most = Weight {
            events: TOGETHER,
            bytes: self.wal.bounds().commit(),
        };
        while let Some(jobs) = self.queue.take(most, self.patience()) {
            let busy = !jobs.is_empty();
            self.work(jobs);
            if self.coarse.due() == Some(Duration::ZERO) {
                self.settle();
            }
            self.retain(busy);
        }
        // Rollups that are left behind here would have to be made anew at the next start.
        self.settle();
        // Leaves one file behind, for those who copy it. A log that is not whole must not be copied over the database.
        if let Err(error) = self.whole() {
            log::error!("the telemetry database is closed as it is: {error}");
        } else if let Err(error) = self.conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
            log::warn!("the last checkpoint failed, the next start will do it: {error}");
        }
    }

    /// The longest time that it may wait for work.
    fn patience(&self) -> Duration {
        let patience = self.retention.patience().min(LOOK);
        self.coarse.due().map_or(patience, |due| patience.min(due))
    }

    /// Writes what the coarser rollups lack.
    fn settle(&mut self) {
        if self.coarse.due().is_none() {
            return;
        }
        let settled = self
            .ready(0)
            .and_then(|()| Ok(self.coarse.settle(&mut self.conn)?));
        match settled {
            Ok(()) => {
                self.files.remember();
                self.counters.changed();
            }
            // It stays behind, and the next time tries again.
            Err(error) => {
                self.coarse.postpone();
                log::error!("coarser rollups are not up to date: {error}");
            }
        }
    }

    /// Deletes what is too old or too much, a step at a time.
    fn retain(&mut self, busy: bool) {
        let start = Instant::now();
        loop {
            // Batches wait as long as the files are larger than they may be: otherwise files would grow faster than
            // they shrink.
            self.step(busy);
            if !self.retention.is_behind() || !self.is_over() || start.elapsed() >= PRESSURE {
                return;
            }
        }
    }

    fn step(&mut self, busy: bool) {
        // While nothing is written, nobody else looks whether the files are still there.
        if !busy && self.check_files().is_err() {
            return self.retention.postpone();
        }
        // While another process is in the way, `make_room` finds out whether it is gone.
        if !self.retention.is_due(busy) && !self.wal.is_pinned() {
            return;
        }
        // Deletions go through the log as well.
        let room = self.retention.step_bytes();
        if self.wal.make_room(&mut self.conn, room).is_err() {
            return self.retention.postpone();
        }
        let now = clock();
        let looked = self.retention.look(
            &mut self.conn,
            &mut self.wal,
            &mut self.memory,
            &mut self.coarse,
            now,
            busy,
        );
        match looked {
            Ok(step) => {
                let deleted = &self.counters.deleted_blocks;
                deleted.fetch_add(step.blocks, Ordering::Relaxed);
                let sampled = &self.counters.sampled_out;
                sampled.fetch_add(step.sampled_out, Ordering::Relaxed);
                let undecided = &self.counters.undecided_traces;
                undecided.fetch_add(step.undecided, Ordering::Relaxed);
                if step.changed {
                    self.counters.changed();
                }
            }
            Err(error) => {
                // Some of the step may be done.
                self.counters.changed();
                log::error!("old events were not deleted: {error}");
            }
        }
        self.noted();
    }

    /// Whether database and log take more than they may together.
    fn is_over(&self) -> bool {
        let file = || std::fs::metadata(self.files.path()).map_or(0, |file| file.len());
        let max = self.options.max_size;
        max.is_some_and(|max| self.wal.size() + file() > max)
    }

    /// Whether the files are whole; it is the trouble if not.
    fn check_files(&mut self) -> Result<(), StoreError> {
        let sound = self.whole();
        sound.inspect_err(|error| self.failed(0, error))
    }

    /// Makes sure that the files are whole and that so many bytes of events fit into the log.
    fn ready(&mut self, bytes: usize) -> Result<(), StoreError> {
        self.whole()?;
        self.wal.make_room(&mut self.conn, bytes as u64)
    }

    fn failed(&self, events: u64, error: &StoreError) {
        if self.counters.failed(events, error) {
            log::error!("events are not stored: {error}");
        }
    }

    fn work(&mut self, jobs: Vec<Job>) {
        let mut batches = Vec::with_capacity(jobs.len());
        for job in jobs {
            match job {
                Job::Batch(batch, answer) => batches.push((*batch, answer)),
                Job::Write(write) => {
                    // Batches that were submitted before are stored before.
                    self.store(std::mem::take(&mut batches));
                    let ready = self.ready(0).inspect_err(|error| self.failed(0, error));
                    write(ready.map(|()| &mut self.conn), &self.counters);
                    self.noted();
                }
                Job::Follow(follow, clears, answer) => {
                    self.store(std::mem::take(&mut batches));
                    let followed = match self.counters.clears.load(Ordering::Acquire) == clears {
                        true => self.follow(&follow).map(Some),
                        false => Ok(None),
                    };
                    // The caller may drop the ticket.
                    let _ = answer.send(followed);
                }
                Job::Clear(answer) => {
                    self.store(std::mem::take(&mut batches));
                    let cleared = self
                        .ready(0)
                        .inspect_err(|error| self.failed(0, error))
                        .and_then(|()| Ok(self.conn.immediate_transaction(clear::clear)?));
                    self.noted();
                    if cleared.is_ok() {
                        self.memory.forget();
                        self.coarse.forget();
                        self.retention.forget();
                        // From here on, what was read before is not written any more (`Store::write_of`).
                        self.counters.clears.fetch_add(1, Ordering::AcqRel);
                        self.counters.changed();
                    }
                    // The caller may drop the ticket.
                    let _ = answer.send(cleared);
                }
            }
        }
        self.store(batches);
    }

    fn store(&mut self, batches: Vec<(Batch, Answer<Committed>)>) {
        if batches.is_empty() {
            return;
        }
        let several = batches.len() > 1;
        match self.commit(&batches) {
            Ok(data_version) => {
                self.retention
                    .arrived(batches.iter().map(|(batch, _)| batch));
                answer(batches, data_version);
            }
            Err(StoreError::Query(error)) if several => {
                log::warn!("storing {} batches one by one: {error}", batches.len());
                for batch in batches {
                    self.store(vec![batch]);
                }
            }
            Err(error) => {
                let events = batches.iter().map(|(batch, _)| batch.events.len() as u64);
                self.failed(events.sum(), &error);
                for (_, answer) in batches {
                    // The caller may drop the ticket.
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Stores batches in one transaction; returns the data version that it made.
    fn commit(&mut self, batches: &[(Batch, Answer<Committed>)]) -> Result<u64, StoreError> {
        let start = Instant::now();
        let bytes = batches.iter().map(|(batch, _)| batch.size()).sum();
        self.ready(bytes)?;
        self.retention.coming(bytes as u64);
        let Self {
            conn,
            memory,
            coarse,
            options,
            ..
        } = self;
        // On a full disk SQLite itself rolls back, and what Diesel reports is that there is nothing left to roll back.
        let mut cause = None;
        let applied = conn.immediate_transaction(|conn| {
            let counted = memory.apply(conn, batches.iter().map(|(batch, _)| batch));
            counted
                .and_then(|counted| {
                    // In the transaction of the events: after a crash both are there, or neither.
                    if options.shares_counts {
                        share::note(conn, &counted.rollup)?;
                    }
                    Ok((coarse.write(conn, &counted)?, counted))
                })
                .inspect_err(|error| cause = Some(error.clone()))
        });
        match applied {
            Ok((plan, counted)) => {
                memory.commit();
                let events = batches.iter().map(|(batch, _)| batch.events.len()).sum();
                coarse.committed(&counted, events, plan);
                self.counters.add_beyond(&counted.beyond);
                let wrong = &self.counters.wrong_times;
                wrong.fetch_add(counted.wrong_times, Ordering::Relaxed);
                self.counters.add_unresolved(counted.unresolved);
                self.written()?;
                Ok(self.counters.committed(events as u64, start.elapsed()))
            }
            Err(error) => {
                memory.rollback();
                // Room was made in the log for it, and that is not to be taken for another's work.
                self.noted();
                Err(cause.unwrap_or(error))
            }
        }
    }
}

/// However the writer ends, nobody waits for it any more.
struct End {
    queue: Arc<Queue<Job>>,
    counters: Arc<Counters>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.queue.close();
        // Nobody is left to do these jobs: dropping them answers their senders.
        let all = Weight {
            events: usize::MAX,
            bytes: usize::MAX,
        };
        drop(self.queue.take(all, Duration::ZERO));
        self.counters.closed();
    }
}

/// The machine's clock, seconds since the epoch.
fn clock() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
}

fn answer(batches: Vec<(Batch, Answer<Committed>)>, data_version: u64) {
    for (batch, answer) in batches {
        let events = batch.events.len();
        // The caller may drop the ticket.
        let _ = answer.send(Ok(Committed {
            events,
            data_version,
        }));
    }
}
