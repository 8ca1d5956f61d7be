//! Statements without their types.
//!
//! Diesel compiles the preparation and the binding anew for each type of a statement, and each statement with other
//! values is a type of its own. Where a statement is not run for each event, the code is shared by all of them here.

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

/// A statement that is run by the code that all statements share.
pub(super) trait Run: QueryFragment<Sqlite> + Sized {
    /// As [`RunQueryDsl::execute`]. The prepared statement is found by its text and not by its type.
    fn run(&self, conn: &mut SqliteConnection) -> QueryResult<usize> {
        Statement(self).execute(conn)
    }
}

impl<S: QueryFragment<Sqlite>> Run for S {}

struct Statement<'s>(&'s dyn QueryFragment<Sqlite>);

impl QueryFragment<Sqlite> for Statement<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<SqliteConnection> for Statement<'_> {}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection as _;
    use diesel::prelude::*;
    use diesel::sql_query;
    use diesel::sql_types::{BigInt, Text};

    use super::Run as _;

    #[test]
    fn a_statement_without_its_type_has_its_values_and_says_how_many_rows_it_changed() {
        let mut conn = SqliteConnection::establish(":memory:").expect("a database");
        conn.batch_execute("CREATE TABLE t (a, b)")
            .expect("a table");
        for (a, b) in [(1_i64, "x"), (2, "y")] {
            let insert = sql_query("INSERT INTO t VALUES (?1, ?2)")
                .bind::<BigInt, _>(a)
                .bind::<Text, _>(b);
            assert_eq!(insert.run(&mut conn), Ok(1));
        }
        let update = sql_query("UPDATE t SET a = 3 WHERE b = ?1").bind::<Text, _>("y");
        assert_eq!(update.run(&mut conn), Ok(1));
        assert_eq!(
            sql_query("DELETE FROM t WHERE a IN (1, 3)").run(&mut conn),
            Ok(2)
        );
    }
}
