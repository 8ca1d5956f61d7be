//! Names, statements and metadata by small numbers: each stored once, looked up in memory.
//!
//! An [`Entry`] knows its key, and how to find, touch and insert its row. A [`Dictionary`] keeps the ids of what was
//! used lately in a bounded [`Cache`]; keys are compared in full there and in the database, not only their hashes.
//! An error's key is the grouping key, which is a hash, with its service. The row's `last_seen` is brought up to date
//! once an [`HOUR`] at most, which is what the sweep of unused rows goes by, and is also when a cached id is checked
//! against the database, so that a swept row is made again and never referred to. A sweep of rows that were used since
//! then has them forgotten.

mod entries;
mod tally;

use std::collections::HashSet;

use diesel::{QueryResult, SqliteConnection};

pub(super) use entries::{
    Destination, ErrorGroup, Instance, MetricName, MetricSeries, Resource, ResultValue, Service,
    SpanGroup, Stack, Statement, TxGroup,
};

use super::cache::Cache;
use super::limits::{NameKind, NameLimits};
use tally::{Room, Tally};

/// The resolution of `last_seen`, seconds.
pub(super) const HOUR: i64 = 3600;

/// A row of a dictionary as its table knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) id: i64,
    /// Arrival of the last use, seconds since the epoch, exact to an [`HOUR`].
    pub(super) last_seen: i64,
    /// Whether the row is that of `_other`, because there was no room for one of its own.
    pub(super) beyond: bool,
}

impl Known {
    fn given(&self) -> Given {
        let Self { id, beyond, .. } = *self;
        Given { id, beyond }
    }
}

/// The row that an entry was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) id: i64,
    /// Whether it is that of `_other`.
    pub(super) beyond: bool,
}

/// Something that has a row.
pub(super) trait Entry {
    /// Writes what tells it from all others.
    fn key(&self, key: &mut Key<'_>);
    /// Its row.
    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>>;
    /// Sets `last_seen`.
    fn touch(id: i64, now: i64, conn: &mut SqliteConnection) -> QueryResult<usize>;
    /// Makes its row. `now`: seconds since the epoch.
    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64>;
}

/// An entry of which there is a limit.
pub(super) trait Limited: Entry + Sized {
    const KIND: NameKind;
    /// Counts the rows by service: `service`, `n`.
    const COUNT: &'static str;
    /// The service that it belongs to.
    fn service(&self) -> i64;
    /// Entries for its place when there is no room: the `_other` that has most in common with it, and the last one,
    /// which is made in any case.
    fn others(&self) -> [Self; 2];
}

/// Writes a key without ambiguity: numbers have a fixed width, texts their length before them.
#[derive(Debug)]
pub(super) struct Key<'b>(&'b mut Vec<u8>);

impl Key<'_> {
    pub(super) fn number(&mut self, number: i64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.0.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self
    }
}

/// The ids of one table.
#[derive(Debug)]
pub(super) struct Dictionary {
    cache: Cache<Known>,
    key: Vec<u8>,
    tally: Option<Tally>,
}

