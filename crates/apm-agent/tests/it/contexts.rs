//! A context stays with its own request, whatever the service does with guards.

use std::cell::{Cell, RefCell};
use std::mem;
use std::rc::Rc;

use ::tracing::info_span;
use actix_web::test::TestRequest;
use actix_web::web;
use apm_agent::testing::Recorded;
use apm_agent::{SpanGuard, current_trace_ids, current_transaction, in_span, span};
use futures_util::FutureExt as _;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::task::yield_now;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::Checked;

macro_rules! app {
    ($recorder:expr, $($part:tt)*) => {
        actix_web::test::init_service(
            actix_web::App::new()$($part)*.wrap($recorder.agent().middleware())
        ).await
    };
}

/// Sends a request and reads its answer to the end.
macro_rules! get {
    ($app:expr, $path:expr) => {
        actix_web::test::call_and_read_body(&$app, TestRequest::with_uri($path).to_request())
    };
}

/// That every span lies in the transaction of the same number: `step-7-…` in the one that is labelled `number: 7`.
fn assert_own(recorded: &Recorded) {
    for span in &recorded.spans {
        let name = span["name"].as_str().unwrap();
        let number: u64 = name.split('-').nth(1).unwrap().parse().unwrap();
        let owner = recorded
            .transactions
            .iter()
            .find(|transaction| transaction["context"]["tags"]["number"] == number)
            .unwrap();
        assert_eq!(span["transaction_id"], owner["id"], "{name}");
        assert_eq!(span["trace_id"], owner["trace_id"], "{name}");
    }
}

fn number_it(number: u64) {
    current_transaction().unwrap().set_label("number", number);
}

#[actix_web::test]
async fn a_span_that_is_held_across_an_await_stays_in_its_request() {
    let recorder = Checked::uncompressed();
    let app = app!(recorder, .route("/{number}", web::get().to(async |number: web::Path<u64>| {
        number_it(*number);
        let _outer = span(format!("step-{number}-outer"), "app");
        yield_now().await;
        let _inner = span(format!("step-{number}-inner"), "app");
        for _ in 0..number.into_inner() % 5 {
            yield_now().await;
        }
        "done"
    })));
    join_all((0..60).map(|number| get!(app, &format!("/{number}")))).await;
    assert_eq!(current_trace_ids(), None);
    let recorded = recorder.take();
    assert_eq!(recorded.transactions.len(), 60);
    assert_eq!(recorded.spans.len(), 120);
    assert_own(&recorded);
    for inner in recorded.spans.iter().filter(|span| {
        let name = span["name"].as_str().unwrap();
        name.ends_with("inner")
    }) {
        let outer = inner["name"].as_str().unwrap().replace("inner", "outer");
        let outer = recorded.spans.iter().find(|span| span["name"] == outer);
        assert_eq!(inner["parent_id"], outer.unwrap()["id"]);
    }
}

#[actix_web::test]
async fn a_request_that_is_given_up_with_an_open_guard_leaves_nothing_on_its_worker() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/{number}", web::get().to(async |number: web::Path<u64>| {
        number_it(*number);
        let _open = span(format!("step-{number}-open"), "app");
        std::future::pending::<()>().await;
        "never"
    })));
    for number in 0..20 {
        let request = get!(app, &format!("/{number}"));
        assert!(request.now_or_never().is_none());
        // The rest runs on the same worker, for no request at all.
        assert_eq!(current_trace_ids(), None);
        drop(span("unrelated", "app"));
    }
    let recorded = recorder.take();
    assert_eq!(recorded.transactions.len(), 20);
    assert_eq!(recorded.spans.len(), 20, "and none of the unrelated ones");
    assert_own(&recorded);
}

