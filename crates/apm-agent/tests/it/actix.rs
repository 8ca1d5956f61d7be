//! The middleware for actix-web.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::error::{ErrorBadGateway, ErrorUnauthorized};
use actix_web::http::{Method, header};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Bytes};
use actix_web::{App, Error, HttpResponse, Responder, guard};
use apm_agent::testing::Recorded;
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use crate::support::Checked;

/// Calls an application and sends its body to the end.
async fn call<B: MessageBody>(
    app: &impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    request: TestRequest,
) -> (u16, Bytes) {
    match app.call(request.to_request()).await {
        Ok(response) => {
            let status = response.status().as_u16();
            (
                status,
                to_bytes(response.into_body()).await.unwrap_or_default(),
            )
        }
        Err(error) => (
            error.as_response_error().status_code().as_u16(),
            Bytes::new(),
        ),
    }
}

macro_rules! app {
    ($recorder:expr, $($part:tt)*) => {
        init_service(App::new()$($part)*.wrap($recorder.agent().middleware())).await
    };
}

fn only(recorded: &Recorded) -> &Value {
    let [transaction] = &recorded.transactions[..] else {
        panic!("{recorded:#?}")
    };
    transaction
}

#[actix_web::test]
async fn a_request_is_a_transaction_named_after_its_route() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/users/{id}", web::get().to(async || "hello")));
    let request = TestRequest::get()
        .uri("/users/7?page=2&x=%22")
        .peer_addr("192.0.2.7:4711".parse().unwrap())
        .insert_header((header::HOST, "example.com:8080"))
        .insert_header((header::USER_AGENT, "curl/8"))
        .insert_header((header::AUTHORIZATION, "Bearer s3cret"))
        .insert_header((header::COOKIE, "session=s3cret; theme=dark"))
        .append_header(("x-twice", "1"))
        .append_header(("x-twice", "2"));
    assert_eq!(
        call(&app, request).await,
        (200, Bytes::from_static(b"hello"))
    );
    let recorded = recorder.take();
    let transaction = only(&recorded);
    assert_eq!(transaction["name"], "GET /users/{id}");
    assert_eq!(transaction["type"], "request");
    assert_eq!(transaction["result"], "HTTP 2xx");
    assert_eq!(transaction["outcome"], "success");
    let request = &transaction["context"]["request"];
    assert_eq!(request["method"], "GET");
    assert_eq!(request["http_version"], "1.1");
    assert_eq!(
        request["url"],
        json!({
            "full": "http://example.com:8080/users/7?page=2&x=%22", "hostname": "example.com", "port": 8080,
            "protocol": "http:", "pathname": "/users/7", "search": "?page=2&x=%22",
        })
    );
    assert_eq!(request["socket"]["remote_address"], "192.0.2.7");
    assert_eq!(request["headers"]["user-agent"], "curl/8");
    assert_eq!(request["headers"]["authorization"], "[REDACTED]");
    assert_eq!(request["headers"]["x-twice"], json!(["1", "2"]));
    assert_eq!(
        request["cookies"],
        json!({"session": "[REDACTED]", "theme": "dark"})
    );
    assert!(!transaction.to_string().contains("s3cret"));
    assert_eq!(transaction["context"]["response"]["status_code"], 200);
    assert!(transaction["context"]["response"]["headers"]["content-type"].is_string());
    assert_eq!(
        recorded.metadata[0]["service"]["framework"]["name"],
        "actix-web"
    );
}

#[actix_web::test]
async fn names_follow_the_route_that_answered() {
    let recorder = Checked::default();
    let app = app!(recorder,
        .service(web::resource("/g/{a}").guard(guard::Header("x-way", "a")).to(async || "a"))
        .service(web::resource("/g/{b}").to(async || "b"))
        .service(web::resource("/only-get").route(web::get().to(async || "got")))
        .service(web::scope("/api").route("/things/{id}", web::get().to(async |id: web::Path<u32>| id.to_string())))
    );
    let table = [
        (Method::GET, "/g/1", "GET /g/{b}", "HTTP 2xx"),
        (Method::GET, "/nope", "GET unknown route", "HTTP 4xx"),
        (Method::GET, "/api/nope", "GET unknown route", "HTTP 4xx"),
        (
            Method::GET,
            "/api/things/7",
            "GET /api/things/{id}",
            "HTTP 2xx",
        ),
        (
            Method::GET,
            "/api/things/x",
            "GET /api/things/{id}",
            "HTTP 4xx",
        ),
        (Method::POST, "/only-get", "POST /only-get", "HTTP 4xx"),
    ];
    for (method, path, name, result) in table {
        call(&app, TestRequest::with_uri(path).method(method)).await;
        let recorded = recorder.take();
        let transaction = only(&recorded);
        assert_eq!(
            (&transaction["name"], &transaction["result"]),
            (&name.into(), &result.into()),
            "{path}"
        );
        assert_eq!(transaction["outcome"], "success");
    }
}

