//! More rows: those of a table that is to be larger than it is, and those of a copy that has only the schema.
//!
//! New rows are drawn from rows that are there, so that values keep their shares and columns that go together stay
//! together. Columns whose values are unique, or nearly, get new values.

mod shape;

use std::time::Duration;

use rusqlite::{Connection, Result};

use crate::guard::{Guard, Whose};
use crate::schema::{Column, Schema, Table, quote};

pub(crate) use shape::shape;

/// Rows that new ones are drawn from.
const SAMPLE: i64 = 10_000;

/// A prime number above twice the sample, which is the most that a table of nearly twice as many rows leaves of it.
const PRIME: i64 = 104_729;

/// The share of different values above which new rows have values of their own.
const NEARLY_ALL: f64 = 0.9;

/// Most rows of a table.
const MOST: u64 = 50_000_000;

/// Fills a table up to a number of rows. Its triggers run.
///
/// # Errors
/// A sentence, where there is nothing to draw from, or rows are refused.
pub(crate) fn fill(
    conn: &Connection,
    guard: &Guard,
    table: &str,
    rows: u64,
    time: Duration,
) -> Result<(), String> {
    let schema = guard.run(Whose::Ours, time, || Schema::read(conn))?;
    let found = schema
        .table(table)
        .filter(|table| table.view.is_none() && !table.is_virtual);
    let Some(table) = found else {
        return Err("there is no such table".to_owned());
    };
    let rows = i64::try_from(rows.min(MOST)).unwrap_or(i64::MAX);
    let done = guard.run(Whose::Ours, time, || {
        conn.execute_batch("BEGIN")?;
        let done = grow(conn, table, rows);
        conn.execute_batch(if done.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
        done
    });
    if !conn.is_autocommit() {
        // Interrupted.
        let _ = conn.execute_batch("ROLLBACK");
    }
    match done? {
        true => Ok(()),
        false => Err("it has no rows that new ones could be drawn from".to_owned()),
    }
}

/// Whether there was anything to draw from.
fn grow(conn: &Connection, table: &Table, rows: i64) -> Result<bool> {
    // With the database's name: a table of the same name as ours would be taken for it.
    let name = format!("main.{}", quote(&table.name));
    let count = |sql: String| conn.query_row(&sql, [], |row| row.get::<_, i64>(0));
    let there = count(format!("SELECT count(*) FROM {name}"))?;
    if there == 0 {
        return Ok(false);
    }
    if there >= rows {
        return Ok(true);
    }
    // SQLite itself numbers the new rows.
    let columns: Vec<&Column> = table
        .columns
        .iter()
        .filter(|column| column.is_stored && table.rowid.as_ref() != Some(&column.name))
        .collect();
    let names: Vec<String> = columns.iter().map(|column| quote(&column.name)).collect();
    let drawn: Vec<String> = (0..columns.len()).map(|at| format!("c{at}")).collect();
    let made = if drawn.is_empty() {
        String::new()
    } else {
        format!(", {}", drawn.join(", "))
    };
    let stride = (there / SAMPLE).max(1);
    // Columns get names of ours, as a column of the table may be called `n`, too.
    let listed: String = names
        .iter()
        .zip(&drawn)
        .map(|(name, drawn)| format!(", {name} AS {drawn}"))
        .collect();
    conn.execute_batch(&format!(
        "DROP TABLE IF EXISTS temp.drawn; CREATE TEMP TABLE drawn (at INTEGER PRIMARY KEY{made}); \
         INSERT INTO temp.drawn SELECT n / {stride}{made} FROM \
         (SELECT row_number() OVER () - 1 AS n{listed} FROM {name}) WHERE n % {stride} = 0"
    ))?;
    let sample = count("SELECT count(*) FROM temp.drawn".to_owned())?;
    let mut values = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        values.push(value(conn, table, column, at, sample, (there, rows))?);
    }
    let (into, values) = if names.is_empty() {
        // A table of its key alone.
        let key = table.rowid.as_deref().map_or("rowid".to_owned(), quote);
        (key, "NULL".to_owned())
    } else {
        (names.join(", "), values.join(", "))
    };
    // A prime number draws from all over the sample, as long as the sample has fewer rows than that: of a multiple it
    // would meet a few rows again and again. Rows that a constraint refuses are left out.
    conn.execute(
        &format!(
            "INSERT OR IGNORE INTO {name} ({into}) \
             WITH RECURSIVE k (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < ?1) \
             SELECT {values} FROM k CROSS JOIN temp.drawn d ON d.at = (k.n * {PRIME}) % ?2"
        ),
        [rows - there, sample],
    )?;
    conn.execute_batch("DROP TABLE temp.drawn")?;
    Ok(true)
}

/// The value of a column in the new row `k.n`, drawn from the row `d`.
fn value(
    conn: &Connection,
    table: &Table,
    column: &Column,
    at: usize,
    sample: i64,
    (there, rows): (i64, i64),
) -> Result<String> {
    let drawn = format!("d.c{at}");
    let is_child: bool = conn.query_row(
        "SELECT count(*) FROM pragma_foreign_key_list(?1, 'main') WHERE \"from\" = ?2 COLLATE NOCASE",
        [&table.name, &column.name],
        |row| row.get(0),
    )?;
    // One column of a unique index is enough: the last, as the first ones often group.
    let is_unique = table
        .unique()
        .any(|index| matches!(index.columns.last(), Some(Some(last)) if *last == column.name));
    let different: i64 = conn.query_row(
        &format!("SELECT count(DISTINCT c{at}) FROM temp.drawn"),
        [],
        |row| row.get(0),
    )?;
    // A few rows differ by chance.
    let is_nearly_unique = sample >= 20 && different as f64 >= NEARLY_ALL * sample as f64;
    // The value of a foreign key must be in the other table, so that it is drawn even where most differ.
    let is_own = is_unique || !is_child && is_nearly_unique;
    if !is_own {
        return Ok(drawn);
    }
    let (low, high): (Option<f64>, Option<f64>) = conn.query_row(
        &format!("SELECT min(c{at}), max(c{at}) FROM temp.drawn WHERE typeof(c{at}) IN ('integer', 'real')"),
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let number = match (low, high) {
        (Some(_), Some(_)) if is_unique => {
            // New values follow the highest one of the table, which the sample may lack. It is read as a whole number:
            // a real number has no room for the last digits of a large one.
            let top: Option<i64> = conn.query_row(
                &format!(
                    "SELECT max({0}) FROM main.{1} WHERE typeof({0}) = 'integer'",
                    quote(&column.name),
                    quote(&table.name)
                ),
                [],
                |row| row.get(0),
            )?;
            format!("{} + k.n", top.unwrap_or_default().max(0))
        }
        (Some(low), Some(high)) => {
            // The same density over a longer stretch.
            let span = ((high - low + 1.0) * rows as f64 / there as f64).max(1.0) as i64;
            format!("{} + (k.n * 2654435761) % {span}", low as i64)
        }
        _ => drawn.clone(),
    };
    Ok(format!(
        "CASE typeof({drawn}) WHEN 'integer' THEN {number} WHEN 'real' THEN {drawn} + k.n * 1e-6 \
         WHEN 'null' THEN NULL WHEN 'blob' THEN CAST({drawn} || '~' || k.n AS BLOB) ELSE {drawn} || '~' || k.n END"
    ))
}
