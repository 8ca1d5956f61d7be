//! Checksums of rows: a bit that flipped in the columns of an event is found.
//!
//! SQLite notices damage of its structure, not of values. So each block has four bytes per event, made of the columns
//! of its row. They are compared whenever an event is read with its document, and by `scrub` for all events in turn.
//!
//! A row is read once: its checksum and the event are made of the same values.

use std::cell::RefCell;
use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::connection::DefaultLoadingMode;
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::{Field, NamedRow, Row as Columns};
use diesel::sql_types::{BigInt, Binary, Double, Text, Untyped};
use diesel::sqlite::{Sqlite, SqliteType};

use super::block::{SLOTS, SUM};
use super::checksum::Checksum;
use super::error::StoreError;
use super::id::StoredId;
use super::insert::Row;

/// A value of any type, whatever the type of its column.
enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    /// Sixteen bytes: an id of a trace, of which most rows have one.
    Id([u8; 16]),
    Blob(Vec<u8>),
}

impl FromSql<Binary, Sqlite> for Value {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(match value.value_type() {
            None => Self::Null,
            Some(SqliteType::Long | SqliteType::Integer | SqliteType::SmallInt) => {
                Self::Int(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?)
            }
            Some(SqliteType::Double | SqliteType::Float) => {
                Self::Real(<f64 as FromSql<Double, Sqlite>>::from_sql(value)?)
            }
            Some(SqliteType::Text) => {
                Self::Text(<String as FromSql<Text, Sqlite>>::from_sql(value)?)
            }
            Some(SqliteType::Binary) => {
                let bytes = value.read_blob();
                let id = bytes.try_into().map(Self::Id);
                id.unwrap_or_else(|_| Self::Blob(bytes.to_vec()))
            }
        })
    }

    fn from_nullable_sql(
        value: Option<<Sqlite as Backend>::RawValue<'_>>,
    ) -> deserialize::Result<Self> {
        value.map_or(Ok(Self::Null), Self::from_sql)
    }
}

impl Value {
    fn add_to(&self, sum: &mut Checksum) {
        match self {
            Self::Null => sum.null(),
            Self::Int(value) => sum.int(*value),
            Self::Real(value) => sum.real(*value),
            Self::Text(value) => sum.text(value),
            Self::Id(value) => sum.blob(value),
            Self::Blob(value) => sum.blob(value),
        }
    }
}

/// The values of a row: those of its own columns, then those of the names that it refers to.
pub(super) struct Values(Vec<Value>);

/// A value of another type than its column has, at this place.
#[derive(Debug)]
pub(super) struct BadValue(usize);

impl Values {
    fn take(&mut self, at: usize) -> Value {
        let value = self.0.get_mut(at);
        value.map_or(Value::Null, |value| std::mem::replace(value, Value::Null))
    }

    pub(super) fn int(&mut self, at: usize) -> Result<i64, BadValue> {
        self.optional_int(at)?.ok_or(BadValue(at))
    }

    pub(super) fn optional_int(&mut self, at: usize) -> Result<Option<i64>, BadValue> {
        match self.take(at) {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(value)),
            _ => Err(BadValue(at)),
        }
    }

    pub(super) fn optional_real(&mut self, at: usize) -> Result<Option<f64>, BadValue> {
        match self.take(at) {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(value as f64)),
            Value::Real(value) => Ok(Some(value)),
            _ => Err(BadValue(at)),
        }
    }

    pub(super) fn optional_text(&mut self, at: usize) -> Result<Option<String>, BadValue> {
        match self.take(at) {
            Value::Null => Ok(None),
            Value::Text(value) => Ok(Some(value)),
            _ => Err(BadValue(at)),
        }
    }

    pub(super) fn id(&mut self, at: usize) -> Result<Option<StoredId>, BadValue> {
        Ok(match self.take(at) {
            Value::Null => None,
            Value::Int(id) => Some(StoredId::Short(id.cast_unsigned())),
            Value::Text(id) => Some(StoredId::Other(id)),
            Value::Id(id) => Some(StoredId::Long(id)),
            Value::Real(_) | Value::Blob(_) => return Err(BadValue(at)),
        })
    }
}

