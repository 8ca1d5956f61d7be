//! Spans and events of the crate `tracing` inside a transaction.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use ::tracing::{Level, debug_span, error, info, info_span};
use apm_agent::testing::Recorded;
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::Checked;

mod carried;
mod meaning;
mod sqlx;

/// Runs code with the layer, outside of every transaction.
fn with_layer(recorder: &Checked, work: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    ::tracing::subscriber::with_default(subscriber, || recorder.run(|_| work()));
}

fn recorded_with(recorder: &Checked, work: impl FnOnce()) -> Recorded {
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    ::tracing::subscriber::with_default(subscriber, || {
        recorder.run(|agent| agent.transaction("GET /", "request").run(work));
    });
    recorder.take()
}

fn recorded(work: impl FnOnce()) -> Recorded {
    recorded_with(&Checked::uncompressed(), work)
}

fn named<'a>(recorded: &'a Recorded, name: &str) -> &'a Value {
    recorded
        .spans
        .iter()
        .find(|span| span["name"] == name)
        .unwrap()
}

#[test]
fn spans_nest_as_they_are_entered_and_among_spans_by_hand() {
    let recorded = recorded(|| {
        info_span!("outer", tenant = "acme", count = 3_u64, share = 0.5, ok = true, list = ?[1, 2])
            .in_scope(|| {
                let _by_hand = apm_agent::span("by hand", "app");
                info_span!("inner", password = "hunter2").in_scope(|| {});
            });
    });
    let (outer, by_hand, inner) = (
        named(&recorded, "outer"),
        named(&recorded, "by hand"),
        named(&recorded, "inner"),
    );
    assert_eq!(outer["parent_id"], recorded.transactions[0]["id"]);
    assert_eq!(by_hand["parent_id"], outer["id"]);
    assert_eq!(inner["parent_id"], by_hand["id"]);
    assert_eq!(
        (&outer["type"], &outer["subtype"]),
        (&json!("app"), &json!("internal"))
    );
    let tags = json!({"tenant": "acme", "count": 3, "share": 0.5, "ok": true, "list": "[1, 2]"});
    assert_eq!(outer["context"]["tags"], tags);
    assert_eq!(inner["context"]["tags"]["password"], "[REDACTED]");
    assert_eq!(recorded.transactions[0]["span_count"]["started"], 3);
}

#[test]
fn explicit_parents_and_roots_are_respected() {
    let recorded = recorded(|| {
        let first = info_span!("first");
        info_span!("second").in_scope(|| {
            drop(info_span!(parent: &first, "child of the first"));
            drop(info_span!(parent: None, "root"));
            drop(info_span!("child of the second"));
        });
    });
    let id = |name| &named(&recorded, name)["id"];
    assert_eq!(
        named(&recorded, "child of the first")["parent_id"],
        *id("first")
    );
    assert_eq!(
        named(&recorded, "child of the second")["parent_id"],
        *id("second")
    );
    assert_eq!(
        named(&recorded, "root")["parent_id"],
        recorded.transactions[0]["id"]
    );
}

#[test]
fn a_span_lasts_from_its_creation_to_its_close_however_often_it_is_entered() {
    let recorded = recorded(|| {
        let span = info_span!("waits", state = ::tracing::field::Empty);
        let start = Instant::now();
        span.in_scope(|| {});
        while start.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        span.in_scope(|| {});
        span.record("state", "done");
    });
    let span = named(&recorded, "waits");
    assert!(span["duration"].as_f64().unwrap() >= 20.0, "{span}");
    assert_eq!(span["context"]["tags"]["state"], "done");
}

