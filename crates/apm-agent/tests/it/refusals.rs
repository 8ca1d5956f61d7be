//! The agent's log when the server refuses events. The logger is the process's, so these tests have one to
//! themselves.

use std::time::Duration;

use apm_agent::{Agent, AgentGuard};
use test_support::alone;

use crate::support::eventually;
use crate::support::logged::{self, taken};
use crate::support::server::{Behaviour, FakeServer};

const LONG: Duration = Duration::from_secs(10);

fn agent(server: &FakeServer, options: &[(&str, &str)]) -> AgentGuard {
    let mut builder = Agent::builder()
        .service_name("refusals")
        .server_url(server.url())
        .option("cloud_provider", "none")
        .option("central_config", "false")
        .option("metrics_interval", "0s");
    for (key, value) in options {
        builder = builder.option(*key, *value);
    }
    let agent = builder.start();
    taken();
    agent
}

fn work(agent: &Agent) {
    agent
        .transaction("job", "task")
        .run(|| drop(apm_agent::span("step", "app")));
}

#[test]
fn the_log_says_which_credential_was_refused_what_was_dropped_and_what_helps() {
    alone("refusals::refused_in_all_ways", &[]);
}

#[test]
#[ignore = "run by another test, in a process of its own"]
fn refused_in_all_ways() {
    logged::start(log::LevelFilter::Info);
    let token: &[_] = &[("secret_token", "s3cret")];
    let key: &[_] = &[("secret_token", "s3cret"), ("api_key", "k3y")];
    let table = [
        (
            401,
            token,
            "the secret token (secret_token from code) was refused",
        ),
        (401, key, "the API key (api_key from code) was refused"),
        (401, &[], "set secret_token or api_key"),
        (403, key, "the API key (api_key from code) does not allow"),
        (413, &[], "set api_request_size below"),
        (429, &[], "there were too many requests"),
        (503, &[], "has no room to store events"),
        (302, &[], "set server_url to the address itself"),
        (404, &[], "there is no intake at this address"),
    ];
    for (status, options, expected) in table {
        let server = FakeServer::start(Behaviour::Answer(status, "go away"));
        let agent = agent(&server, options);
        work(&agent);
        assert!(!agent.flush(LONG));
        let lines = taken();
        let [line] = &lines[..] else {
            panic!("{status}: {lines:?}")
        };
        for part in [
            "WARN the APM server at ",
            &format!("it answered {status}: "),
            expected,
            "; 1 transaction and 1 span were dropped",
            "; it said: go away",
        ] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        assert!(!line.contains("s3cret") && !line.contains("k3y"), "{line}");
        // The same again is nothing new; another failure is.
        work(&agent);
        assert!(!agent.flush(LONG));
        assert_eq!(taken(), [""; 0]);
        server.behave(Behaviour::Reset);
        work(&agent);
        assert!(!agent.flush(LONG));
        let lines = taken();
        assert!(
            lines.len() == 1 && lines[0].contains("1 transaction and 1 span were dropped"),
            "{lines:?}"
        );
        server.behave(Behaviour::Accept);
        work(&agent);
        assert!(agent.flush(LONG));
        let lines = taken();
        assert!(
            lines.len() == 1 && lines[0].ends_with("again; 6 events were dropped meanwhile"),
            "{lines:?}"
        );
    }
    a_pause_that_the_server_asks_for_is_kept();
}

fn a_pause_that_the_server_asks_for_is_kept() {
    let server = FakeServer::start(Behaviour::Busy("2"));
    let agent = agent(&server, &[("api_request_time", "10ms")]);
    work(&agent);
    eventually("the server was asked once", || {
        (server.intake_requests().len() == 1).then_some(())
    });
    let asked = std::time::Instant::now();
    work(&agent);
    server.behave(Behaviour::Accept);
    eventually("the server was asked again", || {
        (server.intake_requests().len() == 2).then_some(())
    });
    // Without it there is no first pause.
    assert!(asked.elapsed() > Duration::from_millis(1500));
}
