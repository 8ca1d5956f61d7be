//! A table of random people in a file of its own.

use std::path::PathBuf;
use std::time::Instant;

use actix_http::Request;
use actix_web::App;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::rt::SystemRunner;
use actix_web::test::init_service;
use clap::ValueEnum as _;
use diesel::connection::SimpleConnection;
use pocket_apm::db::Database;
use pocket_apm::routes::{State, configure};
use pocket_apm::strategy::{self, Strategy};
use pocket_apm::upstream::Address;
use tempfile::TempDir;

/// People in a file that goes with the value.
pub(crate) struct Table {
    pub(crate) rows: u64,
    pub(crate) strategy: Strategy,
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
        let start = Instant::now();
        let mut conn = database.conn().expect("a connection");
        conn.batch_execute(&format!(
            "WITH RECURSIVE
                 n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}),
                 drawn(i, r) AS MATERIALIZED (SELECT i, abs(random()) FROM n)
             INSERT INTO people (name, age, surname, city)
             SELECT 'name' || (r % 9), 18 + r / 9 % 23, 'surname' || (r / 207 % 6),
                    CASE r / 1242 % 9 WHEN 0 THEN 'cape town' WHEN 1 THEN 'johannesburg' WHEN 2 THEN 'pretoria'
                        WHEN 3 THEN 'dublin' WHEN 4 THEN 'kroonstad' WHEN 5 THEN 'bloemfontein'
                        WHEN 6 THEN 'port elizabeth' WHEN 7 THEN 'auckland'
                        ELSE 'sydney' END
             FROM drawn;
             PRAGMA wal_checkpoint(TRUNCATE)"
        ))
        .expect("the people");
        strategy::apply(&mut conn, strategy).expect("what the strategy needs");
        drop(conn);
        let table = Self {
            rows,
            strategy,
            database,
            path,
            _dir: dir,
        };
        if rows >= 1_000_000 {
            let seconds = start.elapsed().as_secs_f64();
            eprintln!("made {rows} people for {} in {seconds:.1} s", table.name());
        }
        table
    }

    /// The strategy as the command line has it.
    pub(crate) fn name(&self) -> String {
        let value = self.strategy.to_possible_value();
        value.expect("no strategy is hidden").get_name().to_owned()
    }

    /// The strategy's query, as one would write it by hand.
    pub(crate) fn sql(&self) -> &'static str {
        match self.strategy {
            Strategy::Scan | Strategy::Index => "SELECT count(*), city FROM people GROUP BY city",
            Strategy::Rollup => "SELECT num, city FROM city_counts WHERE num > 0",
        }
    }

    /// The service on this table, without a network.
    pub(crate) fn app(
        &self,
        system: &SystemRunner,
    ) -> impl Service<Request, Response = ServiceResponse, Error = actix_web::Error> {
        let state = State {
            database: self.database.clone(),
            upstream: Address::new(""),
            sql_group: self.strategy,
        };
        system.block_on(init_service(
            App::new().configure(|config| configure(config, &state)),
        ))
    }

    /// The same file through SQLite's C interface, with hardly anything in between.
    pub(crate) fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.path).expect("the table's file")
    }
}

/// The counts by SQLite alone.
pub(crate) fn counts(statement: &mut rusqlite::Statement<'_>) -> Vec<(i64, String)> {
    let counts = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("no parameters");
    counts.collect::<Result<_, _>>().expect("the counts")
}
