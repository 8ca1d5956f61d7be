//! Spans that a transaction keeps until it ends.

use std::time::Duration;

use crate::support::record;

#[test]
fn a_query_that_is_kept_back_is_reported_once_however_many_spans_end_within_others_meanwhile() {
    let recorded = record(|agent| {
        let transaction = agent.transaction("job", "task");
        transaction.run(|| {
            for number in 0..100 {
                let statement = format!("SELECT * FROM table_{number}");
                let took = Duration::from_millis(1);
                apm_agent::span_db_ended("sqlite", Some("a.db"), &statement, took);
                // The query is kept back until another child of the transaction has ended.
                let _outer = apm_agent::span("outer", "app");
                drop(apm_agent::span("inner", "app"));
            }
        });
    });
    let started = &recorded.transactions[0]["span_count"]["started"];
    assert_eq!(started, 300);
    let named = |name: &str| {
        recorded
            .spans
            .iter()
            .filter(|span| span["name"] == name)
            .count()
    };
    assert_eq!((named("outer"), named("inner")), (100, 100));
    for number in 0..100 {
        assert_eq!(named(&format!("SELECT FROM table_{number}")), 1);
    }
}
