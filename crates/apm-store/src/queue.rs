//! The bounded queue between those who submit and the one writer.
//!
//! Bounded by events and by bytes. What does not fit is refused at once: the caller tells the agent to try again,
//! and nothing grows while the disk is slow.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::SubmitError;

/// The weight of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

#[derive(Debug)]
pub(super) struct Queue<T> {
    limit: Weight,
    state: Mutex<State<T>>,
    filled: Condvar,
    drained: Condvar,
}

#[derive(Debug)]
struct State<T> {
    jobs: VecDeque<(T, Weight)>,
    held: Weight,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(limit: Weight) -> Self {
        Self {
            limit,
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                held: Weight::default(),
                closed: false,
            }),
            filled: Condvar::new(),
            drained: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it holds the lock, and each change is complete when it is released.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job, or refuses it at once. One that is larger than the whole queue is taken when nothing else waits.
    pub(super) fn push(&self, job: T, weight: Weight) -> Result<(), SubmitError> {
        self.add(self.lock(), job, weight)
    }

    /// Adds a job when there is room for it.
    pub(super) fn push_when_room(&self, job: T, weight: Weight) -> Result<(), SubmitError> {
        let mut state = self.lock();
        while !state.closed && !self.has_room(&state, weight) {
            state = self
                .drained
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.add(state, job, weight)
    }

    fn has_room(&self, state: &State<T>, weight: Weight) -> bool {
        state.jobs.is_empty()
            || (state.held.events + weight.events <= self.limit.events
                && state.held.bytes + weight.bytes <= self.limit.bytes)
    }

    fn add(
        &self,
        mut state: MutexGuard<'_, State<T>>,
        job: T,
        weight: Weight,
    ) -> Result<(), SubmitError> {
        if state.closed {
            return Err(SubmitError::ShuttingDown);
        }
        if !self.has_room(&state, weight) {
            return Err(SubmitError::QueueFull);
        }
        state.held.events += weight.events;
        state.held.bytes += weight.bytes;
        state.jobs.push_back((job, weight));
        // The writer takes the lock as soon as it is woken, so it is released before.
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for jobs and takes them in order: at least one, and more as long as they hold less than `most` together.
    /// Empty when
    /// `timeout` passes first; `None` when the queue is closed and drained.
    pub(super) fn take(&self, most: Weight, timeout: Duration) -> Option<Vec<T>> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        while state.jobs.is_empty() {
            if state.closed {
                return None;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some(Vec::new());
            }
            state = self
                .filled
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let mut taken = Vec::new();
        let mut held = Weight::default();
        while held.events < most.events
            && (held.bytes < most.bytes || taken.is_empty())
            && let Some((job, weight)) = state.jobs.pop_front()
        {
            held.events += weight.events;
            held.bytes += weight.bytes;
            state.held.events -= weight.events;
            state.held.bytes -= weight.bytes;
            taken.push(job);
        }
        drop(state);
        // One waiter alone would not do: the room may be too small for it, and enough for another one.
        self.drained.notify_all();
        Some(taken)
    }

    /// The weight of the jobs that wait.
    pub(super) fn held(&self) -> Weight {
        self.lock().held
    }

    /// Takes no more jobs; those that wait are still handed out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Weight = Weight {
        events: 1,
        bytes: 10,
    };

    const ALL: Weight = Weight {
        events: usize::MAX,
        bytes: usize::MAX,
    };

    fn queue() -> Queue<u32> {
        Queue::new(Weight {
            events: 2,
            bytes: 100,
        })
    }

    #[test]
    fn a_full_queue_refuses_and_takes_again_when_drained() {
        let queue = queue();
        queue.push(1, ONE).expect("room");
        queue.push(2, ONE).expect("room");
        assert_eq!(queue.push(3, ONE), Err(SubmitError::QueueFull));
        assert_eq!(queue.take(ALL, Duration::ZERO), Some(vec![1, 2]));
        assert_eq!(queue.held(), Weight::default());
        queue.push(3, ONE).expect("room again");
    }

    #[test]
    fn bytes_bound_it_too_but_one_large_job_passes() {
        let queue = queue();
        let large = Weight {
            events: 1,
            bytes: 1000,
        };
        queue.push(1, large).expect("alone");
        assert_eq!(queue.push(2, ONE), Err(SubmitError::QueueFull));
    }

    #[test]
    fn what_is_taken_together_is_bounded_by_events_and_by_bytes() {
        let queue = queue();
        let most = |events, bytes| Weight { events, bytes };
        queue.push(1, ONE).expect("room");
        queue.push(2, ONE).expect("room");
        assert_eq!(queue.take(most(10, 10), Duration::ZERO), Some(vec![1]));
        queue.push(3, ONE).expect("room");
        assert_eq!(queue.take(most(1, 100), Duration::ZERO), Some(vec![2]));
        assert_eq!(queue.take(most(1, 0), Duration::ZERO), Some(vec![3]));
    }

    #[test]
    fn a_closed_queue_is_drained_before_it_ends() {
        let queue = queue();
        queue.push(1, ONE).expect("room");
        queue.close();
        assert_eq!(queue.push(2, ONE), Err(SubmitError::ShuttingDown));
        assert_eq!(queue.take(ALL, Duration::ZERO), Some(vec![1]));
        assert_eq!(queue.take(ALL, Duration::ZERO), None);
    }
}
