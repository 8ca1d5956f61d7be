//! Rows at even distances of each other.

use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, Result, Row};

use crate::copy::Copy;
use crate::guard::Whose;
use crate::rowids;
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
        let sql = format!("SELECT {list} FROM {name} WHERE {filter}");
        let _likes = copy.guard.bound_likes(&copy.conn, &sql, TIME)?;
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
    let Some(ends) = rowids::ends(conn, name)? else {
        return Ok(Vec::new());
    };
    let sql =
        format!("SELECT {list} FROM {name} WHERE rowid >= ?1 AND {filter} ORDER BY rowid LIMIT 1");
    at_places(conn, &sql, rowids::spread(ends, most))
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
    // A view has no rowids, but its rows have numbers from 0 on.
    at_places(conn, &sql, rowids::spread((0, count), most))
}

/// The first row that a statement finds at each place; at the last ones there may be none.
fn at_places(
    conn: &Connection,
    sql: &str,
    places: impl Iterator<Item = i64>,
) -> Result<Vec<Vec<Value>>> {
    let mut next = conn.prepare(sql)?;
    let mut rows = Vec::new();
    for place in places {
        if let Some(row) = next.query([place])?.next()? {
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
