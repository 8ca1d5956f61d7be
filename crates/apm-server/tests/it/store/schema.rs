//! The tables as Diesel sees them are the tables that the migrations make.

use apm_store::{StoreError, schema};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::MigrationHarness;

use super::{Number, number, open};

#[test]
fn every_column_of_every_table_is_known_to_diesel() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut known = 0;
    macro_rules! compare {
        ($($table:ident),*) => {$(
            let query = schema::$table::table.select(schema::$table::all_columns);
            let sql = diesel::debug_query::<Sqlite, _>(&query).to_string();
            let sql = sql.split(" -- ").next().expect("a query").to_owned();
            let columns = sql.split(" FROM ").next().expect("columns").matches("`, ").count() + 1;
            store
                .read::<_, StoreError>(|conn| Ok(diesel::sql_query(&sql).execute(conn)?))
                .expect(stringify!($table));
            let count = concat!("SELECT count(*) AS n FROM pragma_table_info('", stringify!($table), "')");
            assert_eq!(number(&store, count), i64::try_from(columns).expect("few"), stringify!($table));
            known += 1;
        )*};
    }
    compare!(
        service,
        resource,
        tx_group,
        span_group,
        destination,
        statement,
        error_group,
        result,
        metric_name,
        metric_series,
        metric_state,
        instance,
        tx,
        span,
        error,
        log,
        metricset,
        metric_sample,
        block,
        stack,
        trace_at,
        roll_tx,
        roll_tx_hist,
        roll_statement,
        roll_statement_hist,
        roll_destination,
        roll_destination_hist,
        roll_error,
        roll_breakdown,
        roll_received,
        event_count,
        output,
        output_aggregate,
        output_refused,
        output_refusal
    );
    let tables = "SELECT count(*) AS n FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\' \
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    assert!(number(&store, tables) >= known);
}

/// Most columns at the end of rows of events are NULL. SQLite leaves them out with an option of its build, see
/// `.cargo/config.toml`.
#[test]
fn nulls_at_the_end_of_a_row_take_no_room() {
    let mut conn = SqliteConnection::establish(":memory:").expect("in memory");
    conn.batch_execute("CREATE TABLE t (a, b, c, d); INSERT INTO t (a) VALUES (7)")
        .expect("a row");
    let bytes = diesel::sql_query("SELECT sum(payload) AS n FROM dbstat WHERE name = 't'");
    let bytes: Number = bytes.get_result(&mut conn).expect("counted");
    // The length of the header, the type of `a`, and its value.
    assert_eq!(bytes.n, 3);
    let read = diesel::sql_query("SELECT count(*) AS n FROM t WHERE b IS NULL AND d IS NULL");
    assert_eq!(read.get_result::<Number>(&mut conn).expect("read").n, 1);
}

#[test]
fn migrations_can_be_taken_back() {
    let mut conn = SqliteConnection::establish(":memory:").expect("in memory");
    conn.run_pending_migrations(apm_store::MIGRATIONS)
        .expect("up");
    conn.revert_all_migrations(apm_store::MIGRATIONS)
        .expect("down");
    conn.batch_execute("CREATE TABLE service (id INTEGER)")
        .expect("nothing is left");
}
