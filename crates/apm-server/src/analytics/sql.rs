//! A question in SQL: text with `:names`, and the values bound to them.
//!
//! The text lives in a `.sql` file and reads the same in the `sqlite3` shell (`.parameter set :from 0`).
//! SQLite numbers named parameters by first appearance, and Diesel binds by number: the order is read
//! from the text, so it cannot drift from it. Values are bound, never spliced; [`Sql::shell`] makes the
//! text that people can paste.
//!
//! A bound limit is written `LIMIT +:most`: at the value of a bare one SQLite looks while it plans, and prepares the
//! statement anew whenever another is bound.

mod bound;

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::Write as _;

use apm_store::id::StoredId;
use diesel::connection::DefaultLoadingMode;
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::prelude::*;
use diesel::result::Error;
use diesel::row::{Field as _, NamedRow};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

use bound::Bound;

/// A bound value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `NULL`
    Null,
    /// INTEGER
    Int(i64),
    /// REAL
    Real(f64),
    /// TEXT
    Text(String),
    /// BLOB
    Blob(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&StoredId> for Value {
    fn from(value: &StoredId) -> Self {
        match value {
            StoredId::Short(id) => Self::Int(id.cast_signed()),
            StoredId::Long(id) => Self::Blob(id.to_vec()),
            StoredId::Other(id) => Self::Text(id.clone()),
        }
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        value.as_deref().into()
    }
}

/// SQL text and the values of its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Sql {
    text: Cow<'static, str>,
    /// Whether it is one of a bounded number of texts, whose statements are kept.
    is_kept: bool,
    values: Vec<(Cow<'static, str>, Value)>,
}

impl Sql {
    /// A question from a file: `Sql::new(include_str!("services.sql"))`.
    #[must_use]
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        let text: Cow<'static, str> = text.into();
        Self {
            is_kept: matches!(text, Cow::Borrowed(_)),
            text,
            values: Vec::new(),
        }
    }

    /// The text with its names.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same with other text in one place. `to` is SQL, never what somebody sent.
    #[must_use]
    pub(super) fn replace(mut self, from: &str, to: &str) -> Self {
        self.text = self.text.replace(from, to).into();
        self.is_kept = false;
        self
    }

    /// The same, of which the statement is kept: for a text that was put together, but is one of a few.
    #[must_use]
    pub(super) fn kept(mut self) -> Self {
        self.is_kept = true;
        self
    }

    /// Sets `:name`. Names that the text does not use are ignored, so that a group of values can be
    /// given to texts that need some of them.
    #[must_use]
    pub fn bind(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.values.push((name.into(), value.into()));
        self
    }

    /// Runs the question.
    ///
    /// # Errors
    /// Those of SQLite, and [`Error::QueryBuilderError`] for a parameter without a value.
    pub fn load<T>(&self, conn: &mut SqliteConnection) -> QueryResult<Vec<T>>
    where
        T: QueryableByName<Sqlite> + 'static,
    {
        let mut rows = Vec::new();
        self.each(conn, |row| rows.push(row))?;
        Ok(rows)
    }

    /// Runs the question, and hands on one row after the other: of many rows, only what is made of them is held.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn each<T>(&self, conn: &mut SqliteConnection, mut row: impl FnMut(T)) -> QueryResult<()>
    where
        T: QueryableByName<Sqlite> + 'static,
    {
        note(|| self.shell());
        for found in self.query()?.load_iter::<T, DefaultLoadingMode>(conn)? {
            row(found?);
        }
        Ok(())
    }

    fn query(&self) -> QueryResult<Bound<'_>> {
        Bound::new(self)
    }

    /// Runs a question that has exactly one row.
    ///
    /// # Errors
    /// As [`Self::load`], and [`Error::NotFound`].
    pub fn first<T>(&self, conn: &mut SqliteConnection) -> QueryResult<T>
    where
        T: QueryableByName<Sqlite> + 'static,
    {
        self.load(conn)?.into_iter().next().ok_or(Error::NotFound)
    }

    /// The steps of `EXPLAIN QUERY PLAN`, one a line.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn plan(&self, conn: &mut SqliteConnection) -> QueryResult<Vec<String>> {
        #[derive(QueryableByName)]
        struct Step {
            #[diesel(sql_type = Text)]
            detail: String,
        }
        let explained = Self {
            text: format!("EXPLAIN QUERY PLAN {}", self.text).into(),
            is_kept: false,
            values: self.values.clone(),
        };
        let steps: Vec<Step> = explained.load(conn)?;
        Ok(steps.into_iter().map(|step| step.detail).collect())
    }

    /// The text with its values in place: it runs as it stands in the `sqlite3` shell.
    #[must_use]
    pub fn shell(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + 64);
        let mut end = 0;
        for parameter in parameters(&self.text) {
            out.push_str(&self.text[end..parameter.start]);
            match self.value(&self.text[parameter.start + 1..parameter.end]) {
                Ok(value) => literal(value, &mut out),
                Err(_) => out.push_str(&self.text[parameter.clone()]),
            }
            end = parameter.end;
        }
        out.push_str(&self.text[end..]);
        out
    }

    fn value(&self, name: &str) -> QueryResult<&Value> {
        let found = self.values.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).ok_or_else(|| {
            Error::QueryBuilderError(format!("no value for the parameter :{name}").into())
        })
    }
}

