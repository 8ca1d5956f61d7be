//! Several servers, and the answers of servers about themselves and about the agent's settings.

use super::*;

#[test]
fn settings_that_would_record_more_are_not_applied_and_not_confirmed() {
    let server = FakeServer::start(Behaviour::Accept);
    server.set_config(
        200,
        vec![
            ("Etag", "\"9\"".to_owned()),
            ("Cache-Control", "max-age=5".to_owned()),
        ],
        r#"{"transaction_max_spans":"1","capture_body":"all","sanitize_field_names":"none"}"#,
    );
    let agent = agent(&server.url(), &[]);
    eventually("what is allowed is applied", || {
        agent.transaction("job", "task").run(|| {
            drop(apm_agent::span("one", "app"));
            drop(apm_agent::span("two", "app"));
        });
        assert!(agent.flush(LONG));
        let last = server.events().pop()?;
        (last["transaction"]["span_count"]["dropped"] == 1).then_some(())
    });
    let polls = eventually("it is asked for again", || {
        let mut requests = server.requests();
        requests.retain(|request| request.line.contains("/config/v1/agents"));
        (requests.len() > 1).then_some(requests)
    });
    // The tag would tell the server that its settings are in force.
    assert_eq!(polls[1].header("if-none-match"), None);
}

#[test]
fn another_server_takes_over_when_one_fails() {
    let server = FakeServer::start(Behaviour::Accept);
    let urls = format!("http://{}, {}", nobody(), server.url());
    let agent = agent(
        "http://127.0.0.1:1",
        &[("server_urls", &urls), ("api_request_time", "20ms")],
    );
    work(&agent, 1);
    eventually("the second server got the events", || {
        (server.events().len() == 2).then_some(())
    });
    assert_eq!(agent.stats().dropped_total(), 0);
}

#[test]
fn a_server_that_takes_over_is_asked_for_its_own_version() {
    let (old, new) = (
        FakeServer::start(Behaviour::Accept),
        FakeServer::start(Behaviour::Accept),
    );
    old.set_info(r#"{"version":"8.17.0"}"#);
    new.set_info(r#"{"version":"7.17.0"}"#);
    let urls = format!("{}, {}", old.url(), new.url());
    let agent = agent(
        "http://127.0.0.1:1",
        &[
            ("server_urls", &urls),
            ("api_request_time", "20ms"),
            ("transaction_sample_rate", "0"),
        ],
    );
    let is_recorded = || {
        let before = agent.stats().recorded;
        work(&agent, 1);
        agent.stats().recorded > before
    };
    eventually("the old server's version is known", || {
        (!is_recorded()).then_some(())
    });
    old.behave(Behaviour::Answer(503, ""));
    eventually("the new server's version is known", || {
        // Errors are sent whether sampled or not: the old server fails to take one.
        let transaction = agent.transaction("job", "task");
        transaction.run(|| apm_agent::capture_message("still there?"));
        is_recorded().then_some(())
    });
    assert!(agent.shutdown(LONG));
}

#[test]
fn unsampled_transactions_are_not_sent_to_a_server_that_ignores_them() {
    let (_server, agent) = served(Behaviour::Accept, &[("transaction_sample_rate", "0")]);
    // The version is asked for at the start; until it is known, unsampled transactions are sent.
    eventually("the version is known", || {
        let before = agent.stats().recorded;
        work(&agent, 1);
        (agent.stats().recorded == before).then_some(())
    });
    assert!(agent.shutdown(LONG));
}

#[test]
fn central_configuration_is_applied_while_the_service_runs() {
    let server = FakeServer::start(Behaviour::Accept);
    server.set_config(
        200,
        vec![
            ("Etag", "\"7\"".to_owned()),
            ("Cache-Control", "max-age=5".to_owned()),
        ],
        r#"{"transaction_max_spans":"1","no_such_option":"x","transaction_sample_rate":"1.2"}"#,
    );
    let agent = agent(&server.url(), &[("environment", "test")]);
    let poll = eventually("the configuration was asked for", || {
        server
            .requests()
            .into_iter()
            .find(|request| request.line.contains("/config/v1/agents"))
    });
    assert!(
        poll.line
            .contains("service.name=faults&service.environment=test"),
        "{}",
        poll.line
    );
    eventually("it is applied", || {
        agent.transaction("job", "task").run(|| {
            drop(apm_agent::span("one", "app"));
            drop(apm_agent::span("two", "app"));
        });
        assert!(agent.flush(LONG));
        let last = server.events().pop()?;
        (last["transaction"]["span_count"]["dropped"] == 1).then_some(())
    });
    eventually("it is asked for again, with the tag", || {
        server
            .requests()
            .into_iter()
            .find(|request| request.header("if-none-match") == Some("\"7\""))
    });
}

#[test]
fn a_credential_is_sent_without_the_line_break_of_its_file() {
    let (server, agent) = served(Behaviour::Accept, &[("secret_token", "s3cret\r\n")]);
    work(&agent, 1);
    assert!(agent.flush(LONG));
    assert_eq!(
        server.intake_requests()[0].header("authorization"),
        Some("Bearer s3cret")
    );
}

#[test]
fn without_a_limit_of_time_a_slow_server_gets_everything() {
    let (_server, agent) = served(Behaviour::SlowRead, &[("server_timeout", "0s")]);
    work(&agent, 100);
    assert!(agent.flush(Duration::from_secs(20)));
    assert_eq!(agent.stats().accepted, 200);
}
