//! Connections of Diesel that are in no pool: each query is a span, with what SQLite did for it.
//!
//! `cargo run -p apm-agent --example diesel_connection`

use std::time::Duration;

use apm_agent::Agent;
use diesel::prelude::*;

diesel::table! {
    book (id) {
        id -> Integer,
        title -> Text,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::from_env()?.start();
    let diesel = agent.diesel(":memory:"); // before connections are opened
    let mut connection = SqliteConnection::establish(":memory:")?;
    diesel.instrument(&mut connection); // a span per query from here on

    let transaction = agent.transaction("count books", "task");
    let counted = transaction.run(|| count(&mut connection));
    drop(transaction);
    agent.shutdown(Duration::from_secs(2));

    assert_eq!(counted?, 1);
    Ok(())
}

fn count(connection: &mut SqliteConnection) -> QueryResult<i64> {
    diesel::sql_query("CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT NOT NULL)")
        .execute(connection)?;
    diesel::insert_into(book::table)
        .values(book::title.eq("Dubliners"))
        .execute(connection)?;
    book::table
        .filter(book::title.eq("Dubliners"))
        .count()
        .get_result(connection)
}
