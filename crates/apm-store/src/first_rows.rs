//! The first rows of a query that runs again and again.

use diesel::connection::DefaultLoadingMode;
use diesel::query_dsl::methods::LoadQuery;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};

/// At most so many rows. SQLite plans a statement anew for each value that is bound to its `LIMIT`, so that the query
/// has none: rows are read one after the other, and reading ends with the last that is wanted.
pub(crate) fn first_rows<'query, Q, T>(
    query: Q,
    most: usize,
    conn: &mut SqliteConnection,
) -> QueryResult<Vec<T>>
where
    Q: LoadQuery<'query, SqliteConnection, T> + RunQueryDsl<SqliteConnection> + 'query,
    T: 'static,
{
    query
        .load_iter::<T, DefaultLoadingMode>(conn)?
        .take(most)
        .collect()
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection as _;
    use diesel::prelude::*;

    use super::first_rows;

    diesel::table! {
        word (text) {
            text -> Text,
        }
    }

    #[test]
    fn as_many_rows_are_read_as_are_wanted_in_the_order_of_the_query() {
        let conn = &mut SqliteConnection::establish(":memory:").expect("in memory");
        conn.batch_execute("CREATE TABLE word (text); INSERT INTO word VALUES ('c'), ('a'), ('b')")
            .expect("a table");
        for (most, words) in [(0, vec![]), (2, vec!["a", "b"]), (9, vec!["a", "b", "c"])] {
            let query = word::table.order(word::text).select(word::text);
            let found: Vec<String> = first_rows(query, most, conn).expect("read");
            assert_eq!(found, words);
        }
    }
}
