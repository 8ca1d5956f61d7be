//! Self time: how long a span or transaction ran while none of its direct children did.

use crate::util::clock::Moment;

/// The union of the times in which at least one child was running.
#[derive(Debug, Default)]
pub(crate) struct ChildTime {
    active: u32,
    since: Option<Moment>,
    /// Nanoseconds.
    covered: u64,
}

impl ChildTime {
    #[inline]
    pub(crate) fn child_started(&mut self, at: Moment) {
        if self.active == 0 {
            self.since = Some(at);
        }
        self.active += 1;
    }

    pub(crate) fn child_ended(&mut self, at: Moment) {
        self.active = self.active.saturating_sub(1);
        if self.active == 0
            && let Some(since) = self.since.take()
        {
            self.covered += at.nanos_since(since);
        }
    }

    /// The same for a child of which it is known when it began. Mostly no other ran meanwhile.
    #[inline]
    pub(crate) fn child_ran(&mut self, start: Moment, end: Moment) {
        if self.active == 1 && self.since == Some(start) {
            self.active = 0;
            self.since = None;
            self.covered += end.nanos_since(start);
        } else {
            self.child_ended(end);
        }
    }

    /// The self time of a parent that took so long and ended at `end`, in nanoseconds; a child that still runs counts
    /// up to `end`.
    #[inline]
    pub(crate) fn self_time(&self, took: u64, end: Moment) -> u64 {
        let running = self.since.map_or(0, |since| end.nanos_since(since));
        took.saturating_sub(self.covered).saturating_sub(running)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MILLI: u64 = 1_000_000;

    #[test]
    fn overlapping_children_are_counted_once() {
        let start = Moment::now();
        let at = |ms| start.after(Duration::from_millis(ms));
        let mut children = ChildTime::default();
        children.child_started(at(10)); // 10..30
        children.child_started(at(20)); // 20..40
        children.child_ended(at(30));
        children.child_ended(at(40));
        children.child_started(at(50)); // 50..60
        children.child_ended(at(60));
        assert_eq!(children.self_time(100 * MILLI, at(100)), 60 * MILLI);
    }

    #[test]
    fn a_child_whose_begin_is_known_counts_as_one_whose_end_alone_is_known() {
        let start = Moment::now();
        let at = |ms| start.after(Duration::from_millis(ms));
        // Alone, behind another, and within another.
        let runs: [&[(u64, u64)]; 4] = [
            &[(10, 30)],
            &[(10, 30), (40, 50)],
            &[(10, 40), (20, 30)],
            &[(10, 30), (10, 40)],
        ];
        for children in runs {
            let mut events: Vec<_> = children
                .iter()
                .flat_map(|&(from, to)| [(from, None), (to, Some(from))])
                .collect();
            events.sort_unstable();
            let (mut known, mut ended) = (ChildTime::default(), ChildTime::default());
            for (ms, from) in events {
                match from {
                    None => {
                        known.child_started(at(ms));
                        ended.child_started(at(ms));
                    }
                    Some(from) => {
                        known.child_ran(at(from), at(ms));
                        ended.child_ended(at(ms));
                    }
                }
            }
            let self_time = |it: &ChildTime| it.self_time(100 * MILLI, at(100));
            assert_eq!(self_time(&known), self_time(&ended), "{children:?}");
        }
    }

    #[test]
    fn a_child_that_outlives_its_parent_counts_up_to_the_parents_end() {
        let start = Moment::now();
        let mut children = ChildTime::default();
        children.child_started(start.after(Duration::from_millis(30)));
        let end = start.after(Duration::from_millis(100));
        assert_eq!(children.self_time(100 * MILLI, end), 30 * MILLI);
    }
}
