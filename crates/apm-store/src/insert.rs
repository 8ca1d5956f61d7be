//! Inserts of many rows by one cached statement.
//!
//! Diesel's own batch insert builds its SQL anew each time for SQLite, which costs more than the insert. Here the
//! number of rows is part of the statement's type: [`MANY`] rows at a time, and what remains one by one, so that
//! two prepared statements per table serve all batches. A third one serves rows that have the same in some columns: to
//! bind a value takes as long as SQLite takes to store it, so these are bound once for all rows.
//!
//! They say `OR FAIL`: with the default, `ABORT`, SQLite copies every page that a statement of many rows is about to
//! change into a journal of the statement, to undo it alone. Here any failure rolls the whole transaction back, so
//! nothing is lost without it.

mod row;

use std::marker::PhantomData;

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

pub(super) use row::{Column, Row, Values, bits, of_some, place, row};

/// Rows per statement: beyond this nothing is gained.
pub(super) const MANY: usize = 32;

/// Rows that wait until there are [`MANY`].
#[derive(Debug)]
pub(super) struct Rows<R>(Vec<R>);

impl<R: Row> Rows<R> {
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(MANY))
    }

    /// Adds a row, and inserts all when there are [`MANY`].
    pub(super) fn push(&mut self, conn: &mut SqliteConnection, row: R) -> QueryResult<()> {
        self.0.push(row);
        if self.0.len() == MANY {
            R::insert::<MANY>(&self.0, conn)?;
            self.0.clear();
        }
        Ok(())
    }

    /// Inserts what waits.
    pub(super) fn flush(&mut self, conn: &mut SqliteConnection) -> QueryResult<()> {
        for row in &self.0 {
            R::insert::<1>(std::slice::from_ref(row), conn)?;
        }
        self.0.clear();
        Ok(())
    }
}

/// Inserts rows with all of their columns.
fn whole<R: Row, const N: usize>(rows: &[R], conn: &mut SqliteConnection) -> QueryResult<()> {
    Insert::<R, N, false, false>(rows).execute(conn)?;
    Ok(())
}

/// Inserts rows of which some columns may be left out or bound once. Only rows that have such columns are compiled with
/// these statements.
pub(super) fn short_or_alike<R: Row, const N: usize>(
    rows: &[R],
    conn: &mut SqliteConnection,
) -> QueryResult<()> {
    let is_short = R::TAIL > 0 && rows.iter().all(R::is_short);
    let are_alike = N > 1 && R::ONCE != 0 && rows[1..].iter().all(|row| row.is_alike(&rows[0]));
    match (is_short, are_alike) {
        (false, false) => Insert::<R, N, false, false>(rows).execute(conn),
        (false, true) => Insert::<R, N, false, true>(rows).execute(conn),
        (true, false) => Insert::<R, N, true, false>(rows).execute(conn),
        (true, true) => Insert::<R, N, true, true>(rows).execute(conn),
    }?;
    Ok(())
}

/// An insert of `N` rows; without the columns at the end where `SHORT`, and with the first row's values in the columns
/// [`Row::ONCE`] where `ALIKE`.
struct Insert<'r, R, const N: usize, const SHORT: bool, const ALIKE: bool>(&'r [R]);

/// Tells the statements of a row apart.
struct Form<const N: usize, const SHORT: bool, const ALIKE: bool>;

impl<R: Row, const N: usize, const SHORT: bool, const ALIKE: bool> QueryId
    for Insert<'_, R, N, SHORT, ALIKE>
{
    type QueryId = PhantomData<(Form<N, SHORT, ALIKE>, R::Statement)>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: Row, const N: usize, const SHORT: bool, const ALIKE: bool> RunQueryDsl<SqliteConnection>
    for Insert<'_, R, N, SHORT, ALIKE>
{
}

impl<R: Row, const N: usize, const SHORT: bool, const ALIKE: bool> QueryFragment<Sqlite>
    for Insert<'_, R, N, SHORT, ALIKE>
{
    /// Its text depends on its type alone. Otherwise all values would be walked through to find that out.
    fn is_safe_to_cache_prepared(&self, _: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }

    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        debug_assert_eq!(self.0.len(), N);
        let columns = R::NAMES.len() - if SHORT { R::TAIL } else { 0 };
        for text in ["INSERT OR FAIL INTO ", R::TABLE, " ("] {
            out.push_sql(text);
        }
        for (index, name) in R::NAMES[..columns].iter().enumerate() {
            out.push_sql(if index == 0 { "" } else { ", " });
            out.push_sql(name);
        }
        out.push_sql(") VALUES");
        for (index, row) in self.0.iter().enumerate() {
            out.push_sql(if index == 0 { " (" } else { "), (" });
            let as_first = if ALIKE && index > 0 { R::ONCE } else { 0 };
            row.values(&mut Values::new(out.reborrow(), columns, as_first))?;
        }
        out.push_sql(") ");
        out.push_sql(R::THEN);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use diesel::sql_types::{BigInt, Double, Nullable};

    use super::*;

    row! {
        struct Item in "item" {
            id: i64,
            kind: i64,
            size: Option<i64>,
            rate: Option<f64>,
            more: Option<i64>,
        } tail [more] once [kind, rate]
    }

    #[derive(Debug, PartialEq, QueryableByName)]
    struct Stored {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = BigInt)]
        kind: i64,
        #[diesel(sql_type = Nullable<BigInt>)]
        size: Option<i64>,
        #[diesel(sql_type = Nullable<Double>)]
        rate: Option<f64>,
        #[diesel(sql_type = Nullable<BigInt>)]
        more: Option<i64>,
    }

    /// Rows with the same kind and rate from `alike` on, and with nothing in the tail from `short` on.
    fn rows(alike: i64, short: i64) -> Vec<Stored> {
        let row = |id| Stored {
            id,
            kind: if id < alike { id } else { -1 },
            size: (id % 3 > 0).then_some(id * 10),
            rate: (id < alike || alike % 2 == 0).then_some(0.5),
            more: (id < short).then_some(id),
        };
        (0..MANY as i64 * 3 + 5).map(row).collect()
    }

    #[test]
    fn rows_come_back_as_they_were_given_whatever_they_have_in_common() {
        let most = MANY as i64;
        for (alike, short) in [(0, 0), (1, 0), (0, most), (most + 3, most * 2), (999, 999)] {
            let mut conn = SqliteConnection::establish(":memory:").expect("opens");
            diesel::sql_query("CREATE TABLE item (id, kind, size, rate, more)")
                .execute(&mut conn)
                .expect("made");
            let mut inserts = Rows::new();
            let given = rows(alike, short);
            for row in &given {
                let row = Item {
                    id: row.id,
                    kind: row.kind,
                    size: row.size,
                    rate: row.rate,
                    more: row.more,
                };
                inserts.push(&mut conn, row).expect("stored");
            }
            inserts.flush(&mut conn).expect("stored");
            let stored: Vec<Stored> = diesel::sql_query("SELECT * FROM item ORDER BY id")
                .load(&mut conn)
                .expect("read");
            assert_eq!(stored, given, "{alike}, {short}");
        }
    }

    #[test]
    fn columns_are_named_by_their_places() {
        assert_eq!(<Item as Row>::ONCE, 0b1010);
        assert_eq!(bits(&["a", "ab", "b"], &["ab"]), 0b10);
        assert_eq!(bits(&["a"], &[]), 0);
    }
}
