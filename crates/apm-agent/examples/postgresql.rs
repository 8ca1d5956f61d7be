//! Queries on PostgreSQL. Spans name the database, its host and port; the password in the URL goes nowhere.
//!
//! `POSTGRES_URL=postgres://user:password@localhost/shop cargo run -p apm-agent --features postgres --example
//! postgresql`

use std::time::Duration;

use apm_agent::Agent;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_query;

diesel::table! {
    person (id) {
        id -> Integer,
        city -> Text,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::from_env()?.start();
    let url = std::env::var("POSTGRES_URL").map_err(|_| "POSTGRES_URL is not set")?;
    let pool = Pool::builder()
        .max_size(1)
        .connection_customizer(Box::new(agent.diesel(&url)))
        .build(ConnectionManager::<PgConnection>::new(&url))?;

    let transaction = agent.transaction("count people", "task");
    let counted = transaction.run(|| -> Result<i64, Box<dyn std::error::Error>> {
        let connection = &mut pool.get()?;
        sql_query("CREATE TEMPORARY TABLE person (id SERIAL PRIMARY KEY, city TEXT NOT NULL)")
            .execute(connection)?;
        diesel::insert_into(person::table)
            .values(person::city.eq("dublin"))
            .execute(connection)?;
        Ok(person::table
            .filter(person::city.eq("dublin"))
            .count()
            .get_result(connection)?)
    });
    drop(transaction);
    agent.shutdown(Duration::from_secs(2));

    assert_eq!(counted?, 1);
    Ok(())
}
