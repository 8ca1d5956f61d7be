//! Percentiles of many keys at once, from the rollups' log histograms.
//!
//! What a window asks for is thousands of bins per key, and all but the newest of them were there a moment
//! ago: bins that were read are kept, by (table, level, bucket), and a list costs what is new and an
//! addition for each bin. Kept bins are used again only if nothing has arrived for their bucket since
//! (`roll_received` says when something last did), so the answer is the same as that of the `histogram.sql`
//! beside each question, which a test compares.
//!
//! There is one memory per database file, of at most [`MOST_BINS`]; what was used least lately goes first.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};

use super::percentile::{ByKey, Percentiles, representative};
use super::sql::Sql;
use crate::time::{SECOND, now};

/// Bins kept per database file, 8 bytes each.
const MOST_BINS: usize = 1_500_000;
/// Database files that are remembered: a server has one, tests have many.
const MOST_FILES: usize = 8;
/// Seconds after which nothing is on its way any more that was received before.
const SETTLED: i64 = 60;

/// Which rollups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Table {
    Transactions,
    Statements,
    Destinations,
}

/// The keys of rollup ids; ids of one key are added up.
pub(super) type Members = HashMap<i64, Arc<str>>;

/// A row of every `members.sql`.
#[derive(QueryableByName)]
struct Member {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    key: String,
}

/// Reads the keys of ids.
pub(super) fn members(conn: &mut SqliteConnection, sql: &Sql) -> QueryResult<Members> {
    let rows: Vec<Member> = sql.load(conn)?;
    let mut keys: HashMap<String, Arc<str>> = HashMap::new();
    Ok(rows
        .into_iter()
        .map(|row| {
            let key = keys
                .entry(row.key)
                .or_insert_with_key(|key| key.as_str().into());
            (row.id, Arc::clone(key))
        })
        .collect())
}

/// Percentiles by key and bucket. `slices`: (level, from, to) in seconds. `interval`: the width of the
/// buckets in seconds; one bucket 0 for everything where there is none.
pub(super) fn percentiles(
    conn: &mut SqliteConnection,
    table: Table,
    members: &Members,
    slices: &[(i64, i64, i64)],
    interval: Option<i64>,
) -> QueryResult<ByKey> {
    let mut sums: HashMap<(Arc<str>, i64), Vec<f64>> = HashMap::new();
    for (start, bins) in memory(conn)?.read(conn, table, slices)? {
        let bucket = interval.map_or(0, |interval| start.div_euclid(interval) * interval);
        for (id, bins) in bins.of_ids() {
            let Some(key) = members.get(&id) else {
                continue;
            };
            let sum = sums.entry((Arc::clone(key), bucket)).or_default();
            for (bin, count) in bins {
                let bin = usize::from(*bin);
                if sum.len() <= bin {
                    sum.resize(bin + 1, 0.0);
                }
                sum[bin] += f64::from(*count);
            }
        }
    }
    let mut found = ByKey::new();
    for ((key, bucket), sum) in sums {
        if let Some(percentiles) = of(&sum) {
            found.entry(key).or_default().insert(bucket, percentiles);
        }
    }
    Ok(found)
}

/// Walks the bins to the ranks.
fn of(bins: &[f64]) -> Option<Percentiles> {
    let total: f64 = bins.iter().sum();
    let at = |q: f64| {
        let rank = q * (total - total * 1e-9);
        let mut upto = 0.0;
        let bin = bins.iter().position(|count| {
            upto += count;
            upto >= rank && upto > 0.0
        })?;
        Some(representative(i64::try_from(bin).ok()?))
    };
    Some(Percentiles {
        p50: at(0.5)?,
        p95: at(0.95)?,
        p99: at(0.99)?,
    })
}

/// The bins of one bucket, for all ids.
#[derive(Debug, Default)]
struct Bins {
    /// Id, and where its bins end.
    ids: Vec<(i64, usize)>,
    bins: Vec<(u16, f32)>,
}

impl Bins {
    fn of_ids(&self) -> impl Iterator<Item = (i64, &[(u16, f32)])> {
        let starts = std::iter::once(0).chain(self.ids.iter().map(|(_, end)| *end));
        self.ids
            .iter()
            .zip(starts)
            .map(|((id, end), start)| (*id, &self.bins[start..*end]))
    }

