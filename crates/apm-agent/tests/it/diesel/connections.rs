//! Connections that are in no pool of r2d2.

use apm_agent::testing::Recorded;
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;

use super::{names, people};
use crate::support::Checked;

const TABLE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)";

/// A connection whose kind is known when the program runs.
#[derive(diesel::MultiConnection)]
enum AnyConnection {
    Sqlite(SqliteConnection),
}

fn memory() -> SqliteConnection {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    connection.batch_execute(TABLE).unwrap();
    connection
}

/// The records of a query that one piece of code begins, and whose rows are read when that is over.
fn read_elsewhere(recorder: &Checked, connection: &mut SqliteConnection) -> Recorded {
    diesel::insert_into(people::table)
        .values((people::id.eq(7), people::name.eq("Ada")))
        .execute(connection)
        .unwrap();
    recorder.run(|agent| {
        let transaction = agent.transaction("GET /", "request");
        let query = people::table.select(people::id);
        let rows = transaction.run(|| query.load_iter::<i32, _>(connection).unwrap());
        let found: Vec<i32> = rows.map(Result::unwrap).collect();
        assert_eq!(found, [7]);
    });
    recorder.take()
}

#[test]
fn a_connection_without_a_pool_is_traced_and_measured() {
    let recorder = Checked::uncompressed();
    let diesel = recorder.agent().diesel("data/people.db");
    let mut connection = memory();
    diesel.instrument(&mut connection);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            people::table
                .select(people::id)
                .load::<i32>(&mut connection)
                .unwrap();
        });
    });
    let span = &recorder.take().spans[0];
    assert_eq!(span["name"], "SELECT FROM people");
    assert_eq!(span["context"]["db"]["instance"], "people.db");
    assert!(
        span["context"]["tags"]["sqlite_steps"].is_number(),
        "{span}"
    );
}

#[test]
fn a_connection_of_several_kinds_is_traced() {
    let recorder = Checked::uncompressed();
    let mut connection = AnyConnection::Sqlite(memory());
    connection.set_instrumentation(recorder.agent().diesel("people.db").tracer("sqlite"));
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            people::table
                .select(people::name)
                .load::<String>(&mut connection)
                .unwrap();
        });
    });
    let recorded = recorder.take();
    assert_eq!(names(&recorded), ["SELECT FROM people"]);
    let statement = &recorded.spans[0]["context"]["db"]["statement"];
    assert_eq!(*statement, "SELECT `people`.`name` FROM `people`");
}

#[test]
fn a_query_that_leaves_its_thread_or_its_code_is_followed_by_a_tracer_alone() {
    let recorder = Checked::uncompressed();
    let diesel = recorder.agent().diesel("people.db");
    let mut connection = memory();
    connection.set_instrumentation(diesel.tracer("sqlite"));
    let followed = read_elsewhere(&recorder, &mut connection);
    assert_eq!(followed.spans[0]["outcome"], "success");

    // If queries stay in their code, one that is left over when the code is done has failed.
    let mut connection = memory();
    diesel.instrument(&mut connection);
    let given_up = read_elsewhere(&recorder, &mut connection);
    assert_eq!(given_up.spans[0]["outcome"], "failure");
}

#[test]
fn a_tracer_of_a_disabled_agent_records_nothing() {
    let recorder = Checked::with_options([("enabled", "false")]);
    let mut connection = memory();
    connection.set_instrumentation(recorder.agent().diesel("people.db").tracer("sqlite"));
    recorder
        .agent()
        .diesel("people.db")
        .instrument(&mut connection);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            people::table
                .select(people::id)
                .load::<i32>(&mut connection)
                .unwrap();
        });
    });
    assert_eq!(recorder.take().spans.len(), 0);
}
