//! Requests that fail: by an error, a panic, or because nobody waits for them.

use std::panic::AssertUnwindSafe;

use actix_web::dev::{Service, ServiceResponse};
use actix_web::error::{ErrorBadGateway, ErrorUnauthorized};
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpResponse, guard, web};
use futures_util::FutureExt as _;

use super::{Gone, call, only};
use crate::support::Checked;

#[actix_web::test]
async fn an_error_of_a_handler_is_an_error_event_from_500_on() {
    let recorder = Checked::default();
    let app = app!(recorder,
        .route("/gone", web::get().to(async || Err::<&str, _>(Gone)))
        .route("/refused", web::get().to(async || Err::<&str, _>(ErrorUnauthorized("no"))))
        .route("/plain", web::get().to(async || HttpResponse::InternalServerError()))
    );
    call(
        &app,
        TestRequest::with_uri("/gone").insert_header((header::HOST, "example.com")),
    )
    .await;
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["outcome"], "failure");
    assert_eq!(only(&recorded)["result"], "HTTP 5xx");
    let error = &recorded.errors[0];
    assert_eq!(error["exception"]["type"], "Gone");
    assert_eq!(error["exception"]["message"], "the upstream is gone");
    assert_eq!(error["transaction"]["name"], "GET /gone");
    assert_eq!(
        error["context"]["request"]["url"]["full"],
        "http://example.com/gone"
    );
    assert_eq!(error["culprit"], "GET /gone");

    call(&app, TestRequest::with_uri("/refused")).await;
    let recorded = recorder.take();
    assert!(recorded.errors.is_empty());
    assert_eq!(only(&recorded)["outcome"], "success");

    call(&app, TestRequest::with_uri("/plain")).await;
    let recorded = recorder.take();
    assert!(recorded.errors.is_empty());
    assert_eq!(only(&recorded)["outcome"], "failure");
}

#[actix_web::test]
async fn an_error_of_a_middleware_is_recorded_under_its_route() {
    let recorder = Checked::default();
    let refuse = actix_web::middleware::from_fn(
        async |_: actix_web::dev::ServiceRequest,
               _: actix_web::middleware::Next<actix_web::body::BoxBody>| {
            Err::<ServiceResponse, _>(ErrorBadGateway("the gateway is closed"))
        },
    );
    let app = app!(recorder, .route("/users/{id}", web::get().to(async || "never")).wrap(refuse));
    assert_eq!(call(&app, TestRequest::with_uri("/users/7")).await.0, 502);
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "GET /users/{id}");
    assert_eq!(only(&recorded)["context"]["response"]["status_code"], 502);
    assert_eq!(
        recorded.errors[0]["exception"]["message"],
        "the gateway is closed"
    );
}

async fn divide() -> String {
    tokio::task::yield_now().await;
    let number: Option<u32> = "what is not a number".parse().ok();
    number.expect("a number to add to").to_string()
}

#[actix_web::test]
async fn a_panicking_handler_still_ends_its_transaction() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/5xx", web::get().to(divide)));
    let request = app.call(TestRequest::with_uri("/5xx").to_request());
    let panicked = actix_web::rt::spawn(async move { drop(request.await) }).await;
    assert!(panicked.unwrap_err().is_panic());
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "GET /5xx");
    assert_eq!(only(&recorded)["result"], "HTTP 5xx");
    assert_eq!(only(&recorded)["outcome"], "failure");
    let error = &recorded.errors[0];
    assert_eq!(error["exception"]["message"], "a number to add to");
    assert_eq!(error["exception"]["handled"], false);
    assert_eq!(error["transaction_id"], only(&recorded)["id"]);
    assert_eq!(error["transaction"]["name"], "GET /5xx");
}

/// A middleware outside may catch the panic, and keep what is left of the future.
#[actix_web::test]
async fn a_panic_that_is_caught_outside_is_a_failure_and_not_a_request_given_up() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/5xx", web::get().to(divide)));
    let mut request = Box::pin(app.call(TestRequest::with_uri("/5xx").to_request()));
    let unwound = AssertUnwindSafe(request.as_mut()).catch_unwind().await;
    assert!(unwound.is_err());
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "GET /5xx");
    assert_eq!(only(&recorded)["result"], "HTTP 5xx");
    assert_eq!(only(&recorded)["outcome"], "failure");
    assert_eq!(recorded.errors.len(), 1);
    drop(request);
    assert!(recorder.take().transactions.is_empty());
}

#[actix_web::test]
async fn a_caught_panic_is_answered_with_500() {
    let recorder = Checked::default();
    let middleware = recorder.agent().middleware().catch_panics(true);
    let app = init_service(
        App::new()
            .route("/5xx", web::get().to(divide))
            .wrap(middleware),
    )
    .await;
    assert_eq!(call(&app, TestRequest::with_uri("/5xx")).await.0, 500);
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["context"]["response"]["status_code"], 500);
    assert_eq!(
        recorded.errors.len(),
        1,
        "the panic, and not also the answer to it"
    );
}

#[actix_web::test]
async fn a_panic_on_the_blocking_pool_belongs_to_its_request() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(async || {
        apm_agent::actix::block(|| panic!("in the pool")).await.map(|()| "never")
    })));
    assert_eq!(call(&app, TestRequest::get()).await.0, 500);
    let recorded = recorder.take();
    let [error] = &recorded.errors[..] else {
        panic!("{:#?}", recorded.errors)
    };
    assert_eq!(error["exception"]["message"], "in the pool");
    assert_eq!(error["transaction_id"], only(&recorded)["id"]);
}

