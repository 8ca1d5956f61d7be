//! Answers that are made and not yet read by whom they are for.
//!
//! An answer of some megabytes stays in memory until its reader has taken it, and a reader may take nothing. So large
//! answers share a budget. When it is used up, those whose readers have taken nothing for a moment are given up, the
//! longest silent first, and new ones wait for room. Handlers have permits, held until their answer has found room:
//! more would only make more answers that wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

/// Answers up to this size are not counted, bytes: at the limit of connections they are a few dozen megabytes.
const SMALL: usize = 64 * 1024;

/// The most bytes that larger answers may take together.
const MOST: usize = 64 << 20;

/// Handlers that make answers at the same time.
const HANDLERS: usize = 16;

/// The time without progress after which an answer may be given up for another.
const SILENT: Duration = Duration::from_millis(500);

/// The longest time that a request waits for a permit, and an answer for room.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause between looks for room of an answer that waits.
const LOOK: Duration = Duration::from_millis(50);

/// The budget of all answers of a server.
#[derive(Debug)]
pub(super) struct ResponseBudget {
    most: usize,
    handlers: Arc<Semaphore>,
    table: Mutex<Table>,
    given_up: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    bytes: usize,
    all: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    rest: Bytes,
    /// The bytes that it takes, as long as any of it is left.
    size: usize,
    progress: Instant,
}

impl Default for ResponseBudget {
    fn default() -> Self {
        Self {
            most: MOST,
            handlers: Arc::new(Semaphore::new(HANDLERS)),
            table: Mutex::default(),
            given_up: AtomicU64::new(0),
        }
    }
}

impl ResponseBudget {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A permit to make an answer. `None`: none came free in time.
    pub(super) async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.handlers).acquire_owned();
        timeout(PATIENCE, permit).await.ok()?.ok()
    }

    /// Takes an answer in, as soon as there is room. `None`: there was none in time.
    pub(super) async fn take(self: &Arc<Self>, answer: Bytes) -> Option<Answer> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(id) = self.add(&answer) {
                return Some(Answer {
                    id,
                    budget: Arc::clone(self),
                });
            }
            if Instant::now() >= deadline {
                return None;
            }
            sleep(LOOK).await;
        }
    }

    /// Whether an answer is large enough to be counted.
    pub(super) fn counts(size: u64) -> bool {
        size > SMALL as u64
    }

    fn add(&self, answer: &Bytes) -> Option<u64> {
        let size = answer.len();
        let mut table = self.table();
        // One answer alone may be larger than the budget.
        while !table.all.is_empty() && table.bytes + size > self.most {
            let silent = |entry: &Entry| entry.progress.elapsed() >= SILENT;
            let candidates = table.all.iter().filter(|(_, entry)| silent(entry));
            // While all readers make progress there is no room: `take` looks again in a moment.
            let (&id, _) = candidates.min_by_key(|(_, entry)| entry.progress)?;
            table.remove(id);
            self.given_up.fetch_add(1, Ordering::Relaxed);
        }
        let id = table.next;
        table.next += 1;
        table.bytes += size;
        let entry = Entry {
            rest: answer.clone(),
            size,
            progress: Instant::now(),
        };
        table.all.insert(id, entry);
        Some(id)
    }

    /// Answers given up so far, and the bytes of those that wait.
    pub(super) fn look(&self) -> (u64, usize) {
        let bytes = self.table().bytes;
        (self.given_up.load(Ordering::Relaxed), bytes)
    }
}

impl Table {
    fn remove(&mut self, id: u64) {
        if let Some(entry) = self.all.remove(&id) {
            self.bytes -= entry.size;
        }
    }
}

/// A large answer on its way to its reader.
#[derive(Debug)]
pub(super) struct Answer {
    id: u64,
    budget: Arc<ResponseBudget>,
}

/// The answer was given up for others.
#[derive(Debug, thiserror::Error)]
#[error("the answer was not read for too long, and its memory is needed for others")]
pub(super) struct GivenUp;

impl Answer {
    /// The next piece; empty at the end.
    pub(super) fn next(&self, most: usize) -> Result<Bytes, GivenUp> {
        let mut table = self.budget.table();
        let entry = table.all.get_mut(&self.id).ok_or(GivenUp)?;
        entry.progress = Instant::now();
        let piece = entry.rest.len().min(most);
        Ok(entry.rest.split_to(piece))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.budget.table().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget() -> Arc<ResponseBudget> {
        Arc::new(ResponseBudget {
            most: 1000,
            ..ResponseBudget::default()
        })
    }

    #[actix_web::test]
    async fn an_answer_is_handed_out_whole_and_leaves_room() {
        let budget = budget();
        let answer = budget.take(Bytes::from(vec![7; 900])).await.unwrap();
        assert_eq!(budget.look(), (0, 900));
        assert_eq!(answer.next(400).unwrap().len(), 400);
        assert_eq!(answer.next(4000).unwrap().len(), 500);
        assert!(answer.next(400).unwrap().is_empty());
        drop(answer);
        assert_eq!(budget.look(), (0, 0));
    }

    #[actix_web::test]
    async fn the_answer_that_is_not_read_is_given_up_and_the_one_that_is_read_stays() {
        let budget = budget();
        let stuck = budget.take(Bytes::from(vec![7; 500])).await.unwrap();
        let read = budget.take(Bytes::from(vec![7; 400])).await.unwrap();
        let third = {
            let waiting = budget.take(Bytes::from(vec![7; 300]));
            let reading = async {
                loop {
                    read.next(1).unwrap();
                    sleep(LOOK).await;
                }
            };
            tokio::select! {
                third = waiting => third,
                () = reading => None,
            }
        };
        assert!(third.is_some());
        assert!(stuck.next(1).is_err() && read.next(1).is_ok());
        assert_eq!(budget.look(), (1, 700));
    }

    #[actix_web::test]
    async fn an_answer_beyond_the_budget_goes_alone() {
        let budget = budget();
        let large = budget.take(Bytes::from(vec![7; 5000])).await;
        assert_eq!(large.unwrap().next(9999).unwrap().len(), 5000);
    }
}
