//! Transactions around what other crates bring along.
//!
//! Diesel compiles the begin, the commit and the rollback anew for each closure. A hundred questions of the server have
//! one each, so these are compiled here once.

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::result::Error;
use diesel::{QueryResult, SqliteConnection};

/// The beginning of a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begin {
    /// Locks nothing before the first statement.
    Deferred,
    /// Takes the lock for writing at once.
    Immediate,
}

/// Runs `work` in a transaction, which is rolled back where it fails.
pub(super) fn within<T, E: From<Error>>(
    conn: &mut SqliteConnection,
    begin: Begin,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E> {
    start(conn, begin)?;
    let done = work(conn);
    end(conn, done.is_ok())?;
    done
}

fn start(conn: &mut SqliteConnection, begin: Begin) -> QueryResult<()> {
    let sql = match begin {
        Begin::Deferred => "BEGIN",
        Begin::Immediate => "BEGIN IMMEDIATE",
    };
    AnsiTransactionManager::begin_transaction_sql(conn, sql)
}

fn end(conn: &mut SqliteConnection, commits: bool) -> QueryResult<()> {
    if commits {
        return AnsiTransactionManager::commit_transaction(conn);
    }
    match AnsiTransactionManager::rollback_transaction(conn) {
        // The error of the work caused it, and says more.
        Err(Error::BrokenTransactionManager) => Ok(()),
        rolled_back => rolled_back,
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection as _;
    use diesel::prelude::*;
    use diesel::sql_types::BigInt;

    use super::*;

    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }

    fn count(conn: &mut SqliteConnection) -> i64 {
        let count = diesel::sql_query("SELECT count(*) AS count FROM t");
        count.get_result::<Count>(conn).expect("a count").count
    }

    #[test]
    fn what_fails_leaves_nothing_and_what_succeeds_stays() {
        let mut conn = SqliteConnection::establish(":memory:").expect("a database");
        conn.batch_execute("CREATE TABLE t (x)").expect("a table");
        for begin in [Begin::Deferred, Begin::Immediate] {
            let before = count(&mut conn);
            let failed: QueryResult<()> = within(&mut conn, begin, |conn| {
                conn.batch_execute("INSERT INTO t VALUES (1)")?;
                Err(Error::NotFound)
            });
            assert_eq!(failed, Err(Error::NotFound));
            assert_eq!(count(&mut conn), before, "{begin:?}");
            let inserted: QueryResult<i64> = within(&mut conn, begin, |conn| {
                conn.batch_execute("INSERT INTO t VALUES (1)")?;
                Ok(7)
            });
            assert_eq!(inserted, Ok(7));
            assert_eq!(count(&mut conn), before + 1, "{begin:?}");
        }
    }
}
