//! Transactions of the agent's own, where only `tracing` takes its spans along.

use std::convert::Infallible;

use ::tower::util::ServiceExt as _;
use ::tower::{Layer as _, service_fn};
use ::tracing::span::EnteredSpan;
use ::tracing::{Span, info_span, trace_span};
use apm_agent::testing::Recorded;
use apm_agent::tower::ApmLayer;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::Checked;

#[test]
fn a_request_goes_with_the_current_span_to_another_thread() {
    let recorded = taken_along(|| None);
    let [span] = &recorded.spans[..] else {
        panic!("{recorded:#?}")
    };
    assert_eq!(span["name"], "on another thread");
    assert_eq!(span["parent_id"], recorded.transactions[0]["id"]);
}

#[test]
fn a_request_goes_along_with_a_span_that_is_not_recorded_itself() {
    // As SeaORM makes one around each query.
    let recorded = taken_along(|| Some(trace_span!("of a library").entered()));
    let [span] = &recorded.spans[..] else {
        panic!("{recorded:#?}")
    };
    assert_eq!(span["name"], "on another thread");
    assert_eq!(span["parent_id"], recorded.transactions[0]["id"]);
}

#[test]
fn a_span_that_is_not_recorded_does_not_hide_a_span_by_hand() {
    let recorder = Checked::default();
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    ::tracing::subscriber::with_default(subscriber, || {
        recorder.run(|agent| {
            agent.transaction("job", "task").run(|| {
                let _outer = info_span!("outer").entered();
                let _by_hand = apm_agent::span("by hand", "app");
                let _library = trace_span!("of a library").entered();
                drop(info_span!("inner"));
            });
        });
    });
    let recorded = recorder.take();
    let named = |name: &str| recorded.spans.iter().find(|span| span["name"] == name);
    let (inner, by_hand) = (named("inner").unwrap(), named("by hand").unwrap());
    assert_eq!(inner["parent_id"], by_hand["id"]);
}

/// A request whose handler makes a span on another thread, within what it has opened.
fn taken_along(opened: impl Fn() -> Option<EnteredSpan> + Clone) -> Recorded {
    let recorder = Checked::default();
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    let dispatch = ::tracing::Dispatch::new(subscriber);
    let there = dispatch.clone();
    let service = service_fn(move |_: Request<()>| {
        let _opened = opened();
        let (span, there) = (Span::current(), there.clone());
        // The way in which the threads of sqlx work.
        let worker = std::thread::spawn(move || {
            ::tracing::dispatcher::with_default(&there, || {
                span.in_scope(|| drop(info_span!("on another thread")));
            });
        });
        worker.join().unwrap();
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(
            bytes::Bytes::new(),
        ))))
    });
    let service = ApmLayer::new(&recorder.agent()).layer(service);
    ::tracing::dispatcher::with_default(&dispatch, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let response = service.oneshot(Request::new(())).await.unwrap();
            response.into_body().collect().await.unwrap();
        });
    });
    recorder.take()
}
