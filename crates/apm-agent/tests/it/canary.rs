//! Behaviour of other crates that the agent relies on and they do not promise. When one of these fails after an update,
//! look at the integration that its comment names before anything else.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use actix_web::dev::Service as _;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, guard, web};
use diesel::connection::{DebugQuery, InstrumentationEvent, SimpleConnection as _};
use diesel::prelude::*;

diesel::table! {
    people {
        id -> Integer,
        name -> Text,
    }
}

/// A connection whose events are written down as short words.
fn connection() -> (SqliteConnection, Arc<Mutex<Vec<String>>>) {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    connection
        .batch_execute("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
        .unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        let word = match event {
            InstrumentationEvent::StartQuery { query, .. } => format!("start {query}"),
            InstrumentationEvent::CacheQuery { .. } => return,
            InstrumentationEvent::FinishQuery { error, .. } => {
                error.map_or_else(|| "finish".to_owned(), |error| format!("finish: {error}"))
            }
            InstrumentationEvent::BeginTransaction { depth, .. } => format!("begin {depth}"),
            InstrumentationEvent::CommitTransaction { depth, .. } => format!("commit {depth}"),
            InstrumentationEvent::RollbackTransaction { depth, .. } => format!("rollback {depth}"),
            _ => "other".to_owned(),
        };
        log.lock().unwrap().push(word);
    });
    (connection, events)
}

fn taken(events: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut events.lock().unwrap())
}

/// `integrations/diesel/tracer.rs`
#[test]
fn diesel_announces_a_transaction_before_the_query_that_makes_it() {
    let (mut connection, events) = connection();
    connection
        .transaction(|connection| {
            connection.transaction(|connection| diesel::delete(people::table).execute(connection))
        })
        .unwrap();
    assert_eq!(
        taken(&events),
        [
            "begin 1",
            "start BEGIN",
            "finish",
            "begin 2",
            "start SAVEPOINT diesel_savepoint_1",
            "finish",
            "start DELETE FROM `people` -- binds: []",
            "finish",
            "commit 2",
            "start RELEASE SAVEPOINT diesel_savepoint_1",
            "finish",
            "commit 1",
            "start COMMIT",
            "finish",
        ]
    );
}

/// `integrations/diesel/statement.rs`
#[test]
fn diesel_writes_the_text_between_statement_and_values_as_a_piece_of_its_own() {
    struct Pieces(Vec<String>);
    impl fmt::Write for Pieces {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            self.0.push(piece.to_owned());
            Ok(())
        }
    }
    fn pieces(query: &dyn DebugQuery) -> Vec<String> {
        let mut pieces = Pieces(Vec::new());
        write!(pieces, "{query}").unwrap();
        pieces.0
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            log.lock().unwrap().push(pieces(query));
        }
    });
    drop(
        people::table
            .filter(people::id.eq(7))
            .select(people::name)
            .load::<String>(&mut connection),
    );
    drop(
        diesel::sql_query("SELECT ?")
            .bind::<diesel::sql_types::Integer, _>(7)
            .execute(&mut connection),
    );
    drop(connection.batch_execute("PRAGMA user_version"));
    let seen = seen.lock().unwrap();
    for pieces in &seen[..2] {
        let at = pieces
            .iter()
            .position(|piece| piece == " -- binds: ")
            .expect("the piece");
        assert!(pieces[at + 1..].concat().contains('7'), "{pieces:?}");
        assert!(!pieces[..at].concat().contains('7'), "{pieces:?}");
    }
    assert_eq!(seen[2].concat(), "PRAGMA user_version");
}

/// `integrations/diesel/tracer.rs`: the caller of a failed load sees an error that the tracer does not.
#[test]
fn diesel_finishes_a_failed_load_on_sqlite_without_an_error() {
    let (mut connection, events) = connection();
    let insert = |connection: &mut SqliteConnection| {
        diesel::insert_into(people::table)
            .values(people::name.eq("a"))
            .returning(people::id)
            .get_result::<i32>(connection)
    };
    insert(&mut connection).unwrap();
    taken(&events);
    insert(&mut connection).unwrap_err();
    assert_eq!(
        taken(&events)[1],
        "finish",
        "it tells of the error now: use it"
    );
    diesel::insert_into(people::table)
        .values(people::name.eq("a"))
        .execute(&mut connection)
        .unwrap_err();
    assert_eq!(
        taken(&events)[1],
        "finish: UNIQUE constraint failed: people.name"
    );
}

/// `integrations/diesel/tracer.rs`: the open span is closed by the next query.
#[test]
fn diesel_never_finishes_a_query_whose_values_cannot_be_bound() {
    let (mut connection, events) = connection();
    diesel::sql_query("SELECT 1")
        .bind::<diesel::sql_types::Integer, _>(7)
        .execute(&mut connection)
        .unwrap_err();
    assert_eq!(taken(&events), ["start SELECT 1 -- binds: [7]"]);
}

/// `integrations/actix/future.rs`: names are taken after the handler ran.
#[actix_web::test]
async fn actix_knows_the_right_pattern_only_after_routing() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&seen);
    let app = init_service(
        App::new()
            .service(
                web::resource("/g/{a}")
                    .guard(guard::Header("x-way", "a"))
                    .to(async || "a"),
            )
            .service(web::resource("/g/{b}").to(async || "b"))
            .wrap_fn(move |request, service| {
                let log = Rc::clone(&log);
                log.borrow_mut().push(request.match_pattern());
                let answer = service.call(request);
                async move {
                    let answer = answer.await?;
                    log.borrow_mut().push(answer.request().match_pattern());
                    Ok(answer)
                }
            }),
    )
    .await;
    call_service(&app, TestRequest::with_uri("/g/1").to_request()).await;
    assert_eq!(
        *seen.borrow(),
        [Some("/g/{a}".to_owned()), Some("/g/{b}".to_owned())]
    );
}

/// `integrations/actix.rs`: nothing is carried along by itself.
#[actix_web::test]
async fn actix_runs_blocking_work_on_another_thread() {
    let here = std::thread::current().id();
    let there = web::block(|| std::thread::current().id()).await.unwrap();
    assert_ne!(here, there);
}
