//! Connections of rusqlite.

use apm_agent::Context;
use rusqlite::Connection;

use super::names;
use crate::support::Checked;

const TABLE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, token TEXT);
     INSERT INTO people (name) VALUES ('Ada'), ('Grace'), ('Edsger')";

/// A connection in memory, watched by the recorder's agent.
fn memory(recorder: &Checked) -> Connection {
    let sqlite = recorder.agent().sqlite("/var/lib/people.db");
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLE).unwrap();
    sqlite
        .instrument(|sql| connection.execute_batch(sql))
        .unwrap();
    connection
}

#[test]
fn a_query_of_rusqlite_says_what_sqlite_did_for_it() {
    let recorder = Checked::uncompressed();
    let connection = memory(&recorder);
    // Outside of a transaction nothing is recorded.
    connection.execute_batch("SELECT 1").unwrap();
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            let sql = "SELECT count(*) FROM people WHERE name = ? OR token = 's3cret'";
            let count: i64 = connection
                .query_row(sql, ["Ada"], |row| row.get(0))
                .unwrap();
            assert_eq!(count, 1);
            connection
                .execute("DELETE FROM people WHERE id < ?", [3])
                .unwrap();
        });
    });
    let recorded = recorder.take();
    assert_eq!(
        names(&recorded),
        ["SELECT FROM people", "DELETE FROM people"]
    );
    let [select, delete] = &recorded.spans[..] else {
        panic!("{recorded:#?}")
    };
    let tags = &select["context"]["tags"];
    assert_eq!(tags["sqlite_scan_steps"], 2);
    assert_eq!(tags["sqlite_rows_returned"], 1);
    assert_eq!(select["context"]["db"]["instance"], "people.db");
    assert_eq!(delete["context"]["db"]["rows_affected"], 2);
    assert_eq!(delete["parent_id"], recorded.transactions[0]["id"]);
    let text = format!("{:?}", recorded.spans);
    assert!(!text.contains("Ada") && !text.contains("s3cret"), "{text}");
}

#[test]
fn a_query_on_another_thread_belongs_to_the_transaction_that_is_taken_along() {
    let recorder = Checked::default();
    let connection = memory(&recorder);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            let context = Context::current();
            let asks = move || context.run(|| connection.execute_batch("SELECT * FROM people"));
            std::thread::spawn(asks).join().unwrap().unwrap();
        });
    });
    let recorded = recorder.take();
    assert_eq!(names(&recorded), ["SELECT FROM people"]);
}

#[test]
fn a_query_lasts_until_its_rows_are_read() {
    let recorder = Checked::default();
    let connection = memory(&recorder);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            let mut statement = connection.prepare("SELECT id FROM people").unwrap();
            let mut rows = statement.query([]).unwrap();
            while rows.next().unwrap().is_some() {
                let begun = std::time::Instant::now();
                while begun.elapsed().as_millis() < 5 {
                    std::hint::spin_loop();
                }
            }
        });
    });
    let recorded = recorder.take();
    assert!(recorded.spans[0]["duration"].as_f64().unwrap() >= 15.0);
    assert_eq!(
        recorded.spans[0]["context"]["tags"]["sqlite_rows_returned"],
        3
    );
}

#[test]
fn a_connection_that_cannot_be_found_is_an_error_and_an_agent_that_is_off_does_nothing() {
    let recorder = Checked::default();
    let sqlite = recorder.agent().sqlite("people.db");
    let failed = sqlite.instrument(|_| Err(rusqlite::Error::InvalidQuery));
    let failed = failed.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "queries of the connection are not recorded"
    );
    assert!(std::error::Error::source(&failed).is_some());

    let off = Checked::with_options([("enabled", "false")]);
    let done = off
        .agent()
        .sqlite("people.db")
        .instrument(|_| -> rusqlite::Result<()> { panic!("an agent that is off asks nothing") });
    assert!(done.is_ok());
}
