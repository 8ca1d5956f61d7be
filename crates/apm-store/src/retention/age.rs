//! Blocks and rollups that are too old.

use diesel::prelude::*;

use super::super::first_rows::first_rows;
use super::super::kept;
use super::super::output;
use super::super::schema::{block, roll_received};
use super::{BLOCKS, BUCKETS, Retention};
use crate::rollup::LEVELS;

impl Retention {
    /// The oldest blocks that are too old, a step's worth.
    pub(super) fn old_blocks(
        &self,
        conn: &mut SqliteConnection,
        now: i64,
    ) -> QueryResult<Vec<i64>> {
        let Some(max_age) = self.options.raw_max_age else {
            return Ok(Vec::new());
        };
        let whole = kept::first_whole_block(conn)?;
        let blocks = block::table
            .filter(block::id.ge(whole))
            .order(block::id.asc())
            .select((block::id, block::received));
        let oldest: Vec<(i64, i64)> = first_rows(blocks, BLOCKS, conn)?;
        let cutoff = now.saturating_sub_unsigned(max_age.as_secs());
        let needed = self.first_needed_block(conn)?;
        let too_old = oldest
            .into_iter()
            .take_while(|(id, received)| *received < cutoff && *id < needed);
        Ok(too_old.map(|(id, _)| id).collect())
    }

    /// The first block that has to stay for an output, which has not sent or not counted its events yet, as long as
    /// anything else can go.
    pub(super) fn first_needed_block(&self, conn: &mut SqliteConnection) -> QueryResult<i64> {
        match self.options.keeps_unsent {
            true => output::first_needed_block(conn),
            false => Ok(i64::MAX),
        }
    }

    /// The rollup buckets that are too old: `(level, bucket)`.
    pub(super) fn old_buckets(
        &self,
        conn: &mut SqliteConnection,
        now: i64,
    ) -> QueryResult<Vec<(i32, i64)>> {
        let mut doomed = Vec::new();
        for level in LEVELS {
            // Minutes go with the events at the latest: longer stretches are made of wider buckets.
            let max_age = match (self.options.raw_max_age, self.options.rollup_max_age) {
                (Some(raw), Some(rollup)) if level == LEVELS[0] => Some(raw.min(rollup)),
                (Some(raw), None) if level == LEVELS[0] => Some(raw),
                (_, rollup) => rollup,
            };
            let Some(max_age) = max_age else { continue };
            let cutoff = now.saturating_sub_unsigned(max_age.as_secs());
            let too_old = roll_received::table
                .filter(roll_received::level.eq(level as i32))
                .filter(roll_received::received.lt(cutoff))
                .select((roll_received::level, roll_received::bucket));
            doomed.extend(first_rows::<_, (i32, i64)>(too_old, BUCKETS, conn)?);
        }
        Ok(doomed)
    }
}
