//! A table of random people in a file of its own.

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use pocket_apm::db::Database;
use pocket_apm::strategy::{self, Strategy};
use tempfile::TempDir;

/// People in a file that goes with the value.
pub(crate) struct Table {
    pub(crate) database: Database,
    path: PathBuf,
    _dir: TempDir,
}

impl Table {
    /// `rows` people, drawn by SQLite itself from the service's cities, with what `strategy` needs.
    pub(crate) fn with(rows: u64, strategy: Strategy) -> Self {
        let dir = tempfile::tempdir().expect("a directory for the table");
        let path = dir.path().join("people.db");
        let database =
            Database::open(path.to_str().expect("a UTF-8 path"), 2, None).expect("a new database");
        if rows >= 1_000_000 {
            eprintln!("making {rows} people for {strategy:?} …");
        }
        let mut conn = database.conn().expect("a connection");
        conn.batch_execute(&format!(
            "WITH RECURSIVE
                 n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}),
                 drawn(i, r) AS MATERIALIZED (SELECT i, abs(random()) FROM n)
             INSERT INTO people (name, age, surname, city)
             SELECT 'name' || (r % 9), 18 + r / 9 % 23, 'surname' || (r / 207 % 6),
                    CASE r / 1242 % 9 WHEN 0 THEN 'cape town' WHEN 1 THEN 'johannesburg' WHEN 2 THEN 'pretoria' WHEN 3 THEN 'dublin'
                        WHEN 4 THEN 'kroonstad' WHEN 5 THEN 'bloemfontein' WHEN 6 THEN 'port elizabeth' WHEN 7 THEN 'auckland'
                        ELSE 'sydney' END
             FROM drawn;
             PRAGMA wal_checkpoint(TRUNCATE)"
        ))
        .expect("the people");
        strategy::apply(&mut conn, strategy).expect("what the strategy needs");
        drop(conn);
        Self {
            database,
            path,
            _dir: dir,
        }
    }

    /// The same file through SQLite's C interface, with hardly anything in between.
    pub(crate) fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.path).expect("the table's file")
    }
}
