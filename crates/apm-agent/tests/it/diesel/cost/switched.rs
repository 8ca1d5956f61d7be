//! Queries that are counted again after others that nobody wanted to know of: SQLite's reports are off for these.

use apm_agent::{TraceContext, Transaction};

use super::*;

/// Runs work in a transaction that the caller has not sampled.
fn unsampled(connection: &mut SqliteConnection, work: impl FnOnce(&mut SqliteConnection)) {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let parent = TraceContext::from_traceparent(parent);
    Transaction::continue_from(parent, "GET /", "request").run(|| work(connection));
}

#[test]
fn a_query_outside_of_a_transaction_leaves_nothing_for_the_next_one() {
    let recorder = Checked::uncompressed();
    let pool = wide_pool(&recorder, 1);
    let count = |connection: &mut SqliteConnection| {
        let _: Vec<i32> = people::table.select(people::id).load(connection).unwrap();
    };
    let mut spans = Vec::new();
    for _ in 0..3 {
        recorder.run(|_| {
            let connection = &mut pool.get().unwrap();
            count(connection);
            count(connection);
        });
        spans.extend(spans_of(&recorder, &pool, count));
    }
    assert_eq!(spans.len(), 3);
    assert!(
        spans.iter().all(|span| labels(span) == labels(&spans[0])),
        "{spans:?}"
    );
}

#[test]
fn spans_say_the_same_whatever_ran_between_sampled_transactions() {
    // In a process in which nobody else observes connections: their reports are really off.
    alone(
        "diesel::cost::switched::sampled_transactions_between_others",
        &[],
    );
}

#[test]
#[ignore = "alone in a process: observers of all connections keep reports on"]
fn sampled_transactions_between_others() {
    let recorder = Checked::uncompressed();
    let pool = towns(&recorder, 1);
    spans_of(&recorder, &pool, work);
    let usual = shown(&spans_of(&recorder, &pool, work));
    assert_eq!(usual.len(), 6);
    for round in 0..5 {
        for _ in 0..round {
            recorder.run(|_| unsampled(&mut pool.get().unwrap(), work));
            assert!(recorder.take().spans.is_empty());
        }
        recorder.run(|_| work(&mut pool.get().unwrap()));
        for _ in 0..2 {
            assert_eq!(shown(&spans_of(&recorder, &pool, work)), usual, "{round}");
        }
    }
}

#[test]
fn a_transaction_over_the_limit_of_spans_leaves_nothing_for_the_next_one() {
    let options = [
        ("span_compression_enabled", "false"),
        ("transaction_max_spans", "6"),
    ];
    let recorder = Checked::with_options(options);
    let pool = towns(&recorder, 1);
    spans_of(&recorder, &pool, work);
    let usual = shown(&spans_of(&recorder, &pool, work));
    assert_eq!(usual.len(), 6);
    for _ in 0..3 {
        let spans = spans_of(&recorder, &pool, |connection| {
            work(connection);
            work(connection);
        });
        assert_eq!(shown(&spans), usual);
    }
}
