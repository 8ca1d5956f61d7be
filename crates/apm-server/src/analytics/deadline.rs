//! The time by which a search stops that has to read documents.
//!
//! It belongs to the whole reading of a connection: a second search of the same answer has what the first one left.

use std::time::{Duration, Instant};

use apm_store::share_taken;

/// The end of a search. It comes earlier while other readers wait for a connection.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    most: Duration,
    began: Instant,
    /// The part of the time after which it is over.
    part: f64,
    #[cfg(test)]
    looks: Option<std::rc::Rc<std::cell::Cell<usize>>>,
}

impl Deadline {
    /// The end of a search that would take `most` if no one else read.
    pub(crate) fn after(most: Duration) -> Self {
        Self {
            most,
            began: Instant::now(),
            part: 1.0,
            #[cfg(test)]
            looks: None,
        }
    }

    /// The same with a part of the time: what is left is for what comes after.
    pub(crate) fn part(&self, part: f64) -> Self {
        Self {
            part: self.part * part,
            ..self.clone()
        }
    }

    /// Whether time is up.
    pub(crate) fn is_over(&self) -> bool {
        #[cfg(test)]
        if let Some(looks) = &self.looks {
            let left = looks.get();
            looks.set(left.saturating_sub(1));
            return left == 0;
        }
        let taken = share_taken(self.most);
        let taken = taken.unwrap_or_else(|| match self.most.is_zero() {
            true => f64::INFINITY,
            false => self.began.elapsed().div_duration_f64(self.most),
        });
        taken > self.part
    }

    /// Whether to go on after some work: until `least` is done in any case, then until time is up. Whoever asks for the
    /// next page from there on gets to an end only if each page gets further.
    pub(crate) fn allows_more(&self, done: usize, least: usize) -> bool {
        done < least || !self.is_over()
    }
}

#[cfg(test)]
impl Deadline {
    /// Time that is up when it was looked at so many times.
    pub(crate) fn after_looks(looks: usize) -> Self {
        Self {
            looks: Some(std::rc::Rc::new(std::cell::Cell::new(looks))),
            ..Self::after(Duration::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_over_at_once_and_much_time_is_not() {
        assert!(Deadline::after(Duration::ZERO).is_over());
        let long = Deadline::after(Duration::from_secs(3600));
        assert!(!long.is_over() && !long.part(0.5).is_over());
        assert!(long.part(0.0).is_over());
    }

    #[test]
    fn the_least_work_is_done_however_late_it_is() {
        let over = Deadline::after(Duration::ZERO);
        assert!(over.allows_more(0, 1) && over.allows_more(7, 8));
        assert!(!over.allows_more(1, 1) && !over.allows_more(8, 8));
        let counted = Deadline::after_looks(2);
        let looks = [0, 1, 2, 3].map(|done| counted.allows_more(done, 1));
        assert_eq!(looks, [true, true, true, false]);
    }
}
