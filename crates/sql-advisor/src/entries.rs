//! Indexes whose entries are counted when a statement writes.

use rusqlite::{Connection, Result};

use crate::guard::Whose;
use crate::lab::Lab;
use crate::measure::Made;
use crate::schema::quote;
use crate::statement::condition_of_index;

/// An index as it is counted.
pub(crate) fn made(
    conn: &Connection,
    name: &str,
    table: &str,
    condition: Option<&str>,
) -> Result<Made> {
    let sql = "SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND name = ?1";
    Ok(Made {
        root: conn.query_row(sql, [name], |row| row.get(0))?,
        share: match condition {
            Some(condition) => share(conn, table, condition)?,
            None => 1.0,
        },
        name: name.to_owned(),
        table: table.to_owned(),
    })
}

/// The share of a table's rows that meet a condition.
fn share(conn: &Connection, table: &str, condition: &str) -> Result<f64> {
    let sql = format!(
        "SELECT avg(CASE WHEN {condition} THEN 1.0 ELSE 0.0 END) FROM {}",
        quote(table)
    );
    let share: Option<f64> = conn.query_row(&sql, [], |row| row.get(0))?;
    Ok(share.unwrap_or(0.0))
}

impl Lab {
    /// Counts the entries of all indexes that the copy has now, so that one that a migration makes or drops is seen.
    pub(crate) fn count_all_indexes(&mut self) -> std::result::Result<(), String> {
        let conn = &self.copy.conn;
        let read = || -> Result<Vec<Made>> {
            let mut found =
                conn.prepare("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' AND rootpage > 0")?;
            let mut rows = found.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let (name, table): (String, String) = (row.get(0)?, row.get(1)?);
                // Indexes of constraints have no text, and every row.
                let sql: Option<String> = row.get(2)?;
                let condition = sql.and_then(|sql| condition_of_index(&sql));
                // A condition that cannot be asked here counts as one that each row meets.
                let counted = made(conn, &name, &table, condition.as_deref());
                all.push(counted.or_else(|_| made(conn, &name, &table, None))?);
            }
            Ok(all)
        };
        self.made = self.copy.guard.run(Whose::Ours, self.patience(), read)?;
        Ok(())
    }
}
