//! Metrics: the breakdown of transactions, the system's figures, the service's own.

use std::time::Duration;

use serde_json::Value;

use crate::support::Checked;

fn breakdown(sets: &[Value]) -> Vec<(&str, &str, u64, u64)> {
    let of = |set: &Value, sample: &str| set["samples"][sample]["value"].as_u64().unwrap();
    sets.iter()
        .filter(|set| set["span"].is_object())
        .map(|set| {
            let span = &set["span"];
            let (count, sum) = (
                of(set, "span.self_time.count"),
                of(set, "span.self_time.sum.us"),
            );
            (
                set["transaction"]["name"].as_str().unwrap(),
                span["type"].as_str().unwrap(),
                count,
                sum,
            )
        })
        .collect()
}

#[test]
fn the_self_times_of_a_transaction_add_up_to_its_duration() {
    let recorder = Checked::default();
    recorder.run(|agent| {
        agent.transaction("GET /", "request").run(|| {
            let _outer = apm_agent::span("outer", "app");
            std::thread::sleep(Duration::from_millis(2));
            let _inner = apm_agent::span("inner", "template.maud");
            std::thread::sleep(Duration::from_millis(3));
        });
    });
    let recorded = recorder.take_with_metrics();
    let found = breakdown(&recorded.metricsets);
    let kinds: Vec<_> = found
        .iter()
        .map(|(name, kind, count, _)| (*name, *kind, *count))
        .collect();
    // The transaction's own time and that of the span `outer` are both of the kind `app`.
    assert!(kinds.contains(&("GET /", "template", 1)), "{kinds:?}");
    let sum: u64 = found.iter().map(|(.., sum)| sum).sum();
    let duration = recorded.transactions[0]["duration"].as_f64().unwrap() * 1000.0;
    assert!((sum as f64 - duration).abs() < 10.0, "{sum} of {duration}");
}

#[test]
fn spans_over_the_limit_still_count_in_the_breakdown() {
    let recorder = Checked::with_options([("transaction_max_spans", "1")]);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            for _ in 0..3 {
                drop(apm_agent::span("call", "db.redis"));
            }
        });
    });
    let recorded = recorder.take_with_metrics();
    assert!(
        breakdown(&recorded.metricsets)
            .iter()
            .any(|(_, kind, count, _)| (*kind, *count) == ("db", 3))
    );
    assert!(
        breakdown(&recorder.take_with_metrics().metricsets).is_empty(),
        "reported once"
    );
}

#[test]
fn a_breakdown_that_nobody_wants_is_not_made() {
    let recorder = Checked::with_options([("breakdown_metrics", "false")]);
    recorder.run(|agent| drop(agent.transaction("job", "task")));
    assert!(breakdown(&recorder.take_with_metrics().metricsets).is_empty());
}

#[test]
fn the_services_own_gauges_and_counters_are_reported_with_the_systems() {
    let recorder = Checked::with_options([("disable_metrics", "system.memory.*")]);
    let metrics = recorder.agent().metrics();
    metrics.gauge("people.rows").set(7.0);
    metrics.counter("orders").add(2);
    let recorded = recorder.take_with_metrics();
    let value = |name: &str| {
        recorded
            .metricsets
            .iter()
            .find_map(|set| set["samples"][name]["value"].as_f64())
    };
    assert_eq!(value("people.rows"), Some(7.0));
    assert_eq!(value("orders"), Some(2.0));
    assert!(value("system.process.memory.rss.bytes").is_some_and(|bytes| bytes > 1e6));
    assert_eq!(value("system.memory.total"), None);
}
