//! Documents that the engine never takes.

use apm_store::StoreError;
use apm_store::output;

use crate::support::engine::{Engine, OPENSEARCH};
use crate::support::{config, feed, lines, start, store, wait};

#[test]
fn refused_documents_are_counted_by_reason_shown_and_hold_up_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    engine.state().poison = Some("no 42\"");
    let count = feed(&store, lines(0, 400));
    let output = start(&store, config(&engine));
    wait("the others are there", || {
        engine.events().len() == count - 1
    });
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
    wait("more is there", || {
        engine.events().len() == count + more - 1
    });
    output.stop();
    let there = engine.events().len() + engine.aggregates().len();
    assert_eq!(output.stats().documents, there as u64);
}

#[test]
fn requests_that_are_too_large_are_cut_until_one_document_is_left() {
    let dir = tempfile::tempdir().expect("a directory");
    let (engine, store) = (Engine::start(OPENSEARCH), store(dir.path()));
    engine.state().largest = 7;
    let count = feed(&store, lines(0, 200));
    let output = start(&store, config(&engine));
    wait("all are there", || engine.events().len() == count);
    engine.state().largest = 0;
    feed(&store, lines(200, 3));
    // At the end of a minute, its aggregates are refused as well.
    wait("they are refused", || output.stats().refused >= 3);
    engine.state().largest = usize::MAX;
    let more = feed(&store, lines(300, 3));
    wait("more is there", || engine.events().len() == count + more);
    output.stop();
}
