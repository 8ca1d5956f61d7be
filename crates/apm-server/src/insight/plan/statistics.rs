//! Statistics of a table's values: the tables that ANALYZE made, and what ANALYZE would say of an index that
//! does not exist yet.
//!
//! SQLite's planner weighs an index by how many rows share a value of its columns. Without that it assumes that an
//! index is good, and an index on a column with one value looks like the best plan of all.

use rusqlite::{Connection, OptionalExtension as _, Result, Row, types::Value};

use crate::insight::guard::{GuardError, Guarded};

/// Rows of the statistics that are copied.
const MOST: usize = 20_000;

/// Rows of a table that are read to judge an index.
pub(super) const SAMPLE: i64 = 100_000;

/// The largest share of a table's rows that an index may find for one value and still be faster than reading all of
/// them.
const SELECTIVE: f64 = 0.1;

/// A row of `sqlite_stat1`: table, index, numbers.
type Numbers = (Value, Value, Value);

/// A row of `sqlite_stat4`.
type Samples = [Value; 6];

/// The statistics of a database.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Statistics {
    numbers: Vec<Numbers>,
    samples: Vec<Samples>,
}

impl Statistics {
    /// Reads what ANALYZE left, if it ever ran.
    pub(super) fn read(conn: &Connection) -> Result<Self> {
        let has = |table: &str| {
            conn.query_row(
                "SELECT 1 FROM sqlite_schema WHERE name = ?",
                [table],
                |_| Ok(()),
            )
            .optional()
            .map(|found| found.is_some())
        };
        let mut found = Self::default();
        if has("sqlite_stat1")? {
            let sql = format!("SELECT tbl, idx, stat FROM sqlite_stat1 LIMIT {MOST}");
            found.numbers = rows(conn, &sql, |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        }
        if has("sqlite_stat4")? {
            let sql =
                format!("SELECT tbl, idx, neq, nlt, ndlt, sample FROM sqlite_stat4 LIMIT {MOST}");
            found.samples = rows(conn, &sql, |row| {
                Ok([
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                ])
            })?;
        }
        Ok(found)
    }

    /// Whether ANALYZE ever ran.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Makes a copy of the schema believe these, and what is said of a new index. Of a database that was never analysed
    /// SQLite guesses all numbers, and so it does here.
    pub(super) fn apply(&self, copy: &Connection, new: Option<&Measured>) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        // ANALYZE makes the tables that hold statistics; of empty tables it has nothing to say.
        copy.execute_batch("ANALYZE; DELETE FROM sqlite_stat1")?;
        let has_samples = copy.execute("DELETE FROM sqlite_stat4", []).is_ok();
        let mut insert =
            copy.prepare("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)")?;
        for (table, index, numbers) in &self.numbers {
            insert.execute((table, index, numbers))?;
        }
        if let Some(new) = new {
            insert.execute((&new.table, &new.index, new.numbers()))?;
        }
        if has_samples {
            let mut insert =
                copy.prepare("INSERT INTO sqlite_stat4 (tbl, idx, neq, nlt, ndlt, sample) VALUES (?, ?, ?, ?, ?, ?)")?;
            for sample in &self.samples {
                insert.execute(rusqlite::params_from_iter(sample))?;
            }
        }
        // Reads the tables anew.
        copy.execute_batch("ANALYZE sqlite_schema")
    }
}

fn rows<T>(
    conn: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    conn.prepare(sql)?.query_map([], read)?.collect()
}

/// The statistics that ANALYZE would make of an index.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measured {
    table: String,
    index: String,
    /// Rows of the table.
    rows: i64,
    /// Rows that were read.
    read: i64,
    /// Different values of the first column, of the first two, and so on, among the rows that were read.
    distinct: Vec<i64>,
}

