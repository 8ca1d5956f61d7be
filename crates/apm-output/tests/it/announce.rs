//! Announcements of servers, and what other programs write beside them.

use apm_output::Output;
use serde_json::{Value, json};

use crate::support::engine::{Engine, OPENSEARCH};
use crate::support::rollups::transactions;
use crate::support::servers::Server;
use crate::support::{feed, lines, now, wait};

/// Seconds since the epoch.
fn seconds() -> i64 {
    now() / 1_000_000
}

/// Puts an announcement into the engine.
fn announce(engine: &Engine, node: &str, source: Value) {
    let path = format!("/pocket-apm-shared-default/_doc/server-{node}");
    engine.state().plain.insert(path, (1, source));
}

/// Documents of other servers that could not be read.
fn unreadable(output: &Output) -> u64 {
    let coverage = output.coverage();
    let mut refused = coverage.refused.iter();
    refused
        .find(|(reason, _)| *reason == "unreadable")
        .map_or(0, |(_, count)| *count)
}

#[test]
fn a_document_that_cannot_be_read_holds_up_neither_counts_nor_settings() {
    let engine = Engine::start(OPENSEARCH);
    for (node, source) in [
        (
            "first",
            json!({"kind": "server", "store": "a", "node": "a", "number": 1, "changed": seconds()}),
        ),
        (
            "text",
            json!({"kind": "server", "store": "b", "node": "b", "first": 1, "number": "12",
            "changed": seconds()}),
        ),
        (
            "list",
            json!({"kind": "server", "store": ["c"], "node": {}, "first": 1, "number": 1, "changed": seconds()}),
        ),
        (
            "lag",
            json!({"kind": "server", "store": "d", "node": "d", "first": 1, "number": 1, "lag": null,
            "changed": seconds()}),
        ),
    ] {
        announce(&engine, node, source);
    }
    let (a, b) = (Server::new(), Server::new());
    let _b = b.output(&engine, "b");
    feed(&b.store, lines(0, 4));
    let mut name = String::new();
    wait("its delta is there", || {
        let state = engine.state();
        let mut all = state.documents.values().flatten();
        let delta = all.find(|(_, source)| source["number"] == 1);
        name = delta.map_or_else(String::new, |(_, source)| {
            source["store"].as_str().expect("a text").to_owned()
        });
        !name.is_empty()
    });
    // More than are read at once, before the delta: an index takes `"1"` for the number 1.
    for n in 0..40 {
        let mut source = json!({"store": name, "number": "1", "delta": {}});
        if n % 2 == 0 {
            source = json!({"store": name, "number": 1});
        }
        let stream = "metrics-pocket.rollup-default".to_owned();
        let id = format!("!{n:02}");
        engine.state().documents.insert(id, vec![(stream, source)]);
    }
    let output = a.output(&engine, "a");
    wait("its counts are there", || transactions(&a.store) == 1);
    wait("a whole look succeeds", || {
        let coverage = output.coverage();
        coverage.trouble.is_none() && unreadable(&output) == 44
    });
    let peers = output.coverage().peers;
    assert_eq!((peers.len(), peers[0].skipped), (1, 0), "{peers:?}");
    // Each is counted once, however often it is looked at.
    feed(&b.store, lines(4, 4));
    wait("the next ones are there", || transactions(&a.store) == 2);
    assert_eq!(unreadable(&output), 44);
}

#[test]
fn servers_that_are_alive_are_found_behind_more_that_are_gone_than_are_followed() {
    let engine = Engine::start(OPENSEARCH);
    let yesterday = seconds() - 24 * 60 * 60;
    for n in 0..120 {
        // They stand before those that live, by the names of documents and of servers.
        let node = format!("!{n:03}");
        let source = json!({"kind": "server", "store": node, "node": node, "name": node, "first": 1, "number": 0,
            "changed": yesterday + n});
        announce(&engine, &node, source);
    }
    let (a, b) = (Server::new(), Server::new());
    let outputs = (a.output(&engine, "a"), b.output(&engine, "b"));
    feed(&a.store, lines(0, 4));
    feed(&b.store, lines(4, 8));
    wait("both have all", || {
        transactions(&a.store) == 3 && transactions(&b.store) == 3
    });
    let peers = outputs.0.coverage().peers;
    assert_eq!(peers.len(), 100);
    assert!(peers.iter().any(|peer| peer.name == "b"), "{peers:?}");
    // Of the others those stay that were heard of last.
    assert!(peers.iter().all(|peer| peer.name != "!000"), "{peers:?}");
}
