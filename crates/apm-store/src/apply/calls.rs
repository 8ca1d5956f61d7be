//! Calls and their callees, brought together as they arrive: a span of the caller, and a transaction that names it as
//! its parent.
//!
//! Either may come first, in another batch and from another sender. What still waits for its other half is kept here
//! for one to two minutes, by a hash of the ids of the trace and of the span. There is room for a number of them, so
//! that an event costs the same however much is stored; what leaves early for want of room is counted. A restart, or
//! a commit that failed, forgets them.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;

use super::seen::Seen;
use crate::limits::NameLimit;
use crate::rollup::{Observation, Rollup};
use crate::rows::RowId;

/// Seconds after which the younger half becomes the older one, and the older one is forgotten.
const TURN: i64 = 60;

/// Spans and transactions of one half: some 5 MiB.
const MOST: usize = 32_768;

/// Services that one call reaches at most: several consumers of a message.
const CALLEES: usize = 4;

/// Different services that are told apart as the callees of one destination, and of all of them.
const LIMIT: NameLimit = NameLimit {
    of_service: 200,
    in_all: 20_000,
};

/// Services that one call reached; 0 stands for none.
type Reached = [i64; CALLEES];

/// Calls that are not counted for a service, though they may have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unresolved {
    /// Halves that left early for want of room.
    pub(crate) full: u64,
    /// Calls whose service is one too many.
    pub(crate) callees: u64,
}

/// Halves of calls.
#[derive(Debug)]
pub(crate) struct Calls {
    hasher: RandomState,
    young: Half,
    old: Half,
    /// The arrival of the first of the young ones, seconds since the epoch.
    since: i64,
    callees: Seen,
    unresolved: Unresolved,
}

#[derive(Debug, Default)]
struct Half {
    /// The span of a call.
    spans: HashMap<u64, Call, RandomState>,
    /// The services whose transactions name it as their parent.
    transactions: HashMap<u64, Reached, RandomState>,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    destination: i64,
    seen: Observation,
    /// Services for which it is counted.
    reached: Reached,
}

impl Half {
    fn len(&self) -> usize {
        self.spans.len() + self.transactions.len()
    }

    /// Those that found no other half.
    fn alone(&self) -> usize {
        let spans = self.spans.values();
        spans.filter(|call| call.reached[0] == 0).count() + self.transactions.len()
    }
}

impl Calls {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::default(),
            young: Half::default(),
            old: Half::default(),
            since: 0,
            callees: Seen::new(Some(LIMIT)),
            unresolved: Unresolved::default(),
        }
    }

    /// The id of a span, for [`Self::call`] and [`Self::callee`].
    pub(super) fn key(&self, trace: RowId<'_>, span: RowId<'_>) -> u64 {
        self.hasher.hash_one((trace, span))
    }

    /// A span that calls a destination has arrived. `received`: seconds since the epoch.
    pub(super) fn call(
        &mut self,
        rollup: &mut Rollup,
        key: u64,
        destination: i64,
        seen: Observation,
        received: i64,
    ) {
        self.turn(received);
        let mut call = Call {
            destination,
            seen,
            reached: Reached::default(),
        };
        let waiting = [&mut self.young, &mut self.old];
        let waiting = waiting.map(|half| half.transactions.remove(&key));
        for callee in waiting.into_iter().flatten().flatten() {
            self.count(rollup, &mut call, callee);
        }
        // The call waits on, also with a callee: a message may have several consumers.
        self.young.spans.insert(key, call);
    }

    /// A transaction of a service has arrived, of which the span is the parent.
    pub(super) fn callee(&mut self, rollup: &mut Rollup, key: u64, callee: i64, received: i64) {
        self.turn(received);
        let known = [&self.young, &self.old];
        let known = known.into_iter().find_map(|half| half.spans.get(&key));
        let Some(mut call) = known.copied() else {
            let waiting = self.young.transactions.entry(key).or_default();
            if !note(waiting, callee) {
                self.unresolved.callees += 1;
            }
            return;
        };
        self.count(rollup, &mut call, callee);
        // Each callee lets the call live for another turn: further ones may follow.
        self.old.spans.remove(&key);
        self.young.spans.insert(key, call);
    }

    /// Counts a call for a service, once for each.
    fn count(&mut self, rollup: &mut Rollup, call: &mut Call, callee: i64) {
        if callee == 0 || call.reached.contains(&callee) {
            return;
        }
        if note(&mut call.reached, callee) && self.callees.takes(call.destination, callee) {
            rollup.calls.add(call.destination, callee, call.seen);
        } else {
            self.unresolved.callees += 1;
        }
    }

    fn turn(&mut self, received: i64) {
        // A clock that went back begins anew.
        let is_over = (received - self.since).abs() >= TURN;
        let is_full = self.young.len() >= MOST;
        if !is_over && !is_full {
            return;
        }
        let old = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        // A half that waited for its full time has no other half. Those that leave before may have one.
        if !is_over {
            self.unresolved.full += old.alone() as u64;
        }
        self.since = received;
    }

    /// Calls that were not counted for a service since this was asked last.
    pub(super) fn take_unresolved(&mut self) -> Unresolved {
        std::mem::take(&mut self.unresolved)
    }

    /// Rows of services or destinations are gone: nothing is to be counted for them.
    pub(super) fn forget_names(&mut self, table: &str, gone: &HashSet<i64>) {
        let is_gone = |callee: &mut i64| {
            if gone.contains(callee) {
                *callee = 0;
            }
        };
        for half in [&mut self.young, &mut self.old] {
            match table {
                "destination" => half
                    .spans
                    .retain(|_, call| !gone.contains(&call.destination)),
                "service" => half.transactions.values_mut().flatten().for_each(is_gone),
                _ => {}
            }
        }
    }

    /// Old names may be gone, so that there is room for others.
    pub(super) fn has_room_again(&mut self) {
        self.callees.forget();
    }

    /// Nothing waits any more.
    pub(super) fn forget(&mut self) {
        *self = Self::new();
    }
}

