//! Reads every block of events once a day, so that damage is reported before somebody looks at the events.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use diesel::dsl::{max, min};
use diesel::prelude::*;

use super::error::StoreError;
use super::events;
use super::pool::Pool;
use super::schema::block;
use super::stats::Counters;

/// Time in which all blocks are read.
const ROUND: Duration = Duration::from_secs(24 * 60 * 60);

/// Damaged blocks that are remembered, so that each is told once.
const REMEMBERED: usize = 10_000;

/// The thread, until it is told to end.
#[derive(Debug)]
pub(super) struct Scrub(Mutex<Option<(Sender<()>, JoinHandle<()>)>>);

impl Scrub {
    /// Starts it. `pause`: the time between its steps.
    pub(super) fn start(
        pool: &Arc<Pool>,
        counters: &Arc<Counters>,
        pause: Duration,
    ) -> std::io::Result<Self> {
        let (end, ends) = channel();
        let (pool, counters) = (Arc::clone(pool), Arc::clone(counters));
        let thread = std::thread::Builder::new()
            .name("apm-scrub".to_owned())
            .spawn(move || run(&pool, &counters, pause, &ends))?;
        Ok(Self(Mutex::new(Some((end, thread)))))
    }

    /// Ends it, after the step that it is in.
    pub(super) fn end(&self) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((end, thread)) = running {
            drop(end);
            if thread.join().is_err() {
                log::error!("the check of stored events panicked");
            }
        }
    }
}

fn run(pool: &Pool, counters: &Counters, pause: Duration, ends: &Receiver<()>) {
    let mut round = Round::default();
    while ends.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        match round.step(pool, pause) {
            Ok(damaged) => {
                _ = counters
                    .damaged_blocks
                    .fetch_add(damaged, Ordering::Relaxed)
            }
            // A reader or a writer meets the damage too, and reports it.
            Err(error) => log::debug!("stored events are not checked: {error}"),
        }
    }
}

/// The place that a round has reached.
#[derive(Debug, Default)]
struct Round {
    next: Option<i64>,
    told: HashSet<i64>,
}

impl Round {
    /// Checks the next blocks, as many as the time of a round asks for. Returns how many more were found damaged.
    fn step(&mut self, pool: &Pool, pause: Duration) -> Result<u64, StoreError> {
        let mut pooled = pool.get()?;
        pooled.conn().transaction(|conn| self.blocks(conn, pause))
    }

    fn blocks(&mut self, conn: &mut SqliteConnection, pause: Duration) -> Result<u64, StoreError> {
        // Two statements: SQLite finds the end of an index by itself only for one of both.
        let first: Option<i64> = block::table.select(min(block::id)).get_result(conn)?;
        let last: Option<i64> = block::table.select(max(block::id)).get_result(conn)?;
        let (Some(first), Some(last)) = (first, last) else {
            return Ok(0);
        };
        let blocks = last - first + 1;
        // A process may live for less than a day: each one begins somewhere else.
        let next = self.next.unwrap_or_else(|| first + somewhere(blocks));
        let next = if next > last { first } else { next };
        let steps = (ROUND.as_secs_f64() / pause.as_secs_f64().max(0.001)).ceil();
        let wanted = (blocks as f64 / steps).ceil() as i64;
        let ids: Vec<i64> = block::table
            .filter(block::id.ge(next))
            .order(block::id.asc())
            .limit(wanted)
            .select(block::id)
            .load(conn)?;
        let mut damaged = 0;
        let start = Instant::now();
        for id in ids {
            self.next = Some(id + 1);
            match events::check_block(conn, id) {
                Err(error @ (StoreError::BadBlock(_) | StoreError::Corrupt(_))) => {
                    if self.told.len() < REMEMBERED && self.told.insert(id) {
                        log::error!("block {id} of the database is damaged: {error}");
                        damaged += 1;
                    }
                }
                checked => checked?,
            }
            // On a slow disk a round takes longer.
            if start.elapsed() > pause / 10 {
                break;
            }
        }
        Ok(damaged)
    }
}

/// A number below `blocks`.
fn somewhere(blocks: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = now.map_or(0, |now| i64::from(now.subsec_nanos()));
    nanos.rem_euclid(blocks.max(1))
}
