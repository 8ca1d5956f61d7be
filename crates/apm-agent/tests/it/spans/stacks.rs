//! Stacks of slow spans.

use crate::support::{Checked, record};

/// The functions of a span's stack trace, innermost first, and whether any frame has source.
fn stack(span: &serde_json::Value) -> (Vec<&str>, bool) {
    let frames = span["stacktrace"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let functions = frames
        .iter()
        .filter_map(|frame| frame["function"].as_str())
        .collect();
    (
        functions,
        frames
            .iter()
            .any(|frame| frame.get("context_line").is_some()),
    )
}

#[test]
fn spans_that_are_long_enough_carry_the_stack_they_ended_on() {
    let recorder = Checked::with_options([
        ("span_stack_trace_min_duration", "10ms"),
        ("source_lines_span_app_frames", "3"),
    ]);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            drop(apm_agent::span("short", "app"));
            let _long = apm_agent::span("long", "app");
            let start = std::time::Instant::now();
            while start.elapsed() < std::time::Duration::from_millis(15) {
                std::hint::spin_loop();
            }
        });
    });
    let recorded = recorder.take();
    let of = |name| {
        recorded
            .spans
            .iter()
            .find(|span| span["name"] == name)
            .unwrap()
    };
    assert_eq!(of("short").get("stacktrace"), None);
    let (functions, with_source) = stack(of("long"));
    let here = "spans_that_are_long_enough_carry_the_stack_they_ended_on";
    // The innermost frame is the closure itself, whose name is short where it was inlined.
    let end = functions
        .iter()
        .position(|function| function.contains(here));
    assert!(
        functions[0].ends_with("{closure}") && end.is_some_and(|end| end < 4),
        "{functions:?}"
    );
    assert!(with_source);
    assert_eq!(recorded.transactions[0]["span_count"]["started"], 2);
}

#[test]
fn no_span_has_a_stack_by_default_or_when_there_are_too_many() {
    let recorded = record(|agent| {
        agent
            .transaction("job", "task")
            .run(|| drop(apm_agent::span("a", "app")))
    });
    assert_eq!(recorded.spans[0].get("stacktrace"), None);

    let recorder = Checked::with_options([("span_stack_trace_min_duration", "0ms")]);
    recorder.run(|agent| {
        agent
            .transaction("job", "task")
            .run(|| (0..100).for_each(|_| drop(apm_agent::span("a", "app"))));
        agent.transaction("gone", "task").run(|| {
            drop(apm_agent::span("never", "app"));
            apm_agent::current_transaction().unwrap().discard();
        });
    });
    let recorded = recorder.take();
    let with_stack = recorded
        .spans
        .iter()
        .filter(|span| span.get("stacktrace").is_some())
        .count();
    assert_eq!((recorded.spans.len(), with_stack), (100, 32));
}
