//! The plan of a statement: the lines of EXPLAIN QUERY PLAN, and which indexes it writes.

use std::collections::{BTreeSet, HashMap};

use rusqlite::types::Value;
use rusqlite::{Connection, Result};

/// Most lines of a plan.
const LINES: usize = 100;

/// A row of EXPLAIN QUERY PLAN: its number, that of the one above it, and what it says.
type Step = (i64, i64, String);

/// The lines of a plan; what is below another is indented by two spaces.
pub(crate) fn lines(
    conn: &Connection,
    sql: &str,
    values: &[(String, Value)],
) -> Result<Vec<String>> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    bind(&mut statement, values)?;
    let mut rows = statement.raw_query();
    let mut steps: Vec<Step> = Vec::new();
    while let Some(row) = rows.next()? {
        if steps.len() < LINES {
            steps.push((row.get(0)?, row.get(1)?, row.get(3)?));
        }
    }
    let depth = |mut parent: i64| {
        let mut depth = 0;
        while let Some((_, above, _)) = steps
            .iter()
            .find(|(id, ..)| *id == parent)
            .filter(|_| parent != 0)
        {
            parent = *above;
            depth += 1;
            // Steps that name each other as parents would have no end.
            if depth > LINES {
                break;
            }
        }
        depth
    };
    Ok(steps
        .iter()
        .map(|(_, parent, detail)| format!("{}{detail}", "  ".repeat(depth(*parent))))
        .collect())
}

/// The first pages of the indexes that a statement writes, its triggers' too; one that a changed row writes twice, to
/// take the old entry away and add the new one, is there twice.
pub(crate) fn written(conn: &Connection, sql: &str) -> Result<Vec<i64>> {
    let mut statement = conn.prepare(&format!("EXPLAIN {sql}"))?;
    let mut rows = statement.raw_query();
    let mut open: HashMap<i64, i64> = HashMap::new();
    // A set, as one entry may be written at several places of the program.
    let mut writes: BTreeSet<(i64, bool)> = BTreeSet::new();
    while let Some(row) = rows.next()? {
        // The columns are the address, the opcode, and p1 to p3: a cursor, then the first page of what it opens.
        let opcode = row.get_ref(1)?.as_str().unwrap_or_default();
        let cursor: i64 = row.get(2)?;
        match opcode {
            "OpenWrite" | "OpenRead" => drop(open.insert(cursor, row.get(3)?)),
            "IdxInsert" | "IdxDelete" | "Delete" => {
                if let Some(page) = open.get(&cursor) {
                    writes.insert((*page, opcode == "IdxInsert"));
                }
            }
            _ => {}
        }
    }
    Ok(writes.into_iter().map(|(page, _)| page).collect())
}

/// Binds values by the names of parameters. A name that the statement does not have is left out.
pub(crate) fn bind(
    statement: &mut rusqlite::Statement<'_>,
    values: &[(String, Value)],
) -> Result<()> {
    for (name, value) in values {
        if let Some(at) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(at, value)?;
        }
    }
    Ok(())
}
