//! Inserts of many rows by one cached statement.
//!
//! Diesel's own batch insert builds its SQL anew each time for SQLite, which costs more than the insert. Here the
//! number of rows is part of the statement's type: [`MANY`] rows at a time, and what remains one by one, so that
//! two prepared statements per table serve all batches.
//!
//! They say `OR FAIL`: with the default, `ABORT`, SQLite copies every page that a statement of many rows is about to
//! change into a journal of the statement, to undo it alone. Here any failure rolls the whole transaction back, so
//! nothing is lost without it.

mod row;

use std::marker::PhantomData;

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

pub(super) use row::{Column, Row, Values, row};

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
    Insert::<R, N, false>(rows).execute(conn)?;
    Ok(())
}

/// Inserts rows, without the columns at the end where there is nothing in them.
pub(super) fn short_or_whole<R: Row, const N: usize>(
    rows: &[R],
    conn: &mut SqliteConnection,
) -> QueryResult<()> {
    if !rows.iter().all(R::is_short) {
        return whole::<R, N>(rows, conn);
    }
    Insert::<R, N, true>(rows).execute(conn)?;
    Ok(())
}

/// An insert of `N` rows; without the columns at the end where `SHORT`.
struct Insert<'r, R, const N: usize, const SHORT: bool>(&'r [R]);

/// Tells the statements of a row apart.
struct Form<const N: usize, const SHORT: bool>;

impl<R: Row, const N: usize, const SHORT: bool> QueryId for Insert<'_, R, N, SHORT> {
    type QueryId = PhantomData<(Form<N, SHORT>, R::Statement)>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R: Row, const N: usize, const SHORT: bool> RunQueryDsl<SqliteConnection>
    for Insert<'_, R, N, SHORT>
{
}

impl<R: Row, const N: usize, const SHORT: bool> QueryFragment<Sqlite> for Insert<'_, R, N, SHORT> {
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
            row.values(&mut Values::new(out.reborrow(), columns))?;
        }
        out.push_sql(") ");
        out.push_sql(R::THEN);
        Ok(())
    }
}
