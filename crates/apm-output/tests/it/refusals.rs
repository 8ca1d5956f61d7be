//! Documents that the engine never takes.

use apm_store::StoreError;
use apm_store::output;
use serde_json::{Value, json};

use crate::support::engine::{ELASTICSEARCH, Engine, OPENSEARCH};
use crate::support::{config, feed, lines, start, store, wait};

#[test]
fn refused_documents_are_counted_by_reason_shown_and_hold_up_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    engine.state().poison = Some("no 42\"");
    let count = feed(&store, lines(0, 400));
    let output = start(&store, config(&engine));
    wait("the others are there", || engine.event_count() == count - 1);
    wait("it is counted", || output.stats().refused == 1);
    let (refused, refusals) = store
        .read::<_, StoreError>(|conn| Ok((output::refused(conn)?, output::refusals(conn)?)))
        .expect("readable");
    assert_eq!(refused, [("error_400_exception".to_owned(), 1)]);
    assert!(refusals[0].error.contains("because"), "{refusals:?}");
    assert!(
        refusals[0].document.contains("\"@timestamp\""),
        "{refusals:?}"
    );
    // Later events arrive as well.
    let more = feed(&store, lines(400, 40));
    wait("more is there", || engine.event_count() == count + more - 1);
    output.stop();
    let there = engine.event_count() + engine.aggregates().len();
    assert_eq!(output.stats().documents, there as u64);
}

#[test]
fn requests_that_are_too_large_are_cut_until_one_document_is_left() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    engine.state().largest = 7;
    let count = feed(&store, lines(0, 200));
    let output = start(&store, config(&engine));
    wait("all are there", || engine.event_count() == count);
    engine.state().largest = 0;
    feed(&store, lines(200, 3));
    // At the end of a minute, its aggregates are refused as well.
    wait("they are refused", || output.stats().refused >= 3);
    engine.state().largest = usize::MAX;
    let more = feed(&store, lines(300, 3));
    wait("more is there", || engine.event_count() == count + more);
    output.stop();
}

/// An answer to one document for good: it is counted under this reason, and the others arrive.
fn is_refused(mark: impl FnOnce(&Engine), reason: &str) {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(ELASTICSEARCH), store(dir.path()));
    mark(&engine);
    let count = feed(&store, lines(0, 400));
    let output = start(&store, config(&engine));
    wait("the others are there", || {
        engine.event_count() == count - 1 && output.stats().refused == 1
    });
    let more = feed(&store, lines(400, 40));
    wait("more is there", || engine.event_count() == count + more - 1);
    output.stop();
    let refused = store.read::<_, StoreError>(|conn| Ok(output::refused(conn)?));
    assert_eq!(refused.expect("readable"), [(reason.to_owned(), 1)]);
    assert_eq!((output.stats().lost, engine.duplicates()), (0, 0));
}

#[test]
fn a_document_for_which_the_engine_refuses_the_whole_request_is_refused_alone() {
    is_refused(
        |engine| engine.state().unreadable = Some("no 42\""),
        "parse_exception",
    );
}

#[test]
fn a_document_at_which_the_engine_fails_each_time_is_given_up_where_others_are_taken_beside_it() {
    let error = json!({"type": "null_pointer_exception", "reason": "a mistake"});
    let answer = json!({"status": 500, "error": error});
    is_refused(
        |engine| engine.state().answers = Some(("no 42\"", answer)),
        "gave_up",
    );
}

#[test]
fn a_document_that_a_pipeline_or_a_failure_store_keeps_is_counted_as_refused() {
    let failed = json!({"type": "fail_processor_exception", "reason": "not here"});
    for (answer, reason) in [
        (
            json!({"status": 500, "error": failed}),
            "fail_processor_exception",
        ),
        (
            json!({"status": 201, "failure_store": "used"}),
            "failure_store",
        ),
    ] {
        is_refused(
            |engine| engine.state().answers = Some(("no 42\"", answer)),
            reason,
        );
    }
}

#[test]
fn documents_wait_for_what_an_administrator_can_mend_though_the_engine_blames_them() {
    let full = "this action would add [2] shards, but this cluster currently has [9]/[9] maximum normal shards open;";
    let wait_for = |answer: &Value| {
        let dir = tempfile::tempdir().expect("a directory");
        let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
        // Of some data streams there is no index yet, and there is no room for one.
        engine.state().answers = Some(("logs", answer.clone()));
        let count = feed(&store, lines(0, 200));
        let output = start(&store, config(&engine));
        wait("the others are there", || {
            engine.event_count() == count * 3 / 4
        });
        wait("it says why", || output.stats().trouble.is_some());
        engine.state().answers = None;
        wait("all are there", || engine.event_count() == count);
        wait("nothing waits", || output.stats().lag.events == 0);
        output.stop();
        assert_eq!((output.stats().refused, output.stats().lost), (0, 0));
    };
    for (kind, reason) in [
        ("validation_exception", full),
        ("illegal_argument_exception", full),
        (
            "illegal_argument_exception",
            "pipeline with id [a] does not exist",
        ),
    ] {
        wait_for(&json!({"status": 400, "error": {"type": kind, "reason": reason}}));
    }
}
