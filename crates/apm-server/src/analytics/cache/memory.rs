//! The cached rows of one kind, of one database file.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use apm_time::{SECOND, now};

use super::{Part, Received};

/// Bytes kept per kind of row and database file, of buckets, and as many of sums.
const MOST: usize = 8 << 20;
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
        if self.bytes > MOST {
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
            left <= MOST / 2
        });
        let limit = oldest.map_or(u64::MAX, |(used, _)| *used);
        self.entries.retain(|_, entry| entry.used > limit);
        self.bytes = self.entries.values().map(Entry::bytes).sum();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use diesel::QueryableByName;

    use super::super::{Files, Table};
    use super::*;
    use crate::analytics::sql::Sql;

    #[derive(Debug, Default)]
    struct Megabyte;

    #[derive(QueryableByName)]
    struct NoRow {}

    impl Part for Megabyte {
        type Row = NoRow;
        type Table = Table;

        fn sql(_: Table) -> Sql {
            Sql::new("")
        }

        fn bucket(_: &NoRow) -> i64 {
            0
        }

        fn push(&mut self, _: &NoRow) {}

        fn sum(_: &[Arc<Self>]) -> Self {
            Self
        }

        fn bytes(&self) -> usize {
            1 << 20
        }

        fn files() -> &'static Files<Self> {
            static FILES: Files<Megabyte> = LazyLock::new(Mutex::default);
            &FILES
        }
    }

    fn row(bucket: i64, received: i64) -> Received {
        Received {
            level: 60,
            bucket,
            received,
        }
    }

    #[test]
    fn what_was_used_least_lately_is_forgotten_first() {
        let memory = Memory::<Megabyte>::default();
        let rows = [row(0, 0), row(60, 0)];
        memory.keep(Table::Statements, &rows, (0, 0, 0), &Arc::default());
        for bucket in 0..20_i64 {
            let rows = [row(bucket, 0)];
            memory.known(Table::Statements, &[&rows], (0, 0, 0));
            memory.keep(Table::Statements, &rows, (0, 0, 0), &Arc::default());
        }
        let state = memory.0.into_inner().unwrap();
        let buckets = &state.buckets;
        assert!(buckets.bytes <= MOST && buckets.bytes > 0);
        let of = |bucket| (Table::Statements, 60, bucket, bucket);
        assert!(buckets.entries.contains_key(&of(19)));
        assert!(!buckets.entries.contains_key(&of(0)));
        assert_eq!(state.sums.entries.len(), 1, "it has its own room");
    }

    #[test]
    fn a_stretch_holds_until_something_arrives_for_one_of_its_buckets() {
        let memory = Memory::<Megabyte>::default();
        let (old, new) = ((1, 1, 0), (2, 1, 0));
        let holds = |rows: &[Received], head| {
            let known = memory.known(Table::Statements, &[rows], head);
            known.into_iter().flatten().count() == 1
        };
        let rows = [row(0, 100), row(60, 200), row(120, 300)];
        memory.keep(Table::Statements, &rows, old, &Arc::default());
        assert!(holds(&rows, new));
        assert!(!holds(&[row(0, 100), row(60, 201), row(120, 300)], new));
        assert!(!holds(&[row(0, 100), row(120, 300)], new));

        let fresh = [row(0, 100), row(180, now() / SECOND)];
        memory.keep(Table::Statements, &fresh, old, &Arc::default());
        assert!(holds(&fresh, old));
        assert!(!holds(&fresh, new));
    }
}