impl Measured {
    /// Reads the first rows of a table. None where it has no rows.
    pub(super) fn read(
        guarded: &Guarded,
        table: &str,
        index: &str,
        columns: &[String],
    ) -> Result<Option<Self>, GuardError> {
        let number = |sql: String| -> Result<i64, GuardError> {
            let failed = |error: rusqlite::Error| guarded.error(&error);
            let mut statement = guarded.prepare("", &sql)?;
            let mut found = statement.raw_query();
            let row = found.next().map_err(failed)?;
            row.map_or(Ok(0), |row| {
                row.get::<_, Option<i64>>(0).map(Option::unwrap_or_default)
            })
            .map_err(failed)
        };
        let quoted = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
        let of = quoted(&table.to_owned());
        let read = number(format!(
            "SELECT count(*) FROM (SELECT 1 FROM {of} LIMIT {SAMPLE})"
        ))?;
        if read == 0 {
            return Ok(None);
        }
        let mut distinct = Vec::new();
        for upto in 1..=columns.len() {
            let names: Vec<String> = columns[..upto].iter().map(quoted).collect();
            let names = names.join(", ");
            distinct.push(number(format!(
                "SELECT count(*) FROM (SELECT DISTINCT {names} FROM (SELECT {names} FROM {of} LIMIT {SAMPLE}))"
            ))?);
        }
        // Counting all rows takes long in a large table: the distance of the first and the last key is about their
        // number, where there are keys.
        let rows = if read < SAMPLE {
            read
        } else {
            let end = |which: &str| number(format!("SELECT {which}(rowid) FROM {of}"));
            match (end("min"), end("max")) {
                (Ok(first), Ok(last)) => last.saturating_sub(first).saturating_add(1).max(read),
                // A table WITHOUT ROWID has none.
                _ => read,
            }
        };
        Ok(Some(Self {
            table: table.to_owned(),
            index: index.to_owned(),
            rows,
            read,
            distinct,
        }))
    }

    /// The numbers of `sqlite_stat1`: all rows, then how many rows share a value of the first column, of the first two,
    /// …
    fn numbers(&self) -> String {
        let mut out = self.rows.to_string();
        for &distinct in &self.distinct {
            let distinct = distinct.max(1);
            // If nearly each row had a value of its own, others have theirs.
            let share = if distinct > self.read / 10 {
                self.read.div_euclid(distinct).max(1)
            } else {
                self.rows.div_euclid(distinct).max(1)
            };
            out.push_str(&format!(" {share}"));
        }
        out
    }

    /// Whether few rows share a value of its columns. A table with few rows says nothing of that.
    pub(super) fn is_selective(&self) -> bool {
        let values = self.distinct.last().copied().unwrap_or_default().max(1) as f64;
        self.read < 100 || 1.0 / values <= SELECTIVE
    }

    /// The measurements, in a sentence.
    pub(super) fn words(&self, columns: &[String]) -> String {
        let values = self.distinct.last().copied().unwrap_or_default();
        let rows = if self.read < self.rows {
            format!("the first {} of about {} rows", self.read, self.rows)
        } else {
            format!("{} rows", self.rows)
        };
        format!(
            "{rows} of {} have {values} different {} of {}.",
            self.table,
            if values == 1 { "value" } else { "values" },
            columns.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(rows: i64, read: i64, distinct: &[i64]) -> String {
        Measured {
            table: "t".to_owned(),
            index: "i".to_owned(),
            rows,
            read,
            distinct: distinct.to_vec(),
        }
        .numbers()
    }

    #[test]
    fn rows_per_value_are_told_as_analyze_would() {
        // One value in all: every row has it.
        assert_eq!(measured(200_000, 100_000, &[1]), "200000 200000");
        assert_eq!(measured(1_000, 1_000, &[10, 1_000]), "1000 100 1");
        // Few values among the first rows are those of all; many are more in all.
        assert_eq!(
            measured(1_000_000, 100_000, &[50, 50_000]),
            "1000000 20000 2"
        );
    }
}