    /// Rows of one id come one after the other.
    fn push(&mut self, row: &BinRow) {
        if self.ids.last().is_none_or(|(id, _)| *id != row.id) {
            self.ids.push((row.id, self.bins.len()));
        }
        let bin = u16::try_from(row.bin).unwrap_or(u16::MAX);
        self.bins.push((bin, row.count as f32));
        if let Some((_, end)) = self.ids.last_mut() {
            *end = self.bins.len();
        }
    }
}

/// How far the database was when something was read: its last block and the events in it.
type Head = (i64, i64);

#[derive(Debug)]
struct Entry {
    bins: Arc<Bins>,
    head: Head,
    /// When something last arrived for the bucket, and whether that was long enough ago, at the reading.
    received: i64,
    settled: bool,
    used: u64,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<(Table, i64, i64), Entry>,
    bins: usize,
    clock: u64,
}

/// What was read of one database file.
#[derive(Debug, Default)]
struct Memory(Mutex<State>);

static MEMORIES: LazyLock<Mutex<HashMap<String, Arc<Memory>>>> = LazyLock::new(Mutex::default);

#[derive(QueryableByName)]
struct BinRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    bin: i64,
    #[diesel(sql_type = Double)]
    count: f64,
}

#[derive(QueryableByName)]
struct ReceivedRow {
    #[diesel(sql_type = BigInt)]
    level: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    received: i64,
}

/// The memory of the file behind a connection; an empty one where it is no file.
fn memory(conn: &mut SqliteConnection) -> QueryResult<Arc<Memory>> {
    #[derive(QueryableByName)]
    struct File {
        #[diesel(sql_type = Text)]
        file: String,
    }
    let sql =
        Sql::new("SELECT coalesce(file, '') AS file FROM pragma_database_list WHERE name = 'main'");
    let file: File = sql.first(conn)?;
    if file.file.is_empty() {
        return Ok(Arc::default());
    }
    let mut memories = MEMORIES.lock().unwrap_or_else(PoisonError::into_inner);
    if memories.len() >= MOST_FILES && !memories.contains_key(&file.file) {
        memories.clear();
    }
    Ok(Arc::clone(memories.entry(file.file).or_default()))
}

impl Memory {
    /// The bins of every bucket of the slices in which there is something, in order: (start, bins).
    fn read(
        &self,
        conn: &mut SqliteConnection,
        table: Table,
        slices: &[(i64, i64, i64)],
    ) -> QueryResult<Vec<(i64, Arc<Bins>)>> {
        let head = head(conn)?;
        let received = received(conn, slices)?;
        let known = self.known(table, &received, head);
        let mut out = Vec::with_capacity(received.len());
        // Neighbours that are not known are read together.
        let mut rest = received.iter().zip(known).peekable();
        while let Some((first, found)) = rest.next() {
            if let Some(bins) = found {
                out.push((first.bucket, bins));
                continue;
            }
            let mut missing = vec![first];
            while let Some((next, None)) = rest.peek()
                && next.level == first.level
            {
                missing.push(next);
                rest.next();
            }
            for (row, bins) in load(conn, table, &missing)? {
                self.keep(table, row, head, &bins);
                out.push((row.bucket, bins));
            }
        }
        Ok(out)
    }

    fn known(&self, table: Table, received: &[ReceivedRow], head: Head) -> Vec<Option<Arc<Bins>>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock += 1;
        let clock = state.clock;
        received
            .iter()
            .map(|row| {
                let entry = state.entries.get_mut(&(table, row.level, row.bucket))?;
                let holds = entry.head == head || entry.settled && entry.received == row.received;
                entry.used = clock;
                holds.then(|| Arc::clone(&entry.bins))
            })
            .collect()
    }

    fn keep(&self, table: Table, row: &ReceivedRow, head: Head, bins: &Arc<Bins>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry {
            bins: Arc::clone(bins),
            head,
            received: row.received,
            settled: row.received + SETTLED < now() / SECOND,
            used: state.clock,
        };
        let key = (table, row.level, row.bucket);
        state.bins += bins.bins.len();
        if let Some(old) = state.entries.insert(key, entry) {
            state.bins -= old.bins.bins.len();
        }
        if state.bins > MOST_BINS {
            state.forget();
        }
    }
}

