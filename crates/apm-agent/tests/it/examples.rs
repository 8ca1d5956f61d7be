//! The examples do what they say, as programs, and what they record arrives.

mod endings;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::eventually;
use crate::support::server::{Behaviour, FakeServer, nobody};

/// An example's program, which `cargo test` builds beside this one; `None` after a line, if it was not built.
fn example(name: &str, server: &FakeServer) -> Option<Command> {
    let tests = std::env::current_exe().unwrap();
    let program: PathBuf = tests
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples")
        .join(name);
    if !program.is_file() {
        eprintln!("skipped: the example {name} is not built");
        return None;
    }
    let mut command = Command::new(program);
    command
        .env("ELASTIC_APM_SERVER_URL", server.url())
        .env("ELASTIC_APM_API_REQUEST_TIME", "100ms")
        .env("ELASTIC_APM_CLOUD_PROVIDER", "none")
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    Some(command)
}

fn named(server: &FakeServer, kind: &str) -> Vec<Value> {
    server
        .events()
        .iter()
        .filter_map(|event| event.get(kind).cloned())
        .collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["name"].as_str().unwrap())
        .collect()
}

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

#[test]
#[cfg(feature = "postgres")]
fn postgresql_is_asked_in_three_spans() {
    let server = FakeServer::start(Behaviour::Accept);
    let Some(mut postgresql) = example("postgresql", &server) else {
        return;
    };
    if std::env::var_os("POSTGRES_URL").is_none() {
        eprintln!("skipped: POSTGRES_URL is not set");
        return;
    }
    assert!(postgresql.status().unwrap().success());
    assert_eq!(
        names(&named(&server, "span")),
        ["CREATE", "INSERT INTO person", "SELECT FROM person"]
    );
}
