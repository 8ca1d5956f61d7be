//! The article's service as telemetry, for tests of pages: half an hour of requests, of which the second quarter is
//! slower.

use std::sync::Arc;

use apm_store::event::{
    Batch, ErrorEvent, Event, Outcome, Resource, ServiceOverride, Span, Transaction,
};
use apm_store::{Store, StoreOptions};
use apm_time::SECOND;

/// Hostile text for every field that telemetry names.
pub(super) const HOSTILE: &str = "<script>alert(\"1\")</script>";

/// A store with the demo in it, in a directory of its own.
pub(super) struct Demo {
    pub(super) store: Store,
    _directory: tempfile::TempDir,
}

fn resource(service: &str) -> Arc<Resource> {
    let name = serde_json::json!(service);
    Arc::new(Resource {
        service_name: service.to_owned(),
        environment: Some("dev".to_owned()),
        service_version: Some("0.3.1".to_owned()),
        agent_name: "rust".to_owned(),
        agent_version: "1.0.0".to_owned(),
        language: Some("rust".to_owned()),
        client: None,
        document: format!(r#"{{"metadata":{{"service":{{"name":{name}}}}}}}"#),
    })
}

impl Demo {
    /// Requests from 30 minutes before `now` on, one every ten seconds and name.
    pub(super) fn new(now: i64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = StoreOptions {
            raw_max_age: None,
            rollup_max_age: None,
            ..StoreOptions::new(directory.path().join("apm.db"))
        };
        let store = Store::open(options).unwrap();
        let mut batch = Batch::new(resource("my-app-01"), now);
        let mut number = 1;
        for tick in 0..180 {
            let at = now - (180 - tick) * 10 * SECOND;
            for route in ["/", "/sql-group", "/sql-write", "/upstream", "/5xx"] {
                number += 16;
                let jitter = i64::try_from(number % 7).unwrap() * 100_000;
                request(&mut batch, number, route, at + jitter, tick);
            }
        }
        let mut hostile = Batch::new(resource(HOSTILE), now);
        let at = now - 60 * SECOND;
        let event = transaction(&mut hostile, 9_000_000, HOSTILE, at, 5_000);
        hostile.events.push(Event::Transaction(event));
        let event = span(
            &mut hostile,
            (9_000_000, 1),
            HOSTILE,
            "custom",
            (at, 900),
            Some(HOSTILE),
        );
        hostile.events.push(Event::Span(event));
        let event = span(
            &mut hostile,
            (9_000_000, 2),
            HOSTILE,
            "db",
            (at + 1_000, 900),
            Some(HOSTILE),
        );
        hostile.events.push(Event::Span(event));
        let event = error(&mut hostile, 9_000_000, HOSTILE, at);
        hostile.events.push(Event::Error(event));
        for batch in [batch, hostile] {
            store.submit(batch).unwrap().wait().unwrap();
        }
        Self {
            store,
            _directory: directory,
        }
    }

    /// The trace of the newest request of a route, by the route's place among them.
    pub(super) fn trace_id(place: u64) -> String {
        format!("{:032x}", 1 + 16 * (179 * 5 + place + 1))
    }
}

fn request(batch: &mut Batch, number: u64, route: &str, at: i64, tick: i64) {
    let name = format!("GET {route}");
    match route {
        "/sql-group" => {
            let us = 10_000 + tick * 200;
            let event = transaction(batch, number, &name, at, us + 1_500);
            batch.events.push(Event::Transaction(event));
            let sql = "SELECT count(*), city FROM people GROUP BY city";
            let event = span(
                batch,
                (number, 1),
                "SELECT FROM people",
                "db",
                (at + 400, us),
                Some(sql),
            );
            batch.events.push(Event::Span(event));
        }
        "/sql-write" => {
            let event = transaction(batch, number, &name, at, 8_500);
            batch.events.push(Event::Transaction(event));
            for (i, text) in ["BEGIN", "", "", "", "", "", "COMMIT"].iter().enumerate() {
                let start = at + 200 + 1_000 * i64::try_from(i).unwrap();
                let (name, sql) = match *text {
                    "" => (
                        "INSERT INTO people",
                        "INSERT INTO people (name, age) VALUES (?, ?)",
                    ),
                    text => (text, text),
                };
                let event = span(
                    batch,
                    (number, i as u64 + 1),
                    name,
                    "db",
                    (start, 700),
                    Some(sql),
                );
                batch.events.push(Event::Span(event));
            }
        }
        "/upstream" => {
            let event = transaction(batch, number, &name, at, 60_000);
            batch.events.push(Event::Transaction(event));
            let call = span(
                batch,
                (number, 1),
                "GET 127.0.0.1:8080",
                "external",
                (at + 1_000, 20_000),
                None,
            );
            let parent = call.id;
            batch.events.push(Event::Span(call));
            // Answered on a machine whose clock is behind.
            let mut callee = transaction(batch, number + 8, "GET /people", at - 40_000, 12_000);
            callee.trace_id = batch.keep_id(&format!("{number:032x}"));
            callee.parent_id = Some(parent);
            batch.events.push(Event::Transaction(callee));
        }
        "/5xx" => {
            let mut event = transaction(batch, number, &name, at, 900);
            event.result = Some(batch.keep("HTTP 5xx"));
            event.outcome = Outcome::Failure;
            event.status = Some(500);
            batch.events.push(Event::Transaction(event));
            let event = error(
                batch,
                number,
                "attempt to add 1 to what is not a number",
                at + 500,
            );
            batch.events.push(Event::Error(event));
        }
        _ => {
            let event = transaction(batch, number, &name, at, 68);
            batch.events.push(Event::Transaction(event));
        }
    }
}

fn transaction(
    batch: &mut Batch,
    number: u64,
    name: &str,
    timestamp: i64,
    duration: i64,
) -> Transaction {
    let rest = serde_json::json!({"context": {
        "request": {
            "method": "GET",
            "url": {"full": format!("http://my-eu-server:8080/{name}")},
            "headers": {"Host": "my-eu-server", "X-Test": HOSTILE},
        },
        "response": {"status_code": 200},
        "tags": {"region": HOSTILE},
    }});
    Transaction {
        id: batch.keep_id(&format!("{:016x}", number << 8)),
        trace_id: batch.keep_id(&format!("{number:032x}")),
        parent_id: None,
        service: ServiceOverride::default(),
        timestamp,
        duration,
        name: Some(batch.keep(name)),
        kind: batch.keep("request"),
        result: Some(batch.keep("HTTP 2xx")),
        outcome: Outcome::Success,
        sampled: true,
        sample_rate: Some(1.0),
        status: Some(200),
        spans_started: 1,
        spans_dropped: None,
        dropped: 0..0,
        rest: batch.keep(&rest.to_string()),
    }
}

fn span(
    batch: &mut Batch,
    (number, child): (u64, u64),
    name: &str,
    kind: &str,
    (timestamp, duration): (i64, i64),
    statement: Option<&str>,
) -> Span {
    let db = kind == "db";
    let (target, place) = match db {
        true if name == HOSTILE => ("sqlite", HOSTILE),
        true => ("sqlite", "database.db"),
        false => ("http", "127.0.0.1:8080"),
    };
    let context =
        serde_json::json!({"statement": statement, "instance": "database.db", "type": "sql"});
    let rest = serde_json::json!({"context": {"db": context}});
    Span {
        id: batch.keep_id(&format!("{:016x}", number << 8 | child)),
        trace_id: batch.keep_id(&format!("{number:032x}")),
        transaction_id: Some(batch.keep_id(&format!("{:016x}", number << 8))),
        parent_id: batch.keep_id(&format!("{:016x}", number << 8)),
        service: ServiceOverride::default(),
        timestamp,
        duration,
        name: batch.keep(name),
        kind: batch.keep(kind),
        subtype: Some(batch.keep(target)),
        action: db.then(|| batch.keep("query")),
        outcome: Outcome::Success,
        sample_rate: Some(1.0),
        status: None,
        resource: Some(batch.keep(place)),
        target_type: Some(batch.keep(target)),
        target_name: Some(batch.keep(place)),
        db_instance: db.then(|| batch.keep("database.db")),
        db_statement: statement.map(|statement| batch.keep(statement)),
        composite: None,
        cost: None,
        stack: None,
        rest: batch.keep(&rest.to_string()),
    }
}

fn error(batch: &mut Batch, number: u64, message: &str, timestamp: i64) -> ErrorEvent {
    let stack = serde_json::json!([
        {"filename": "core/src/panicking.rs", "function": "core::panicking::panic",
         "lineno": 75, "library_frame": true},
        {"filename": "core/src/result.rs", "function": "core::result::unwrap_failed",
         "lineno": 1, "library_frame": true},
        {"filename": "src/routes/fail.rs", "function": "pocket_apm::routes::fail::five_xx",
         "lineno": 12, "library_frame": false,
         "pre_context": ["async fn five_xx() -> String {"],
         "context_line": format!("    add(1, \"{message}\")"), "post_context": ["}"]},
    ])
    .to_string();
    let stack = batch.keep(&stack);
    let rest = serde_json::json!({
        "exception": {"type": "panic", "message": message, "handled": false},
        "culprit": "five_xx",
    });
    ErrorEvent {
        id: batch.keep_id(&format!("{:032x}", u128::from(number) | 1 << 127)),
        trace_id: Some(batch.keep_id(&format!("{number:032x}"))),
        transaction_id: Some(batch.keep_id(&format!("{:016x}", number << 8))),
        parent_id: Some(batch.keep_id(&format!("{:016x}", number << 8))),
        service: ServiceOverride::default(),
        timestamp,
        grouping_key: xxhash_rust::xxh3::xxh3_64(message.as_bytes()),
        kind: Some(batch.keep("panic")),
        message: Some(batch.keep(message)),
        culprit: Some(batch.keep("pocket_apm::routes::fail::five_xx")),
        handled: Some(false),
        transaction_name: Some(batch.keep("GET /5xx")),
        transaction_kind: Some(batch.keep("request")),
        stack: Some(stack),
        rest: batch.keep(&rest.to_string()),
    }
}