/// Takes a service among those reached, unless there is no room.
fn note(reached: &mut Reached, callee: i64) -> bool {
    let free = reached.iter_mut().find(|known| [0, callee].contains(known));
    free.map(|place| *place = callee).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Outcome;

    fn seen(ts: i64) -> Observation {
        Observation {
            ts,
            result: 0,
            outcome: Outcome::Success,
            count: 2.0,
            n: 1,
            sum: 30,
            of: 1,
        }
    }

    fn counted(rollup: &Rollup) -> Vec<(i64, i64, f64)> {
        let cells = rollup.calls.cells(60).into_iter();
        cells
            .map(|(key, cell)| (key.destination, key.callee, cell.count))
            .collect()
    }

    #[test]
    fn either_half_may_come_first_and_a_service_counts_once() {
        let (mut calls, mut rollup) = (Calls::new(), Rollup::default());
        calls.call(&mut rollup, 1, 10, seen(0), 100);
        calls.callee(&mut rollup, 1, 7, 101);
        calls.callee(&mut rollup, 1, 7, 101);
        calls.callee(&mut rollup, 2, 8, 101);
        calls.callee(&mut rollup, 2, 9, 101);
        assert_eq!(counted(&rollup), [(10, 7, 2.0)]);
        calls.call(&mut rollup, 2, 11, seen(0), 150);
        assert_eq!(counted(&rollup), [(10, 7, 2.0), (11, 8, 2.0), (11, 9, 2.0)]);
        assert_eq!(calls.take_unresolved(), Unresolved::default());
    }

    #[test]
    fn a_half_waits_for_one_minute_and_not_for_two() {
        for (later, is_met) in [(59, true), (119, true), (121, false)] {
            let (mut calls, mut rollup) = (Calls::new(), Rollup::default());
            calls.callee(&mut rollup, 1, 7, 1000);
            // Something else arrives each second.
            for second in 1..later {
                calls.callee(&mut rollup, 99, 5, 1000 + second);
            }
            calls.call(&mut rollup, 1, 10, seen(0), 1000 + later);
            assert_eq!(counted(&rollup).len(), usize::from(is_met), "{later}");
        }
    }

    #[test]
    fn memory_has_a_bound_and_what_leaves_early_is_counted() {
        let (mut calls, mut rollup) = (Calls::new(), Rollup::default());
        for key in 0..3 * MOST as u64 {
            calls.callee(&mut rollup, key, 7, 1000);
        }
        assert!(calls.young.len() + calls.old.len() <= 2 * MOST);
        let left = calls.take_unresolved().full;
        assert_eq!(left, MOST as u64);
    }

    #[test]
    fn services_beyond_the_limit_of_a_destination_are_counted_as_unresolved() {
        let (mut calls, mut rollup) = (Calls::new(), Rollup::default());
        for service in 1..=LIMIT.of_service as i64 + 5 {
            let key = service.unsigned_abs();
            calls.call(&mut rollup, key, 10, seen(0), 1000);
            calls.callee(&mut rollup, key, service, 1000);
        }
        assert_eq!(counted(&rollup).len(), LIMIT.of_service);
        assert_eq!(calls.take_unresolved().callees, 5);
    }

    #[test]
    fn what_is_gone_is_not_counted_for() {
        let (mut calls, mut rollup) = (Calls::new(), Rollup::default());
        calls.call(&mut rollup, 1, 10, seen(0), 1000);
        calls.callee(&mut rollup, 2, 7, 1000);
        calls.forget_names("destination", &HashSet::from([10]));
        calls.forget_names("service", &HashSet::from([7]));
        calls.callee(&mut rollup, 1, 8, 1000);
        calls.call(&mut rollup, 2, 11, seen(0), 1000);
        assert!(counted(&rollup).is_empty());
    }
}
