//! Names, statements and metadata by small numbers: each stored once, looked up in memory.
//!
//! An [`Entry`] knows its key, and how to find, touch and insert its row. A [`Dictionary`] keeps the ids of what was used
//! lately in a bounded [`Cache`]; keys are compared in full there and in the database. The row's `last_seen` is brought up to
//! date once an [`HOUR`] at most, which is what the sweep of unused rows goes by, and is also when a cached id is checked
//! against the database, so that a swept row is made again and never referred to. A sweep of rows that were used since then
//! has them forgotten.

mod entries;

use std::collections::HashSet;

use diesel::{QueryResult, SqliteConnection};

pub(super) use entries::{
    Destination, ErrorGroup, MetricName, Resource, ResultValue, Service, SpanGroup, Stack,
    Statement, TxGroup,
};

use super::cache::Cache;

/// How exact `last_seen` is, seconds.
pub(super) const HOUR: i64 = 3600;

/// A row of a dictionary as its table knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) id: i64,
    /// Arrival of the last use, seconds since the epoch, exact to an [`HOUR`].
    pub(super) last_seen: i64,
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
}

impl Dictionary {
    /// A dictionary whose cache takes at most `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            cache: Cache::new(bytes),
            key: Vec::new(),
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

    /// The id of an entry that was used lately.
    pub(super) fn known(&mut self, now: i64, entry: &impl Entry) -> Option<i64> {
        self.kept(now, |key| entry.key(key))
    }

    /// The id that was kept for a key other than the entry's own, see [`Self::keep`].
    pub(super) fn kept(&mut self, now: i64, key: impl FnOnce(&mut Key<'_>)) -> Option<i64> {
        self.key.clear();
        key(&mut Key(&mut self.key));
        let known = self.cache.get(&self.key)?;
        (now - known.last_seen < HOUR).then_some(known.id)
    }

    /// Rows that are gone.
    pub(super) fn forget(&mut self, gone: &HashSet<i64>) {
        self.cache.retain(|known| !gone.contains(&known.id));
    }

    /// Keeps an id for the key that [`Self::kept`] was last asked for.
    pub(super) fn keep(&mut self, now: i64, id: i64) {
        let known = Known { id, last_seen: now };
        self.cache.insert(&self.key, known);
    }
}

fn stored<E: Entry>(conn: &mut SqliteConnection, now: i64, entry: &E) -> QueryResult<Known> {
    let mut known = match entry.find(conn)? {
        Some(known) => known,
        None => Known {
            id: entry.insert(now, conn)?,
            last_seen: now,
        },
    };
    if now - known.last_seen >= HOUR {
        E::touch(known.id, now, conn)?;
        known.last_seen = now;
    }
    Ok(known)
}
