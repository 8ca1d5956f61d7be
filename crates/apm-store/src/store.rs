//! The handle on the database: hands work to the writer, gives connections to readers, and tells how the store is.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use diesel::{QueryResult, SqliteConnection, sql_query};

use super::apply::Memory;
use super::bounds::Bounds;
use super::coarse_rollups::CoarseRollups;
use super::error::{OpenError, StoreError, SubmitError};
use super::file::Held;
use super::gate::Gate;
use super::options::StoreOptions;
use super::pool::Pool;
use super::queue::{Queue, Weight};
use super::retention::Retention;
use super::scrub::Scrub;
use super::statement::Run as _;
use super::stats::{Counters, StoreStats};
use super::ticket::Ticket;
use super::transaction::Begin;
use super::wal::Wal;
use super::writer::{Job, Writer};
use super::{blocking, file, kept, open, retention, share, transaction};
use crate::event::Batch;

/// A handle on the database; clones share it. The last one closes it.
#[derive(Clone, Debug)]
pub struct Store(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: StoreOptions,
    queue: Arc<Queue<Job>>,
    counters: Arc<Counters>,
    pool: Arc<Pool>,
    bounds: Bounds,
    writer: Mutex<Option<JoinHandle<()>>>,
    scrub: Scrub,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Batch(..) => "Batch",
            Self::Write(_) => "Write",
            Self::Follow(..) => "Follow",
            Self::Clear(_) => "Clear",
        })
    }
}

impl Store {
    /// Opens a database, or makes a new one, and starts its writer.
    pub fn open(options: StoreOptions) -> Result<Self, OpenError> {
        // The lock comes before the first look at the file: another process may just be making it.
        let lock = open::Lock::take(&options.path)?;
        let mut opened = open::open(&options)?;
        let io = |source| OpenError::Io {
            path: options.path.clone(),
            source,
        };
        let counters = Arc::new(Counters::default());
        // Versions of one run never equal those of another.
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let start = now.map_or(0, |now| u64::try_from(now.as_micros()).unwrap_or_default());
        counters.data_version.store(start, Ordering::Release);
        let queue = Arc::new(Queue::new(Weight {
            events: options.queue_events,
            bytes: options.queue_bytes,
        }));
        let gate = Arc::new(Gate::default());
        let pool = Pool::new(&options, Arc::clone(&gate));
        let pool = Arc::new(pool);
        let bounds = Bounds::for_max_size(options.max_size);
        let setup = |source: diesel::result::Error| OpenError::Setup {
            path: options.path.clone(),
            source: source.into(),
        };
        let writer = Writer {
            foreign_writes: open::foreign_writes(&mut opened.conn).map_err(setup)?,
            conn: opened.conn,
            memory: Memory::new(opened.next, options.names)
                .map_err(io)?
                .sharing(options.shares_counts),
            queue: Arc::clone(&queue),
            counters: Arc::clone(&counters),
            coarse: CoarseRollups::new(options.raw_max_age),
            retention: Retention::new(options.clone()),
            options: options.clone(),
            pool: Arc::clone(&pool),
            wal: Wal::new(
                &options.path,
                bounds,
                Arc::clone(&gate),
                Arc::clone(&counters),
            ),
            files: Held::new(&options.path),
            is_open: true,
            is_lost: false,
            _lock: lock,
        };
        let thread = std::thread::Builder::new()
            .name("apm-store".to_owned())
            .spawn(move || writer.run())
            .map_err(io)?;
        let scrub = Scrub::start(&pool, &counters, options.scrub_pause).map_err(io)?;
        Ok(Self(Arc::new(Shared {
            pool,
            bounds,
            options,
            queue,
            counters,
            writer: Mutex::new(Some(thread)),
            scrub,
        })))
    }

    /// Hands events to the writer. The ticket resolves after their commit.
    pub fn submit(&self, batch: Batch) -> Result<Ticket, SubmitError> {
        let submitted = self.push(batch, Queue::push);
        if matches!(submitted, Err(SubmitError::QueueFull)) {
            let refused = &self.0.counters.refused_batches;
            refused.fetch_add(1, Ordering::Relaxed);
        }
        submitted
    }

