//! The schema of a database with made-up rows, for databases that are too large to be copied.

use std::time::Duration;

use rusqlite::{Connection, Result, params_from_iter, types::Value};

use super::fill;
use crate::guard::{Guard, LONGEST_SOURCE_VALUE, Whose, message};
use crate::options::Options;
use crate::rowids;
use crate::schema::{Schema, Table, quote};
use crate::statistics::Statistics;

/// Rows that are read of each table.
const READ: i64 = 2_000;

/// Rows that a table is filled up to at most, unless more are asked for.
const ROWS: u64 = 100_000;

/// Rows of each table of statistics that are copied.
const STATISTICS: i64 = 20_000;

/// The longest time that one table may take.
const TIME: Duration = Duration::from_secs(30);

/// Makes the schema in an empty database, with rows and with the statistics of ANALYZE.
pub(crate) fn shape(
    source: &Connection,
    reading: &Guard,
    copy: &Connection,
    options: &Options,
) -> Result<(), String> {
    let ours = |error: rusqlite::Error| message(&error);
    // A sample lacks rows that others of it refer to.
    copy.execute_batch("PRAGMA foreign_keys = 0")
        .map_err(ours)?;
    let guard = Guard::new(copy, options, LONGEST_SOURCE_VALUE).map_err(ours)?;
    let (schema, made) = reading.run(Whose::Ours, TIME, || {
        Ok((Schema::read(source)?, objects(source)?))
    })?;
    // Triggers come after the rows, or they would change them.
    let is_early = |kind: &str| matches!(kind, "table" | "index");
    for (_, sql) in made.iter().filter(|(kind, _)| is_early(kind)) {
        make(copy, sql);
    }
    for table in schema
        .tables
        .iter()
        .filter(|table| table.view.is_none() && !table.is_virtual)
    {
        let (rows, sample) = reading.run(Whose::Ours, TIME, || {
            Ok((count(source, table)?, sample(source, table)?))
        })?;
        insert(copy, table, &sample).map_err(ours)?;
        let asked = options
            .rows
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&table.name));
        let rows = asked.map_or(rows.min(ROWS), |(_, rows)| *rows);
        if !sample.is_empty() {
            fill(copy, &guard, &table.name, rows, TIME)?;
        }
    }
    for (_, sql) in made.iter().filter(|(kind, _)| !is_early(kind)) {
        make(copy, sql);
    }
    statistics(source, copy).map_err(ours)?;
    copy.execute_batch("PRAGMA foreign_keys = 1")
        .map_err(ours)?;
    // Another guard follows.
    copy.authorizer(None::<fn(rusqlite::hooks::AuthContext<'_>) -> rusqlite::hooks::Authorization>)
        .map_err(ours)
}

/// The statements that make the schema, in the order in which they can run.
fn objects(source: &Connection) -> Result<Vec<(String, String)>> {
    let mut found = source.prepare(include_str!("shape_objects.sql"))?;
    found
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// A statement that fails, as that of a module which is not here, leaves its object out.
fn make(copy: &Connection, sql: &str) {
    if let Err(error) = copy.execute_batch(sql) {
        log::debug!("not copied: {error}");
    }
}

/// About how many rows a table has: what ANALYZE says, else the distance of its keys, else by counting.
fn count(source: &Connection, table: &Table) -> Result<u64> {
    let known = source.query_row(
        "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = ?1 COLLATE NOCASE",
        [&table.name],
        |row| row.get::<_, Option<i64>>(0),
    );
    match known {
        Ok(Some(rows)) => Ok(u64::try_from(rows).unwrap_or_default()),
        _ if table.has_rowid => {
            let ends = rowids::ends(source, &quote(&table.name))?;
            Ok(ends.map_or(0, rowids::between))
        }
        _ => {
            let sql = format!("SELECT count(*) FROM {}", quote(&table.name));
            let rows: i64 = source.query_row(&sql, [], |row| row.get(0))?;
            Ok(u64::try_from(rows).unwrap_or_default())
        }
    }
}

/// Rows of a table, from all over it where it has a rowid.
fn sample(source: &Connection, table: &Table) -> Result<Vec<Vec<Value>>> {
    let columns = stored(table);
    let names = names(&columns);
    let name = quote(&table.name);
    let read = |sql: &str, key: &[i64]| -> Result<Vec<Vec<Value>>> {
        let mut found = source.prepare(sql)?;
        let rows = found.query_map(params_from_iter(key), |row| {
            (0..columns.len()).map(|at| row.get(at)).collect()
        })?;
        rows.collect()
    };
    // One row more tells whether there are others.
    let first = read(
        &format!("SELECT {names} FROM {name} LIMIT {}", READ + 1),
        &[],
    )?;
    if first.len() <= READ as usize || !table.has_rowid {
        return Ok(first);
    }
    let Some(ends) = rowids::ends(source, &name)? else {
        return Ok(Vec::new());
    };
    let sql = format!("SELECT rowid, {names} FROM {name} WHERE rowid >= ?1 ORDER BY rowid LIMIT 1");
    let mut next = source.prepare(&sql)?;
    let (mut rows, mut last) = (Vec::new(), None);
    for key in rowids::spread(ends, READ as usize) {
        let mut found = next.query([key])?;
        let Some(row) = found.next()? else { break };
        let rowid: i64 = row.get(0)?;
        // Several keys in a gap lead to the same row.
        if last != Some(rowid) {
            last = Some(rowid);
            rows.push(
                (1..=columns.len())
                    .map(|at| row.get(at))
                    .collect::<Result<_>>()?,
            );
        }
    }
    Ok(rows)
}

fn insert(copy: &Connection, table: &Table, rows: &[Vec<Value>]) -> Result<()> {
    let columns = stored(table);
    let holes = vec!["?"; columns.len()].join(", ");
    let sql = format!(
        "INSERT OR IGNORE INTO {} ({}) VALUES ({holes})",
        quote(&table.name),
        names(&columns)
    );
    copy.execute_batch("BEGIN")?;
    let mut insert = copy.prepare(&sql)?;
    for row in rows {
        insert.execute(params_from_iter(row))?;
    }
    copy.execute_batch("COMMIT")
}

fn stored(table: &Table) -> Vec<String> {
    let stored = table.columns.iter().filter(|column| column.is_stored);
    stored.map(|column| column.name.clone()).collect()
}

fn names(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|name| quote(name)).collect();
    quoted.join(", ")
}

/// Makes the copy believe what ANALYZE found in the database.
fn statistics(source: &Connection, copy: &Connection) -> Result<()> {
    let found = Statistics::read(source, STATISTICS)?;
    if found.is_empty() {
        return Ok(());
    }
    // ANALYZE makes the tables that hold statistics.
    copy.execute_batch("ANALYZE")?;
    found.put(copy)
}
