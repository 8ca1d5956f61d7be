//! The cached rows of one kind, of one database file.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use apm_time::{SECOND, now};

use super::{Part, Received};

/// Seconds after which nothing is on its way any more that was received before.
const SETTLED: i64 = 60;

/// The state of the database when something was read: its last block, the events in it, and the minutes that the
/// coarser levels lack.
pub(super) type Head = (i64, i64, i64);

/// Table, level, first and last bucket.
type Key<P> = (<P as Part>::Table, i64, i64, i64);

/// The rows that were read of one database file.
#[derive(Debug)]
pub(crate) struct Memory<P: Part>(Mutex<State<P>>);

#[derive(Debug)]
struct State<P: Part> {
    /// Single buckets, and sums of several. Each have their own room: the buckets that go into a sum are many, and must
    /// not take the place of what was made of them.
    buckets: Room<P>,
    sums: Room<P>,
    clock: u64,
}

#[derive(Debug)]
struct Room<P: Part> {
    entries: HashMap<Key<P>, Entry<P>>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<P> {
    part: Arc<P>,
    head: Head,
    /// The buckets, and whether all had last received something long enough ago at the reading, for these times to tell
    /// whether it holds.
    rows: Box<[Received]>,
    settled: bool,
    used: u64,
}

impl<P: Part> Entry<P> {
    fn bytes(&self) -> usize {
        size_of::<(Key<P>, Self)>() + self.part.bytes() + size_of_val(&*self.rows)
    }
}

impl<P: Part> Default for Memory<P> {
    fn default() -> Self {
        Self(Mutex::new(State {
            buckets: Room::default(),
            sums: Room::default(),
            clock: 0,
        }))
    }
}

impl<P: Part> Default for Room<P> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            bytes: 0,
        }
    }
}

impl<P: Part> Memory<P> {
    /// The cached parts of some stretches of buckets, as far as they still hold.
    pub(super) fn known(
        &self,
        table: P::Table,
        stretches: &[&[Received]],
        head: Head,
    ) -> Vec<Option<Arc<P>>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock += 1;
        let clock = state.clock;
        stretches
            .iter()
            .map(|rows| {
                let key = key::<P>(table, rows)?;
                let entry = state.room(rows).entries.get_mut(&key)?;
                // Events of one time of arrival may be stored one after the other, which that time does not tell. So a
                // part of which something is new holds only as long as nothing at all was stored.
                let holds = *entry.rows == **rows && (entry.settled || entry.head == head);
                entry.used = clock;
                holds.then(|| Arc::clone(&entry.part))
            })
            .collect()
    }

    /// Keeps what a stretch of buckets comes to.
    pub(super) fn keep(&self, table: P::Table, rows: &[Received], head: Head, part: &Arc<P>) {
        let Some(key) = key::<P>(table, rows) else {
            return;
        };
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = now() / SECOND - SETTLED;
        let entry = Entry {
            part: Arc::clone(part),
            head,
            rows: rows.into(),
            settled: P::EXACT || rows.iter().all(|row| row.received < settled),
            used: state.clock,
        };
        state.room(rows).keep(key, entry);
    }
}

fn key<P: Part>(table: P::Table, rows: &[Received]) -> Option<Key<P>> {
    let (first, last) = (rows.first()?, rows.last()?);
    Some((table, first.level, first.bucket, last.bucket))
}

impl<P: Part> State<P> {
    fn room(&mut self, rows: &[Received]) -> &mut Room<P> {
        match rows {
            [_] => &mut self.buckets,
            _ => &mut self.sums,
        }
    }
}

impl<P: Part> Room<P> {
    fn keep(&mut self, key: Key<P>, entry: Entry<P>) {
        self.bytes += entry.bytes();
        if let Some(old) = self.entries.insert(key, entry) {
            self.bytes -= old.bytes();
        }
        if self.bytes > P::ROOM {
            self.forget();
        }
    }

    /// Drops what was used least lately, until half of the room is free.
    fn forget(&mut self) {
        let mut ages: Vec<(u64, usize)> = self
            .entries
            .values()
            .map(|entry| (entry.used, entry.bytes()))
            .collect();
        ages.sort_unstable();
        let mut left = self.bytes;
        let oldest = ages.iter().find(|(_, bytes)| {
            left -= bytes;
            left <= P::ROOM / 2
        });
        let limit = oldest.map_or(u64::MAX, |(used, _)| *used);
        self.entries.retain(|_, entry| entry.used > limit);
        self.bytes = self.entries.values().map(Entry::bytes).sum();
    }
}

#[cfg(test)]
mod tests;
