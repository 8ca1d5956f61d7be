//! Transactions and spans by hand, and what is kept of them.

mod kept;
mod stacks;

use std::time::Duration;

use apm_agent::{Outcome, Transaction, User, in_span};

use crate::support::{Checked, record};

#[test]
fn spans_form_a_tree_inside_their_transaction() {
    let recorded = record(|agent| {
        let transaction = agent.transaction("clean up", "task");
        transaction.run(|| {
            let _outer = apm_agent::span("outer", "app");
            let mut inner = apm_agent::span("inner", "db.redis");
            inner.set_label("rows", 7);
            inner.set_outcome(Outcome::Failure);
        });
        transaction.set_result("done");
    });
    let [transaction] = &recorded.transactions[..] else {
        panic!("{recorded:#?}")
    };
    let [inner, outer] = &recorded.spans[..] else {
        panic!("{recorded:#?}")
    };
    assert_eq!(transaction["name"], "clean up");
    assert_eq!(transaction["type"], "task");
    assert_eq!(transaction["result"], "done");
    assert_eq!(transaction["outcome"], "success");
    assert_eq!(transaction["sampled"], true);
    assert_eq!(transaction["sample_rate"], 1);
    assert_eq!(
        transaction["span_count"],
        serde_json::json!({"started": 2, "dropped": 0})
    );
    assert_eq!(outer["parent_id"], transaction["id"]);
    assert_eq!(inner["parent_id"], outer["id"]);
    assert_eq!(inner["trace_id"], transaction["trace_id"]);
    assert_eq!(
        (&inner["type"], &inner["subtype"]),
        (&"db".into(), &"redis".into())
    );
    assert_eq!(inner["outcome"], "failure");
    assert_eq!(inner["context"]["tags"]["rows"], 7);
    assert!(inner["timestamp"].as_u64() >= outer["timestamp"].as_u64());
}

#[test]
fn what_the_service_sets_beats_what_the_agent_finds() {
    let recorded = record(|agent| {
        let transaction = agent.transaction("job", "task");
        transaction.run(|| {
            let current = apm_agent::current_transaction().unwrap();
            current.set_name("renamed");
            current.set_outcome(Outcome::Unknown);
            current.set_label("ten.ant", "ac\"me");
            current.set_user(User {
                id: Some("7".into()),
                ..User::default()
            });
            current.set_custom("order", &serde_json::json!({"lines": [1, 2]}));
            apm_agent::capture_message("went wrong");
        });
    });
    let transaction = &recorded.transactions[0];
    assert_eq!(transaction["name"], "renamed");
    assert_eq!(transaction["outcome"], "unknown");
    assert_eq!(transaction["context"]["tags"]["ten_ant"], "ac\"me");
    assert_eq!(transaction["context"]["user"]["id"], "7");
    assert_eq!(transaction["context"]["custom"]["order"]["lines"][1], 2);
    let error = &recorded.errors[0];
    assert_eq!(error["log"]["message"], "went wrong");
    assert_eq!(error["transaction_id"], transaction["id"]);
    assert_eq!(error["transaction"]["name"], "renamed");
    assert_eq!(error["context"]["user"]["id"], "7");
}

#[test]
fn an_error_fails_a_transaction_that_has_no_other_outcome() {
    let recorded = record(|agent| {
        agent.transaction("job", "task").run(|| {
            let error = "x".parse::<i32>().unwrap_err();
            assert!(apm_agent::capture_error(&error).is_some());
        });
    });
    assert_eq!(recorded.transactions[0]["outcome"], "failure");
    let error = &recorded.errors[0];
    assert_eq!(error["exception"]["type"], "ParseIntError");
    assert_eq!(error["exception"]["module"], "core::num::error");
    assert_eq!(error["exception"]["handled"], true);
    let culprit = error["culprit"].as_str().unwrap();
    assert!(culprit.contains("spans"), "{culprit}");
    let frame = &error["exception"]["stacktrace"][0];
    assert!(
        frame["abs_path"]
            .as_str()
            .unwrap_or_else(|| frame["filename"].as_str().unwrap())
            .ends_with("tests/it/spans.rs")
    );
}

/// Inlined into nobody, so that it has a frame of its own.
#[inline(never)]
fn read_port(text: &str) -> Option<u16> {
    match text.parse() {
        Ok(port) => Some(port),
        Err(error) => {
            apm_agent::capture_error::<std::num::ParseIntError>(&error);
            None
        }
    }
}