#[actix_web::test]
async fn a_request_that_is_given_up_while_another_runs_does_not_take_its_place() {
    let recorder = Checked::default();
    let app = app!(recorder,
        .route("/given-up", web::get().to(async || {
            let _open = span("open", "app");
            let _context = apm_agent::Context::current().enter();
            std::future::pending::<()>().await;
            "never"
        }))
        .route("/other", web::get().to(async || "other"))
    );
    recorder.run(|agent| {
        let mut given_up = Box::pin(get!(app, "/given-up"));
        assert!((&mut given_up).now_or_never().is_none());
        let other = agent.transaction("other", "task");
        other.run(|| {
            let own = current_trace_ids();
            drop(given_up);
            assert_eq!(current_trace_ids(), own);
            drop(span("step", "app"));
        });
    });
    let recorded = recorder.take();
    let named = |name: &str| {
        let all = recorded.spans.iter().chain(&recorded.transactions);
        all.clone().find(|it| it["name"] == name).unwrap()
    };
    assert_eq!(named("step")["transaction_id"], named("other")["id"]);
    assert_eq!(named("GET /given-up")["result"], "cancelled");
}

#[actix_web::test]
async fn spans_of_tracing_that_are_entered_across_an_await_stay_in_their_requests() {
    let recorder = Checked::uncompressed();
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    let _default = ::tracing::subscriber::set_default(subscriber);
    let app = app!(recorder, .route("/{number}", web::get().to(async |number: web::Path<u64>| {
        number_it(*number);
        let own = current_transaction().unwrap().traceparent()[..35].to_owned();
        let work = info_span!("work", number = *number);
        let entered = work.enter();
        for _ in 0..*number % 4 + 1 {
            yield_now().await;
            assert_eq!(current_transaction().unwrap().traceparent()[..35], own);
        }
        drop(span(format!("step-{number}-below"), "app"));
        yield_now().await;
        drop(entered);
        "done"
    })));
    join_all((0..30).map(|number| get!(app, &format!("/{number}")))).await;
    assert_eq!(current_trace_ids(), None);
    let mut recorded = recorder.take();
    assert_eq!(recorded.transactions.len(), 30, "one for each answer");
    for span in &mut recorded.spans {
        if span["name"] == "work" {
            span["name"] = format!("step-{}-work", span["context"]["tags"]["number"]).into();
        }
    }
    assert_eq!(recorded.spans.len(), 60);
    assert_own(&recorded);
}

#[actix_web::test]
async fn guards_that_are_forgotten_are_gone_with_their_request() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(async || {
        mem::forget(span("in the handler", "app"));
        mem::forget(apm_agent::Context::current().enter());
        yield_now().await;
        apm_agent::actix::block(|| {
            mem::forget(span("in the pool", "app"));
            mem::forget(apm_agent::Context::current().enter());
        }).await?;
        // Another piece of work on the same threads.
        let blocks = (0..8).map(|_| web::block(current_trace_ids));
        for ids in join_all(blocks).await {
            assert_eq!(ids?, None);
        }
        actix_web::Result::<_>::Ok("done")
    })));
    get!(app, "/").await;
    assert_eq!(current_trace_ids(), None);
    assert_eq!(recorder.take().transactions.len(), 1);
}

#[test]
fn a_guard_that_is_forgotten_on_a_thread_does_not_outlive_its_transaction() {
    let recorder = Checked::default();
    recorder.run(|agent| {
        let first = agent.transaction("first", "task");
        mem::forget(first.enter());
        mem::forget(span("forgotten", "app"));
        assert!(current_trace_ids().is_some());
        drop(first);
        assert_eq!(current_trace_ids(), None);
        let second = agent.transaction("second", "task");
        let entered = second.enter();
        drop(span("step", "app"));
        drop(entered);
        drop(second);
        drop(span("unrelated", "app"));
    });
    let recorded = recorder.take();
    assert_eq!(recorded.spans.len(), 1);
    assert_eq!(
        recorded.spans[0]["transaction_id"],
        recorded.transactions[1]["id"]
    );
}

#[test]
fn guards_are_left_in_any_order() {
    let recorder = Checked::default();
    recorder.run(|agent| {
        let transaction = agent.transaction("job", "task");
        let entered = transaction.enter();
        let (first, second) = (span("first", "app"), span("second", "app"));
        let id = || current_trace_ids().unwrap().span_id;
        drop(first);
        assert_eq!(id(), second.id());
        drop(second);
        assert_eq!(id(), None);
        drop(entered);
        assert_eq!(current_trace_ids(), None);
    });
}