#[actix_web::test]
async fn a_request_that_is_given_up_is_cancelled() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/slow", web::get().to(async || {
        std::future::pending::<()>().await;
        "never"
    })));
    {
        let mut waiting = std::pin::pin!(app.call(TestRequest::with_uri("/slow").to_request()));
        assert!(waiting.as_mut().now_or_never().is_none());
    }
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "GET /slow");
    assert_eq!(only(&recorded)["result"], "cancelled");
    assert_eq!(only(&recorded)["outcome"], "unknown");
}

/// Two resources fit the path, and guards choose the second one.
#[actix_web::test]
async fn without_a_response_the_name_is_that_of_the_route_that_an_inner_middleware_has_seen() {
    let recorder = Checked::default();
    let middleware = || recorder.agent().middleware();
    let refuse = actix_web::middleware::from_fn(
        async |_: actix_web::dev::ServiceRequest,
               _: actix_web::middleware::Next<actix_web::body::BoxBody>| {
            Err::<ServiceResponse, _>(ErrorBadGateway("the gateway is closed"))
        },
    );
    let app = app!(recorder,
        .service(web::resource("/{first}").guard(guard::Post()).to(async || "first"))
        .service(web::resource("/{panics}").guard(guard::Header("x-way", "panics")).wrap(middleware()).to(divide))
        .service(web::resource("/{waits}").guard(guard::Header("x-way", "waits")).wrap(middleware()).to(async || {
            std::future::pending::<()>().await;
            "never"
        }))
        .service(web::resource("/{refused}").wrap(refuse).wrap(middleware()).to(async || "never"))
    );
    let request = |way: &str| TestRequest::with_uri("/7").insert_header(("x-way", way));

    let panicking = app.call(request("panics").to_request());
    let panicked = actix_web::rt::spawn(async move { drop(panicking.await) }).await;
    assert!(panicked.unwrap_err().is_panic());
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "GET /{panics}");
    assert_eq!(recorded.errors[0]["transaction"]["name"], "GET /{panics}");

    {
        let mut waiting = std::pin::pin!(app.call(request("waits").to_request()));
        assert!(waiting.as_mut().now_or_never().is_none());
    }
    assert_eq!(only(&recorder.take())["name"], "GET /{waits}");

    assert_eq!(call(&app, request("refused")).await.0, 502);
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "GET /{refused}");
    assert_eq!(recorded.errors[0]["culprit"], "GET /{refused}");
}

/// Two resources fit the path, and the method chooses the second one. Only the application is wrapped.
#[actix_web::test]
async fn without_a_response_the_name_is_that_of_the_route_that_answers_such_requests() {
    let recorder = Checked::default();
    let app = app!(recorder,
        .service(web::resource("/{first}").guard(guard::Post()).to(async || "first"))
        .service(web::resource("/{second}").guard(guard::Delete()).to(async |request: actix_web::HttpRequest| {
            match request.headers().get("x-way") {
                Some(way) if way == "panics" => divide().await,
                Some(_) => std::future::pending().await,
                None => "second".to_owned(),
            }
        }))
    );
    let request = |way: &str| {
        TestRequest::with_uri("/7")
            .method(Method::DELETE)
            .insert_header(("x-way", way))
    };
    let cancelled = async || {
        let mut waiting = std::pin::pin!(app.call(request("waits").to_request()));
        assert!(waiting.as_mut().now_or_never().is_none());
    };
    // Nothing was answered yet: of the path alone the first one fits.
    cancelled().await;
    assert_eq!(only(&recorder.take())["name"], "DELETE /{first}");

    let answered = TestRequest::with_uri("/7").method(Method::DELETE);
    assert_eq!(call(&app, answered).await.1, "second");
    assert_eq!(only(&recorder.take())["name"], "DELETE /{second}");
    cancelled().await;
    assert_eq!(only(&recorder.take())["name"], "DELETE /{second}");
    let panicking = app.call(request("panics").to_request());
    let panicked = actix_web::rt::spawn(async move { drop(panicking.await) }).await;
    assert!(panicked.unwrap_err().is_panic());
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "DELETE /{second}");
    assert_eq!(
        recorded.errors[0]["transaction"]["name"],
        "DELETE /{second}"
    );

    // Of another method nothing is known.
    let posted = TestRequest::with_uri("/7").method(Method::POST);
    assert_eq!(call(&app, posted).await.1, "first");
    assert_eq!(only(&recorder.take())["name"], "POST /{first}");
}

/// The payload of a panic may itself panic when it is dropped.
#[actix_web::test]
async fn a_panic_is_caught_whether_or_not_the_request_is_recorded() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("while it is dropped");
        }
    }
    for recording in ["true", "false"] {
        let recorder = Checked::with_options([("recording", recording)]);
        let middleware = recorder.agent().middleware().catch_panics(true);
        let app = App::new()
            .route(
                "/",
                web::get().to(async || -> &str { std::panic::panic_any(Bomb) }),
            )
            .wrap(middleware);
        let app = init_service(app).await;
        assert_eq!(call(&app, TestRequest::get()).await.0, 500);
        let transactions = recorder.take().transactions.len();
        assert_eq!(transactions, usize::from(recording == "true"));
    }
}