/// A row that is read as an event.
pub(super) trait Stored: Row {
    /// The names that it refers to, after its own columns: `, g.name`.
    const MORE: &'static str;
    /// Their tables.
    const JOIN: &'static str;

    type Event;

    /// The event; nothing where a name that it refers to is gone.
    fn event(values: &mut Values) -> Result<Option<Self::Event>, BadValue>;
}

thread_local! {
    /// The memory of the next checksum.
    static MEMORY: RefCell<Checksum> = RefCell::default();
}

/// A row of the table of `R`, as it was given.
struct Read<R: Stored> {
    seq: i64,
    sum: u32,
    event: Result<Option<R::Event>, BadValue>,
}

impl<R: Stored> QueryableByName<Sqlite> for Read<R> {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let mut values = Vec::with_capacity(row.field_count());
        // By position: to look a column up by its name takes longer than to read it.
        for at in 0..row.field_count() {
            let field = Columns::get(row, at).ok_or("the row has too few columns")?;
            values.push(Value::from_nullable_sql(field.value())?);
        }
        let seq = match values.first() {
            Some(Value::Int(seq)) => *seq,
            _ => return Err("the row has no number".into()),
        };
        let sum = MEMORY.with_borrow_mut(|sum| {
            sum.compute(|sum| {
                // The columns behind these are names, which other tables hold.
                for value in values.iter().take(R::NAMES.len()) {
                    value.add_to(sum);
                }
            })
        });
        let event = R::event(&mut Values(values));
        Ok(Self { seq, sum, event })
    }
}

/// The query for the rows of the table of `R` between two numbers. Its statement is prepared once for each connection:
/// `sql_query` would parse the names of all columns for each block.
struct Range<R> {
    first: i64,
    last: i64,
    of: PhantomData<R>,
}

impl<R: Row> QueryId for Range<R> {
    type QueryId = Range<R::Statement>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: Row> Query for Range<R> {
    type SqlType = Untyped;
}

impl<R: Row> RunQueryDsl<SqliteConnection> for Range<R> {}

impl<R: Stored> QueryFragment<Sqlite> for Range<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let begin = [
            "SELECT ",
            R::LIST,
            R::MORE,
            " FROM ",
            R::VIEW,
            " r ",
            R::JOIN,
        ];
        for text in begin.into_iter().chain([" WHERE r.", R::NAMES[0], " >= "]) {
            out.push_sql(text);
        }
        out.push_bind_param::<BigInt, _>(&self.first)?;
        for text in [" AND r.", R::NAMES[0], " <= "] {
            out.push_sql(text);
        }
        out.push_bind_param::<BigInt, _>(&self.last)
    }
}

/// Hands on the events of a kind from `first` to `last`, all in one block. Each row is compared with its checksum
/// first; blocks of earlier versions have none.
pub(super) fn read<R: Stored + 'static>(
    conn: &mut SqliteConnection,
    (first, last): (i64, i64),
    sums: Option<&[u8]>,
    mut each: impl FnMut(R::Event),
) -> Result<(), StoreError> {
    let range = Range::<R> {
        first,
        last,
        of: PhantomData,
    };
    for row in range.load_iter::<Read<R>, DefaultLoadingMode>(conn)? {
        let row = row?;
        if let Some(sums) = sums {
            compare::<R>(&row, sums)?;
        }
        let event = row.event.map_err(|BadValue(at)| {
            let column = R::NAMES.get(at).copied().unwrap_or("of a name");
            StoreError::BadBlock(format!(
                "the column {column} of event {} in the table {} has a value of another type",
                row.seq,
                R::TABLE
            ))
        })?;
        if let Some(event) = event {
            each(event);
        }
    }
    Ok(())
}

fn compare<R: Stored>(row: &Read<R>, sums: &[u8]) -> Result<(), StoreError> {
    let at = usize::try_from(row.seq.rem_euclid(SLOTS)).unwrap_or_default() * SUM;
    let kept = sums.get(at..at + SUM);
    if kept == Some(&row.sum.to_le_bytes()[..]) {
        return Ok(());
    }
    Err(StoreError::BadBlock(format!(
        "the row of event {} in the table {} differs from its checksum",
        row.seq,
        R::TABLE
    )))
}
