//! Rows at even distances of each other.

use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, Result, Row};

use crate::copy::Copy;
use crate::guard::Whose;
use crate::schema::{Schema, quote};

/// The longest time of taking values, for one table of a statement.
const TIME: Duration = Duration::from_secs(5);

/// Values of expressions in up to `most` rows of a table or a view, rows without NULL first.
pub(super) fn spread(
    copy: &Copy,
    schema: &Schema,
    table: &str,
    expressions: &[&str],
    most: usize,
) -> Result<Vec<Vec<Value>>, String> {
    let has_rowid = schema.table(table).is_some_and(|table| table.has_rowid);
    let list = expressions.join(", ");
    let present: Vec<String> = expressions
        .iter()
        .map(|expr| format!("({expr}) IS NOT NULL"))
        .collect();
    let name = quote(table);
    // Expressions are texts of a recorded statement.
    let run = |filter: &str| {
        copy.guard.run(Whose::Recorded, TIME, || {
            let read = if has_rowid { by_rowid } else { by_offset };
            read(&copy.conn, &name, &list, filter, most)
        })
    };
    let found = run(&present.join(" AND "))?;
    if found.is_empty() {
        run("1")
    } else {
        Ok(found)
    }
}

fn by_rowid(
    conn: &Connection,
    name: &str,
    list: &str,
    filter: &str,
    most: usize,
) -> Result<Vec<Vec<Value>>> {
    let ends = format!("SELECT min(rowid), max(rowid) FROM {name}");
    let (low, high): (Option<i64>, Option<i64>) =
        conn.query_row(&ends, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(low), Some(high)) = (low, high) else {
        return Ok(Vec::new());
    };
    let sql =
        format!("SELECT {list} FROM {name} WHERE rowid >= ?1 AND {filter} ORDER BY rowid LIMIT 1");
    let mut next = conn.prepare(&sql)?;
    let mut rows = Vec::with_capacity(most);
    for at in 0..most {
        // The middle of each of equal parts; keys may reach from one end of `i64` to the other.
        let part = (i128::from(high) - i128::from(low)) * (2 * at as i128 + 1) / (2 * most as i128);
        let key = i128::from(low) + part;
        let mut found = next.query([i64::try_from(key).unwrap_or(i64::MAX)])?;
        if let Some(row) = found.next()? {
            rows.push(values(row)?);
        }
    }
    Ok(rows)
}

fn by_offset(
    conn: &Connection,
    name: &str,
    list: &str,
    filter: &str,
    most: usize,
) -> Result<Vec<Vec<Value>>> {
    let count = format!("SELECT count(*) FROM {name} WHERE {filter}");
    let count: i64 = conn.query_row(&count, [], |row| row.get(0))?;
    let sql = format!("SELECT {list} FROM {name} WHERE {filter} LIMIT 1 OFFSET ?1");
    let mut next = conn.prepare(&sql)?;
    let mut rows = Vec::with_capacity(most);
    for at in 0..most as i64 {
        let mut found = next.query([count * (2 * at + 1) / (2 * most as i64)])?;
        if let Some(row) = found.next()? {
            rows.push(values(row)?);
        }
    }
    Ok(rows)
}

fn values(row: &Row<'_>) -> Result<Vec<Value>> {
    (0..row.as_ref().column_count())
        .map(|at| row.get(at))
        .collect()
}
