//! The blocks that touch a range, the one with the newest event first.

use apm_store::StoreError;
use apm_time::Range;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::analytics::sql::Sql;

/// Events in a block.
const SLOTS: i64 = 128;

/// Blocks whose rows are looked at, whatever the time, where nothing has its place yet: the rows of 131 072 events.
pub(super) const LEAST_BLOCKS: usize = 1_024;

/// A block of events.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub(super) struct Block {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    /// Its newest event, µs.
    #[diesel(sql_type = BigInt)]
    pub(super) ts_max: i64,
}

impl Block {
    /// The number of the block that an event is in.
    pub(super) fn containing(seq: i64) -> i64 {
        seq.div_euclid(SLOTS)
    }
}

/// Gives out the blocks, a few at a time.
#[derive(Debug)]
pub(super) struct Blocks {
    range: Range,
    /// The time that the widest block spans: bounds where those are that touch the range.
    widest: i64,
    last: Option<Block>,
}

impl Blocks {
    pub(super) fn new(conn: &mut SqliteConnection, range: Range) -> Result<Self, StoreError> {
        #[derive(QueryableByName)]
        struct Widest {
            #[diesel(sql_type = BigInt)]
            widest: i64,
        }
        let sql = Sql::new("SELECT ifnull(max(ts_max - ts_min), 0) AS widest FROM block");
        Ok(Self {
            range,
            widest: sql.first::<Widest>(conn)?.widest,
            last: None,
        })
    }

    /// The next ones; none where there are no more.
    pub(super) fn next(
        &mut self,
        conn: &mut SqliteConnection,
        most: usize,
    ) -> Result<Vec<Block>, StoreError> {
        let last = self.last.unwrap_or(Block {
            id: i64::MAX,
            ts_max: self.range.to.saturating_add(self.widest),
        });
        let sql = Sql::new(include_str!("blocks.sql"))
            .bind("from", self.range.from)
            .bind("to", self.range.to)
            .bind("last", last.ts_max)
            .bind("id", last.id)
            .bind("most", i64::try_from(most).unwrap_or(i64::MAX));
        let found: Vec<Block> = sql.load(conn)?;
        self.last = found.last().copied().or(self.last);
        Ok(found)
    }

    /// All that are left.
    pub(super) fn all(mut self, conn: &mut SqliteConnection) -> Result<Vec<Block>, StoreError> {
        self.next(conn, usize::MAX)
    }
}

/// Runs of block numbers as JSON, `[from, to)` each: blocks of one time mostly follow each other, and a run is one
/// range of rows.
pub(super) fn runs(blocks: &[Block]) -> String {
    let mut ids: Vec<i64> = blocks.iter().map(|block| block.id).collect();
    ids.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, end)) if *end == id => *end += 1,
            _ => runs.push((id, id + 1)),
        }
    }
    let runs: Vec<String> = runs
        .iter()
        .map(|(from, to)| format!("[{from},{to}]"))
        .collect();
    format!("[{}]", runs.join(","))
}
