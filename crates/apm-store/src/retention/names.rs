//! Names, statements and stacks that nothing refers to, found exactly: [`super::delete::unused`] goes by the hour in
//! which they were last used, which is too coarse where the files are full within that time.
//!
//! A round reads which names the events refer to ([`Marks`]), and then walks through the dictionaries, in steps. When
//! that does not help, [`Names::evict`] drops the oldest names that only rollups refer to, and their rollups with them.
//!
//! The newest row of a dictionary always stays: SQLite would give its number to the next one, and who remembers the
//! number would take one for the other.

mod dictionaries;

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use diesel::prelude::*;
use diesel::sql_query;

use super::super::apply::Memory;
use super::super::number::number;
use super::marks::{Id, Marks};
use super::size::Size;
use dictionaries::{DICTIONARIES, Dictionary, Row, UNITS, delete, has_few, rows};

/// Rows of a dictionary that are looked at together, in a round and to be dropped with their rollups.
const LOOKED_AT: i64 = 500;
const EVICTED: i64 = 64;

/// The result of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    /// Rows that are gone.
    pub(super) gone: usize,
    /// Whether there is nothing left to look at.
    pub(super) done: bool,
}

/// The round at hand or the last one, and whether it is time for another.
#[derive(Debug, Default)]
pub(super) struct Names {
    round: Option<Round>,
    /// The count of [`UNITS`] when the last round began.
    units: i64,
    /// Bytes that were freed since then.
    freed: i64,
}

#[derive(Debug)]
struct Round {
    marks: Marks,
    /// The dictionary at hand, and the last of its rows that was looked at.
    place: usize,
    after: i64,
    /// As far as the oldest rows were evicted, by table; `None` where there are none left.
    evicted: HashMap<&'static str, Option<i64>>,
}

impl Names {
    /// A deletion freed so many bytes, and names with them perhaps.
    pub(super) fn freed(&mut self, bytes: i64) {
        self.freed += bytes.max(0);
    }

    /// Whether a round is under way, after beginning one if it is time to. `pressed`: whether what is deleted next is
    /// better kept.
    pub(super) fn is_at_work(
        &mut self,
        conn: &mut SqliteConnection,
        size: &Size,
        pressed: bool,
    ) -> QueryResult<bool> {
        match &self.round {
            Some(round) if round.place < DICTIONARIES.len() => return Ok(true),
            Some(_) => {
                // A round reads every event, so it waits until new names or freed space come to a good part of the
                // file.
                let new = number(conn, UNITS)? - self.units;
                let much = new * 256 >= size.limit() / 32;
                let freed = pressed && self.freed >= size.limit() / 64;
                if !much && !freed {
                    return Ok(false);
                }
            }
            None => {}
        }
        self.units = number(conn, UNITS)?;
        self.freed = 0;
        let stacks = &DICTIONARIES[0];
        self.round = Some(Round {
            // Few stacks are not swept, so no block has to be unpacked for them.
            marks: Marks::new(!has_few(conn, stacks)?),
            place: 0,
            after: 0,
            evicted: HashMap::new(),
        });
        Ok(true)
    }

    /// Goes on with the round, within a transaction. What is gone is forgotten by the writer.
    pub(super) fn sweep(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        deadline: Instant,
    ) -> QueryResult<Swept> {
        let mut swept = Swept::default();
        let Some(round) = &mut self.round else {
            swept.done = true;
            return Ok(swept);
        };
        if !round.marks.read(conn, deadline)? {
            return Ok(swept);
        }
        while let Some(dictionary) = DICTIONARIES.get(round.place) {
            let all = dictionary.all.is_some();
            let looked_at = if all { -1 } else { LOOKED_AT };
            let rows = if round.after == 0 && has_few(conn, dictionary)? {
                Vec::new()
            } else {
                let used = format!("{} OR {}", dictionary.used, dictionary.counted);
                rows(conn, dictionary, &used, round.after, looked_at)?
            };
            let in_use: HashSet<i64> = match dictionary.all {
                Some(all) if !rows.is_empty() => {
                    let ids: Vec<Id> = sql_query(all).load(conn)?;
                    ids.into_iter().map(|row| row.id).collect()
                }
                _ => HashSet::new(),
            };
            // A full page may have more rows behind it.
            match rows.last() {
                Some(last) if rows.len() as i64 == looked_at => round.after = last.id,
                _ => (round.place, round.after) = (round.place + 1, 0),
            }
            let unused = round.unused(dictionary, rows, &in_use);
            swept.gone += delete(conn, memory, dictionary, &unused)?;
            if Instant::now() >= deadline {
                break;
            }
        }
        swept.done = round.place >= DICTIONARIES.len();
        Ok(swept)
    }

    /// Drops the oldest names that no event refers to, and their rollups, until the size is right; within a
    /// transaction.
    pub(super) fn evict(
        &mut self,
        conn: &mut SqliteConnection,
        memory: &mut Memory,
        size: &Size,
        deadline: Instant,
    ) -> QueryResult<Swept> {
        let mut swept = Swept::default();
        let Some(round) = &mut self.round else {
            swept.done = true;
            return Ok(swept);
        };
        if !round.marks.read(conn, deadline)? {
            return Ok(swept);
        }
        while size.is_over(conn)? {
            let Some(dictionary) = round.heaviest(conn)? else {
                swept.done = true;
                break;
            };
            let after = round.evicted.get(dictionary.table).copied();
            let after = after.flatten().unwrap_or_default();
            let rows = rows(conn, dictionary, dictionary.used, after, EVICTED)?;
            // A page that is not full is the last one of this dictionary.
            let next = rows.last().filter(|_| rows.len() as i64 == EVICTED);
            let next = next.map(|last| last.id);
            round.evicted.insert(dictionary.table, next);
            let unused = round.unused(dictionary, rows, &HashSet::new());
            swept.gone += delete(conn, memory, dictionary, &unused)?;
            if Instant::now() >= deadline {
                break;
            }
        }
        Ok(swept)
    }

    /// Everything is gone, ids begin anew.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

impl Round {
    fn unused(&self, dictionary: &Dictionary, rows: Vec<Row>, in_use: &HashSet<i64>) -> Vec<i64> {
        let unused = rows.into_iter().filter(|row| {
            !row.used && !in_use.contains(&row.id) && !self.marks.has(dictionary.table, row.id)
        });
        unused.map(|row| row.id).collect()
    }

    /// The dictionary with the most in it among those whose rows may be evicted.
    fn heaviest(&self, conn: &mut SqliteConnection) -> QueryResult<Option<&'static Dictionary>> {
        let mut heaviest = None;
        for dictionary in &DICTIONARIES {
            let is_done = matches!(self.evicted.get(dictionary.table), Some(None));
            if dictionary.rollups.is_empty() || is_done {
                continue;
            }
            let rows = number(
                conn,
                &format!("SELECT count(*) AS n FROM {}", dictionary.table),
            )?;
            let weight = rows * dictionary.weight;
            if heaviest.is_none_or(|(most, _)| weight > most) {
                heaviest = Some((weight, dictionary));
            }
        }
        Ok(heaviest.map(|(_, dictionary)| dictionary))
    }
}
