//! Requests and queries by hand: the means of integrations that are not the agent's own.

use std::time::Duration;

use apm_agent::{HttpRequest, Outcome, span_db, span_db_ended};
use serde_json::json;

use crate::support::{Checked, record};

#[test]
fn a_request_of_another_framework_is_recorded_like_one_of_actix() {
    let recorded = record(|agent| {
        let transaction = agent.transaction("GET /people/{id}", "request");
        let url = "https://ada:s3cret@shop.example:8443/people/7?page=2&token=s3cret#top";
        let request = HttpRequest::new("GET", url)
            .version("2.0")
            .remote_address("192.0.2.7".parse().unwrap());
        transaction.set_http(&request);
        transaction.set_http(&request.status(503));
    });
    let transaction = &recorded.transactions[0];
    assert_eq!(
        transaction["context"],
        json!({
            "request": {
                "method": "GET",
                "http_version": "2.0",
                "url": {
                    "full": "https://shop.example:8443/people/7?page=2&token=[REDACTED]",
                    "hostname": "shop.example",
                    "port": 8443,
                    "protocol": "https:",
                    "pathname": "/people/7",
                    "search": "?page=2&token=[REDACTED]",
                },
                "socket": {"remote_address": "192.0.2.7"},
            },
            "response": {"status_code": 503},
        })
    );
    assert_eq!(transaction["result"], "HTTP 5xx");
    assert_eq!(transaction["outcome"], "failure");
}

#[test]
fn whatever_a_url_looks_like_the_event_is_one_that_the_server_takes() {
    let long = format!("http://h/{}?{}", "p".repeat(3_000), "q".repeat(3_000));
    for url in [
        "",
        "/",
        "?",
        "#",
        "://",
        "https://",
        "x://[::1]:9/\u{1}",
        "/a?b=\"",
        &long,
    ] {
        let recorded = record(|agent| {
            let transaction = agent.transaction("any", "request");
            transaction.set_http(&HttpRequest::new("G\"ET", url).status(999));
        });
        let request = &recorded.transactions[0]["context"]["request"];
        assert_eq!(request["method"], "G\"ET", "{url}");
        assert!(request["url"]["pathname"].is_string(), "{url}");
    }
}

#[test]
fn what_the_service_says_beats_what_the_status_tells() {
    let recorded = record(|agent| {
        let transaction = agent.transaction("any", "request");
        let handle = transaction.handle().unwrap();
        handle.set_outcome(Outcome::Success);
        handle.set_result("tolerated");
        handle.set_http(&HttpRequest::new("GET", "/").status(500));
    });
    assert_eq!(recorded.transactions[0]["outcome"], "success");
    assert_eq!(recorded.transactions[0]["result"], "tolerated");
}

#[test]
fn a_query_of_another_database_is_an_exit_span_on_the_service_map() {
    let recorded = record(|agent| {
        agent.transaction("job", "task").run(|| {
            let mut span = span_db(
                "mssql",
                Some("shop"),
                "ALTER USER ada IDENTIFIED BY 's3cret'",
            );
            span.set_address("sql.example", 1433);
            span.set_outcome(Outcome::Failure);
            assert!(span.id().is_some());
            // It may end on any thread.
            std::thread::spawn(move || drop(span)).join().unwrap();
            let mut span = span_db("mssql", None, "DELETE FROM orders WHERE day < ?");
            span.set_rows_affected(7);
        });
    });
    let [first, second] = &recorded.spans[..] else {
        panic!("{:?}", recorded.spans);
    };
    assert_eq!(
        (&first["type"], &first["subtype"]),
        (&json!("db"), &json!("mssql"))
    );
    assert_eq!(first["outcome"], "failure");
    assert!(!first.to_string().contains("s3cret"), "{first}");
    assert_eq!(first["context"]["db"]["instance"], "shop");
    let destination = &first["context"]["destination"];
    assert_eq!(destination["address"], "sql.example");
    assert_eq!(destination["port"], 1433);
    assert_eq!(destination["service"]["resource"], "mssql/shop");
    let target = &first["context"]["service"]["target"];
    assert_eq!(*target, json!({"type": "mssql", "name": "shop"}));
    assert_eq!(second["name"], "DELETE FROM orders");
    assert_eq!(second["outcome"], "success");
    assert_eq!(second["context"]["db"]["rows_affected"], 7);
}

#[test]
fn all_literals_are_left_out_where_that_is_asked_for() {
    let recorder = Checked::with_options([("sanitize_sql", "true")]);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            drop(span_db(
                "mssql",
                None,
                "SELECT 7 FROM orders WHERE name = 'Ada'",
            ));
        });
    });
    let statement = &recorder.take().spans[0]["context"]["db"]["statement"];
    assert_eq!(*statement, "SELECT ? FROM orders WHERE name = ?");
}

#[test]
fn outside_of_a_transaction_a_query_leaves_no_trace() {
    let recorded = record(|_| {
        let span = span_db("mssql", None, "SELECT 7");
        assert_eq!(span.id(), None);
    });
    assert_eq!(recorded.spans.len(), 0);
}

#[test]
fn a_query_that_is_told_at_its_end_began_before() {
    let recorded = record(|agent| {
        agent.transaction("job", "task").run(|| {
            span_db_ended(
                "sqlite",
                Some("people.db"),
                "SELECT * FROM people WHERE token = 's3cret'",
                Duration::from_millis(250),
            );
        });
        // Outside of a transaction it leaves no trace.
        span_db_ended("sqlite", None, "SELECT 7", Duration::MAX);
    });
    let [span] = &recorded.spans[..] else {
        panic!("{:?}", recorded.spans);
    };
    assert_eq!(span["name"], "SELECT FROM people");
    assert!(!span.to_string().contains("s3cret"), "{span}");
    assert!(span["duration"].as_f64().unwrap() >= 250.0);
    let target = &span["context"]["service"]["target"];
    assert_eq!(*target, json!({"type": "sqlite", "name": "people.db"}));
}

#[test]
fn a_command_of_redis_is_named_after_its_word_and_keeps_its_credentials() {
    let recorded = record(|agent| {
        agent.transaction("job", "task").run(|| {
            drop(span_db("redis", None, "AUTH ada s3cret"));
            span_db_ended("redis", Some("0"), "GET cart:42", Duration::from_millis(1));
        });
    });
    let told: Vec<_> = recorded
        .spans
        .iter()
        .map(|span| (&span["name"], &span["context"]["db"]))
        .collect();
    assert_eq!(
        told,
        [
            (
                &json!("AUTH"),
                &json!({"type": "redis", "statement": "AUTH ?"})
            ),
            (
                &json!("GET"),
                &json!({"type": "redis", "statement": "GET cart:42", "instance": "0"})
            ),
        ]
    );
}
