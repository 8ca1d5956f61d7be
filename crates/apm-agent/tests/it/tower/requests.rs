//! Requests: names, contexts, traces, and those that are not recorded.

use ::tower::{Layer as _, ServiceBuilder};
use apm_agent::tower::ApmLayer;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::{get as answer, post};
use serde_json::json;

use super::{call, get, only};
use crate::support::Checked;

fn people(recorder: &Checked) -> Router {
    Router::new()
        .route("/people/{id}", answer(async || "Ada"))
        .route(
            "/people",
            post(async || drop(apm_agent::span("insert", "app"))),
        )
        .layer(ApmLayer::new(&recorder.agent()))
}

#[tokio::test]
async fn a_request_of_axum_is_a_transaction_named_after_its_route() {
    let recorder = Checked::default();
    assert_eq!(
        call(people(&recorder), get("/people/7")).await,
        (200, "Ada".into())
    );
    let recorded = recorder.take();
    let transaction = only(&recorded);
    assert_eq!(transaction["name"], "GET /people/{id}");
    assert_eq!(transaction["type"], "request");
    assert_eq!(transaction["result"], "HTTP 2xx");
    assert_eq!(transaction["outcome"], "success");
}

#[tokio::test]
async fn paths_without_a_route_and_methods_that_nobody_defined_share_a_name() {
    let recorder = Checked::default();
    for number in 0..3 {
        call(people(&recorder), get(&format!("/{number}"))).await;
        let odd = Request::builder().method("BREW").uri("/pot");
        call(people(&recorder), odd.body(Body::empty()).unwrap()).await;
    }
    let recorded = recorder.take();
    let names = recorded
        .transactions
        .iter()
        .map(|transaction| &transaction["name"]);
    let names: std::collections::BTreeSet<_> = names.map(|name| name.as_str().unwrap()).collect();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        ["GET unknown route", "_OTHER unknown route"]
    );
    assert_eq!(recorded.transactions[0]["result"], "HTTP 4xx");
    assert_eq!(recorded.transactions[0]["outcome"], "success");
}

#[tokio::test]
async fn what_a_request_says_is_recorded_without_its_secrets() {
    let recorder = Checked::default();
    let layer =
        ApmLayer::new(&recorder.agent()).peer_address(|extensions| extensions.get().copied());
    let router = Router::new().fallback(async || [("x-token", "s3cret"), ("server", "axum")]);
    let request = Request::get("/people/7?page=2&token=s3cret")
        .header("host", "shop.example:8443")
        .header("cookie", "theme=dark; session=s3cret")
        .header("accept", "text/html")
        .header("accept", "*/*")
        .header("authorization", "Bearer s3cret")
        .header("referer", "https://ada:s3cret@shop.example/?token=s3cret")
        .extension("192.0.2.7".parse::<std::net::IpAddr>().unwrap());
    call(layer.layer(router), request.body(Body::empty()).unwrap()).await;
    let recorded = recorder.take();
    let context = &only(&recorded)["context"];
    assert!(!context.to_string().contains("s3cret"), "{context}");
    assert_eq!(
        context["request"]["url"],
        json!({
            "full": "http://shop.example:8443/people/7?page=2&token=[REDACTED]",
            "hostname": "shop.example",
            "port": 8443,
            "protocol": "http:",
            "pathname": "/people/7",
            "search": "?page=2&token=[REDACTED]",
        })
    );
    assert_eq!(context["request"]["method"], "GET");
    assert_eq!(context["request"]["http_version"], "1.1");
    assert_eq!(
        context["request"]["cookies"],
        json!({"theme": "dark", "session": "[REDACTED]"})
    );
    assert_eq!(
        context["request"]["headers"]["accept"],
        json!(["text/html", "*/*"])
    );
    assert_eq!(context["request"]["headers"]["authorization"], "[REDACTED]");
    assert_eq!(context["request"]["headers"]["cookie"], json!(null));
    assert_eq!(context["request"]["socket"]["remote_address"], "192.0.2.7");
    assert_eq!(context["response"]["status_code"], 200);
    assert_eq!(context["response"]["headers"]["server"], "axum");
    assert_eq!(context["response"]["headers"]["x-token"], "[REDACTED]");
}

