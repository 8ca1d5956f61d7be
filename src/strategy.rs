//! Strategies of `/sql-group`: the article's scan, a covering index, or counts that triggers keep.
//!
//! Each strategy beyond the scan is something in the database that can be made and dropped again at any time; [`apply`]
//! does so in one transaction, on an empty table or a full one.

use clap::ValueEnum;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::people::{self, CityCount};

/// The source from which `/sql-group` reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// All rows, sorted by city: the article's way, whose time grows with the table.
    #[default]
    Scan,
    /// All entries of an index on `city`: nothing to sort and less to read, but it still grows.
    Index,
    /// One row per city, kept by triggers: the same time at any size, paid for by each write.
    Rollup,
}

const DROP_INDEX: &str = "DROP INDEX IF EXISTS people_city";
const CREATE_INDEX: &str = "CREATE INDEX IF NOT EXISTS people_city ON people (city)";
const DROP_ROLLUP: &str = "
    DROP TRIGGER IF EXISTS city_counts_insert;
    DROP TRIGGER IF EXISTS city_counts_delete;
    DROP TRIGGER IF EXISTS city_counts_update;
    DROP TABLE IF EXISTS city_counts";
const CREATE_ROLLUP: &str = "
    CREATE TABLE city_counts (city TEXT PRIMARY KEY NOT NULL, num INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO city_counts SELECT city, count(*) FROM people GROUP BY city;
    CREATE TRIGGER city_counts_insert AFTER INSERT ON people BEGIN
        INSERT INTO city_counts VALUES (new.city, 1) ON CONFLICT (city) DO UPDATE SET num = num + 1;
    END;
    CREATE TRIGGER city_counts_delete AFTER DELETE ON people BEGIN
        UPDATE city_counts SET num = num - 1 WHERE city = old.city;
    END;
    CREATE TRIGGER city_counts_update AFTER UPDATE OF city ON people WHEN old.city <> new.city BEGIN
        UPDATE city_counts SET num = num - 1 WHERE city = old.city;
        INSERT INTO city_counts VALUES (new.city, 1) ON CONFLICT (city) DO UPDATE SET num = num + 1;
    END";

diesel::table! {
    /// One row per city, while the strategy is [`Strategy::Rollup`].
    city_counts (city) {
        city -> Text,
        num -> BigInt,
    }
}

/// Makes what `strategy` needs and drops what the others left, all or nothing.
///
/// The rollup is made anew each time: another program may have written to the table without the triggers.
pub fn apply(conn: &mut SqliteConnection, strategy: Strategy) -> QueryResult<()> {
    conn.immediate_transaction(|conn| {
        conn.batch_execute(DROP_ROLLUP)?;
        match strategy {
            Strategy::Scan => conn.batch_execute(DROP_INDEX),
            Strategy::Index => conn.batch_execute(CREATE_INDEX),
            Strategy::Rollup => {
                conn.batch_execute(DROP_INDEX)?;
                conn.batch_execute(CREATE_ROLLUP)
            }
        }
    })
}

/// The people of each city, as `strategy` finds them.
pub fn count_by_city(
    conn: &mut SqliteConnection,
    strategy: Strategy,
) -> QueryResult<Vec<CityCount>> {
    match strategy {
        // The same statement: SQLite's planner takes the index when there is one.
        Strategy::Scan | Strategy::Index => people::count_by_city(conn),
        // A city that nobody lives in any more keeps its row.
        Strategy::Rollup => city_counts::table
            .select((city_counts::num, city_counts::city))
            .filter(city_counts::num.gt(0))
            .load(conn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::people as table;

    fn conn() -> SqliteConnection {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        conn.batch_execute(include_str!(
            "../migrations/2026-11-22-000000_create_people/up.sql"
        ))
        .unwrap();
        conn
    }

    fn plan(conn: &mut SqliteConnection) -> String {
        #[derive(QueryableByName)]
        struct Step {
            #[diesel(sql_type = diesel::sql_types::Text)]
            detail: String,
        }
        let steps: Vec<Step> =
            diesel::sql_query("EXPLAIN QUERY PLAN SELECT count(*), city FROM people GROUP BY city")
                .load(conn)
                .unwrap();
        steps
            .into_iter()
            .map(|step| step.detail)
            .collect::<Vec<_>>()
            .join("; ")
    }

    #[test]
    fn every_strategy_counts_the_same_after_every_kind_of_write_and_switch() {
        let conn = &mut conn();
        for strategy in [
            Strategy::Rollup,
            Strategy::Index,
            Strategy::Scan,
            Strategy::Rollup,
            Strategy::Rollup,
        ] {
            people::write(conn).unwrap();
            apply(conn, strategy).unwrap();
            for _ in 0..10 {
                people::write(conn).unwrap();
            }
            diesel::update(table::table.filter(table::age.gt(35)))
                .set(table::city.eq("atlantis"))
                .execute(conn)
                .unwrap();
            diesel::delete(table::table.filter(table::age.lt(22)))
                .execute(conn)
                .unwrap();

            let mut counted = count_by_city(conn, strategy).unwrap();
            let mut scanned = people::count_by_city(conn).unwrap();
            counted.sort_by(|a, b| a.city.cmp(&b.city));
            scanned.sort_by(|a, b| a.city.cmp(&b.city));
            assert_eq!(counted, scanned, "{strategy:?}");
        }
    }

    #[test]
    fn a_strategy_leaves_nothing_of_the_one_before() {
        let conn = &mut conn();
        apply(conn, Strategy::Scan).unwrap();
        assert_eq!(plan(conn), "SCAN people; USE TEMP B-TREE FOR GROUP BY");
        apply(conn, Strategy::Index).unwrap();
        assert_eq!(plan(conn), "SCAN people USING COVERING INDEX people_city");
        apply(conn, Strategy::Rollup).unwrap();
        assert_eq!(plan(conn), "SCAN people; USE TEMP B-TREE FOR GROUP BY");
        apply(conn, Strategy::Index).unwrap();
        assert!(city_counts::table.count().get_result::<i64>(conn).is_err());
    }
}
