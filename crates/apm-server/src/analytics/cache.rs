//! A cache of the rollups that questions have read.
//!
//! A list over a day asks for thousands of rollup rows, and all but the newest of them were there a moment
//! ago: what was read is kept, by (table, level, stretch of buckets), and a list costs what is new and an addition for
//! each key. A question wants a stretch of buckets in one, such as the hours of its window or the rows of one bucket
//! of its chart: the sums of stretches are kept beside those of their buckets, so that a list over a day of many
//! events costs what one of few does.
//! What is kept is used again only if nothing has arrived for its buckets since (`roll_received` says when something
//! last did), so that the answer is the same as that of the `.sql` files beside each question, which a test compares.
//!
//! There is one [`Memory`] per kind of row and database file, of bounded size; what was used least lately goes
//! first.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

use super::sql::{self, Sql};
use memory::{Head, Memory};

mod memory;

/// Database files that are remembered: a server has one, tests have many.
const MOST_FILES: usize = 8;

/// Tables of rollups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Table {
    Transactions,
    Statements,
    Destinations,
}

/// A stretch of rollup rows: (level, from, to), seconds.
pub(crate) type Slice = (i64, i64, i64);

/// The sum of the rows of one bucket, or of a stretch of buckets, for all ids.
pub(crate) trait Part: Default + 'static {
    /// A row of [`Self::sql`], and the bucket that it is of.
    type Row: QueryableByName<Sqlite> + 'static;
    /// The table of the rows, for kinds of parts that are made of several tables.
    type Table: Copy + Eq + Hash + Debug;

    /// The buckets of a level in which there is something, in order, and when something last came: `:level`, `:from`,
    /// `:to`.
    const BUCKETS: &'static str = "SELECT level, bucket, received FROM roll_received \
        WHERE level = :level AND bucket >= :from AND bucket < :to ORDER BY bucket";
    /// Whether that time is another after each write. Where it is not, something may come in the second in which it
    /// was read.
    const EXACT: bool = false;

    /// Bytes that are kept of one database file, of buckets, and as many of sums.
    const ROOM: usize = 8 << 20;

    /// The rows of neighbouring buckets of one level: `:level`, `:from`, `:to`; ids in order.
    fn sql(table: Self::Table) -> Sql;
    /// The bucket of a row.
    fn bucket(row: &Self::Row) -> i64;
    /// Takes a row in. Rows of one id come one after the other.
    fn push(&mut self, row: &Self::Row);
    /// The parts of several buckets in one.
    fn sum(parts: &[Arc<Self>]) -> Self;
    /// Memory that it holds, bytes, roughly.
    fn bytes(&self) -> usize;
    /// The cached parts of this kind.
    fn files() -> &'static Files<Self>;
}

/// The cached parts, by database file.
pub(crate) type Files<P> = LazyLock<Mutex<HashMap<String, Arc<Memory<P>>>>>;

/// A bucket for which something arrived, and when something last did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
struct Received {
    #[diesel(sql_type = BigInt)]
    level: i64,
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = BigInt)]
    received: i64,
}

/// The counts of the slices, by buckets of `interval` seconds: (start, rows), in order; a bucket comes once for
/// each level that it is made of. Without an interval the start is 0, and there is one part for each level.
pub(crate) fn read<P: Part>(
    conn: &mut SqliteConnection,
    table: P::Table,
    slices: &[Slice],
    interval: Option<i64>,
) -> QueryResult<Vec<(i64, Arc<P>)>> {
    // A part that was read before is not read again, but the answer is made of it.
    for (level, from, to) in slices {
        sql::note(|| {
            let sql = P::sql(table).bind("level", *level);
            sql.bind("from", *from).bind("to", *to).shell()
        });
    }
    sql::unrecorded(|| parts(conn, table, slices, interval))
}

fn parts<P: Part>(
    conn: &mut SqliteConnection,
    table: P::Table,
    slices: &[Slice],
    interval: Option<i64>,
) -> QueryResult<Vec<(i64, Arc<P>)>> {
    let memory = memory_of::<P>(conn)?;
    let head = head(conn)?;
    let received = received(conn, P::BUCKETS, slices)?;
    let start = |row: &Received| interval.map_or(0, |width| row.bucket.div_euclid(width) * width);
    let in_one = |a: &Received, b: &Received| a.level == b.level && start(a) == start(b);
    let stretches: Vec<&[Received]> = received.chunk_by(in_one).collect();
    let mut known = memory.known(table, &stretches, head);
    let missing = stretches.iter().zip(&known);
    let missing = missing.filter(|(_, known)| known.is_none());
    let missing: Vec<&[Received]> = missing.map(|(rows, _)| *rows).collect();
    let sums = sums(conn, table, &memory, head, &missing)?;
    for (slot, sum) in known.iter_mut().filter(|slot| slot.is_none()).zip(sums) {
        *slot = Some(sum);
    }
    let starts = stretches.iter().map(|rows| start(&rows[0]));
    Ok(starts.zip(known.into_iter().flatten()).collect())
}

