//! Names, statements and stacks that nothing refers to, found exactly: [`super::delete::unused`] goes by the hour in
//! which they were last used, which is too coarse where the files are full within that time.
//!
//! A round reads which names the events refer to ([`Marks`]), and then walks through the dictionaries, in steps. When
//! that does not help, [`Names::evict`] drops the oldest names that only rollups refer to, and their rollups with them.
//!
//! The newest row of a dictionary always stays: SQLite would give its number to the next one, and who remembers the
//! number would take one for the other.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text};

use super::super::apply::Memory;
use super::super::open::number;
use super::super::statement::Run as _;
use super::marks::{Id, Marks};
use super::size::Size;

/// Rows of a dictionary that are looked at together, in a round and to be dropped with their rollups.
const LOOKED_AT: i64 = 500;
const EVICTED: i64 = 64;

/// A dictionary, and what refers to its rows.
struct Dictionary {
    table: &'static str,
    /// Fewer rows than these are not looked at.
    few: i64,
    /// Whether an event (or a row of another dictionary) refers to row `n.id`, as far as an index tells.
    used: &'static str,
    /// Whether a rollup does.
    counted: &'static str,
    /// All that is in use, where that is asked at once.
    all: Option<&'static str>,
    /// Rollups that go with the row: the tables and their columns.
    rollups: &'static [(&'static str, &'static str)],
    /// Bytes of a row with its rollups, roughly.
    weight: i64,
}

const NONE: Dictionary = Dictionary {
    table: "",
    few: 1000,
    used: "0",
    counted: "0",
    all: None,
    rollups: &[],
    weight: 256,
};

/// Those that others refer to come last.
const DICTIONARIES: [Dictionary; 11] = [
    Dictionary {
        table: "stack",
        few: 64,
        ..NONE
    },
    Dictionary {
        table: "resource",
        few: 64,
        ..NONE
    },
    Dictionary {
        table: "span_group",
        ..NONE
    },
    Dictionary {
        table: "metric_series",
        few: 64,
        counted: "EXISTS (SELECT 1 FROM roll_metric r WHERE r.level IN (60, 600, 3600) AND r.series_id = n.id)",
        rollups: &[
            ("roll_metric", "series_id"),
            ("roll_metric_hist", "series_id"),
        ],
        ..NONE
    },
    Dictionary {
        table: "metric_name",
        // One probe per service and name.
        all: Some(
            "WITH RECURSIVE pair (service, name) AS ( \
                SELECT id, (SELECT min(name_id) FROM metric_sample WHERE service_id = service.id) FROM service \
                UNION ALL \
                SELECT service, (SELECT min(name_id) FROM metric_sample WHERE service_id = service AND name_id > name) \
                FROM pair WHERE name IS NOT NULL) \
             SELECT DISTINCT name AS id FROM pair WHERE name IS NOT NULL UNION SELECT name_id FROM metric_series",
        ),
        ..NONE
    },
    Dictionary {
        table: "statement",
        few: 1,
        used: "EXISTS (SELECT 1 FROM span e WHERE e.statement_id = n.id)",
        counted: "EXISTS (SELECT 1 FROM roll_statement r WHERE r.level IN (60, 600, 3600) AND r.statement_id = n.id)",
        rollups: &[
            ("roll_statement", "statement_id"),
            ("roll_statement_hist", "statement_id"),
            ("roll_statement_cost", "statement_id"),
            ("roll_statement_steps", "statement_id"),
            ("roll_caller", "statement_id"),
        ],
        weight: 4096,
        ..NONE
    },
    Dictionary {
        table: "tx_group",
        few: 1,
        used: "EXISTS (SELECT 1 FROM tx e WHERE e.group_id = n.id)",
        counted: "EXISTS (SELECT 1 FROM roll_tx r WHERE r.level IN (60, 600, 3600) AND r.group_id = n.id) \
            OR EXISTS (SELECT 1 FROM roll_breakdown r WHERE r.level IN (60, 600, 3600) AND r.tx_group_id = n.id) \
            OR EXISTS (SELECT 1 FROM roll_vital r WHERE r.level IN (60, 600, 3600) AND r.group_id = n.id)",
        rollups: &[
            ("roll_tx", "group_id"),
            ("roll_tx_hist", "group_id"),
            ("roll_breakdown", "tx_group_id"),
            ("roll_vital", "group_id"),
        ],
        ..NONE
    },
    Dictionary {
        table: "destination",
        few: 1,
        counted: "EXISTS (SELECT 1 FROM roll_destination r \
            WHERE r.level IN (60, 600, 3600) AND r.destination_id = n.id)",
        rollups: &[
            ("roll_destination", "destination_id"),
            ("roll_destination_hist", "destination_id"),
            ("roll_call", "destination_id"),
        ],
        ..NONE
    },
    Dictionary {
        table: "error_group",
        few: 1,
        used: "EXISTS (SELECT 1 FROM error e WHERE e.group_id = n.id)",
        counted: "EXISTS (SELECT 1 FROM roll_error r WHERE r.level IN (60, 600, 3600) AND r.group_id = n.id)",
        rollups: &[("roll_error", "group_id")],
        ..NONE
    },
    Dictionary {
        table: "result",
        all: Some("SELECT DISTINCT result_id AS id FROM roll_tx"),
        ..NONE
    },
    Dictionary {
        table: "service",
        few: 64,
        used: "EXISTS (SELECT 1 FROM resource e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM tx_group e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM span_group e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM destination e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM statement e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM error_group e WHERE e.service_id = n.id) \
            OR EXISTS (SELECT 1 FROM metric_series e WHERE e.service_id = n.id)",
        ..NONE
    },
];

