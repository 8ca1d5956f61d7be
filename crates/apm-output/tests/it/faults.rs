//! Each event arrives once, whatever the engine does.

use std::time::Duration;

use crate::support::engine::{Act, Engine, OPENSEARCH};
use crate::support::{config, feed, lines, start, store, wait};

/// Stores events, sends them to an engine that acts so, and looks whether each is there once.
fn survives(acts: &[Act]) -> Engine {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    engine.script(acts.iter().cloned());
    let count = feed(&store, lines(0, 640));
    let output = start(&store, config(&engine));
    wait("all are there", || engine.events().len() == count);
    wait("nothing waits", || output.stats().lag.events == 0);
    output.stop();
    assert_eq!(engine.duplicates(), 0, "{acts:?}");
    assert_eq!(engine.events().len(), count, "{acts:?}");
    assert!(engine.state().script.is_empty(), "{acts:?}");
    let stats = output.stats();
    assert_eq!((stats.refused, stats.lost), (0, 0), "{acts:?}");
    engine
}

#[test]
fn answers_that_refuse_a_request_lose_and_double_nothing() {
    for status in [400, 401, 403, 404, 429, 500, 502, 503, 504] {
        survives(&[Act::Status(status), Act::Status(status)]);
    }
}

#[test]
fn an_unknown_outcome_loses_and_doubles_nothing() {
    for act in [
        Act::Reset,
        Act::TakenReset,
        Act::TakenGarbage,
        Act::TakenSilence,
        Act::TakenRollover,
    ] {
        survives(&[act.clone(), act.clone(), act]);
    }
}

#[test]
fn after_an_unknown_outcome_the_engine_is_asked_in_which_index_documents_are() {
    let engine = survives(&[Act::TakenRollover]);
    let log = engine.state().log.join("\n");
    assert!(
        log.contains("/_refresh") && log.contains("/_search"),
        "{log}"
    );
}

#[test]
fn documents_that_the_engine_cannot_take_yet_are_sent_again() {
    for status in [401, 403, 404, 429, 503] {
        survives(&[Act::Items(3, status), Act::Items(2, status)]);
    }
}

#[test]
fn a_mixture_of_all_faults_loses_and_doubles_nothing() {
    let acts = [
        Act::Items(2, 503),
        Act::TakenRollover,
        Act::Status(429),
        Act::TakenReset,
        Act::Items(5, 429),
        Act::TakenGarbage,
        Act::Reset,
        Act::Status(503),
        Act::TakenRollover,
        Act::TakenSilence,
    ];
    survives(&acts);
}

#[test]
fn an_output_that_ends_in_the_middle_goes_on_where_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let mut count = 0;
    for round in 0..10 {
        count += feed(&store, lines(round * 400, 333));
        engine.script([Act::TakenSilence, Act::TakenRollover, Act::Items(2, 429)]);
        let mut config = config(&engine);
        config.pace.grace = Duration::ZERO;
        let output = start(&store, config);
        wait("some were sent", || output.stats().requests >= round % 4);
        output.stop();
    }
    let output = start(&store, config(&engine));
    wait("all are there", || engine.events().len() == count);
    wait("nothing waits", || output.stats().lag.events == 0);
    output.stop();
    assert_eq!(engine.duplicates(), 0);
    let stats = output.stats();
    assert_eq!((stats.refused, stats.lost), (0, 0));
}
