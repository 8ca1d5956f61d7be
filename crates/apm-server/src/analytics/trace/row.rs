//! Rows of the questions about the items of a trace. They are read by position: a large trace has many, and to look a
//! column up by its name takes longer than to read it.

use diesel::deserialize::{self, FromSql, QueryableByName};
use diesel::row::{Field, NamedRow, Row};
use diesel::sql_types::{BigInt, Nullable};
use diesel::sqlite::Sqlite;

use apm_store::id::{Identifier, StoredId};

/// A transaction or a span: the columns of `transactions.sql` and of `spans.sql`.
#[derive(Debug)]
pub(super) struct ItemRow {
    pub(super) seq: i64,
    pub(super) id: StoredId,
    pub(super) parent_id: Option<StoredId>,
    pub(super) transaction_id: Option<StoredId>,
    pub(super) ts: i64,
    pub(super) duration: i64,
    pub(super) group: i64,
    pub(super) destination: Option<i64>,
    pub(super) statement: Option<i64>,
    pub(super) result: Option<i64>,
    pub(super) outcome: i64,
    pub(super) status: Option<i64>,
    pub(super) sampled: bool,
    /// Of a transaction the spans that were started, of a span the count of a composite.
    pub(super) first: Option<i64>,
    /// Of a transaction the spans that were dropped, of a span the sum of a composite.
    pub(super) second: Option<i64>,
    /// Steps in full scans; none where they were not measured.
    pub(super) scan_steps: Option<i64>,
}

/// The value of a column.
fn column<'a, S, T>(row: &impl NamedRow<'a, Sqlite>, at: usize) -> deserialize::Result<T>
where
    T: FromSql<S, Sqlite>,
{
    let field = Row::get(row, at).ok_or("the row has too few columns")?;
    T::from_nullable_sql(field.value())
}

impl QueryableByName<Sqlite> for ItemRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let int = |at| column::<BigInt, i64>(row, at);
        let optional = |at| column::<Nullable<BigInt>, Option<i64>>(row, at);
        let id = |at| column::<Nullable<Identifier>, Option<StoredId>>(row, at);
        Ok(Self {
            seq: int(0)?,
            id: column::<Identifier, StoredId>(row, 1)?,
            parent_id: id(2)?,
            transaction_id: id(3)?,
            ts: int(4)?,
            duration: int(5)?,
            group: int(6)?,
            destination: optional(7)?,
            statement: optional(8)?,
            result: optional(9)?,
            outcome: int(10)?,
            status: optional(11)?,
            sampled: int(12)? != 0,
            first: optional(13)?,
            second: optional(14)?,
            scan_steps: optional(15)?,
        })
    }
}
