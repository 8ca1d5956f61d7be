//! Plans of statements, sent by an agent that runs.

use apm_agent::{Agent, AgentGuard};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use serde_json::Value;
use test_support::alone;

use crate::support::server::{Behaviour, FakeServer};
use crate::support::{eventually, logged};

fn agent(server: &FakeServer, disabled: &str) -> AgentGuard {
    Agent::builder()
        .service_name("planned")
        .server_url(server.url())
        .api_request_time(std::time::Duration::from_millis(50))
        .option("disable_metrics", disabled)
        .start()
}

/// A traced connection to a file in a journal mode.
fn open(agent: &Agent, file: &str, mode: &str) -> SqliteConnection {
    let diesel = agent.diesel(file);
    let mut connection = SqliteConnection::establish(file).unwrap();
    let setup = format!(
        "PRAGMA journal_mode = {mode}; CREATE TABLE people (id INTEGER PRIMARY KEY, city TEXT); \
         CREATE TEMP TABLE mine (id INTEGER)"
    );
    connection.batch_execute(&setup).unwrap();
    diesel.instrument(&mut connection);
    connection
}

fn run(agent: &Agent, connection: &mut SqliteConnection, sql: &str) {
    agent.transaction("GET /", "request").run(|| {
        diesel::sql_query(sql).execute(connection).unwrap();
    });
}

/// The labels of the plans that a server was sent, oldest first.
fn plans(server: &FakeServer) -> Vec<Value> {
    let requests = server.intake_requests();
    let events = requests.iter().flat_map(|request| request.events());
    events
        .map(|event| event["metricset"].clone())
        .filter(|set| set["samples"]["sqlite.plan.schema_version"].is_object())
        .map(|set| set["tags"].clone())
        .collect()
}

#[test]
fn a_statement_is_planned_once_and_again_when_the_schema_has_changed() {
    const SQL: &str = "SELECT city FROM people WHERE city = 'secret'";
    let server = FakeServer::start(Behaviour::Accept);
    let agent = agent(&server, "");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("people.db");
    let file = file.to_str().unwrap();
    let mut connection = open(&agent, file, "WAL");
    for _ in 0..3 {
        run(&agent, &mut connection, SQL);
        run(&agent, &mut connection, "SELECT id FROM mine");
    }
    let first = eventually("a plan", || plans(&server).first().cloned());
    assert_eq!(first["sqlite_plan"], "SCAN people");
    assert_eq!(first["sqlite_plan_version"], "1");
    assert_eq!(first["sqlite_database"], "people.db");
    let fingerprint = sql_lexer::Fingerprint::of_subtype(SQL, "sqlite").hash;
    assert_eq!(first["sqlite_statement"], format!("{fingerprint:016x}"));

    connection
        .batch_execute("CREATE INDEX people_city ON people (city)")
        .unwrap();
    // A new statement wakes the thread, which then finds that the schema is another.
    run(&agent, &mut connection, "SELECT count(*) FROM people");
    let known = eventually("both plans", || {
        Some(plans(&server)).filter(|plans| plans.len() >= 3)
    });
    let of_first = known
        .iter()
        .filter(|plan| plan["sqlite_statement"] == first["sqlite_statement"]);
    let of_first: Vec<&Value> = of_first.map(|plan| &plan["sqlite_plan"]).collect();
    assert_eq!(
        of_first,
        [
            "SCAN people",
            "SEARCH people USING COVERING INDEX people_city (city=?)"
        ]
    );
    // One plan of each other statement at most, and none of that of the temporary table.
    assert_eq!(known.len(), 3, "{known:#?}");
    assert!(!format!("{known:?}").contains("secret"));
}

#[test]
fn files_that_a_reader_could_lock_and_agents_that_do_not_want_them_have_no_plans() {
    let server = FakeServer::start(Behaviour::Accept);
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let unwanted = agent(&server, "sqlite.plan.*");
    let mut connection = open(&unwanted, &file("unwanted.db"), "WAL");
    run(&unwanted, &mut connection, "SELECT id FROM people");
    let agent = agent(&server, "");
    let mut journal = open(&agent, &file("journal.db"), "DELETE");
    run(&agent, &mut journal, "SELECT id FROM people");
    // The thread takes one statement after the other: with the plan of this one, it is done with those before.
    let mut wal = open(&agent, &file("wal.db"), "WAL");
    run(&agent, &mut wal, "SELECT max(id) FROM people");
    let planned = eventually("a plan", || {
        Some(plans(&server)).filter(|plans| !plans.is_empty())
    });
    let databases: Vec<&Value> = planned
        .iter()
        .map(|plan| &plan["sqlite_database"])
        .collect();
    assert_eq!(databases, ["wal.db"]);
}

#[test]
fn the_log_says_once_that_tables_of_temporary_and_attached_databases_have_no_plan() {
    alone("diesel::plans::statements_that_have_no_plan", &[]);
}

#[test]
#[ignore = "alone in a process: the process has one logger, and the line comes once"]
fn statements_that_have_no_plan() {
    logged::start(::log::LevelFilter::Info);
    let server = FakeServer::start(Behaviour::Accept);
    let agent = agent(&server, "");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("people.db");
    let mut connection = open(&agent, file.to_str().unwrap(), "WAL");
    connection
        .batch_execute("ATTACH ':memory:' AS other; CREATE TABLE other.theirs (id INTEGER)")
        .unwrap();
    run(&agent, &mut connection, "SELECT id FROM mine");
    run(&agent, &mut connection, "SELECT id FROM other.theirs");
    // The thread takes one statement after the other: with the plan of this one, it is done with those before.
    run(&agent, &mut connection, "SELECT max(id) FROM people");
    let planned = eventually("a plan", || {
        Some(plans(&server)).filter(|plans| !plans.is_empty())
    });
    assert_eq!(planned.len(), 1, "{planned:#?}");
    let lines = logged::taken();
    let about: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("a statement has no plan"))
        .collect();
    assert_eq!(about.len(), 1, "{lines:#?}");
    assert!(about[0].contains("temporary and attached"), "{about:?}");
    assert!(
        about[0].contains("it uses a temporary or attached table"),
        "{about:?}"
    );
}

#[test]
fn a_temporary_table_of_the_name_of_another_one_has_no_plan_and_the_other_one_keeps_its_own() {
    const SQL: &str = "SELECT city FROM people WHERE city = 'x'";
    let server = FakeServer::start(Behaviour::Accept);
    let agent = agent(&server, "");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("people.db");
    let mut connection = open(&agent, file.to_str().unwrap(), "WAL");
    connection
        .batch_execute(
            "CREATE INDEX people_city ON people (city); CREATE TEMP TABLE people (city TEXT)",
        )
        .unwrap();
    run(&agent, &mut connection, SQL);
    // The thread takes one statement after the other: with the plan of this one, it is done with those before.
    run(&agent, &mut connection, "SELECT max(id) FROM main.people");
    let planned = eventually("a plan", || {
        Some(plans(&server)).filter(|plans| !plans.is_empty())
    });
    assert_eq!(planned.len(), 1, "{planned:#?}");
    let fingerprint = sql_lexer::Fingerprint::of_subtype(SQL, "sqlite").hash;
    assert_ne!(
        planned[0]["sqlite_statement"],
        format!("{fingerprint:016x}")
    );
}