/// The value of a column by its place, for rows of which there are thousands: to look for its name among those of all
/// columns takes longer than to read it. Builds for tests compare the name.
pub(crate) fn column<'a, S, T: FromSql<S, Sqlite>>(
    row: &impl NamedRow<'a, Sqlite>,
    at: usize,
    name: &str,
) -> deserialize::Result<T> {
    let field = diesel::row::Row::get(row, at).ok_or("the row has too few columns")?;
    debug_assert_eq!(field.field_name(), Some(name));
    T::from_nullable_sql(field.value())
}

thread_local! {
    /// Statements that ran on this thread, while somebody wants to know them.
    static RAN: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Statements of one answer that are told of.
const MOST_RECORDED: usize = 20;

/// Runs something, and tells which questions it ran, with their values in place: each runs as it stands in the console.
///
/// Of many, the first 20 are told of.
pub fn recorded<T>(run: impl FnOnce() -> T) -> (T, Vec<String>) {
    // A recording within another one keeps its statements for itself.
    let outer = RAN.replace(Some(Vec::new()));
    let value = run();
    let ran = RAN.replace(outer).unwrap_or_default();
    (value, ran)
}

/// Runs something without telling which questions it ran: what it does is told by [`note`].
pub(crate) fn unrecorded<T>(run: impl FnOnce() -> T) -> T {
    let outer = RAN.take();
    let value = run();
    RAN.set(outer);
    value
}

/// Notes a question, where somebody wants to know it.
pub(crate) fn note(text: impl FnOnce() -> String) {
    RAN.with_borrow_mut(|ran| {
        if let Some(ran) = ran.as_mut().filter(|ran| ran.len() < MOST_RECORDED) {
            ran.push(text());
        }
    });
}

/// The places of `:name` in the text, outside of strings, quoted names and comments.
fn parameters(text: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let until = |stop: &str| {
            text[at + 1..]
                .find(stop)
                .map(|end| at + 1 + end + stop.len())
        };
        at = match bytes[at] {
            // Two quotes in a string are read as the end of one and the begin of another: that finds the same
            // parameters.
            b'\'' => until("'").unwrap_or(bytes.len()),
            b'"' => until("\"").unwrap_or(bytes.len()),
            b'-' if bytes.get(at + 1) == Some(&b'-') => until("\n").unwrap_or(bytes.len()),
            b'/' if bytes.get(at + 1) == Some(&b'*') => until("*/").unwrap_or(bytes.len()),
            b':' => {
                let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
                let end = at + 1 + bytes[at + 1..].iter().take_while(is_name).count();
                found.push(at..end);
                end
            }
            _ => at + 1,
        };
    }
    found
}

fn literal(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("NULL"),
        Value::Int(value) => _ = write!(out, "{value}"),
        Value::Real(value) => _ = write!(out, "{value:?}"),
        Value::Text(value) => _ = write!(out, "'{}'", value.replace('\'', "''")),
        Value::Blob(value) => {
            out.push_str("x'");
            for byte in value {
                _ = write!(out, "{byte:02x}");
            }
            out.push('\'');
        }
    }
}

#[cfg(test)]
mod tests;
