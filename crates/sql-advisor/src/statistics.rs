//! The statistics of ANALYZE: read, to be put back or put into a copy.

use rusqlite::types::Value;
use rusqlite::{Connection, Result, params_from_iter};

/// The tables that hold them, with their columns.
const TABLES: [(&str, &[&str]); 2] = [
    ("sqlite_stat1", &["tbl", "idx", "stat"]),
    (
        "sqlite_stat4",
        &["tbl", "idx", "neq", "nlt", "ndlt", "sample"],
    ),
];

/// Rows of the tables that ANALYZE fills, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statistics([Vec<Vec<Value>>; 2]);

impl Statistics {
    /// Up to `most` rows of each table. A table that is not there has none.
    pub(crate) fn read(conn: &Connection, most: i64) -> Result<Self> {
        let mut found = [Vec::new(), Vec::new()];
        for (rows, (table, columns)) in found.iter_mut().zip(TABLES) {
            let sql = format!("SELECT {} FROM {table} LIMIT ?1", columns.join(", "));
            if let Ok(mut read) = conn.prepare(&sql) {
                let width = columns.len();
                *rows = read
                    .query_map([most], |row| (0..width).map(|at| row.get(at)).collect())?
                    .collect::<Result<_>>()?;
            }
        }
        Ok(Self(found))
    }

    /// Whether ANALYZE never ran.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// Puts them in the place of those that a database has. ANALYZE must have made the tables.
    pub(crate) fn put(&self, conn: &Connection) -> Result<()> {
        for (rows, (table, columns)) in self.0.iter().zip(TABLES) {
            conn.execute(&format!("DELETE FROM {table}"), [])?;
            let holes = vec!["?"; columns.len()].join(", ");
            let columns = columns.join(", ");
            let mut insert =
                conn.prepare(&format!("INSERT INTO {table} ({columns}) VALUES ({holes})"))?;
            for row in rows {
                insert.execute(params_from_iter(row))?;
            }
        }
        // SQLite reads them again.
        conn.execute_batch("ANALYZE sqlite_schema")
    }
}
