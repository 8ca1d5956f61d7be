//! Each event arrives once, whatever the engine does.

use std::time::{Duration, Instant};

use crate::support::engine::{Act, Engine, OPENSEARCH};
use crate::support::{config, feed, lines, start, store, wait};

/// Stores events, sends them to an engine that acts so, and looks whether each is there once.
fn survives(acts: &[Act]) -> Engine {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    engine.script(acts.iter().cloned());
    let count = feed(&store, lines(0, 640));
    let output = start(&store, config(&engine));
    wait("all are there", || engine.event_count() == count);
    wait("nothing waits", || output.stats().lag.events == 0);
    output.stop();
    assert_eq!(engine.duplicates(), 0, "{acts:?}");
    assert_eq!(engine.event_count(), count, "{acts:?}");
    assert!(engine.state().script.is_empty(), "{acts:?}");
    let stats = output.stats();
    assert_eq!((stats.refused, stats.lost), (0, 0), "{acts:?}");
    engine
}

#[test]
fn answers_that_refuse_a_request_lose_and_double_nothing() {
    for status in [307, 400, 401, 403, 404, 408, 429, 500, 502, 503, 504] {
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
        Act::TakenEndless,
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
fn an_earlier_request_that_is_still_at_work_is_waited_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    let mut count = feed(&store, lines(0, 4));
    let output = start(&store, config(&engine));
    wait("they are there", || engine.event_count() == count);
    let owners: Vec<String> = engine.state().owners.iter().cloned().collect();
    let [owner] = &owners[..] else {
        panic!("each request has the name of the store: {owners:?}");
    };
    {
        let mut state = engine.state();
        state.script.push_back(Act::Reset);
        state.at_work = [&["another"], &[owner.as_str(); 3][..]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        state.log.clear();
    }
    count += feed(&store, lines(400, 4));
    wait("the rest is there", || engine.event_count() == count);
    output.stop();
    assert_eq!(engine.duplicates(), 0);
    let log = &engine.state().log;
    let before = log.iter().take_while(|line| !line.contains("/_search"));
    let asked = before.filter(|line| line.contains("/_tasks")).count();
    assert_eq!(asked, 4, "{log:?}");
}

#[test]
fn documents_that_the_engine_cannot_take_yet_are_sent_again() {
    for status in [401, 403, 404, 429, 500, 503] {
        survives(&[Act::Items(3, status), Act::Items(2, status)]);
    }
}

#[test]
fn an_engine_that_answers_questions_and_takes_nothing_is_left_alone_longer_and_longer() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    engine.script(vec![Act::Items(1, 503); 7]);
    let count = feed(&store, lines(0, 4));
    let mut config = config(&engine);
    config.pace.pause = Duration::from_millis(20);
    config.pace.longest_pause = Duration::from_secs(1);
    let begun = Instant::now();
    let output = start(&store, config);
    wait("all are there", || engine.event_count() == count);
    // Seven pauses, each twice the one before, and at least half of what they may be: 20, 40 … 640, 1000 ms.
    assert!(
        begun.elapsed() >= Duration::from_millis(1130),
        "{:?}",
        begun.elapsed()
    );
    output.stop();
}

#[test]
fn an_engine_that_takes_nothing_at_all_is_waited_for_whatever_it_says() {
    survives(&vec![Act::Items(1, 500); 60]);
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
    wait("all are there", || engine.event_count() == count);
    wait("nothing waits", || output.stats().lag.events == 0);
    output.stop();
    assert_eq!(engine.duplicates(), 0);
    let stats = output.stats();
    assert_eq!((stats.refused, stats.lost), (0, 0));
}
