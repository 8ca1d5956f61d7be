//! Values for new rows: those of a row that is there, but for what has to be unique.

use std::collections::HashMap;

use rusqlite::types::Value;

use super::rows;
use crate::copy::Copy;
use crate::guard::Whose;
use crate::schema::{Column, Schema, Table, quote};

/// Rows that values are taken from.
const SAMPLE: usize = 20;

/// Most rows that one statement writes, for numbering.
const ROWS: usize = 10_000;

/// Values of columns, by table and column; and the highest value of those that are unique.
#[derive(Default)]
pub(super) struct NewRows {
    rows: HashMap<(String, String), Vec<Value>>,
    top: HashMap<(String, String), i64>,
}

impl NewRows {
    /// The value of a column in a new row of a run.
    pub(super) fn value(
        &mut self,
        copy: &Copy,
        schema: &Schema,
        table: &str,
        column: &str,
        (run, row): (usize, usize),
    ) -> Result<Value, String> {
        let known = schema
            .table(table)
            .and_then(|table| Some((table, table.column(column)?)));
        let Some((found, column)) = known else {
            return Err(format!("there is no column {column} in {table}"));
        };
        // No two rows of all runs have the same number.
        let number = i64::try_from(run * ROWS + row % ROWS).unwrap_or_default();
        let drawn = self.drawn(copy, schema, found, (run, row))?;
        let value = drawn.get(&column.name).cloned();
        if !is_unique(found, &column.name) {
            return Ok(value.unwrap_or_else(|| made(column, number)));
        }
        Ok(match value.unwrap_or_else(|| made(column, number)) {
            Value::Integer(_) => {
                Value::Integer(self.top(copy, found, column)?.saturating_add(1 + number))
            }
            Value::Real(value) => Value::Real(value + 1e-6 * (1.0 + number as f64)),
            Value::Text(text) => Value::Text(format!("{text}~{number}")),
            Value::Blob(mut bytes) => {
                bytes.extend_from_slice(&number.to_be_bytes());
                Value::Blob(bytes)
            }
            // A unique index takes any number of NULLs.
            Value::Null => Value::Null,
        })
    }

    /// The row that a new one is made of.
    fn drawn(
        &mut self,
        copy: &Copy,
        schema: &Schema,
        table: &Table,
        (run, row): (usize, usize),
    ) -> Result<HashMap<String, Value>, String> {
        let stored: Vec<&Column> = table
            .columns
            .iter()
            .filter(|column| column.is_stored)
            .collect();
        let key = |column: &Column| (table.name.clone(), column.name.clone());
        if let Some(first) = stored.first()
            && !self.rows.contains_key(&key(first))
        {
            let names: Vec<String> = stored.iter().map(|column| quote(&column.name)).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let found = rows::spread(copy, schema, &table.name, &names, SAMPLE)?;
            for (at, column) in stored.iter().enumerate() {
                self.rows.insert(
                    key(column),
                    found.iter().map(|row| row[at].clone()).collect(),
                );
            }
        }
        let of = |column: &&Column| {
            let values = self.rows.get(&key(column))?;
            // Three rows apart, so that two runs of a statement of a few rows are not of the same rows.
            let at = (run * 3 + row) % values.len().max(1);
            Some((column.name.clone(), values.get(at)?.clone()))
        };
        Ok(stored.iter().filter_map(of).collect())
    }

    fn top(&mut self, copy: &Copy, table: &Table, column: &Column) -> Result<i64, String> {
        let key = (table.name.clone(), column.name.clone());
        if let Some(top) = self.top.get(&key) {
            return Ok(*top);
        }
        let sql = format!(
            "SELECT max({0}) FROM {1} WHERE typeof({0}) = 'integer'",
            quote(&column.name),
            quote(&table.name)
        );
        let time = std::time::Duration::from_secs(5);
        let top = copy
            .guard
            .run(Whose::Ours, time, || {
                copy.conn
                    .query_row(&sql, [], |row| row.get::<_, Option<i64>>(0))
            })?
            .unwrap_or_default();
        self.top.insert(key, top);
        Ok(top)
    }
}

/// Whether a value has to be its own: that of the rowid, and that of the last column of a unique index.
fn is_unique(table: &Table, column: &str) -> bool {
    table.rowid.as_deref() == Some(column)
        || table
            .unique()
            .any(|index| matches!(index.columns.last(), Some(Some(last)) if last == column))
}

/// A value for a column of a table without rows.
fn made(column: &Column, number: i64) -> Value {
    let is = |part: &str| column.kind.contains(part);
    if is("INT") || is("BOOL") || is("NUM") || is("DATE") {
        Value::Integer(number + 1)
    } else if is("REAL") || is("FLOA") || is("DOUB") {
        Value::Real(number as f64 + 1.0)
    } else if is("BLOB") {
        Value::Blob(number.to_be_bytes().to_vec())
    } else {
        Value::Text(format!("x{number}"))
    }
}