#[actix_web::test]
async fn a_trace_of_the_caller_is_joined() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(async || apm_agent::current_transaction().unwrap().traceparent())));
    let request = TestRequest::get()
        .insert_header((
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ))
        .insert_header(("tracestate", "es=s:0.5,other=x"));
    let (_, body) = call(&app, request).await;
    let recorded = recorder.take();
    let transaction = only(&recorded);
    assert_eq!(transaction["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(transaction["parent_id"], "b7ad6b7169203331");
    assert_eq!(transaction["sample_rate"], 0.5);
    let expected = format!(
        "00-0af7651916cd43dd8448eb211c80319c-{}-01",
        transaction["id"].as_str().unwrap()
    );
    assert_eq!(body, expected);
}

#[derive(Debug, thiserror::Error)]
#[error("the upstream is gone")]
struct Gone;

impl actix_web::ResponseError for Gone {}

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
        apm_agent::web::block(|| panic!("in the pool")).await.map(|()| "never")
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

#[actix_web::test]
async fn context_reaches_the_blocking_pool_and_spawned_tasks_and_nothing_else() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(async || {
        let ids = apm_agent::current_trace_ids();
        assert!(ids.is_some());
        assert_eq!(apm_agent::web::block(apm_agent::current_trace_ids).await.unwrap(), ids);
        assert_eq!(apm_agent::spawn(async { apm_agent::current_trace_ids() }).await.unwrap(), ids);
        assert_eq!(web::block(apm_agent::current_trace_ids).await.unwrap(), None);
        "ok"
    })));
    assert_eq!(call(&app, TestRequest::get()).await.0, 200);
    assert_eq!(apm_agent::current_trace_ids(), None);
}

/// A body in three chunks that looks at the context.
struct Chunks(u8);

impl MessageBody for Chunks {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Error>>> {
        drop(apm_agent::span(format!("chunk {}", self.0), "app"));
        std::thread::sleep(Duration::from_millis(5));
        self.0 += 1;
        Poll::Ready((self.0 <= 3).then(|| Ok(Bytes::from_static(b"chunk"))))
    }
}

#[actix_web::test]
async fn a_streamed_body_is_timed_to_its_end_and_runs_in_context() {
    let recorder = Checked::default();
    let app =
        app!(recorder, .route("/", web::get().to(async || HttpResponse::Ok().body(Chunks(0)))));
    call(&app, TestRequest::get()).await;
    let recorded = recorder.take();
    assert!(only(&recorded)["duration"].as_f64().unwrap() >= 15.0);
    assert_eq!(recorded.spans.len(), 4);
    assert!(only(&recorded)["context"]["response"]["finished"].is_null());
}

#[actix_web::test]
async fn a_body_that_is_given_up_says_so() {
    let recorder = Checked::default();
    let app =
        app!(recorder, .route("/", web::get().to(async || HttpResponse::Ok().body(Chunks(0)))));
    drop(app.call(TestRequest::get().to_request()).await.unwrap());
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["context"]["response"]["finished"], false);
    assert_eq!(only(&recorded)["outcome"], "success");
}

#[actix_web::test]
async fn an_event_stream_ends_its_transaction_at_the_head() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(async || {
        HttpResponse::Ok().content_type("text/event-stream").body(Chunks(0))
    })));
    let response = app.call(TestRequest::get().to_request()).await.unwrap();
    assert_eq!(recorder.take().transactions.len(), 1);
    drop(response);
    assert!(recorder.take().transactions.is_empty());
}

#[actix_web::test]
async fn requests_that_nobody_wants_to_see_are_not_recorded() {
    let recorder = Checked::with_options([
        ("transaction_ignore_urls", "/health*"),
        ("transaction_ignore_user_agents", "*probe*"),
    ]);
    let app = app!(recorder, .default_service(web::to(async || "ok")));
    call(&app, TestRequest::with_uri("/healthz?x")).await;
    call(
        &app,
        TestRequest::with_uri("/").insert_header((header::USER_AGENT, "kube-Probe/1")),
    )
    .await;
    assert!(recorder.take().transactions.is_empty());
    call(&app, TestRequest::with_uri("/x/health")).await;
    assert_eq!(recorder.take().transactions.len(), 1);
}

#[actix_web::test]
async fn without_headers_none_are_recorded() {
    let recorder = Checked::with_options([("capture_headers", "false")]);
    let app = app!(recorder, .default_service(web::to(async || "ok")));
    call(&app, TestRequest::get().insert_header(("x-one", "1"))).await;
    let recorded = recorder.take();
    assert!(only(&recorded)["context"]["request"]["headers"].is_null());
    assert!(only(&recorded)["context"]["response"]["headers"].is_null());
}

