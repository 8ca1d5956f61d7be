//! Transactions of the agent's own, where only `tracing` takes its spans along.

use std::convert::Infallible;

use ::tower::util::ServiceExt as _;
use ::tower::{Layer as _, service_fn};
use ::tracing::{Span, info_span};
use apm_agent::tower::ApmLayer;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::Checked;

#[test]
fn a_request_goes_with_the_current_span_to_another_thread() {
    let recorder = Checked::default();
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    let dispatch = ::tracing::Dispatch::new(subscriber);
    let there = dispatch.clone();
    let service = service_fn(move |_: Request<()>| {
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
    let recorded = recorder.take();
    let [span] = &recorded.spans[..] else {
        panic!("{recorded:#?}")
    };
    assert_eq!(span["name"], "on another thread");
    assert_eq!(span["parent_id"], recorded.transactions[0]["id"]);
}