#[test]
fn tasks_on_one_thread_do_not_see_each_others_guards() {
    let recorder = Checked::default();
    recorder.run(|agent| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            let jobs = (0..10_u64).map(|number| {
                let transaction = agent.transaction("job", "task");
                tokio::task::spawn_local(async move {
                    let _entered = transaction.enter();
                    number_it(number);
                    for _ in 0..number % 3 + 1 {
                        yield_now().await;
                        drop(span(format!("step-{number}-a"), "app"));
                    }
                })
            });
            let bystander = tokio::task::spawn_local(async {
                for _ in 0..6 {
                    assert_eq!(current_trace_ids(), None);
                    yield_now().await;
                }
            });
            for done in join_all(jobs.chain([bystander])).await {
                done.unwrap();
            }
        });
        assert_eq!(current_trace_ids(), None);
    });
    let recorded = recorder.take();
    assert_eq!(recorded.transactions.len(), 10);
    assert_eq!(recorded.spans.len(), 19);
    assert_own(&recorded);
}

/// The spans that requests hand to each other.
type Pool = Rc<RefCell<Vec<SpanGuard>>>;

/// Does at random what a service might do with guards; all the time its own transaction must be current.
async fn misbehave(number: u64, pool: Pool) {
    number_it(number);
    let own = current_trace_ids().unwrap().transaction_id;
    let mut random = fastrand::Rng::with_seed(number);
    let mut open = Vec::new();
    let log = info_span!("tracing", number);
    for step in 0..random.u32(5..40) {
        let name = format!("step-{number}-{step}");
        match random.u8(0..10) {
            0..=2 => open.push(span(name, "app")),
            3 if !open.is_empty() => drop(open.swap_remove(random.usize(..open.len()))),
            4 => {
                let inner = in_span(name, "app", async {
                    let _held = span(format!("step-{number}-held"), "app");
                    yield_now().await;
                    assert_eq!(current_trace_ids().unwrap().transaction_id, own);
                });
                inner.await;
            }
            5 => pool.borrow_mut().extend(open.pop()),
            6 => drop(pool.borrow_mut().pop()),
            7 if step % 7 == 0 => mem::forget(span(name, "app")),
            8 => {
                let entered = log.enter();
                yield_now().await;
                assert_eq!(current_trace_ids().unwrap().transaction_id, own);
                if step % 5 == 0 {
                    mem::forget(entered);
                }
            }
            _ => yield_now().await,
        }
        assert_eq!(current_trace_ids().unwrap().transaction_id, own);
    }
}

#[actix_web::test]
async fn many_requests_that_mix_up_their_guards_keep_their_own_transactions() {
    const REQUESTS: u64 = 400;
    let recorder = Checked::with_options([
        ("span_compression_enabled", "false"),
        ("transaction_max_spans", "10000"),
    ]);
    let subscriber = tracing_subscriber::registry().with(apm_agent::tracing::layer());
    let _default = ::tracing::subscriber::set_default(subscriber);
    let pool = Pool::default();
    let shared = Rc::clone(&pool);
    let begun = Rc::new(Cell::new(0));
    let count = Rc::clone(&begun);
    let app = app!(recorder, .route("/{number}", web::get().to(move |number: web::Path<u64>| {
        let pool = Rc::clone(&shared);
        count.set(count.get() + 1);
        async move {
            misbehave(*number, pool).await;
            "done"
        }
    })));
    let mut random = fastrand::Rng::with_seed(7);
    let mut running = FuturesUnordered::new();
    for number in 0..REQUESTS {
        running.push(get!(app, &format!("/{number}")).boxed_local());
        if random.u8(0..60) == 0 {
            // All clients go away at once.
            running.clear();
        } else {
            for _ in 0..random.u8(0..3) {
                let _ = running.next().now_or_never();
            }
        }
        assert_eq!(current_trace_ids(), None);
    }
    while running.next().await.is_some() {}
    pool.borrow_mut().clear();
    assert_eq!(current_trace_ids(), None);
    let mut recorded = recorder.take();
    assert!(begun.get() > 200, "{}", begun.get());
    assert_eq!(recorded.transactions.len(), begun.get());
    recorded.spans.retain(|span| span["name"] != "tracing");
    assert!(recorded.spans.len() > 500, "{}", recorded.spans.len());
    assert_own(&recorded);
}