impl Dictionary {
    /// A dictionary whose cache takes at most `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            cache: Cache::new(bytes),
            key: Vec::new(),
            tally: None,
        }
    }

    /// [`Self::new`] for entries of which there is a limit.
    pub(super) fn limited<E: Limited>(bytes: usize, limits: &NameLimits) -> Self {
        Self {
            tally: limits
                .limit(E::KIND)
                .map(|limit| Tally::new(limit, E::COUNT)),
            ..Self::new(bytes)
        }
    }

    /// The id of an entry, which gets a row if it has none. `now`: its arrival, seconds since the epoch.
    pub(super) fn id(
        &mut self,
        conn: &mut SqliteConnection,
        now: i64,
        entry: &impl Entry,
    ) -> QueryResult<i64> {
        self.key.clear();
        entry.key(&mut Key(&mut self.key));
        if let Some(known) = self.cache.get(&self.key)
            && now - known.last_seen < HOUR
        {
            return Ok(known.id);
        }
        let known = stored(conn, now, entry)?;
        self.cache.insert(&self.key, known);
        Ok(known.id)
    }

    /// [`Self::id`], or that of `_other` where there is no room for one more row.
    pub(super) fn given<E: Limited>(
        &mut self,
        conn: &mut SqliteConnection,
        now: i64,
        entry: &E,
    ) -> QueryResult<Given> {
        if let Some(known) = self.cached(now, entry) {
            return Ok(known.given());
        }
        let mut known = match look_up(conn, now, entry)? {
            Some(known) => Some(known),
            None => match self.room(conn, entry)? {
                Room::Yes => Some(self.insert(conn, now, entry)?),
                _ => None,
            },
        };
        if known.is_none() {
            // `other` writes its own keys into the same memory.
            let key = std::mem::take(&mut self.key);
            let other = self.other(conn, now, entry)?;
            self.key = key;
            known = Some(Known {
                beyond: true,
                ..other
            });
        }
        let known = known.unwrap_or_else(|| unreachable!("an entry or the other"));
        self.cache.insert(&self.key, known);
        Ok(known.given())
    }

    /// The `_other` that stands for an entry.
    fn other<E: Limited>(
        &mut self,
        conn: &mut SqliteConnection,
        now: i64,
        entry: &E,
    ) -> QueryResult<Known> {
        let [like, last] = entry.others();
        if let Some(known) = self.cached(now, &like) {
            return Ok(known);
        }
        let known = match look_up(conn, now, &like)? {
            Some(known) => known,
            None if self.room(conn, &like)? != Room::No => self.insert(conn, now, &like)?,
            None => match self.cached(now, &last) {
                Some(known) => return Ok(known),
                None => match look_up(conn, now, &last)? {
                    Some(known) => known,
                    None => self.insert(conn, now, &last)?,
                },
            },
        };
        // The key is that of the entry that `cached` was last asked for.
        self.cache.insert(&self.key, known);
        Ok(known)
    }

    fn cached(&mut self, now: i64, entry: &impl Entry) -> Option<Known> {
        self.key.clear();
        entry.key(&mut Key(&mut self.key));
        let known = self.cache.get(&self.key)?;
        (now - known.last_seen < HOUR).then_some(*known)
    }

    fn room<E: Limited>(&mut self, conn: &mut SqliteConnection, entry: &E) -> QueryResult<Room> {
        match &mut self.tally {
            Some(tally) => tally.room(conn, entry.service()),
            None => Ok(Room::Yes),
        }
    }

    fn insert<E: Limited>(
        &mut self,
        conn: &mut SqliteConnection,
        now: i64,
        entry: &E,
    ) -> QueryResult<Known> {
        let known = Known {
            id: entry.insert(now, conn)?,
            last_seen: now,
            beyond: false,
        };
        if let Some(tally) = &mut self.tally {
            tally.add(entry.service());
        }
        Ok(known)
    }

    /// Rows were deleted: there may be room again, also for what was given `_other` before.
    pub(super) fn has_room_again(&mut self) {
        if let Some(tally) = &mut self.tally {
            tally.deleted();
        }
        self.cache.retain(|known| !known.beyond);
    }

    /// The id of an entry that was used lately.
    pub(super) fn known(&mut self, now: i64, entry: &impl Entry) -> Option<i64> {
        self.cached(now, entry).map(|known| known.id)
    }

    /// The row that was kept for a key other than the entry's own, see [`Self::keep`].
    pub(super) fn remembered(&mut self, now: i64, key: impl FnOnce(&mut Key<'_>)) -> Option<Given> {
        self.key.clear();
        key(&mut Key(&mut self.key));
        let known = self.cache.get(&self.key)?;
        (now - known.last_seen < HOUR).then(|| known.given())
    }

    /// Rows that are gone.
    pub(super) fn forget(&mut self, gone: &HashSet<i64>) {
        self.cache.retain(|known| !gone.contains(&known.id));
        self.has_room_again();
    }

    /// Keeps a row for the key that [`Self::remembered`] was last asked for.
    pub(super) fn keep(&mut self, now: i64, Given { id, beyond }: Given) {
        let known = Known {
            id,
            last_seen: now,
            beyond,
        };
        self.cache.insert(&self.key, known);
    }
}

fn stored<E: Entry>(conn: &mut SqliteConnection, now: i64, entry: &E) -> QueryResult<Known> {
    match look_up(conn, now, entry)? {
        Some(known) => Ok(known),
        None => Ok(Known {
            id: entry.insert(now, conn)?,
            last_seen: now,
            beyond: false,
        }),
    }
}

/// The row of an entry, its `last_seen` brought up to date.
fn look_up<E: Entry>(
    conn: &mut SqliteConnection,
    now: i64,
    entry: &E,
) -> QueryResult<Option<Known>> {
    let Some(mut known) = entry.find(conn)? else {
        return Ok(None);
    };
    // Once an hour: a write with each use would cost more than the sweep frees.
    if now - known.last_seen >= HOUR {
        E::touch(known.id, now, conn)?;
        known.last_seen = now;
    }
    Ok(Some(known))
}
