//! The work of SQLite for a span, as the agent's labels tell it (`docs/sql-cost.md`).

/// Counts of a span; of a composite, the sums over its statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Instructions of SQLite's virtual machine.
    pub steps: i64,
    /// Steps from one row to the next in full scans of tables.
    pub scan_steps: i64,
    /// Sorts.
    pub sorts: i64,
    /// Steps from one row to the next while SQLite filled indexes for this query alone.
    pub autoindex_steps: i64,
    /// Times that the statement was prepared again.
    pub reprepares: i64,
    /// Rows that the query returned.
    pub rows_returned: i64,
    /// Pages that were read from the file.
    pub pages_read: i64,
    /// Pages that were written.
    pub pages_written: i64,
    /// Rows that it changed; none where that is not known.
    pub rows_changed: Option<i64>,
}

impl Cost {
    /// The count that a label holds, if it is one of SQLite's.
    pub fn of_label(&mut self, name: &str) -> Option<&mut i64> {
        Some(match name {
            "sqlite_steps" => &mut self.steps,
            "sqlite_scan_steps" => &mut self.scan_steps,
            "sqlite_sorts" => &mut self.sorts,
            "sqlite_autoindex_steps" => &mut self.autoindex_steps,
            "sqlite_reprepares" => &mut self.reprepares,
            "sqlite_rows_returned" => &mut self.rows_returned,
            "sqlite_pages_read" => &mut self.pages_read,
            "sqlite_pages_written" => &mut self.pages_written,
            _ => return None,
        })
    }
}
