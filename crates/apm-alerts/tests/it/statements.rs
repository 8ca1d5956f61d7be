//! Statements against their baseline: by time, and by the steps of SQLite.

use serde_json::json;

use super::rules::{firing, with};
use crate::support::{Server, batch, calls, measured_calls, now};

/// µs.
const HOUR: i64 = 3_600_000_000;

#[test]
fn a_statement_is_judged_by_what_is_usual() {
    let server = Server::start(with(&[
        json!({"name": "slower", "kind": "statement", "times": 3, "milliseconds": 5, "calls": 10}),
        json!({"name": "little", "kind": "statement", "times": 3, "milliseconds": 500, "calls": 10}),
    ]));
    let mut events = batch("shop");
    calls(&mut events, 50, (now() - 3 * HOUR, 2_000));
    calls(&mut events, 50, (now(), 20_000));
    server.store(events);
    let overview = server.until("fired", |all| !firing(all, "slower").is_empty());
    let slower = firing(&overview, "slower");
    assert_eq!(slower.len(), 1);
    assert!(
        slower[0].starts_with("shop: 20 ms a call, usually 2.0 ms: "),
        "{slower:?}"
    );
    assert!(firing(&overview, "little").is_empty());
}

#[test]
fn a_statement_that_takes_more_steps_than_usual_is_told_though_it_is_fast() {
    let server = Server::start(with(&[
        json!({"name": "steps", "kind": "statement", "times": 3, "steps": 2_000, "calls": 10}),
        json!({"name": "more", "kind": "statement", "times": 3, "steps": 500_000, "calls": 10}),
        json!({"name": "tenfold", "kind": "statement", "times": 10, "steps": 2_000, "calls": 10}),
    ]));
    let mut events = batch("shop");
    measured_calls(&mut events, 50, (now() - 3 * HOUR, 1_000), 10_000);
    measured_calls(&mut events, 50, (now(), 1_100), 60_000);
    server.store(events);
    // As many steps more, and little of them.
    let mut events = batch("small");
    measured_calls(&mut events, 50, (now() - 3 * HOUR + 1, 1_000), 100);
    measured_calls(&mut events, 50, (now() + 1, 1_100), 600);
    server.store(events);
    // As slow as usual, and without steps on the day before: of these nothing is known.
    let mut events = batch("new");
    calls(&mut events, 50, (now() - 3 * HOUR + 2, 1_000));
    measured_calls(&mut events, 50, (now() + 2, 1_100), 60_000);
    server.store(events);
    let overview = server.until("fired", |all| !firing(all, "steps").is_empty());
    assert_eq!(
        firing(&overview, "steps"),
        ["shop: 60000 steps a call, usually 10000: SELECT * FROM people WHERE city = ?"]
    );
    let fires = overview.firing.iter().find(|one| one.name == "steps");
    let link = &fires.expect("it fires").alert.link;
    assert!(
        link.starts_with("/queries/") && link.ends_with("?service=shop"),
        "{link}"
    );
    for quiet in ["more", "tenfold"] {
        assert!(firing(&overview, quiet).is_empty(), "{overview:#?}");
    }
}