#[test]
fn a_captured_error_has_the_frames_that_led_to_it_up_to_the_limit() {
    for (limit, frames) in [("50", None), ("2", Some(2)), ("0", Some(0))] {
        let recorder = Checked::with_options([("stack_trace_limit", limit)]);
        recorder.run(|agent| {
            let transaction = agent.transaction("job", "task");
            assert_eq!(transaction.run(|| read_port("none")), None);
        });
        let error = &recorder.take().errors[0];
        let none = Vec::new();
        let stack = error["exception"]["stacktrace"].as_array().unwrap_or(&none);
        if let Some(frames) = frames {
            assert_eq!(stack.len(), frames, "{limit}");
            continue;
        }
        let functions = stack.iter().filter_map(|frame| frame["function"].as_str());
        let functions: Vec<_> = functions.filter(|name| name.contains("spans::")).collect();
        assert!(functions[0].contains("read_port"), "{functions:?}");
        let test = functions
            .iter()
            .any(|name| name.contains("up_to_the_limit"));
        assert!(test, "{functions:?}");
        let first = stack[0]["filename"].as_str().unwrap();
        assert!(first.ends_with("tests/it/spans.rs"), "{first}");
        assert!(
            stack[0]["context_line"]
                .as_str()
                .unwrap()
                .contains("capture_error")
        );
        assert!(error["culprit"].as_str().unwrap().contains("read_port"));
    }
}

#[test]
fn a_span_limit_keeps_the_first_spans_and_counts_the_rest() {
    let recorder = Checked::with_options([("transaction_max_spans", "3")]);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            for _ in 0..5 {
                apm_agent::span("call", "db.redis").set_target("redis", Some("cache"));
            }
        });
    });
    let recorded = recorder.take();
    assert_eq!(recorded.spans.len(), 3);
    let transaction = &recorded.transactions[0];
    assert_eq!(
        transaction["span_count"],
        serde_json::json!({"started": 3, "dropped": 2})
    );
    let [statistics] = &transaction["dropped_spans_stats"].as_array().unwrap()[..] else {
        panic!("{transaction:#}")
    };
    assert_eq!(statistics["destination_service_resource"], "redis/cache");
    assert_eq!(statistics["service_target_type"], "redis");
    assert_eq!(statistics["service_target_name"], "cache");
    assert_eq!(statistics["duration"]["count"], 2);
}

#[test]
fn a_limit_of_zero_keeps_no_span() {
    let recorder = Checked::with_options([("transaction_max_spans", "0")]);
    recorder.run(|agent| {
        agent
            .transaction("job", "task")
            .run(|| drop(apm_agent::span("a", "app")))
    });
    let recorded = recorder.take();
    assert!(recorded.spans.is_empty());
    assert_eq!(recorded.transactions[0]["span_count"]["dropped"], 1);
}

#[test]
fn without_a_transaction_nothing_is_recorded() {
    let recorded = record(|_| {
        let span = apm_agent::span("alone", "app");
        assert_eq!(span.id(), None);
        assert_eq!(apm_agent::current_trace_ids(), None);
    });
    assert!(recorded.spans.is_empty() && recorded.transactions.is_empty());
}

#[test]
fn a_span_that_outlives_its_transaction_is_still_reported() {
    let recorded = record(|agent| {
        let transaction = agent.transaction("job", "task");
        let entered = transaction.enter();
        let span = apm_agent::span("late", "app");
        drop(transaction);
        drop(span);
        drop(entered);
    });
    assert_eq!(recorded.spans[0]["name"], "late");
    assert_eq!(recorded.transactions[0]["span_count"]["started"], 0);
}

#[test]
fn an_unsampled_transaction_is_sent_without_detail_while_the_server_is_unknown() {
    let recorder = Checked::with_options([("transaction_sample_rate", "0")]);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            drop(apm_agent::span("a", "app"));
            let traceparent = apm_agent::current_transaction().unwrap().traceparent();
            assert!(traceparent.ends_with("-00"), "{traceparent}");
        });
    });
    let recorded = recorder.take();
    assert!(recorded.spans.is_empty());
    assert_eq!(recorded.transactions[0]["sampled"], false);
    assert_eq!(recorded.transactions[0]["sample_rate"], 0);
    assert!(recorded.transactions[0]["context"].is_null());
}

#[test]
fn a_message_that_carries_a_trace_is_continued() {
    let parent = apm_agent::TraceContext::from_traceparent(
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    );
    let recorder = Checked::default();
    recorder.run(|_| drop(Transaction::continue_from(parent, "consume", "messaging")));
    let transaction = &recorder.take().transactions[0];
    assert_eq!(transaction["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(transaction["parent_id"], "b7ad6b7169203331");
    assert!(
        transaction["sample_rate"].is_null(),
        "not told, so not claimed"
    );
}

#[test]
fn futures_carry_their_context_from_poll_to_poll_and_nothing_leaks() {
    let recorder = Checked::default();
    recorder.run(|agent| {
        let job = agent.transaction("job", "task").wrap(async {
            apm_agent::in_span("first", "app", async {
                let before = apm_agent::current_trace_ids();
                tokio::task::yield_now().await;
                assert_eq!(apm_agent::current_trace_ids(), before);
            })
            .await;
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            let other = tokio::task::spawn_local(async {
                for _ in 0..3 {
                    assert_eq!(apm_agent::current_trace_ids(), None);
                    tokio::task::yield_now().await;
                }
            });
            let job = tokio::task::spawn_local(job);
            other.await.unwrap();
            job.await.unwrap();
        });
        assert_eq!(apm_agent::current_trace_ids(), None);
    });
    let recorded = recorder.take();
    assert_eq!(recorded.spans[0]["name"], "first");
    assert_eq!(recorded.transactions[0]["span_count"]["started"], 1);
}

#[test]
fn a_panic_fails_its_span_and_transaction_and_becomes_an_error() {
    let recorder = Checked::default();
    recorder.run(|agent| {
        let transaction = agent.transaction("job", "task");
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            transaction.run(|| {
                let _span = apm_agent::span("doomed", "app");
                panic!("no way {}", 7);
            });
        }));
        assert!(caught.is_err());
    });
    let recorded = recorder.take();
    assert_eq!(recorded.transactions[0]["outcome"], "failure");
    assert_eq!(recorded.spans[0]["outcome"], "failure");
    let error = &recorded.errors[0];
    assert_eq!(error["exception"]["message"], "no way 7");
    assert_eq!(error["exception"]["handled"], false);
    assert_eq!(error["parent_id"], recorded.spans[0]["id"]);
    assert_eq!(error["transaction"]["name"], "job");
}

