//! SQL over the telemetry: one reading statement, within limits, for the page `/sql`, for `/api/v1/sql` and for
//! `pocket-apm sql`.
//!
//! Meant for the documented views (`v_transactions`, `v_spans`, `v_errors`, `v_statements`, `v_metrics`); the tables
//! behind them can be read too, since the SQL behind every chart does. How hostile SQL is kept out stands in
//! `insight::guard`.

mod csv;
pub(crate) mod schema;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use super::guard::GuardError as ConsoleError;
use super::guard::{Bounds, Guarded, Purpose};

/// Bounds of one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Time in SQLite.
    pub time: Duration,
    /// Rows returned; there may be more.
    pub rows: usize,
    /// Bytes of all values returned.
    pub bytes: usize,
    /// Bytes of one value.
    pub value: usize,
    /// Bytes that may be put into temporary files, for sorting and grouping. Held on Linux; elsewhere the time bounds
    /// them.
    pub temporary: u64,
    /// Bytes of memory that SQLite may take, preparing included.
    pub memory: usize,
}

impl Default for Limits {
    /// Bounds for a page: 2 s, 1 000 rows, 4 MiB, values of 256 KiB, 64 MiB of temporary files, 128 MiB
    /// of memory.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(2),
            rows: 1_000,
            bytes: 4 << 20,
            value: 256 << 10,
            temporary: 64 << 20,
            memory: 128 << 20,
        }
    }
}

impl Limits {
    /// Bounds for a command line: 60 s, 1 million rows, 256 MiB, 1 GiB of temporary files, 1 GiB of memory.
    #[must_use]
    pub fn generous() -> Self {
        Self {
            time: Duration::from_secs(60),
            rows: 1_000_000,
            bytes: 256 << 20,
            value: 1 << 20,
            temporary: 1 << 30,
            memory: 1 << 30,
        }
    }
}

/// A value of a row. As JSON: `null`, number, string; a blob is `x'…'`.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// `NULL`
    Null,
    /// INTEGER
    Int(i64),
    /// REAL
    Real(f64),
    /// TEXT; bytes that are not UTF-8 are replaced.
    Text(String),
    /// BLOB
    Blob(Vec<u8>),
}

impl Cell {
    fn size(&self) -> usize {
        match self {
            Self::Null | Self::Int(_) | Self::Real(_) => 8,
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        }
    }

    /// A number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Real(value) => Some(*value),
            Self::Null | Self::Text(_) | Self::Blob(_) => None,
        }
    }
}

impl From<ValueRef<'_>> for Cell {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Int(value),
            ValueRef::Real(value) => Self::Real(value),
            ValueRef::Text(bytes) => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Int(value) => write!(out, "{value}"),
            Self::Real(value) => write!(out, "{value}"),
            Self::Text(value) => out.write_str(value),
            Self::Blob(bytes) => {
                out.write_str("x'")?;
                bytes
                    .iter()
                    .try_for_each(|byte| write!(out, "{byte:02x}"))?;
                out.write_str("'")
            }
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Real(value) => serializer.serialize_f64(*value),
            text => serializer.serialize_str(&text.to_string()),
        }
    }
}

/// As an answer of the API has it: a blob stays the text that it was written as.
impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        Ok(match (value.as_i64(), value.as_f64()) {
            (Some(whole), _) => Self::Int(whole),
            (None, Some(real)) => Self::Real(real),
            (None, None) => match value {
                serde_json::Value::Null => Self::Null,
                serde_json::Value::String(text) => Self::Text(text),
                other => Self::Text(other.to_string()),
            },
        })
    }
}

/// The bound that cut an answer.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// There are more rows than may be returned.
    Rows,
    /// There are more bytes than may be returned.
    Bytes,
}

/// The rows of an answer.
#[derive(Debug, Clone, Deserialize, JsonSchema, PartialEq, Serialize)]
#[schemars(rename = "SqlTable")]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// A cell for each column: null, a number or a text; a blob as `x'00ff'`.
    #[schemars(with = "Vec<Vec<serde_json::Value>>")]
    pub rows: Vec<Vec<Cell>>,
    /// Set where there is more.
    pub cut: Option<Cut>,
    /// µs that it took.
    pub elapsed: u64,
}

impl Table {
    /// As RFC 4180, for programs: a head, CRLF after each row, texts as they are.
    #[must_use]
    pub fn csv(&self) -> String {
        String::from_utf8(csv::write(&self.columns, &self.rows)).unwrap_or_default()
    }
}

/// Runs one reading statement on a telemetry database.
///
/// # Errors
/// See [`ConsoleError`]: whatever is wrong with the statement, or what limit it met.
pub fn run(path: &Path, sql: &str, limits: Limits) -> Result<Table, ConsoleError> {
    let start = Instant::now();
    let bounds = Bounds {
        time: limits.time,
        value: limits.value,
        temporary: limits.temporary,
        memory: limits.memory,
    };
    let guarded = Guarded::open(path, Purpose::Read, bounds)?;
    let mut statement = guarded.prepare("", sql)?;
    let columns: Vec<String> = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    if columns.is_empty() {
        return Err(ConsoleError::NotOne(
            "such as SELECT * FROM v_transactions LIMIT 10",
        ));
    }
    let width = columns.len();
    let mut table = Table {
        columns,
        rows: Vec::new(),
        cut: None,
        elapsed: 0,
    };
    let mut bytes = 0;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| guarded.error(&error))? {
        // SQLite may have passed its own looks at the clock by, and have had no memory for a value.
        if guarded.is_late() {
            return Err(ConsoleError::TimeOut(limits.time));
        }
        if table.rows.len() >= limits.rows {
            table.cut = Some(Cut::Rows);
            break;
        }
        let mut cells = Vec::with_capacity(width);
        for at in 0..width {
            let value = row.get_ref(at).map_err(|error| guarded.error(&error))?;
            let cell = Cell::from(value);
            bytes += cell.size();
            cells.push(cell);
        }
        // After the row: values and columns have limits of their own, so that one row is bounded.
        if bytes > limits.bytes {
            table.cut = Some(Cut::Bytes);
            break;
        }
        table.rows.push(cells);
    }
    table.elapsed = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok(table)
}

#[cfg(test)]
mod tests;