/// Adds up stretches, and keeps the sums.
fn sums<P: Part>(
    conn: &mut SqliteConnection,
    table: P::Table,
    memory: &Memory<P>,
    head: Head,
    stretches: &[&[Received]],
) -> QueryResult<Vec<Arc<P>>> {
    let buckets: Vec<&[Received]> = stretches.iter().flat_map(|rows| rows.chunks(1)).collect();
    let mut known = memory.known(table, &buckets, head);
    let mut at = 0;
    while at < buckets.len() {
        // Neighbours that are not known are read together.
        let neighbours = (at..buckets.len()).take_while(|next| {
            known[*next].is_none() && buckets[*next][0].level == buckets[at][0].level
        });
        let run = at..at + neighbours.count();
        for (place, part) in run
            .clone()
            .zip(load::<P>(conn, table, &buckets[run.clone()])?)
        {
            memory.keep(table, buckets[place], head, &part);
            known[place] = Some(part);
        }
        // A bucket that is known makes an empty run.
        at = run.end.max(at + 1);
    }
    let mut parts = known.into_iter().flatten();
    let sum = |rows: &&[Received]| {
        let parts: Vec<Arc<P>> = parts.by_ref().take(rows.len()).collect();
        match &*parts {
            [part] => Arc::clone(part),
            parts => {
                let sum = Arc::new(P::sum(parts));
                memory.keep(table, rows, head, &sum);
                sum
            }
        }
    };
    Ok(stretches.iter().map(sum).collect())
}

/// The memory of the file behind a connection; an empty one where it is no file.
fn memory_of<P: Part>(conn: &mut SqliteConnection) -> QueryResult<Arc<Memory<P>>> {
    let file = file(conn)?;
    if file.is_empty() {
        return Ok(Arc::default());
    }
    let mut memories = P::files().lock().unwrap_or_else(PoisonError::into_inner);
    if memories.len() >= MOST_FILES && !memories.contains_key(&file) {
        // Only tests have so many files, and nothing says which of them are done with.
        memories.clear();
    }
    Ok(Arc::clone(memories.entry(file).or_default()))
}

/// The path of the database, empty for one in memory.
///
/// # Errors
/// Those of SQLite.
pub(super) fn file(conn: &mut SqliteConnection) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        file: String,
    }
    let sql =
        Sql::new("SELECT coalesce(file, '') AS file FROM pragma_database_list WHERE name = 'main'");
    Ok(sql.first::<Row>(conn)?.file)
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

/// The buckets of the slices in which there is something, in order.
fn received(
    conn: &mut SqliteConnection,
    buckets: &'static str,
    slices: &[Slice],
) -> QueryResult<Vec<Received>> {
    let mut out = Vec::new();
    for (level, from, to) in slices {
        let rows: Vec<Received> = Sql::new(buckets)
            .bind("level", *level)
            .bind("from", *from)
            .bind("to", *to)
            .load(conn)?;
        out.extend(rows);
    }
    Ok(out)
}

/// Reads neighbouring buckets of one level, which are in order.
fn load<P: Part>(
    conn: &mut SqliteConnection,
    table: P::Table,
    buckets: &[&[Received]],
) -> QueryResult<Vec<Arc<P>>> {
    let (Some(&[first]), Some(&[last])) = (buckets.first(), buckets.last()) else {
        return Ok(Vec::new());
    };
    let mut parts: HashMap<i64, P> = HashMap::new();
    P::sql(table)
        .bind("level", first.level)
        .bind("from", first.bucket)
        .bind("to", last.bucket + first.level)
        .each(conn, |row: P::Row| {
            parts.entry(P::bucket(&row)).or_default().push(&row);
        })?;
    let of_bucket =
        |rows: &&[Received]| Arc::new(parts.remove(&rows[0].bucket).unwrap_or_default());
    Ok(buckets.iter().map(of_bucket).collect())
}