impl State {
    /// Drops what was used least lately, until half of the room is free.
    fn forget(&mut self) {
        let mut ages: Vec<(u64, usize)> = self
            .entries
            .values()
            .map(|entry| (entry.used, entry.bins.bins.len()))
            .collect();
        ages.sort_unstable();
        let mut left = self.bins;
        let oldest = ages.iter().find(|(_, bins)| {
            left -= bins;
            left <= MOST_BINS / 2
        });
        let limit = oldest.map_or(u64::MAX, |(used, _)| *used);
        self.entries.retain(|_, entry| entry.used > limit);
        self.bins = self
            .entries
            .values()
            .map(|entry| entry.bins.bins.len())
            .sum();
    }
}

fn head(conn: &mut SqliteConnection) -> QueryResult<Head> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = BigInt)]
        events: i64,
    }
    let sql = Sql::new("SELECT id, events FROM block ORDER BY id DESC LIMIT 1");
    let row: Option<Row> = sql.first(conn).optional()?;
    Ok(row.map_or((-1, 0), |row| (row.id, row.events)))
}

/// The buckets of the slices for which something ever arrived, in order.
fn received(
    conn: &mut SqliteConnection,
    slices: &[(i64, i64, i64)],
) -> QueryResult<Vec<ReceivedRow>> {
    let mut out = Vec::new();
    for (level, from, to) in slices {
        let rows: Vec<ReceivedRow> = Sql::new(
            "SELECT level, bucket, received FROM roll_received WHERE level = :level AND bucket >= :from AND bucket < :to \
             ORDER BY bucket",
        )
        .bind("level", *level)
        .bind("from", *from)
        .bind("to", *to)
        .load(conn)?;
        out.extend(rows);
    }
    Ok(out)
}

/// Reads the bins of neighbouring buckets of one level, which are in order.
fn load<'r>(
    conn: &mut SqliteConnection,
    table: Table,
    buckets: &[&'r ReceivedRow],
) -> QueryResult<Vec<(&'r ReceivedRow, Arc<Bins>)>> {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
        return Ok(Vec::new());
    };
    let rows: Vec<BinRow> = Sql::new(match table {
        Table::Transactions => include_str!("histograms/transactions.sql"),
        Table::Statements => include_str!("histograms/statements.sql"),
        Table::Destinations => include_str!("histograms/destinations.sql"),
    })
    .bind("level", first.level)
    .bind("from", first.bucket)
    .bind("to", last.bucket + first.level)
    .load(conn)?;
    let mut bins: HashMap<i64, Bins> = HashMap::new();
    for row in &rows {
        bins.entry(row.bucket).or_default().push(row);
    }
    let of_bucket =
        |row: &&'r ReceivedRow| (*row, Arc::new(bins.remove(&row.bucket).unwrap_or_default()));
    Ok(buckets.iter().map(of_bucket).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(rows: &[(i64, i64, f64)]) -> Bins {
        let mut bins = Bins::default();
        for (id, bin, count) in rows {
            let row = BinRow {
                id: *id,
                bucket: 0,
                bin: *bin,
                count: *count,
            };
            bins.push(&row);
        }
        bins
    }

    #[test]
    fn bins_are_kept_by_id() {
        let kept = bins(&[(1, 5, 1.0), (1, 6, 2.0), (7, 5, 3.0)]);
        let found: Vec<(i64, usize)> = kept.of_ids().map(|(id, bins)| (id, bins.len())).collect();
        assert_eq!(found, [(1, 2), (7, 1)]);
    }

    #[test]
    fn ranks_are_those_of_nearest_rank() {
        let mut counts = vec![0.0; 500];
        counts[100] = 94.0;
        counts[200] = 5.0;
        counts[300] = 1.0;
        let found = of(&counts).unwrap();
        assert_eq!(
            (found.p50, found.p95, found.p99),
            (
                representative(100),
                representative(200),
                representative(200)
            )
        );
        assert_eq!(of(&[0.0; 3]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn what_was_used_least_lately_is_forgotten_first() {
        let mut state = State::default();
        for bucket in 0..20_i64 {
            let full = Bins {
                ids: vec![(1, 100_000)],
                bins: vec![(1, 1.0); 100_000],
            };
            state.bins += 100_000;
            let entry = Entry {
                bins: Arc::new(full),
                head: (0, 0),
                received: 0,
                settled: true,
                used: bucket.unsigned_abs(),
            };
            state.entries.insert((Table::Statements, 60, bucket), entry);
        }
        state.forget();
        assert!(state.bins <= MOST_BINS / 2 && state.bins > 0);
        assert!(state.entries.contains_key(&(Table::Statements, 60, 19)));
        assert!(!state.entries.contains_key(&(Table::Statements, 60, 0)));
    }
}