#[actix_web::test]
async fn hostile_requests_stay_within_the_limits_of_an_event() {
    let recorder = Checked::default();
    let app = app!(recorder, .default_service(web::to(async || "ok")));
    let mut request = TestRequest::with_uri(&format!("/{}?{}", "p".repeat(3000), "q".repeat(3000)))
        .insert_header((header::HOST, "\"evil\\host\":99999"))
        .insert_header((header::COOKIE, "c=x; ".repeat(20_000)));
    for number in 0..200 {
        request = request.insert_header((format!("x-{number}"), "v".repeat(4000)));
    }
    call(&app, request).await;
    let recorded = recorder.take();
    assert!(only(&recorded).to_string().len() < 128 * 1024);
}

#[actix_web::test]
async fn switched_off_the_middleware_passes_everything_through() {
    for option in ["enabled", "recording"] {
        let recorder = Checked::with_options([(option, "false")]);
        let app = app!(recorder, .default_service(web::to(async || "ok")));
        assert_eq!(call(&app, TestRequest::get()).await.1, "ok");
        assert!(recorder.take().transactions.is_empty());
    }
}

/// Work in `call` itself, before the future.
#[actix_web::test]
async fn a_service_that_works_before_its_future_is_inside_the_transaction() {
    struct Eager;
    impl Responder for Eager {
        type Body = actix_web::body::BoxBody;
        fn respond_to(self, _: &actix_web::HttpRequest) -> HttpResponse {
            HttpResponse::Ok().finish()
        }
    }
    fn handler() -> Ready<Eager> {
        drop(apm_agent::span("eager", "app"));
        ready(Eager)
    }
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(handler)));
    call(&app, TestRequest::get()).await;
    assert_eq!(recorder.take().spans[0]["name"], "eager");
}

#[actix_web::test]
async fn names_can_be_grouped_by_patterns() {
    let recorder = Checked::with_options([("transaction_name_groups", "GET /v1/*, GET /*")]);
    let app = app!(recorder, .route("/v1/{thing}", web::get().to(async || Err::<&str, _>(Gone))));
    call(&app, TestRequest::with_uri("/v1/7")).await;
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "GET /v1/*");
    assert_eq!(recorded.errors[0]["transaction"]["name"], "GET /v1/*");
}

#[actix_web::test]
async fn a_body_is_recorded_where_it_is_wanted_and_reaches_the_handler_whole() {
    let table = [
        ("off", false, false),
        ("errors", false, true),
        ("transactions", true, false),
        ("all", true, true),
    ];
    for (mode, in_transaction, in_error) in table {
        let recorder = Checked::with_options([("capture_body", mode)]);
        let app = app!(recorder, .route("/", web::post().to(async |body: String| {
            assert_eq!(body.len(), 20_003);
            Err::<&str, _>(Gone)
        })));
        let request = TestRequest::post()
            .insert_header((header::CONTENT_TYPE, "text/plain"))
            .set_payload(format!("\"é{}", "x".repeat(20_000)));
        call(&app, request).await;
        let recorded = recorder.take();
        let body = |event: &Value| {
            event["context"]["request"]["body"]
                .as_str()
                .map(|body| body.chars().count())
        };
        assert_eq!(
            body(only(&recorded)),
            in_transaction.then_some(10_000),
            "{mode}"
        );
        assert_eq!(
            body(&recorded.errors[0]),
            in_error.then_some(10_000),
            "{mode}"
        );
        assert_eq!(only(&recorded)["context"]["response"]["status_code"], 500);
    }
}

#[actix_web::test]
async fn the_secrets_of_a_form_are_not_recorded() {
    let recorder = Checked::with_options([("capture_body", "all")]);
    let app = app!(recorder, .route("/", web::post().to(async |body: String| body)));
    let request = TestRequest::post()
        .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
        .set_payload("user=ruan&password=s3cret");
    assert_eq!(call(&app, request).await.1, "user=ruan&password=s3cret");
    let recorded = recorder.take();
    assert_eq!(
        only(&recorded)["context"]["request"]["body"],
        json!({"user": "ruan", "password": "[REDACTED]"})
    );
}

#[actix_web::test]
async fn a_body_that_nobody_reads_or_that_is_no_text_is_left_alone() {
    let recorder = Checked::with_options([("capture_body", "all")]);
    let app = app!(recorder,
        .route("/unread", web::post().to(async || "ok"))
        .route("/binary", web::post().to(async |body: Bytes| body))
    );
    for (path, kind) in [("/unread", "text/plain"), ("/binary", "image/png")] {
        let request = TestRequest::post()
            .uri(path)
            .insert_header((header::CONTENT_TYPE, kind))
            .set_payload("abc");
        call(&app, request).await;
        let recorded = recorder.take();
        assert!(
            only(&recorded)["context"]["request"]["body"].is_null(),
            "{path}"
        );
    }
}
