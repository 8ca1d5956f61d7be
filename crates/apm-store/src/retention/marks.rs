//! Names that stored events refer to, where no index tells: read from the events, block by block.
//!
//! A reading may take many steps. Events that come meanwhile are read by the last of them, in the transaction that goes
//! by what was found; those that go meanwhile leave marks that nobody needs, until the next reading.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::super::block::{Packed, SLOTS, documents};
use super::super::error::StoreError;
use super::super::first_rows::first_rows;
use super::super::schema::block;

/// Blocks that are read together.
const TOGETHER: usize = 16;

/// A dictionary, a column that refers to it, and the table of that column.
const COLUMNS: [(&str, &str, &str); 11] = [
    ("resource", "resource_id", "tx"),
    ("resource", "resource_id", "span"),
    ("resource", "resource_id", "error"),
    ("resource", "resource_id", "log"),
    ("resource", "resource_id", "metricset"),
    ("result", "result_id", "tx"),
    ("span_group", "group_id", "span"),
    ("destination", "destination_id", "span"),
    ("tx_group", "tx_group_id", "error"),
    ("service", "service_id", "log"),
    ("service", "service_id", "metricset"),
];

#[derive(QueryableByName)]
pub(super) struct Id {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
}

/// Ids that events refer to.
#[derive(Debug)]
pub(super) struct Marks {
    used: HashMap<&'static str, HashSet<i64>>,
    /// The block to go on with.
    next: i64,
    /// Whether stacks are looked for, which takes unpacking the blocks.
    stacks: bool,
}

impl Marks {
    pub(super) fn new(stacks: bool) -> Self {
        Self {
            used: HashMap::new(),
            next: 0,
            stacks,
        }
    }

    /// Whether an event refers to a row of a dictionary.
    pub(super) fn has(&self, table: &str, id: i64) -> bool {
        (table == "stack" && !self.stacks)
            || self.used.get(table).is_some_and(|ids| ids.contains(&id))
    }

    /// Reads on until the deadline; whether all events are read.
    pub(super) fn read(
        &mut self,
        conn: &mut SqliteConnection,
        deadline: Instant,
    ) -> QueryResult<bool> {
        loop {
            let blocks = block::table
                .filter(block::id.ge(self.next))
                .order(block::id.asc())
                .select(block::id);
            let ids: Vec<i64> = first_rows(blocks, TOGETHER, conn)?;
            let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
                return Ok(true);
            };
            self.read_blocks(conn, *first, *last)?;
            // The last one may still be filled: it is read again.
            self.next = *last;
            if ids.len() < TOGETHER {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
        }
    }

    fn read_blocks(
        &mut self,
        conn: &mut SqliteConnection,
        first: i64,
        last: i64,
    ) -> QueryResult<()> {
        for (dictionary, column, events) in COLUMNS {
            let ids: Vec<Id> = sql_query(format!(
                "SELECT DISTINCT {column} AS id FROM {events} WHERE seq BETWEEN ? AND ? AND {column} IS NOT NULL"
            ))
            .bind::<BigInt, _>(first * SLOTS)
            .bind::<BigInt, _>(last * SLOTS + SLOTS - 1)
            .load(conn)?;
            let used = self.used.entry(dictionary).or_default();
            used.extend(ids.into_iter().map(|row| row.id));
        }
        if self.stacks {
            let packed: Vec<Packed> = block::table
                .filter(block::id.between(first, last))
                .select(Packed::as_select())
                .load(conn)?;
            let used = self.used.entry("stack").or_default();
            for block in packed {
                // Of a damaged block nobody knows what it refers to: all stacks stay.
                if mark_stacks(&block, used).is_err() {
                    self.stacks = false;
                }
            }
        }
        Ok(())
    }
}

fn mark_stacks(block: &Packed, used: &mut HashSet<i64>) -> Result<(), StoreError> {
    let raw = block.unpack()?;
    used.extend(
        documents(&raw)?
            .iter()
            .flatten()
            .map(|document| document.stack),
    );
    Ok(())
}