#[test]
fn fast_exit_spans_are_dropped_with_statistics_when_asked() {
    let recorder = Checked::with_options([("exit_span_min_duration", "1s")]);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            drop(apm_agent::span("kept", "app"));
        });
    });
    let recorded = recorder.take();
    assert_eq!(recorded.spans.len(), 1, "only exit spans are dropped");
}

#[test]
fn thousands_of_spans_do_not_pile_up_in_their_transaction() {
    let recorder = Checked::with_options([("transaction_max_spans", "5000")]);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            for _ in 0..5000 {
                drop(apm_agent::span("a span with a name of some length", "app"));
            }
        });
    });
    let recorded = recorder.take();
    assert_eq!(recorded.spans.len(), 5000);
    assert_eq!(recorded.transactions[0]["span_count"]["started"], 5000);
    assert!(recorder.agent().flush(Duration::from_secs(1)));
}

#[test]
fn a_job_that_is_given_up_by_a_time_out_is_no_success() {
    let recorder = Checked::default();
    recorder.run(|agent| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let job = |name: &'static str, work: fn()| {
            let job = agent.transaction(name, "task").wrap(async move {
                work();
                in_span("wait", "app", std::future::pending::<()>()).await;
            });
            runtime.block_on(async {
                tokio::time::timeout(Duration::from_millis(1), job)
                    .await
                    .unwrap_err();
            });
        };
        job("given up", || ());
        job("failed before", || {
            apm_agent::capture_message("went wrong");
        });
        job("said before", || {
            let transaction = apm_agent::current_transaction().unwrap();
            transaction.set_result("half done");
            transaction.set_outcome(Outcome::Success);
        });
        drop(agent.transaction("never begun", "task").wrap(async {}));
        runtime.block_on(agent.transaction("done", "task").wrap(async {}));
    });
    let recorded = recorder.take();
    let shown: Vec<_> = recorded
        .transactions
        .iter()
        .map(|it| [&it["name"], &it["result"], &it["outcome"]].map(|text| text.as_str()))
        .collect();
    let of = |name, result, outcome| [Some(name), result, Some(outcome)];
    assert_eq!(
        shown,
        [
            of("given up", Some("cancelled"), "unknown"),
            of("failed before", Some("cancelled"), "failure"),
            of("said before", Some("half done"), "success"),
            of("never begun", Some("cancelled"), "unknown"),
            of("done", None, "success"),
        ]
    );
    for span in &recorded.spans {
        assert_eq!(span["outcome"], "unknown");
    }
}

#[test]
fn a_future_in_a_span_takes_its_context_when_it_is_polled() {
    let recorder = Checked::default();
    recorder.run(|agent| {
        let made_outside = in_span("made outside", "app", async {
            drop(apm_agent::span("below", "app"))
        });
        let first = agent.transaction("first", "task");
        let made_in_first = first.run(|| in_span("made in the first", "app", async {}));
        let never_polled = first.run(|| in_span("never polled", "app", async {}));
        drop((first, never_polled));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(agent.transaction("second", "task").wrap(async {
            made_outside.await;
            in_span("around", "app", made_in_first).await;
        }));
    });
    let recorded = recorder.take();
    let second = &recorded.transactions[1];
    assert_eq!(second["name"], "second");
    let parents: Vec<_> = recorded
        .spans
        .iter()
        .map(|span| {
            assert_eq!(span["transaction_id"], second["id"]);
            let all = recorded.spans.iter().chain([second]);
            let parent = all
                .clone()
                .find(|it| it["id"] == span["parent_id"])
                .unwrap();
            (
                span["name"].as_str().unwrap(),
                parent["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        parents,
        [
            ("below", "made outside"),
            ("made outside", "second"),
            ("made in the first", "around"),
            ("around", "second"),
        ]
    );
}