    /// [`Self::submit`] that waits for room in the queue, on the calling thread.
    pub fn submit_when_room(&self, batch: Batch) -> Result<Ticket, SubmitError> {
        self.push(batch, Queue::push_when_room)
    }

    fn push(
        &self,
        batch: Batch,
        push: fn(&Queue<Job>, Job, Weight) -> Result<(), SubmitError>,
    ) -> Result<Ticket, SubmitError> {
        let weight = Weight {
            events: batch.events.len(),
            bytes: batch.size(),
        };
        let (answer, ticket) = Ticket::new();
        push(&self.0.queue, Job::Batch(Box::new(batch), answer), weight).map(|()| ticket)
    }

    /// Runs queries in one snapshot of the data, on the calling thread, which may have to wait for a connection.
    pub fn read<T, E>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<StoreError> + From<diesel::result::Error>,
    {
        let mut pooled = self.0.pool.get()?;
        transaction::within(pooled.conn(), Begin::Deferred, query)
    }

    /// [`Self::read`] on a thread for blocking work.
    pub async fn read_async<T, E>(
        &self,
        query: impl FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + From<diesel::result::Error> + Send + 'static,
    {
        let store = self.clone();
        blocking::run(move || store.read(query)).await?
    }

    /// Runs statements on the writer's connection in one transaction, after what was submitted before. For what is
    /// not telemetry: settings, markers.
    pub fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<Ticket<T>, SubmitError> {
        let (answer, ticket) = Ticket::new();
        let job = Job::Write(Box::new(move |conn, counters| {
            let result =
                conn.and_then(|conn| Ok(transaction::within(conn, Begin::Immediate, write)?));
            // The version grows after a failure too: to read an answer once more does no harm, to keep an old one
            // would.
            counters.changed();
            // The caller may drop the ticket.
            let _ = answer.send(result);
        }));
        self.0.queue.push(job, Weight::default()).map(|()| ticket)
    }

    /// As [`Self::write`], for what follows from a reading: `clears` is the number of [`Self::clears`] before it.
    /// Nothing is written where everything was deleted since, or what is gone would come back.
    pub fn write_of<T: Send + 'static>(
        &self,
        clears: u64,
        write: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<Ticket<Option<T>>, SubmitError> {
        let (answer, ticket) = Ticket::new();
        let job = Job::Write(Box::new(move |conn, counters| {
            // The writer's thread also clears, so nothing is deleted between this look and the write.
            let result = if counters.clears.load(Ordering::Acquire) == clears {
                let result =
                    conn.and_then(|conn| Ok(transaction::within(conn, Begin::Immediate, write)?));
                counters.changed();
                result.map(Some)
            } else {
                Ok(None)
            };
            // The caller may drop the ticket.
            let _ = answer.send(result);
        }));
        self.0.queue.push(job, Weight::default()).map(|()| ticket)
    }

    /// Adds counts of another server to the rollups. `clears`: as in [`Self::write_of`].
    pub fn follow(
        &self,
        clears: u64,
        follow: share::Follow,
    ) -> Result<Ticket<Option<share::Followed>>, SubmitError> {
        let (answer, ticket) = Ticket::new();
        let job = Job::Follow(Box::new(follow), clears, answer);
        self.0.queue.push(job, Weight::default()).map(|()| ticket)
    }

    /// Whether the disk takes anything, found out by writing some pages of no meaning; the trouble of [`Self::stats`]
    /// follows from it.
    pub fn probe(&self) -> Result<Ticket<()>, SubmitError> {
        const WRITE: &str = "INSERT OR REPLACE INTO probe (id, data) VALUES (1, randomblob(65536))";
        // The next probe has to need room again.
        const FORGET: &str = "DELETE FROM probe";
        let (answer, ticket) = Ticket::new();
        let job = Job::Write(Box::new(move |conn, counters| {
            // Each a transaction by itself: on a full disk the error of a ROLLBACK would hide why.
            let wrote = conn.and_then(|conn| {
                sql_query(WRITE).run(conn)?;
                sql_query(FORGET).run(conn)?;
                Ok(())
            });
            counters.probed(&wrote);
            // The caller may drop the ticket.
            let _ = answer.send(wrote);
        }));
        self.0.queue.push(job, Weight::default()).map(|()| ticket)
    }

    /// The number of times that everything was deleted since the store was opened.
    pub fn clears(&self) -> u64 {
        self.0.counters.clears.load(Ordering::Acquire)
    }

    /// Deletes all telemetry that was submitted before, with what was found in it and the markers. The settings of
    /// agents stay. This can't be undone.
    pub fn clear(&self) -> Result<Ticket<()>, SubmitError> {
        let (answer, ticket) = Ticket::new();
        let job = Job::Clear(answer);
        self.0.queue.push(job, Weight::default()).map(|()| ticket)
    }

    /// Grows with each change of the data: equal versions, equal answers.
    pub fn data_version(&self) -> u64 {
        self.0.counters.data_version.load(Ordering::Acquire)
    }

    /// The options that it was opened with.
    pub fn options(&self) -> &StoreOptions {
        &self.0.options
    }

    /// Bytes that the traces may take which are kept for a reason; `None`: no limit.
    pub fn keep_share(&self, reason: kept::Reason) -> Option<i64> {
        Some(retention::share(&self.0.options, reason)).filter(|share| *share < i64::MAX)
    }

    /// A look at the store.
    pub fn stats(&self) -> StoreStats {
        let Shared {
            queue, counters, ..
        } = &*self.0;
        let path = &self.0.options.path;
        let size = |path| std::fs::metadata(path).map_or(0, |file| file.len());
        let held = queue.held();
        let nanos = |counter: &std::sync::atomic::AtomicU64| {
            std::time::Duration::from_nanos(counter.load(Ordering::Relaxed))
        };
        StoreStats {
            queued_events: held.events,
            queued_bytes: held.bytes,
            commits: counters.commits.load(Ordering::Relaxed),
            events: counters.events.load(Ordering::Relaxed),
            failed_events: counters.failed_events.load(Ordering::Relaxed),
            wrong_times: counters.wrong_times.load(Ordering::Relaxed),
            refused_batches: counters.refused_batches.load(Ordering::Relaxed),
            commit_time: nanos(&counters.commit_nanos),
            last_commit_time: nanos(&counters.last_commit_nanos),
            commit_times: counters.commit_times(),
            database_bytes: size(path.clone()),
            log_bytes: size(file::beside(path, "-wal")),
            log_limit: self.0.bounds.hard,
            log_pinned: counters.pinned(),
            reader_pauses: counters.reader_pauses.load(Ordering::Relaxed),
            log_stalls: counters.log_stalls.load(Ordering::Relaxed),
            lost_logs: counters.lost_logs.load(Ordering::Relaxed),
            deleted_blocks: counters.deleted_blocks.load(Ordering::Relaxed),
            sampled_out: counters.sampled_out.load(Ordering::Relaxed),
            undecided_traces: counters.undecided_traces.load(Ordering::Relaxed),
            damaged_blocks: counters.damaged_blocks.load(Ordering::Relaxed),
            calls_left_early: counters.calls_left_early.load(Ordering::Relaxed),
            calls_beyond_limit: counters.calls_beyond_limit.load(Ordering::Relaxed),
            beyond: counters.beyond(),
            trouble: counters.trouble(),
        }
    }

    /// Takes no more batches, commits those that wait, and closes the file. Blocks until that is done.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Shared {
    fn close(&self) {
        // The scrub reads: as long as it does, the writer's last checkpoint cannot empty the log.
        self.scrub.end();
        self.queue.close();
        let thread = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            log::error!("the writer of {} panicked", self.options.path.display());
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}
