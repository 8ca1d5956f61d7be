//! The switches that turn the agent off, in part or whole.

use std::collections::BTreeSet;

use apm_agent::{
    Agent, TraceContext, Transaction, capture_message, current_trace_ids, current_transaction, span,
};
use test_support::alone;

use crate::support::Checked;

/// The names of this process's threads, with their ids.
fn threads() -> BTreeSet<(String, String)> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let named = tasks.flatten().filter_map(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).ok()?;
        let id = task.file_name().into_string().ok()?;
        Some((id, name.trim().to_owned()))
    });
    named.collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_disabled_agent_starts_no_thread() {
    assert!(
        alone(
            "switches::threads_are_counted",
            &[("ELASTIC_APM_ENABLED", "false")]
        )
        .contains("threads: 0,")
    );
    let old_name = [("ELASTIC_APM_ACTIVE", "False")];
    assert!(alone("switches::threads_are_counted", &old_name).contains("threads: 0,"));
    let enabled = [("ELASTIC_APM_DISABLE_SEND", "true")];
    let one = alone("switches::threads_are_counted", &enabled);
    assert!(one.contains("threads: 1, apm-agent"), "{one}");
}

#[test]
#[ignore = "run by the one above, in a process of its own"]
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn threads_are_counted() {
    let before = threads();
    let agent = Agent::from_env().unwrap().start();
    agent.transaction("job", "task").run(|| {
        drop(span("step", "app"));
        capture_message("not seen");
    });
    agent.flush(std::time::Duration::from_secs(1));
    let now = threads();
    let new: Vec<_> = now
        .difference(&before)
        .map(|(_, name)| name.as_str())
        .collect();
    println!("threads: {}, {}", new.len(), new.join(" "));
    assert_eq!(agent.is_enabled(), agent.stats().recorded > 0);
}

#[test]
fn only_ids_are_propagated_when_nothing_else_is_wanted() {
    let recorder = Checked::with_options([("context_propagation_only", "true")]);
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let (joined, root) = recorder.run(|agent| {
        assert!(!agent.is_recording());
        let traceparents = || {
            let transaction = current_transaction().unwrap();
            let outside = transaction.traceparent();
            let _span = span("step", "app");
            capture_message("not sent");
            assert_eq!(transaction.traceparent(), outside, "there are no spans");
            let ids = current_trace_ids().unwrap();
            (
                outside,
                ids.trace_id.to_string(),
                ids.transaction_id.to_string(),
            )
        };
        let joined =
            Transaction::continue_from(TraceContext::from_traceparent(parent), "GET /", "request");
        (
            joined.run(traceparents),
            agent.transaction("job", "task").run(traceparents),
        )
    });
    // The next service hangs below the caller: of this one there is nothing to hang below.
    assert_eq!(joined.0, parent);
    assert_eq!(joined.1, "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(root.0, format!("00-{}-{}-01", root.1, root.2));
    let recorded = recorder.take_with_metrics();
    assert!(
        recorded.transactions.is_empty()
            && recorded.spans.is_empty()
            && recorded.errors.is_empty()
            && recorded.metricsets.is_empty(),
        "{recorded:#?}"
    );
}
