//! What was read of the rollups, kept from one question to the next.
//!
//! A list over a day asks for thousands of rollup rows, and all but the newest of them were there a moment
//! ago: what was read is kept, by (table, level, bucket), and a list costs what is new and an addition for
//! each row. Kept rows are used again only if nothing has arrived for their bucket since (`roll_received`
//! says when something last did), so that the answer is the same as that of the `.sql` files beside each
//! question, which a test compares.
//!
//! There is one memory per kind of row and database file, of bounded size; what was used least lately goes
//! first.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

use super::sql::Sql;
use crate::time::{SECOND, now};

/// Bytes kept per kind of row and database file.
const MOST: usize = 12 << 20;
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

/// A stretch of rollup rows: (level, from, to), seconds.
pub(super) type Slice = (i64, i64, i64);

/// What the rows of one bucket become, for all ids.
pub(super) trait Part: Default + 'static {
    /// A row of [`Self::sql`], and the bucket that it is of.
    type Row: QueryableByName<Sqlite> + 'static;

    /// The rows of neighbouring buckets of one level: `:level`, `:from`, `:to`; ids in order.
    fn sql(table: Table) -> &'static str;
    /// The bucket of a row.
    fn bucket(row: &Self::Row) -> i64;
    /// Takes a row in. Rows of one id come one after the other.
    fn push(&mut self, row: &Self::Row);
    /// Memory that it holds, bytes, roughly.
    fn bytes(&self) -> usize;
    /// What is kept of this kind.
    fn files() -> &'static Files<Self>;
}

/// What is kept, by database file.
pub(super) type Files<P> = LazyLock<Mutex<HashMap<String, Arc<Memory<P>>>>>;

/// What was read of one database file.
#[derive(Debug)]
pub(super) struct Memory<P>(Mutex<State<P>>);

#[derive(Debug)]
struct State<P> {
    entries: HashMap<(Table, i64, i64), Entry<P>>,
    bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct Entry<P> {
    part: Arc<P>,
    head: Head,
    /// When something last arrived for the bucket, and whether that was long enough ago, at the reading.
    received: i64,
    settled: bool,
    used: u64,
}

/// How far the database was when something was read: its last block, the events in it, and the minutes that the
/// coarser levels lack.
type Head = (i64, i64, i64);

#[derive(QueryableByName)]
struct ReceivedRow {
    #[diesel(sql_type = BigInt)]
    level: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    received: i64,
}

/// Every bucket of the slices in which there is something, in order: (start, rows).
pub(super) fn read<P: Part>(
    conn: &mut SqliteConnection,
    table: Table,
    slices: &[Slice],
) -> QueryResult<Vec<(i64, Arc<P>)>> {
    let memory = memory::<P>(conn)?;
    let head = head(conn)?;
    let received = received(conn, slices)?;
    let known = memory.known(table, &received, head);
    let mut out = Vec::with_capacity(received.len());
    // Neighbours that are not known are read together.
    let mut rest = received.iter().zip(known).peekable();
    while let Some((first, found)) = rest.next() {
        if let Some(part) = found {
            out.push((first.bucket, part));
            continue;
        }
        let mut missing = vec![first];
        while let Some((next, None)) = rest.peek()
            && next.level == first.level
        {
            missing.push(next);
            rest.next();
        }
        for (row, part) in load::<P>(conn, table, &missing)? {
            memory.keep(table, row, head, &part);
            out.push((row.bucket, part));
        }
    }
    Ok(out)
}

/// The memory of the file behind a connection; an empty one where it is no file.
fn memory<P: Part>(conn: &mut SqliteConnection) -> QueryResult<Arc<Memory<P>>> {
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
    let mut memories = P::files().lock().unwrap_or_else(PoisonError::into_inner);
    if memories.len() >= MOST_FILES && !memories.contains_key(&file.file) {
        memories.clear();
    }
    Ok(Arc::clone(memories.entry(file.file).or_default()))
}

fn head(conn: &mut SqliteConnection) -> QueryResult<Head> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = BigInt)]
        events: i64,
        #[diesel(sql_type = BigInt)]
        behind: i64,
    }
    let sql = Sql::new(
        "SELECT id, events, (SELECT count(*) FROM roll_behind) AS behind FROM block ORDER BY id DESC LIMIT 1",
    );
    let row: Option<Row> = sql.first(conn).optional()?;
    Ok(row.map_or((-1, 0, 0), |row| (row.id, row.events, row.behind)))
}

