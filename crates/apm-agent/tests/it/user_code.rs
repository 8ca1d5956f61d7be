//! Code of the service that the agent runs: formatting, conversions, functions it was given. It may do whatever it
//! likes.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::mpsc;
use std::time::Duration;

use ::tracing::{Span, error, info_span};
use apm_agent::testing::Recorded;
use apm_agent::{Agent, LabelValue, Metrics, capture_error, current_transaction, span};
use serde_json::json;
use test_support::alone;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::Checked;

/// Runs `work` in a transaction on a thread of its own, which may hang; then the test fails.
fn recorded_in_time(work: impl FnOnce(&Agent) + Send + 'static) -> Recorded {
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let recorder = Checked::uncompressed();
        let layers = tracing_subscriber::registry()
            .with(apm_agent::tracing::layer())
            .with(apm_agent::tracing::layer());
        ::tracing::subscriber::with_default(layers, || {
            recorder.run(|agent| agent.transaction("job", "task").run(|| work(agent)));
        });
        done.send(recorder.take()).unwrap();
    });
    wait.recv_timeout(Duration::from_secs(20))
        .expect("the thread hangs, or has panicked")
}

/// Uses everything that the agent offers, and must not wait for itself.
fn use_everything() {
    let inner = info_span!("while formatting", field = tracing::field::Empty);
    inner.in_scope(|| {
        Span::current().record("field", 7);
        drop(span("by hand", "app"));
        error!("seen while formatting");
    });
    let transaction = current_transaction().unwrap();
    transaction.set_label("formatted", true);
    transaction.set_result("formatted");
}

/// Looks at the span whose field it is while it is formatted.
struct Nosy(Span);

impl fmt::Debug for Nosy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.record("other", "set while formatting");
        self.0.in_scope(use_everything);
        f.write_str("nosy")
    }
}

#[test]
fn a_field_that_opens_spans_and_looks_at_its_own_while_it_is_formatted_does_not_hang() {
    use tracing::field::Empty;
    let recorded = recorded_in_time(|_| {
        let outer = info_span!("outer", error = Empty, other = Empty);
        let nosy = Nosy(outer.clone());
        outer.record("error", tracing::field::debug(&nosy));
        // At the creation of a span, and in an event.
        drop(info_span!("new", field = ?nosy));
        error!(field = ?nosy, "event");
    });
    let named = |name: &str| {
        let mut spans = recorded.spans.iter();
        spans.find(|span| span["name"] == name).unwrap()
    };
    let tags = json!({"error": "nosy", "other": "set while formatting"});
    assert_eq!(named("outer")["context"]["tags"], tags);
    assert_eq!(named("new")["context"]["tags"], json!({"field": "nosy"}));
    let inner = named("while formatting");
    assert_eq!(inner["context"]["tags"], json!({"field": 7}));
    assert_eq!(inner["parent_id"], named("outer")["id"]);
    let messages = recorded.errors.iter().map(|it| &it["log"]["message"]);
    assert!(
        messages
            .clone()
            .any(|message| message == "event field=nosy")
    );
    assert_eq!(
        recorded.transactions[0]["span_count"]["started"],
        recorded.spans.len(),
        "two layers record a span once"
    );
}

/// A value whose conversions use the agent.
struct Busy;

impl From<Busy> for LabelValue {
    fn from(_: Busy) -> Self {
        use_everything();
        "converted".into()
    }
}

impl From<Busy> for Cow<'static, str> {
    fn from(_: Busy) -> Self {
        use_everything();
        "converted".into()
    }
}

#[test]
fn conversions_of_names_and_labels_may_use_the_agent() {
    let recorded = recorded_in_time(|agent| {
        let transaction = current_transaction().unwrap();
        transaction.set_name(Busy);
        transaction.set_label("busy", Busy);
        let mut by_hand = span(Busy, "app");
        by_hand.set_label("busy", Busy);
        by_hand.set_action(Busy);
        drop(by_hand);
        agent.transaction(Busy, Busy).set_result(Busy);
        transaction.set_result(Busy);
    });
    for transaction in &recorded.transactions {
        assert_eq!(transaction["name"], "converted");
        assert_eq!(transaction["result"], "converted");
    }
    let by_hand = recorded.spans.iter().find(|it| it["name"] == "converted");
    assert_eq!(by_hand.unwrap()["context"]["tags"]["busy"], "converted");
}

