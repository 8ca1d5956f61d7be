//! The transaction of a request, member by member.

use std::future::{Ready, ready};

use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use actix_web::web::{self, Bytes};
use actix_web::{HttpResponse, Responder, guard};
use serde_json::json;

use super::{Gone, call, only};
use crate::support::Checked;

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
    let handler = async || apm_agent::current_transaction().unwrap().traceparent();
    let app = app!(recorder, .route("/", web::get().to(handler)));
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
async fn context_reaches_the_blocking_pool_and_spawned_tasks_and_nothing_else() {
    let recorder = Checked::default();
    let app = app!(recorder, .route("/", web::get().to(async || {
        let ids = apm_agent::current_trace_ids();
        assert!(ids.is_some());
        assert_eq!(apm_agent::actix::block(apm_agent::current_trace_ids).await.unwrap(), ids);
        assert_eq!(apm_agent::actix::spawn(async { apm_agent::current_trace_ids() }).await.unwrap(), ids);
        assert_eq!(web::block(apm_agent::current_trace_ids).await.unwrap(), None);
        "ok"
    })));
    assert_eq!(call(&app, TestRequest::get()).await.0, 200);
    assert_eq!(apm_agent::current_trace_ids(), None);
}

#[actix_web::test]
async fn a_request_that_meets_the_middleware_twice_is_one_transaction() {
    let recorder = Checked::default();
    let middleware = || recorder.agent().middleware();
    let app = app!(recorder,
        .service(web::scope("/api").wrap(middleware()).service(
            web::resource("/things/{id}").wrap(middleware()).to(async || {
                tokio::task::yield_now().await;
                drop(apm_agent::span("step", "app"));
                "thing"
            }),
        ))
        .route("/failing", web::get().to(async || Err::<&str, _>(Gone)).wrap(middleware()))
    );
    for (path, name, status) in [
        ("/api/things/7", "GET /api/things/{id}", 200),
        ("/api/nothing", "GET unknown route", 404),
        ("/failing", "GET /failing", 500),
    ] {
        assert_eq!(call(&app, TestRequest::with_uri(path)).await.0, status);
        let recorded = recorder.take();
        assert_eq!(only(&recorded)["name"], name);
        assert_eq!(
            only(&recorded)["context"]["response"]["status_code"],
            status
        );
        for span in &recorded.spans {
            assert_eq!(span["parent_id"], only(&recorded)["id"]);
        }
        assert_eq!(recorded.errors.len(), usize::from(status == 500));
    }
}

/// A request that a handler makes to another service in its own process is a request of its own.
#[actix_web::test]
async fn a_request_within_a_request_is_another_transaction() {
    let recorder = Checked::default();
    let inner = app!(recorder, .route("/inner", web::get().to(async || "inner")));
    let inner = std::rc::Rc::new(inner);
    let app = app!(recorder, .route("/outer", web::get().to(move || {
        let inner = std::rc::Rc::clone(&inner);
        async move { call(&*inner, TestRequest::with_uri("/inner")).await.1 }
    })));
    assert_eq!(call(&app, TestRequest::with_uri("/outer")).await.1, "inner");
    let transactions = recorder.take().transactions;
    let names = transactions.iter().map(|it| it["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["GET /inner", "GET /outer"]);
}

#[actix_web::test]
async fn two_agents_record_a_request_each() {
    let (one, other) = (Checked::default(), Checked::default());
    let app = app!(one, .route("/", web::get().to(async || "ok")).wrap(other.agent().middleware()));
    call(&app, TestRequest::get()).await;
    assert_eq!(one.take().transactions.len(), 1);
    assert_eq!(other.take().transactions.len(), 1);
}

#[actix_web::test]
async fn the_address_is_what_the_proxy_was_asked_for_where_its_headers_are_trusted() {
    let trusting = Checked::with_options([("use_forwarded_headers", "true")]);
    let careful = Checked::default();
    let forwarded = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example:8443, inner.example"),
    ];
    let table: [(&[(&str, &str)], &str); 6] = [
        (&[], "http://10.0.0.7:8080/x?y=1"),
        (&forwarded, "https://shop.example:8443/x?y=1"),
        (&forwarded[..1], "https://10.0.0.7:8080/x?y=1"),
        (
            &[(
                "forwarded",
                "for=192.0.2.1;proto=https;host=\"shop.example\"",
            )],
            "https://shop.example/x?y=1",
        ),
        (
            &[
                ("x-forwarded-host", "evil.example/?"),
                ("x-forwarded-proto", "javascript"),
            ],
            "http://10.0.0.7:8080/x?y=1",
        ),
        (
            &[("x-forwarded-host", "user:password@evil.example")],
            "http://10.0.0.7:8080/x?y=1",
        ),
    ];
    for (headers, trusted) in table {
        for (recorder, expected) in [
            (&trusting, trusted),
            (&careful, "http://10.0.0.7:8080/x?y=1"),
        ] {
            let app = app!(recorder, .default_service(web::to(async || "ok")));
            let mut request =
                TestRequest::with_uri("/x?y=1").insert_header((header::HOST, "10.0.0.7:8080"));
            for header in headers {
                request = request.insert_header(*header);
            }
            call(&app, request).await;
            let recorded = recorder.take();
            let url = &only(&recorded)["context"]["request"]["url"];
            assert_eq!(url["full"], expected, "{headers:?}");
            let host = expected
                .split("://")
                .nth(1)
                .unwrap()
                .split([':', '/'])
                .next()
                .unwrap();
            assert_eq!(url["hostname"], host);
            let protocol = expected.split_once("//").unwrap().0;
            assert_eq!(url["protocol"], protocol);
        }
    }
}
