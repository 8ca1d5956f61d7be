//! Sizes of the files, their limit, and the blocks that can be spared.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::super::bounds::Bounds;
use super::super::first_rows::first_rows;
use super::super::kept;
use super::super::number::number;
use super::super::options::StoreOptions;
use super::super::schema::block;
use super::BLOCKS;

/// Bytes of an event beside its document: its row, its place in indexes and in the trace index, roughly.
const ROW: i64 = 250;

/// Blocks that events keep at most while there is anything else to delete.
const KEPT: i64 = 4096;

/// The space that the database file may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Bytes; `i64::MAX` where there is no limit.
    allowance: i64,
}

impl Size {
    /// The limit, less the log.
    pub(super) fn new(options: &StoreOptions) -> Self {
        let Some(max) = options.max_size else {
            return Self {
                allowance: i64::MAX,
            };
        };
        // Not what the log has now: it may be long for a moment, and nothing is deleted for that.
        let log = Bounds::for_max_size(options.max_size).checkpoint;
        let left = max.saturating_sub(log).max(max / 2);
        Self {
            allowance: i64::try_from(left).unwrap_or(i64::MAX),
        }
    }

    /// Bytes that the database file may have.
    pub(super) fn limit(&self) -> i64 {
        self.allowance
    }

    /// Whether what is stored takes more than it may; with free pages that are still in the file it does not.
    pub(super) fn is_over(&self, conn: &mut SqliteConnection) -> QueryResult<bool> {
        if self.allowance == i64::MAX {
            return Ok(false);
        }
        // Begun early: a step's worth of events may come before the next look.
        Ok(Pages::read(conn)?.used() > self.allowance - self.allowance / 16)
    }

    /// The oldest blocks that may go while there is anything else to delete, a step's worth: the newest events keep a
    /// quarter of the file, or names and rollups would take it all.
    pub(super) fn spare_blocks(&self, conn: &mut SqliteConnection) -> QueryResult<Vec<i64>> {
        #[derive(QueryableByName)]
        struct Block {
            #[diesel(sql_type = BigInt)]
            id: i64,
            #[diesel(sql_type = BigInt)]
            bytes: i64,
        }
        let mut oldest = oldest_blocks(conn, BLOCKS)?;
        let (Some(first), Some(newest)) = (
            oldest.first().copied(),
            block::table
                .select(diesel::dsl::max(block::id))
                .get_result::<Option<i64>>(conn)?,
        ) else {
            return Ok(oldest);
        };
        // There are far more blocks than may be kept, so their sizes do not matter.
        if newest - first > 2 * KEPT {
            return Ok(oldest);
        }
        let newest: Vec<Block> = sql_query(format!(
            "SELECT id, length(data) + {ROW} * events AS bytes FROM block \
             WHERE id >= (SELECT coalesce(max(thinned), 0) FROM kept_state) ORDER BY id DESC LIMIT {KEPT}"
        ))
        .load(conn)?;
        let mut bytes = 0;
        let kept = newest.iter().take_while(|block| {
            let fits = bytes < self.allowance / 4;
            bytes += block.bytes;
            fits
        });
        let kept = kept.last().map_or(i64::MIN, |block| block.id);
        oldest.retain(|id| *id < kept);
        Ok(oldest)
    }
}

/// The oldest blocks that are whole.
pub(super) fn oldest_blocks(conn: &mut SqliteConnection, count: usize) -> QueryResult<Vec<i64>> {
    let whole = kept::first_whole_block(conn)?;
    let blocks = block::table
        .filter(block::id.ge(whole))
        .order(block::id.asc())
        .select(block::id);
    first_rows(blocks, count, conn)
}

/// Carries the log over to a file that has more bytes than pages; whether that was not to be done now.
pub(super) fn cut_file(conn: &mut SqliteConnection, options: &StoreOptions) -> QueryResult<bool> {
    let pages = Pages::read(conn)?;
    let should = u64::try_from(pages.all * pages.size).unwrap_or(u64::MAX);
    let is_long = || std::fs::metadata(&options.path).is_ok_and(|file| file.len() > should);
    if !is_long() {
        return Ok(false);
    }
    conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)")?;
    Ok(is_long())
}

/// The pages of the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pages {
    pub(super) all: i64,
    pub(super) free: i64,
    pub(super) size: i64,
}

impl Pages {
    pub(super) fn read(conn: &mut SqliteConnection) -> QueryResult<Self> {
        Ok(Self {
            all: number(conn, "SELECT page_count AS n FROM pragma_page_count")?,
            free: number(
                conn,
                "SELECT freelist_count AS n FROM pragma_freelist_count",
            )?,
            size: number(conn, "SELECT page_size AS n FROM pragma_page_size")?,
        })
    }

    /// Bytes in use.
    pub(super) fn used(&self) -> i64 {
        (self.all - self.free) * self.size
    }
}