#[test]
fn a_transaction_follows_its_span_to_another_thread() {
    let recorder = Checked::uncompressed();
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    let dispatch = ::tracing::Dispatch::new(subscriber);
    ::tracing::dispatcher::with_default(&dispatch, || {
        recorder.run(|agent| {
            agent.transaction("GET /", "request").run(|| {
                let span = info_span!("elsewhere");
                let dispatch = dispatch.clone();
                let thread = std::thread::spawn(move || {
                    ::tracing::dispatcher::with_default(&dispatch, || {
                        span.in_scope(|| drop(apm_agent::span("below", "app")));
                        assert!(apm_agent::current_transaction().is_none());
                    });
                });
                thread.join().unwrap();
            });
        });
    });
    let recorded = recorder.take();
    assert_eq!(
        named(&recorded, "below")["parent_id"],
        named(&recorded, "elsewhere")["id"]
    );
}

#[test]
fn guards_that_are_dropped_in_the_wrong_order_leave_nothing_behind() {
    let recorded = recorded(|| {
        let (first, second) = (info_span!("first"), info_span!("second"));
        let ids = RefCell::new(Vec::new());
        let note = || {
            ids.borrow_mut()
                .push(apm_agent::current_trace_ids().unwrap().span_id)
        };
        note();
        let entered_first = first.enter();
        note();
        let entered_second = second.enter();
        note();
        drop(entered_first);
        note();
        drop(entered_second);
        note();
        let ids = ids.into_inner();
        assert_eq!((ids[0], ids[4]), (None, None));
        assert!(ids[1].is_some() && ids[1] != ids[2] && ids[2] == ids[3]);
    });
    assert_eq!(recorded.spans.len(), 2);
}

#[test]
fn error_events_become_errors_of_the_span_they_happened_in() {
    let recorded = recorded(|| {
        info_span!("works").in_scope(|| {
            info!("nothing to see");
            error!(order = 7, "cannot ship");
        });
    });
    let (line, works) = (line!() - 3, named(&recorded, "works"));
    let [error] = &recorded.errors[..] else {
        panic!("{:?}", recorded.errors)
    };
    assert_eq!(error["log"]["message"], "cannot ship order=7");
    assert_eq!(error["log"]["logger_name"], module_path!());
    assert_eq!(error["parent_id"], works["id"]);
    assert_eq!(error["log"]["stacktrace"][0]["lineno"], line);
    assert_eq!(works["outcome"], "failure");
    assert!(recorded.logs.is_empty());
}

#[test]
fn events_are_sent_as_logs_when_asked_for() {
    let recorder =
        Checked::with_options([("log_sending", "true"), ("capture_log_errors", "false")]);
    let recorded = recorded_with(&recorder, || info!(order = 7, "shipped\n\"now\""));
    let [log] = &recorded.logs[..] else {
        panic!("{:?}", recorded.logs)
    };
    assert_eq!(log["message"], "shipped\n\"now\" order=7");
    assert_eq!(
        (&log["log.level"], &log["log.logger"]),
        (&json!("info"), &json!(module_path!()))
    );
    assert_eq!(log["transaction.id"], recorded.transactions[0]["id"]);
    assert!(recorded.errors.is_empty());
}

#[test]
fn what_is_too_detailed_or_outside_of_a_transaction_is_not_recorded() {
    let recorder = Checked::with_options([("log_sending", "true")]);
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    ::tracing::subscriber::with_default(subscriber, || {
        info_span!("outside").in_scope(|| {});
        recorder.run(|agent| {
            agent.transaction("GET /", "request").run(|| {
                debug_span!("detail").in_scope(|| ::tracing::debug!("detail"));
            });
        });
    });
    let recorded = recorder.take();
    assert!(recorded.spans.is_empty() && recorded.logs.is_empty());

    let recorder = Checked::default();
    let subscriber = tracing_subscriber::registry()
        .with(apm_agent::tracing::layer().with_max_level(Level::DEBUG));
    ::tracing::subscriber::with_default(subscriber, || {
        recorder.run(|agent| {
            agent
                .transaction("GET /", "request")
                .run(|| drop(debug_span!("detail")))
        });
    });
    assert_eq!(recorder.take().spans.len(), 1);
}
