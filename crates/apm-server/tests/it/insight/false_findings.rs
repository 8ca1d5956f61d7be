//! Repetitions that are no loop, and loops whose gravity follows the time that they cost.

use std::sync::Arc;

use apm_server::insight::Engine;
use apm_server::insight::finding::Finding;
use apm_store::event::{Batch, Composite, Event, Outcome, Resource, Span};
use apm_store::{Store, StoreOptions};

use super::{findings, options, request, until};
use crate::support::events::{now, resource, span, transaction};

const SECOND: i64 = 1_000_000;

/// A call of a statement: what, when after the request's start, how long, whether it failed, for how many calls it
/// stands.
#[derive(Clone)]
struct Call {
    statement: String,
    at: i64,
    duration: i64,
    failed: bool,
    composite: Option<(&'static str, i64)>,
}

fn call(statement: impl Into<String>, at: i64) -> Call {
    Call {
        statement: statement.into(),
        at,
        duration: 400,
        failed: false,
        composite: None,
    }
}

/// `count` calls, `apart` µs from start to start.
fn calls(statement: &str, count: i64, apart: i64) -> Vec<Call> {
    (0..count).map(|i| call(statement, i * apart)).collect()
}

fn add(batch: &mut Batch, number: u64, name: &str, at: i64, calls: &[Call]) {
    let end = calls
        .iter()
        .map(|call| call.at + call.duration)
        .max()
        .unwrap_or_default();
    let mut tx = transaction(batch, number, name);
    tx.timestamp = at;
    tx.duration = end + 100;
    for (i, call) in calls.iter().enumerate() {
        let mut span: Span = span(batch, number, &call.statement);
        span.id = batch.keep_id(&format!("{:016x}", (number << 16) | i as u64 | 1 << 62));
        span.timestamp = at + call.at;
        span.duration = call.duration;
        span.outcome = if call.failed {
            Outcome::Failure
        } else {
            Outcome::Success
        };
        span.rest = batch.keep(
            &serde_json::json!({"context": {"db": {"statement": call.statement}}}).to_string(),
        );
        if let Some((name, count)) = call.composite {
            span.name = batch.keep(name);
            span.composite = Some(Composite {
                count,
                sum: count * 300,
            });
        }
        batch.events.push(Event::Span(span));
    }
    batch.events.push(Event::Transaction(tx));
}

/// An empty batch of a service with this agent.
fn sender(agent: &str) -> Batch {
    let resource = Resource {
        agent_name: agent.to_owned(),
        ..Resource::clone(&resource("worker"))
    };
    Batch::new(Arc::new(resource), now())
}

/// Findings about the repetitions of `requests` equal requests in the last minutes of a service.
fn found(agent: &str, requests: u64, calls: &[Call]) -> Vec<Finding> {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).expect("a new database");
    let mut events = sender(agent);
    let step = 200 * SECOND / requests.cast_signed();
    for number in 0..requests {
        let at = now() - 220 * SECOND + step * number.cast_signed();
        add(&mut events, number, "work", at, calls);
    }
    store.submit(events).expect("room").wait().expect("stored");
    let engine = Engine::start(store.clone(), options(None)).expect("a thread");
    // Judged for certain once a statement that deserves a finding has one.
    let mut fault = sender(agent);
    request(
        &mut fault,
        90_000,
        "fault",
        now(),
        &[("DELETE FROM visit", 50)],
    );
    store.submit(fault).expect("room").wait().expect("stored");
    until(&store, false, |found| {
        found.iter().any(|finding| finding.kind == "no_where")
    });
    drop(engine);
    let mut found = findings(&store, false);
    found.retain(|finding| finding.kind == "repeat");
    found
}

#[test]
fn polls_retries_exports_pings_and_unequal_statements_are_no_loop() {
    let by_id = "SELECT name FROM person WHERE id = ?";
    let list = call("SELECT id FROM job WHERE done = ?", 0);
    let after = |calls: Vec<Call>| -> Vec<Call> {
        let moved = calls.into_iter().map(|call| Call {
            at: call.at + 1_000,
            ..call
        });
        [list.clone()].into_iter().chain(moved).collect()
    };
    let failed = |calls: Vec<Call>| -> Vec<Call> {
        calls
            .into_iter()
            .map(|call| Call {
                failed: true,
                ..call
            })
            .collect()
    };
    let twelve: Vec<Call> = (0..12)
        .map(|i| call(format!("SELECT c{i} FROM person WHERE id = ?"), 1_000 * i))
        .collect();
    let folded = |name, count| {
        vec![Call {
            composite: Some((name, count)),
            ..call(by_id, 0)
        }]
    };
    let named = "SELECT FROM person";
    for (name, agent, calls, expected) in [
        (
            "a loop over rows",
            "python",
            after(calls(by_id, 9, 1_000)),
            1,
        ),
        (
            "a worker that polls",
            "python",
            after(calls(by_id, 60, SECOND)),
            0,
        ),
        (
            "five failed retries",
            "python",
            after(failed(calls(by_id, 5, 1_000))),
            0,
        ),
        (
            "an export by key",
            "python",
            after(calls(
                "SELECT * FROM person WHERE id > ? ORDER BY id LIMIT ?",
                30,
                1_000,
            )),
            0,
        ),
        (
            "pings of a pool",
            "python",
            after(calls("SELECT 1", 12, 1_000)),
            0,
        ),
        ("twelve statements", "python", twelve.clone(), 0),
        ("a folded loop", "python", after(folded(named, 12)), 1),
        ("a folded loop of ours", "rust", after(folded(named, 12)), 1),
        (
            "folded by target",
            "python",
            after(folded("Calls to sqlite/people.db", 12)),
            0,
        ),
        (
            "folded where several statements have the name",
            "python",
            after(
                [
                    folded(named, 12),
                    vec![call("SELECT age FROM person WHERE name = ?", 9_000)],
                ]
                .concat(),
            ),
            0,
        ),
    ] {
        let found = found(agent, 20, &calls);
        assert_eq!(found.len(), expected, "{name}: {found:#?}");
    }
}

#[test]
fn severity_follows_the_time_that_would_be_saved() {
    let loop_of = |duration| -> Vec<Call> {
        calls(
            "INSERT INTO visit (person_id) VALUES (?)",
            20,
            duration + 10,
        )
        .into_iter()
        .map(|call| Call { duration, ..call })
        .collect()
    };
    // Requests in the last minutes, µs per call → severity.
    for (requests, duration, expected) in [
        (5, 200, "notice"),
        (200, 200, "cost"),
        (200, 4_000, "grave"),
    ] {
        let found = found("rust", requests, &loop_of(duration));
        let severity: Vec<&str> = found
            .iter()
            .map(|finding| finding.severity.as_str())
            .collect();
        assert_eq!(
            severity,
            [expected],
            "{requests} × 20 × {duration} µs: {found:#?}"
        );
    }
}