/// An error of a kind that nobody should write.
#[derive(Clone, Copy)]
enum Odd {
    /// Its message and its causes have no end.
    Endless,
    /// Formatting it panics.
    Panics,
    /// It captures itself when it is formatted.
    CapturesItself,
    UsesEverything,
}

impl Odd {
    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endless => loop {
                f.write_str("and so on ")?;
            },
            Self::Panics => panic!("while formatting"),
            Self::CapturesItself => {
                capture_error(&self);
                f.write_str("captured")
            }
            Self::UsesEverything => {
                use_everything();
                f.write_str("used")
            }
        }
    }
}

impl fmt::Debug for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl Error for Odd {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        matches!(self, Self::Endless).then_some(&Self::Endless)
    }
}

#[test]
fn an_error_may_be_endless_panic_or_use_the_agent_while_it_is_formatted() {
    let recorded = recorded_in_time(|_| {
        for odd in [
            Odd::Endless,
            Odd::Panics,
            Odd::CapturesItself,
            Odd::UsesEverything,
        ] {
            assert!(capture_error(&odd).is_some());
            let boxed: Box<dyn Error> = Box::new(odd);
            assert!(capture_error(&*boxed).is_some());
        }
    });
    let count = |text: &str| {
        let exceptions = recorded.errors.iter().map(|it| &it["exception"]);
        let messages = exceptions.filter_map(|it| it["message"].as_str());
        messages.filter(|message| message.starts_with(text)).count()
    };
    assert_eq!(count("and so on and so on"), 2);
    assert_eq!(count("(formatting it panicked)"), 2);
    assert!(count("captured") >= 2);
    assert_eq!(count("used"), 2);
    assert!(recorded.errors.len() < 100, "{}", recorded.errors.len());
}

/// Registers a metric when it is dropped.
struct CountsItsEnd(Metrics);

impl Drop for CountsItsEnd {
    fn drop(&mut self) {
        self.0.counter("dropped").add(1);
    }
}

#[test]
fn a_function_that_is_replaced_may_use_the_registry_when_it_is_dropped() {
    let recorded = recorded_in_time(|agent| {
        let metrics = agent.metrics();
        let counts = CountsItsEnd(metrics.clone());
        metrics.observe("value", move || {
            let _kept = &counts;
            1.0
        });
        metrics.observe("value", || 2.0);
        metrics.counter("dropped").add(1);
    });
    assert_eq!(recorded.transactions.len(), 1);
}

#[test]
fn a_logger_may_count_its_lines_in_a_metric() {
    alone("user_code::lines_are_counted", &[]);
}

#[test]
#[ignore = "run by the one above, in a process of its own"]
fn lines_are_counted() {
    struct Counting(Metrics);
    impl log::Log for Counting {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, record: &log::Record<'_>) {
            self.0
                .counter_with("lines", &[("level", record.level().as_str())])
                .add(1);
        }
        fn flush(&self) {}
    }
    let recorder = Checked::default();
    let metrics = recorder.agent().metrics();
    metrics.counter_with("lines", &[("level", "WARN")]).add(1);
    log::set_boxed_logger(Box::new(Counting(metrics.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        // One too many is told in the log.
        for number in 0..2000 {
            metrics.gauge(&format!("gauge.{number}"));
        }
        done.send(()).unwrap();
    });
    assert!(
        wait.recv_timeout(Duration::from_secs(20)).is_ok(),
        "it hangs"
    );
    let recorded = recorder.take_with_metrics();
    let lines = recorded
        .metricsets
        .iter()
        .find(|set| set["tags"]["level"] == "WARN");
    assert_eq!(lines.unwrap()["samples"]["lines"]["value"], 2);
}
