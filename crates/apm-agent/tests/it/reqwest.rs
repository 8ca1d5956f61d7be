//! Requests that a service makes with reqwest.

use std::net::SocketAddr;

use ::reqwest::Client;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use apm_agent::reqwest::{ApmClientMiddleware, RequestBuilderExt as _};
use test_support::alone;

use crate::support::Checked;
use crate::support::server::nobody;

/// A client that trusts nobody: the tests speak plain HTTP.
fn client() -> Client {
    let tls = rustls::ClientConfig::builder_with_provider(
        rustls::crypto::ring::default_provider().into(),
    )
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(rustls::RootCertStore::empty())
    .with_no_client_auth();
    Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(tls)
        .build()
        .unwrap()
}

/// Answers with the `traceparent` that it got; `/gone` refuses.
fn upstream() -> SocketAddr {
    let traceparent = async |request: HttpRequest| {
        let header = request
            .headers()
            .get("traceparent")
            .map(|value| value.to_str().unwrap().to_owned());
        header.unwrap_or_default()
    };
    let gone = async || HttpResponse::Gone();
    let app = move || {
        App::new()
            .route("/trace", web::get().to(traceparent))
            .route("/gone", web::get().to(gone))
    };
    let server = HttpServer::new(app).workers(1).bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    address
}

#[test]
fn clients_need_a_provider_if_their_service_has_no_tls_of_its_own() {
    alone("reqwest::a_provider_is_chosen", &[]);
}

/// The README says so: once a process has a provider, it cannot be taken back.
#[test]
#[ignore = "run by the one above, in a process of its own"]
fn a_provider_is_chosen() {
    // Not the default address, where a developer's own server may listen.
    let agent = apm_agent::Agent::builder()
        .server_url(format!("http://{}", nobody()))
        .start();
    assert!(agent.is_recording(), "the agent needs none");
    let panic = std::panic::catch_unwind(Client::new).unwrap_err();
    let message = panic.downcast_ref::<&str>().unwrap();
    assert!(message.contains("provider"), "{message}");
    let provider = rustls::crypto::ring::default_provider();
    provider
        .install_default()
        .expect("nobody has chosen one before");
    drop(Client::new());
}

#[actix_web::test]
async fn a_request_is_an_exit_span_whose_id_goes_with_it() {
    let recorder = Checked::default();
    let address = upstream();
    let transaction = recorder.agent().transaction("job", "task");
    let url = format!("http://user:s3cret@{address}/trace?q=1");
    let answer = transaction
        .wrap(async { client().get(url).send_traced().await.unwrap().text().await })
        .await;

    let recorded = recorder.take();
    let [span] = &recorded.spans[..] else {
        panic!("{recorded:#?}")
    };
    let sent = format!(
        "00-{}-{}-01",
        span["trace_id"].as_str().unwrap(),
        span["id"].as_str().unwrap()
    );
    assert_eq!(answer.unwrap(), sent);
    assert_eq!(
        (&span["name"], &span["outcome"]),
        (&"GET 127.0.0.1".into(), &"success".into())
    );
    assert_eq!(
        (&span["type"], &span["subtype"]),
        (&"external".into(), &"http".into())
    );
    let context = &span["context"];
    assert_eq!(
        context["http"]["url"],
        format!("http://{address}/trace?q=1")
    );
    assert_eq!(context["http"]["status_code"], 200);
    assert_eq!(
        context["destination"]["service"]["resource"],
        address.to_string()
    );
    assert_eq!(
        (
            &context["destination"]["address"],
            &context["destination"]["port"]
        ),
        (&"127.0.0.1".into(), &address.port().into())
    );
}

#[actix_web::test]
async fn refusals_and_broken_connections_are_failures() {
    let recorder = Checked::default();
    let (address, nobody) = (upstream(), nobody());
    let work = async {
        let gone = client()
            .get(format!("http://{address}/gone"))
            .send_traced()
            .await
            .unwrap();
        assert_eq!(gone.status(), 410);
        client()
            .get(format!("http://{nobody}/"))
            .send_traced()
            .await
            .unwrap_err();
        client().get("no URL").send_traced().await.unwrap_err();
        drop(
            client()
                .get(format!("http://{address}/trace"))
                .send_traced(),
        );
    };
    recorder.agent().transaction("job", "task").wrap(work).await;
    let recorded = recorder.take();
    let outcomes: Vec<_> = recorded
        .spans
        .iter()
        .map(|span| (&span["outcome"], &span["context"]["http"]["status_code"]))
        .collect();
    assert_eq!(
        outcomes,
        [
            (&"failure".into(), &410.into()),
            (&"failure".into(), &serde_json::Value::Null)
        ]
    );
}

#[actix_web::test]
async fn hosts_that_are_to_be_left_alone_get_no_headers() {
    let recorder = Checked::with_options([("trace_context_ignore_hosts", "127.0.0.1")]);
    let address = upstream();
    let work = async {
        client()
            .get(format!("http://{address}/trace"))
            .send_traced()
            .await
            .unwrap()
            .text()
            .await
    };
    let answer = recorder.agent().transaction("job", "task").wrap(work).await;
    assert_eq!(answer.unwrap(), "");
    assert_eq!(recorder.take().spans.len(), 1);
}

#[actix_web::test]
async fn outside_of_a_transaction_a_request_is_just_sent() {
    let recorder = Checked::default();
    let address = upstream();
    let answer = client()
        .get(format!("http://{address}/trace"))
        .send_traced()
        .await
        .unwrap();
    assert_eq!(answer.text().await.unwrap(), "");
    assert!(recorder.take().spans.is_empty());
}

#[actix_web::test]
async fn as_middleware_it_does_the_same() {
    let recorder = Checked::default();
    let address = upstream();
    let client = reqwest_middleware::ClientBuilder::new(client())
        .with(ApmClientMiddleware)
        .build();
    let work = async {
        let answer = client
            .get(format!("http://{address}/trace"))
            .send()
            .await
            .unwrap();
        client
            .get(format!("http://{}/", nobody()))
            .send()
            .await
            .unwrap_err();
        answer.text().await.unwrap()
    };
    let answer = recorder.agent().transaction("job", "task").wrap(work).await;
    let recorded = recorder.take();
    assert_eq!(recorded.spans[0]["outcome"], "success");
    assert!(answer.contains(recorded.spans[0]["id"].as_str().unwrap()));
    assert_eq!(recorded.spans[1]["outcome"], "failure");
}