/// The buckets of the slices for which something ever arrived, in order.
fn received(conn: &mut SqliteConnection, slices: &[Slice]) -> QueryResult<Vec<ReceivedRow>> {
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

/// Reads neighbouring buckets of one level, which are in order.
fn load<'r, P: Part>(
    conn: &mut SqliteConnection,
    table: Table,
    buckets: &[&'r ReceivedRow],
) -> QueryResult<Vec<(&'r ReceivedRow, Arc<P>)>> {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
        return Ok(Vec::new());
    };
    let rows: Vec<P::Row> = Sql::new(P::sql(table))
        .bind("level", first.level)
        .bind("from", first.bucket)
        .bind("to", last.bucket + first.level)
        .load(conn)?;
    let mut parts: HashMap<i64, P> = HashMap::new();
    for row in &rows {
        parts.entry(P::bucket(row)).or_default().push(row);
    }
    let of_bucket = |row: &&'r ReceivedRow| {
        (
            *row,
            Arc::new(parts.remove(&row.bucket).unwrap_or_default()),
        )
    };
    Ok(buckets.iter().map(of_bucket).collect())
}

impl<P> Default for Memory<P> {
    fn default() -> Self {
        Self(Mutex::new(State {
            entries: HashMap::new(),
            bytes: 0,
            clock: 0,
        }))
    }
}

impl<P: Part> Memory<P> {
    fn known(&self, table: Table, received: &[ReceivedRow], head: Head) -> Vec<Option<Arc<P>>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.clock += 1;
        let clock = state.clock;
        received
            .iter()
            .map(|row| {
                let entry = state.entries.get_mut(&(table, row.level, row.bucket))?;
                let holds = entry.head == head || entry.settled && entry.received == row.received;
                entry.used = clock;
                holds.then(|| Arc::clone(&entry.part))
            })
            .collect()
    }

    fn keep(&self, table: Table, row: &ReceivedRow, head: Head, part: &Arc<P>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry {
            part: Arc::clone(part),
            head,
            received: row.received,
            settled: row.received + SETTLED < now() / SECOND,
            used: state.clock,
        };
        let key = (table, row.level, row.bucket);
        state.bytes += part.bytes();
        if let Some(old) = state.entries.insert(key, entry) {
            state.bytes -= old.part.bytes();
        }
        if state.bytes > MOST {
            state.forget();
        }
    }
}

impl<P: Part> State<P> {
    /// Drops what was used least lately, until half of the room is free.
    fn forget(&mut self) {
        let mut ages: Vec<(u64, usize)> = self
            .entries
            .values()
            .map(|entry| (entry.used, entry.part.bytes()))
            .collect();
        ages.sort_unstable();
        let mut left = self.bytes;
        let oldest = ages.iter().find(|(_, bytes)| {
            left -= bytes;
            left <= MOST / 2
        });
        let limit = oldest.map_or(u64::MAX, |(used, _)| *used);
        self.entries.retain(|_, entry| entry.used > limit);
        self.bytes = self.entries.values().map(|entry| entry.part.bytes()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Megabyte;

    #[derive(QueryableByName)]
    struct NoRow {}

    impl Part for Megabyte {
        type Row = NoRow;

        fn sql(_: Table) -> &'static str {
            ""
        }

        fn bucket(_: &NoRow) -> i64 {
            0
        }

        fn push(&mut self, _: &NoRow) {}

        fn bytes(&self) -> usize {
            1 << 20
        }

        fn files() -> &'static Files<Self> {
            static FILES: Files<Megabyte> = LazyLock::new(Mutex::default);
            &FILES
        }
    }

    #[test]
    fn what_was_used_least_lately_is_forgotten_first() {
        let memory = Memory::<Megabyte>::default();
        for bucket in 0..20_i64 {
            let row = ReceivedRow {
                level: 60,
                bucket,
                received: 0,
            };
            memory.known(Table::Statements, std::slice::from_ref(&row), (0, 0, 0));
            memory.keep(Table::Statements, &row, (0, 0, 0), &Arc::default());
        }
        let state = memory.0.into_inner().unwrap();
        assert!(state.bytes <= MOST && state.bytes > 0);
        assert!(state.entries.contains_key(&(Table::Statements, 60, 19)));
        assert!(!state.entries.contains_key(&(Table::Statements, 60, 0)));
    }
}
