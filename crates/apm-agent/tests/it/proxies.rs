//! `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.

use std::time::Duration;

use apm_agent::Agent;
use test_support::alone;

use crate::support::server::{Behaviour, FakeServer, nobody};

/// Not this machine by name, so that proxies count, and nobody there.
const ELSEWHERE: &str = "127.0.0.2:9";

/// The request to a proxy when an agent sends one event to `server_url`.
fn through(proxy: &FakeServer, server_url: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let mut all = vec![("ELASTIC_APM_SERVER_URL", server_url)];
    all.extend_from_slice(environment);
    alone("proxies::one_event_is_sent", &all);
    let requests = proxy.requests();
    requests.into_iter().map(|request| request.line).collect()
}

#[test]
#[ignore = "run by the others, in a process of its own"]
fn one_event_is_sent() {
    let agent = Agent::builder()
        .option("cloud_provider", "none")
        .option("central_config", "false")
        .option("skip_server_info", "true")
        .option("metrics_interval", "0s")
        .from_env()
        .unwrap()
        .start();
    drop(agent.transaction("job", "task"));
    agent.flush(Duration::from_secs(5));
}

#[test]
fn events_go_through_the_proxy_that_the_environment_names() {
    let proxy = FakeServer::start(Behaviour::Accept);
    let (url, target) = (proxy.url(), format!("http://{ELSEWHERE}"));
    let lines = through(&proxy, &target, &[("HTTP_PROXY", &url)]);
    assert_eq!(lines, [format!("POST {target}/intake/v2/events HTTP/1.1")]);
    let encoding = proxy.requests()[0]
        .header("content-encoding")
        .map(str::to_owned);
    assert_eq!(encoding.as_deref(), Some("gzip"), "it leaves this machine");
}

#[test]
fn an_encrypted_connection_goes_through_the_proxy_for_those() {
    let proxy = FakeServer::start(Behaviour::Answer(502, ""));
    let (url, target) = (proxy.url(), format!("https://{ELSEWHERE}"));
    let other = format!("http://{}", nobody());
    let environment = [
        ("HTTPS_PROXY", url.as_str()),
        ("HTTP_PROXY", &other),
        ("ELASTIC_APM_VERIFY_SERVER_CERT", "false"),
    ];
    let mut lines = through(&proxy, &target, &environment);
    // A body that was never handed over is tried again.
    lines.dedup();
    assert_eq!(lines, [format!("CONNECT {ELSEWHERE} HTTP/1.1")]);
}

#[test]
fn what_the_environment_excepts_and_this_machine_go_past_the_proxy() {
    let proxy = FakeServer::start(Behaviour::Accept);
    let url = proxy.url();
    let target = format!("http://{ELSEWHERE}");
    let excepted = [("HTTP_PROXY", url.as_str()), ("NO_PROXY", "127.0.0.2")];
    assert!(through(&proxy, &target, &excepted).is_empty());
    let server = FakeServer::start(Behaviour::Accept);
    assert!(through(&proxy, &server.url(), &[("HTTP_PROXY", &url)]).is_empty());
    assert_eq!(server.intake_requests().len(), 1);
}
