//! Checksums of rows: a bit that flipped in the columns of an event is found.
//!
//! SQLite notices damage of its structure, not of values. So each block has four bytes per event, made of the columns
//! of its row. They are compared whenever an event is read with its document, and by `scrub` for all events in turn.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::row::{Field, NamedRow, Row as Columns};
use diesel::sql_types::{BigInt, Binary, Double, Text, Untyped};
use diesel::sqlite::{Sqlite, SqliteType};

use super::block::SLOTS;
use super::checksum::Checksum;
use super::error::StoreError;
use super::insert::Row;
use super::rows::{ErrorRow, LogRow, MetricsetRow, SpanRow, TxRow};
use crate::event::Kind;

/// Bytes of a checksum.
const BYTES: usize = 4;

/// A value of any type, whatever the type of its column.
enum Value {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Blob(Vec<u8>),
}

impl FromSql<Binary, Sqlite> for Value {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
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
            _ => Self::Blob(<Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?),
        })
    }

    fn from_nullable_sql(
        value: Option<<Sqlite as Backend>::RawValue<'_>>,
    ) -> deserialize::Result<Self> {
        value.map_or(Ok(Self::Null), Self::from_sql)
    }
}

/// A row of the table of `R`, as it is stored: its number and its checksum.
struct Stored<R> {
    seq: i64,
    sum: u32,
    of: PhantomData<R>,
}

impl<R: Row> QueryableByName<Sqlite> for Stored<R> {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let mut sum = Checksum::default();
        // By position: to look a column up by its name takes longer than to read it.
        for at in 0..R::COLUMNS {
            let field = Columns::get(row, at).ok_or("the row has too few columns")?;
            match Value::from_nullable_sql(field.value())? {
                Value::Null => sum.null(),
                Value::Int(value) => sum.int(value),
                Value::Real(value) => sum.real(value),
                Value::Text(value) => sum.text(&value),
                Value::Blob(value) => sum.blob(&value),
            }
        }
        Ok(Self {
            seq: NamedRow::get::<BigInt, i64>(row, "seq")?,
            sum: sum.finish(),
            of: PhantomData,
        })
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

impl<R: Row> QueryFragment<Sqlite> for Range<R> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut bounds = [&self.first, &self.last].into_iter();
        for text in R::SELECT.split('?') {
            out.push_sql(text);
            if let Some(bound) = bounds.next() {
                out.push_bind_param::<BigInt, _>(bound)?;
            }
        }
        Ok(())
    }
}

/// Compares the rows of a kind from `first` to `last`, all in one block, with their checksums. Those of earlier
/// versions have none.
pub(super) fn check(
    conn: &mut SqliteConnection,
    kind: Kind,
    (first, last): (i64, i64),
    sums: Option<&[u8]>,
) -> Result<(), StoreError> {
    let Some(sums) = sums else {
        return Ok(());
    };
    match kind {
        Kind::Transaction => check_rows::<TxRow<'static>>(conn, (first, last), sums),
        Kind::Span => check_rows::<SpanRow<'static>>(conn, (first, last), sums),
        Kind::Error => check_rows::<ErrorRow<'static>>(conn, (first, last), sums),
        Kind::Metricset => check_rows::<MetricsetRow>(conn, (first, last), sums),
        Kind::Log => check_rows::<LogRow<'static>>(conn, (first, last), sums),
    }
}

/// Reads the rows of a block and compares each with its checksum.
fn check_rows<R: Row + 'static>(
    conn: &mut SqliteConnection,
    (first, last): (i64, i64),
    sums: &[u8],
) -> Result<(), StoreError> {
    let range = Range::<R> {
        first,
        last,
        of: PhantomData,
    };
    let rows: Vec<Stored<R>> = range.load(conn)?;
    for row in rows {
        let at = usize::try_from(row.seq.rem_euclid(SLOTS)).unwrap_or_default() * BYTES;
        let kept = sums.get(at..at + BYTES);
        if kept != Some(&row.sum.to_le_bytes()[..]) {
            return Err(StoreError::BadBlock(format!(
                "the row of event {} in the table {} differs from its checksum",
                row.seq,
                R::TABLE
            )));
        }
    }
    Ok(())
}