#[tokio::test]
async fn the_address_of_a_proxy_counts_where_that_is_asked_for() {
    for (option, expected) in [
        ("false", "http://inner/"),
        ("true", "https://shop.example/"),
    ] {
        let recorder = Checked::with_options([("use_forwarded_headers", option)]);
        let request = Request::get("/")
            .header("host", "inner")
            .header("forwarded", "proto=https;host=shop.example");
        call(people(&recorder), request.body(Body::empty()).unwrap()).await;
        let recorded = recorder.take();
        assert_eq!(
            only(&recorded)["context"]["request"]["url"]["full"],
            expected
        );
    }
}

#[tokio::test]
async fn a_request_joins_the_trace_of_its_caller() {
    let recorder = Checked::default();
    let request = Request::post("/people")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .header("tracestate", "es=s:0.5");
    call(people(&recorder), request.body(Body::empty()).unwrap()).await;
    let recorded = recorder.take();
    let transaction = only(&recorded);
    assert_eq!(transaction["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(transaction["parent_id"], "b7ad6b7169203331");
    assert_eq!(transaction["sample_rate"], 0.5);
    assert_eq!(recorded.spans[0]["name"], "insert");
    assert_eq!(recorded.spans[0]["parent_id"], transaction["id"]);
    assert!(apm_agent::current_trace_ids().is_none());
}

#[tokio::test]
async fn one_request_is_one_transaction_however_often_it_meets_the_layer() {
    let recorder = Checked::default();
    let layer = ApmLayer::new(&recorder.agent());
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(people(&recorder));
    call(service, get("/people/7")).await;
    let recorded = recorder.take();
    assert_eq!(only(&recorded)["name"], "GET /people/{id}");
    assert_eq!(only(&recorded)["context"]["response"]["status_code"], 200);
}

#[tokio::test]
async fn a_request_within_a_request_is_a_transaction_of_its_own() {
    let recorder = Checked::default();
    let inner = people(&recorder);
    let outer = Router::new()
        .route(
            "/outer",
            answer(async move || call(inner, get("/people/7")).await.1),
        )
        .layer(ApmLayer::new(&recorder.agent()));
    call(outer, get("/outer")).await;
    let recorded = recorder.take();
    assert_eq!(recorded.transactions[0]["name"], "GET /people/{id}");
    assert_eq!(recorded.transactions[1]["name"], "GET /outer");
}

#[tokio::test]
async fn other_routers_say_their_route_by_a_function() {
    #[derive(Clone)]
    struct Route(&'static str);

    let recorder = Checked::default();
    let layer = ApmLayer::new(&recorder.agent())
        .route(|extensions| extensions.get::<Route>().map(|route| route.0));
    let mut request = get("/people/7");
    request.extensions_mut().insert(Route("/people/:id"));
    call(layer.layer(Router::new()), request).await;
    assert_eq!(only(&recorder.take())["name"], "GET /people/:id");
}

#[tokio::test]
async fn what_the_service_does_not_want_to_hear_of_is_not_recorded() {
    let recorder = Checked::with_options([
        ("transaction_ignore_urls", "/health*"),
        ("transaction_ignore_user_agents", "probe*"),
    ]);
    call(people(&recorder), get("/healthz")).await;
    let request = Request::get("/people/7").header("user-agent", "probe/1");
    call(people(&recorder), request.body(Body::empty()).unwrap()).await;
    assert!(recorder.take().transactions.is_empty());

    let recorder = Checked::with_options([("recording", "false")]);
    assert_eq!(call(people(&recorder), get("/people/7")).await.0, 200);
    assert!(recorder.take().transactions.is_empty());
}

#[tokio::test]
async fn settings_of_one_agent_do_not_decide_for_another_on_the_same_thread() {
    let open = Checked::with_options([("sanitize_field_names", "nothing")]);
    let shut = Checked::default();
    for (recorder, expected) in [(&open, "abc"), (&shut, "[REDACTED]"), (&open, "abc")] {
        let request = Request::get("/").header("x-api-token", "abc");
        call(people(recorder), request.body(Body::empty()).unwrap()).await;
        let recorded = recorder.take();
        let headers = &only(&recorded)["context"]["request"]["headers"];
        assert_eq!(headers["x-api-token"], expected);
    }
}