/// New rows since the last round, in units of some 256 bytes: ids are given in order.
const UNITS: &str = "SELECT 16 * (coalesce((SELECT max(id) FROM stack), 0) \
    + coalesce((SELECT max(id) FROM resource), 0) \
    + coalesce((SELECT max(id) FROM statement), 0)) + coalesce((SELECT max(id) FROM tx_group), 0) \
    + coalesce((SELECT max(id) FROM span_group), 0) + coalesce((SELECT max(id) FROM destination), 0) \
    + coalesce((SELECT max(id) FROM error_group), 0) + coalesce((SELECT max(id) FROM metric_name), 0) \
    + coalesce((SELECT max(id) FROM metric_series), 0) \
    + coalesce((SELECT max(id) FROM result), 0) + coalesce((SELECT max(id) FROM service), 0) AS n";

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

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Bool)]
    used: bool,
}

fn has_few(conn: &mut SqliteConnection, dictionary: &Dictionary) -> QueryResult<bool> {
    let Dictionary { table, few, .. } = dictionary;
    let rows = format!("SELECT count(*) AS n FROM (SELECT 1 FROM {table} LIMIT {few})");
    Ok(number(conn, &rows)? < *few)
}

/// The next rows of a dictionary; `limit` -1: all of them.
fn rows(
    conn: &mut SqliteConnection,
    dictionary: &Dictionary,
    used: &str,
    after: i64,
    limit: i64,
) -> QueryResult<Vec<Row>> {
    let table = dictionary.table;
    sql_query(format!(
        "SELECT n.id, ({used}) AS used \
         FROM (SELECT id FROM {table} WHERE id > ? AND id < (SELECT max(id) FROM {table}) ORDER BY id LIMIT +?) n"
    ))
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(limit)
    .load(conn)
}

/// Deletes rows of a dictionary and the rollups that go with them.
fn delete(
    conn: &mut SqliteConnection,
    memory: &mut Memory,
    dictionary: &Dictionary,
    ids: &[i64],
) -> QueryResult<usize> {
    if ids.is_empty() {
        return Ok(0);
    }
    let list = super::delete::list(ids.iter().copied());
    for (table, column) in dictionary.rollups {
        sql_query(format!(
            "DELETE FROM {table} WHERE level IN (60, 600, 3600) AND {column} IN (SELECT value FROM json_each(?))"
        ))
        .bind::<Text, _>(&list)
        .run(conn)?;
    }
    memory.forget_names(dictionary.table, &ids.iter().copied().collect());
    sql_query(format!(
        "DELETE FROM {} WHERE id IN (SELECT value FROM json_each(?))",
        dictionary.table
    ))
    .bind::<Text, _>(&list)
    .run(conn)
}
