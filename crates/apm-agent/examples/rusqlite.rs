//! Queries of rusqlite: each is a span, with what SQLite did for it.
//!
//! `cargo run -p apm-agent --example rusqlite`

use std::time::Duration;

use apm_agent::Agent;
use rusqlite::Connection;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::from_env()?.start();
    let sqlite = agent.sqlite(":memory:"); // before connections are opened
    let connection = Connection::open_in_memory()?;
    sqlite.instrument(|sql| connection.execute_batch(sql))?; // a span per query from here on

    let transaction = agent.transaction("count songs", "task");
    let counted = transaction.run(|| count(&connection));
    drop(transaction);
    agent.shutdown(Duration::from_secs(2));

    assert_eq!(counted?, 1);
    Ok(())
}

fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.execute_batch("CREATE TABLE song (id INTEGER PRIMARY KEY, title TEXT NOT NULL)")?;
    connection.execute("INSERT INTO song (title) VALUES (?)", ["Finnegan's Wake"])?;
    let sql = "SELECT count(*) FROM song WHERE title = ?";
    connection.query_row(sql, ["Finnegan's Wake"], |row| row.get(0))
}
