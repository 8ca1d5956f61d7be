//! The examples do what they say, as programs, and what they record arrives.

mod endings;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Child;

use crate::support::eventually;
use crate::support::programs::{example, named, names};
use crate::support::server::{Behaviour, FakeServer, nobody};

/// Ends a program that would run for ever.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn background_jobs_belong_to_the_trace_that_enqueued_them() {
    let server = FakeServer::start(Behaviour::Accept);
    let Some(mut job) = example("background_job", &server) else {
        return;
    };
    assert!(job.status().unwrap().success());
    let transactions = named(&server, "transaction");
    let mut all = names(&transactions);
    all.sort_unstable();
    assert_eq!(
        all,
        [
            "enqueue numbers",
            "parse number",
            "parse number",
            "parse number"
        ]
    );
    assert!(
        transactions
            .iter()
            .all(|transaction| transaction["trace_id"] == transactions[0]["trace_id"])
    );
    let results: Vec<_> = transactions
        .iter()
        .filter_map(|transaction| transaction["result"].as_str())
        .collect();
    assert_eq!(results, ["parsed", "parsed", "not a number"]);
    assert_eq!(named(&server, "span").len(), 3);
    assert_eq!(named(&server, "error").len(), 1);
}

#[test]
fn the_service_counts_and_each_count_is_a_transaction_with_its_queries() {
    let server = FakeServer::start(Behaviour::Accept);
    let Some(mut service) = example("service", &server) else {
        return;
    };
    let address = nobody();
    let _running = Running(service.env("LISTEN", address.to_string()).spawn().unwrap());
    let answer = eventually("the service answers", || {
        let mut stream = TcpStream::connect(address).ok()?;
        write!(
            stream,
            "GET /count HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        (!answer.is_empty()).then_some(answer)
    });
    assert!(answer.ends_with("You are number 1\n"), "{answer}");
    let transactions = eventually("the transaction arrives", || {
        Some(named(&server, "transaction")).filter(|transactions| !transactions.is_empty())
    });
    assert_eq!(names(&transactions), ["GET /count"]);
    assert_eq!(
        names(&named(&server, "span")),
        ["INSERT INTO visit", "SELECT FROM visit"]
    );
}

#[test]
fn queries_of_connections_without_a_pool_are_spans_of_what_asks_on_whatever_thread_they_run() {
    for (name, job, table, value) in [
        ("diesel_connection", "count books", "book", "Dubliners"),
        ("diesel_async", "count letters", "letter", "Galway"),
        ("rusqlite", "count songs", "song", "Finnegan"),
    ] {
        let server = FakeServer::start(Behaviour::Accept);
        let Some(mut program) = example(name, &server) else {
            return;
        };
        assert!(program.status().unwrap().success());
        let transactions = named(&server, "transaction");
        assert_eq!(names(&transactions), [job]);
        let spans = named(&server, "span");
        assert_eq!(
            names(&spans),
            [
                "CREATE".to_owned(),
                format!("INSERT INTO {table}"),
                format!("SELECT FROM {table}")
            ]
        );
        for span in &spans {
            assert_eq!(span["parent_id"], transactions[0]["id"], "{name}");
            let steps = &span["context"]["tags"]["sqlite_steps"];
            assert!(steps.as_u64().unwrap() > 0, "{name}: {span}");
            assert!(!span.to_string().contains(value), "{name}: {span}");
        }
        assert_eq!(spans[1]["context"]["db"]["rows_affected"], 1, "{name}");
    }
}

#[test]
fn a_request_of_reqwest_carries_its_span() {
    let server = FakeServer::start(Behaviour::Accept);
    let Some(mut reqwest) = example("reqwest", &server) else {
        return;
    };
    assert!(
        reqwest
            .arg(server.url() + "/people")
            .status()
            .unwrap()
            .success()
    );
    let spans = named(&server, "span");
    assert_eq!(names(&spans), ["GET 127.0.0.1"]);
    let asked = server.requests();
    let asked = asked
        .iter()
        .find(|request| request.line.starts_with("GET /people"))
        .unwrap();
    assert!(
        asked
            .header("traceparent")
            .unwrap()
            .contains(spans[0]["id"].as_str().unwrap())
    );
}
