//! One value for each of a few threads, so that threads that run at once do not write to the same memory.
//!
//! A processor that writes to memory takes its cache line away from the others. A counter that all threads add to costs
//! more by that than the rest of what the agent does for a short request.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Values of which each thread uses one. Threads beyond their number share them.
#[derive(Debug)]
pub(crate) struct Striped<T>(Box<[Stripe<T>]>);

/// Two cache lines, because some processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe<T>(T);

impl<T: Default> Default for Striped<T> {
    /// Twice as many as there are processors, up to 16.
    fn default() -> Self {
        static COUNT: OnceLock<usize> = OnceLock::new();
        let count = *COUNT.get_or_init(|| {
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            (2 * processors).clamp(2, 16)
        });
        Self((0..count).map(|_| Stripe::default()).collect())
    }
}

impl<T> Striped<T> {
    /// The one of the calling thread.
    #[inline]
    pub(crate) fn own(&self) -> &T {
        &self.0[number_of_this_thread() % self.0.len()].0
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|stripe| &stripe.0)
    }
}

/// A number that stays the same for a thread and is spread evenly over threads.
#[inline]
fn number_of_this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.try_with(|number| *number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn threads_add_to_memory_of_their_own_and_nothing_is_lost() {
        let counts = Striped::<AtomicU64>::default();
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        counts.own().fetch_add(1, Ordering::Relaxed);
                    }
                    assert!(std::ptr::eq(counts.own(), counts.own()));
                });
            }
        });
        let added: Vec<_> = counts.iter().map(|it| it.load(Ordering::Relaxed)).collect();
        assert_eq!(added.iter().sum::<u64>(), 4000);
        assert!(
            added.iter().filter(|added| **added > 0).count() > 1,
            "{added:?}"
        );
        let places: Vec<_> = counts
            .iter()
            .map(|it| std::ptr::from_ref(it).addr())
            .collect();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 128));
    }
}
