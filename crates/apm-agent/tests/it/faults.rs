//! The agent when its server misbehaves: the service is not affected, memory is bounded, every event is
//! accounted for.

mod servers;

use std::time::{Duration, Instant};

use apm_agent::{Agent, AgentGuard, DropReason};

use crate::support::eventually;
use crate::support::server::{Behaviour, FakeServer, Request, nobody};

const LONG: Duration = Duration::from_secs(10);

fn agent(url: &str, options: &[(&str, &str)]) -> AgentGuard {
    let mut builder = Agent::builder()
        .service_name("faults")
        .server_url(url)
        .option("cloud_provider", "none")
        .option("metrics_interval", "0s")
        .option("server_timeout", "2s");
    for (key, value) in options {
        builder = builder.option(*key, *value);
    }
    builder.start()
}

/// A server, and an agent that sends to it.
fn served(behaviour: Behaviour, options: &[(&str, &str)]) -> (FakeServer, AgentGuard) {
    let server = FakeServer::start(behaviour);
    let agent = agent(&server.url(), options);
    (server, agent)
}

fn work(agent: &Agent, transactions: usize) {
    for _ in 0..transactions {
        agent
            .transaction("job", "task")
            .run(|| drop(apm_agent::span("step", "app")));
    }
}

/// Nothing is lost from the accounts.
fn assert_accounts(agent: &Agent) {
    let stats = agent.stats();
    assert_eq!(
        stats.recorded,
        stats.accepted + stats.dropped_total() + stats.pending(),
        "{stats:?}"
    );
}

#[test]
fn events_arrive_with_the_headers_that_the_protocol_asks_for() {
    let (server, agent) = served(
        Behaviour::Accept,
        &[("secret_token", "s3cret"), ("service_version", "1.2(3)")],
    );
    work(&agent, 3);
    assert!(agent.flush(LONG));
    let [request] = &server.intake_requests()[..] else {
        panic!("one request")
    };
    assert_eq!(request.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(request.header("authorization"), Some("Bearer s3cret"));
    assert_eq!(
        request.header("content-encoding"),
        None,
        "not to this machine"
    );
    let user_agent = request.header("user-agent").unwrap();
    assert!(
        user_agent.starts_with("apm-agent-rust/") && user_agent.ends_with(" (faults 1.2_3_)"),
        "{user_agent}"
    );
    assert_eq!(request.events().len(), 6);
    let stats = agent.stats();
    assert_eq!(
        (stats.recorded, stats.sent, stats.accepted, stats.pending()),
        (6, 6, 6, 0)
    );
    assert!(agent.shutdown(LONG));
}

#[test]
fn an_api_key_beats_a_token() {
    let (server, agent) = served(
        Behaviour::Accept,
        &[("secret_token", "s3cret"), ("api_key", "k3y")],
    );
    work(&agent, 1);
    assert!(agent.flush(LONG));
    assert_eq!(
        server.intake_requests()[0].header("authorization"),
        Some("ApiKey k3y")
    );
}

#[test]
fn events_are_sent_without_being_asked_for_within_the_request_time() {
    let (server, agent) = served(Behaviour::Accept, &[("api_request_time", "50ms")]);
    work(&agent, 1);
    eventually("the events came", || {
        (server.events().len() == 2).then_some(())
    });
    assert!(agent.shutdown(LONG));
}

#[test]
fn what_was_recorded_while_the_server_was_away_arrives_when_it_returns() {
    let address = nobody();
    let agent = agent(
        &format!("http://{address}"),
        &[("api_request_time", "50ms")],
    );
    work(&agent, 10);
    assert!(!agent.flush(Duration::from_secs(3)));
    work(&agent, 10);
    let server = FakeServer::start_at(address, Behaviour::Accept);
    assert!(agent.flush(LONG));
    let stats = agent.stats();
    assert_eq!((stats.recorded, stats.accepted), (40, 40), "{stats:?}");
    assert_eq!(server.events().len(), 40);
    assert_accounts(&agent);
}

#[test]
#[cfg(target_os = "linux")]
fn what_waits_for_a_connection_that_never_comes_is_not_lost() {
    // One connection fills the queue; of the next ones the server's system takes no notice, as behind a firewall.
    let listener =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let _filler = std::net::TcpStream::connect(address).unwrap();
    let agent = agent(
        &format!("http://{address}"),
        &[
            ("server_timeout", "400ms"),
            ("central_config", "false"),
            ("skip_server_info", "true"),
        ],
    );
    for _ in 0..3 {
        work(&agent, 1);
        assert!(!agent.flush(LONG));
    }
    let stats = agent.stats();
    assert_eq!(
        (stats.pending(), stats.dropped_total()),
        (6, 0),
        "{stats:?}"
    );
}

#[test]
fn an_hour_of_little_work_without_a_server_loses_nothing() {
    let address = nobody();
    let agent = agent(&format!("http://{address}"), &[]);
    // A transaction every five seconds; each attempt to send makes a small request body, and fails.
    for _ in 0..720 {
        work(&agent, 1);
        assert!(!agent.flush(LONG));
    }
    let stats = agent.stats();
    assert_eq!((stats.pending(), stats.dropped_total()), (1440, 0));
    let server = FakeServer::start_at(address, Behaviour::Accept);
    assert!(agent.flush(LONG));
    assert_eq!(server.events().len(), 1440);
    // Small bodies were merged: 1440 events of some 500 bytes are a few requests.
    assert!(server.intake_requests().len() < 8);
}

#[test]
fn after_a_flood_without_a_server_the_newest_events_and_all_errors_are_there() {
    let address = nobody();
    let agent = agent(
        &format!("http://{address}"),
        &[("api_buffer_size", "1mb"), ("api_request_time", "20ms")],
    );
    let job = |number: usize| {
        let name = format!("job {number}");
        agent.transaction(name, "task").run(|| {
            if number.is_multiple_of(1000) {
                apm_agent::capture_message(format!("error {number}"));
            }
        });
    };
    (0..10_000).for_each(job);
    eventually("the errors are encoded", || {
        agent.flush(LONG);
        (agent.stats().pending() < 9_000).then_some(())
    });
    let server = FakeServer::start_at(address, Behaviour::Accept);
    assert!(agent.flush(LONG));
    let (events, stats) = (server.events(), agent.stats());
    let errors = events.iter().filter(|event| event["error"].is_object());
    assert_eq!(errors.count(), 10, "{stats:?}");
    let newest = events
        .iter()
        .filter(|event| event["transaction"]["name"] == "job 9999");
    assert_eq!(newest.count(), 1);
    assert!(
        events
            .iter()
            .all(|event| event["transaction"]["name"] != "job 1")
    );
    assert!(stats.dropped(DropReason::QueueFull) > 1_000, "{stats:?}");
    assert_accounts(&agent);
}

#[test]
fn one_bad_event_costs_only_itself() {
    let server = FakeServer::start(Behaviour::Answer(
        400,
        r#"{"accepted":3,"errors":[{"message":"did not match","document":"{}"}]}"#,
    ));
    let agent = agent(&server.url(), &[]);
    work(&agent, 2);
    assert!(!agent.flush(LONG));
    let stats = agent.stats();
    assert_eq!(
        (stats.accepted, stats.dropped(DropReason::Rejected)),
        (3, 1),
        "{stats:?}"
    );
    server.behave(Behaviour::Accept);
    work(&agent, 1);
    assert!(agent.flush(LONG), "it goes on");
    assert_accounts(&agent);
}

#[test]
fn each_way_to_fail_is_accounted_for_under_its_reason_and_followed_by_recovery() {
    let table = [
        (
            Behaviour::Answer(
                503,
                r#"{"accepted":0,"errors":[{"message":"queue is full"}]}"#,
            ),
            DropReason::ServerError,
        ),
        (
            Behaviour::Answer(401, r#"{"error":"invalid token"}"#),
            DropReason::Rejected,
        ),
        (Behaviour::Answer(413, ""), DropReason::Rejected),
        (Behaviour::Answer(429, "slow down"), DropReason::Rejected),
        (
            Behaviour::Answer(500, "<html>\u{0} nonsense"),
            DropReason::ServerError,
        ),
        (Behaviour::Reset, DropReason::Connection),
        (Behaviour::Garbage, DropReason::Connection),
        (Behaviour::Silence, DropReason::Connection),
    ];
    for (behaviour, reason) in table {
        let server = FakeServer::start(behaviour.clone());
        let agent = agent(&server.url(), &[("server_timeout", "200ms")]);
        work(&agent, 5);
        assert!(!agent.flush(LONG), "{behaviour:?}");
        let stats = agent.stats();
        assert_eq!(stats.dropped(reason), 10, "{behaviour:?}: {stats:?}");
        server.behave(Behaviour::Accept);
        work(&agent, 5);
        assert!(agent.flush(LONG), "{behaviour:?}");
        assert_eq!(agent.stats().accepted, 10, "{behaviour:?}");
        assert_accounts(&agent);
    }
}

#[test]
fn a_server_that_reads_slowly_gets_everything_or_loses_what_it_does_not_take_in_time() {
    for (timeout, dropped) in [("20s", 0), ("50ms", 400)] {
        let (server, agent) = served(
            Behaviour::SlowRead,
            &[("server_timeout", timeout), ("skip_server_info", "true")],
        );
        work(&agent, 200);
        let begin = Instant::now();
        assert_eq!(agent.flush(Duration::from_secs(20)), dropped == 0);
        let stats = agent.stats();
        assert_eq!(stats.dropped(DropReason::Connection), dropped, "{stats:?}");
        assert_eq!(stats.accepted, 400 - dropped, "{stats:?}");
        // 400 events are far more than the 20 KiB that it reads in 50 ms.
        assert!(begin.elapsed() >= Duration::from_millis(50));
        server.behave(Behaviour::Accept);
        work(&agent, 5);
        assert!(agent.flush(LONG));
        assert_accounts(&agent);
    }
}

#[test]
fn a_server_that_does_not_say_its_version_gets_unsampled_transactions_too() {
    let server = FakeServer::start(Behaviour::Accept);
    server.set_info("");
    let agent = agent(&server.url(), &[("transaction_sample_rate", "0")]);
    eventually("it was asked", || {
        let requests = server.requests();
        let asked = |request: &Request| request.line.starts_with("GET / ");
        requests.iter().any(asked).then_some(())
    });
    work(&agent, 1);
    assert!(agent.flush(LONG));
    let events = server.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["transaction"]["sampled"], false);
}

#[test]
fn a_success_that_says_something_strange_is_a_success() {
    let server = FakeServer::start(Behaviour::Answer(202, r#"{"accepted":999999}"#));
    let agent = agent(&server.url(), &[]);
    work(&agent, 1);
    assert!(agent.flush(LONG));
    server.behave(Behaviour::Answer(200, "<html>a proxy</html>"));
    work(&agent, 1);
    assert!(agent.flush(LONG));
    assert_eq!(agent.stats().accepted, 4);
}

#[test]
fn a_server_that_is_away_costs_bounded_memory_and_no_time() {
    let agent = agent(
        &format!("http://{}", nobody()),
        &[("api_buffer_size", "1mb")],
    );
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| work(&agent, 5_000));
        }
    });
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let stats = agent.stats();
    assert_eq!(stats.recorded, 40_000);
    assert!(stats.dropped(DropReason::QueueFull) > 0, "{stats:?}");
    // 1 MB of ready buffers, and one in each shard.
    assert!(stats.pending() < 20_000, "{stats:?}");
    assert!(!agent.shutdown(Duration::from_secs(2)));
    let stats = agent.stats();
    assert_eq!(stats.pending(), 0, "what was left is counted: {stats:?}");
    assert!(stats.dropped(DropReason::Shutdown) > 0);
}

#[test]
fn a_shutdown_does_not_wait_longer_than_it_is_told_for_a_server_that_hangs() {
    let (server, agent) = served(
        Behaviour::Silence,
        &[("server_timeout", "60s"), ("api_request_time", "20ms")],
    );
    work(&agent, 1);
    eventually("a request hangs", || {
        (!server.intake_requests().is_empty()).then_some(())
    });
    work(&agent, 1);
    let begin = Instant::now();
    assert!(!agent.shutdown(Duration::from_millis(300)));
    assert!(
        begin.elapsed() < Duration::from_secs(3),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(agent.stats().pending(), 0, "{:?}", agent.stats());
}

#[test]
fn after_a_shutdown_the_service_goes_on_without_recording() {
    let (_server, agent) = served(Behaviour::Accept, &[]);
    work(&agent, 1);
    assert!(agent.shutdown(LONG));
    work(&agent, 1);
    assert!(!agent.is_recording());
    assert_eq!(agent.stats().recorded, 2);
    assert!(!agent.flush(Duration::from_millis(10)) || agent.stats().pending() == 0);
}

#[test]
fn the_last_handle_takes_what_it_recorded_along() {
    let (server, agent) = served(Behaviour::Accept, &[]);
    work(&agent, 1);
    drop(agent);
    eventually("the events came", || {
        (server.events().len() == 2).then_some(())
    });
}

#[test]
fn an_agent_that_sends_nothing_contacts_nobody() {
    let (server, agent) = served(
        Behaviour::Accept,
        &[("disable_send", "true"), ("api_request_time", "20ms")],
    );
    work(&agent, 1);
    assert!(agent.flush(LONG));
    assert!(agent.shutdown(LONG));
    assert!(server.requests().is_empty());
    assert_eq!(agent.stats().dropped(DropReason::Disabled), 2);
}

#[test]
fn recorded_equals_accepted_and_dropped_under_load_and_trouble() {
    let (server, agent) = served(
        Behaviour::Accept,
        &[
            ("api_request_time", "10ms"),
            ("api_buffer_size", "512kb"),
            ("api_request_size", "8kb"),
        ],
    );
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| work(&agent, 3_000));
        }
        scope.spawn(|| {
            let trouble = [
                Behaviour::Answer(503, ""),
                Behaviour::Accept,
                Behaviour::Reset,
                Behaviour::Answer(400, r#"{"accepted":1}"#),
                Behaviour::Accept,
            ];
            for behaviour in trouble {
                server.behave(behaviour);
                std::thread::sleep(Duration::from_millis(30));
            }
        });
    });
    server.behave(Behaviour::Accept);
    assert!(agent.flush(LONG));
    let stats = agent.stats();
    assert_eq!(stats.recorded, 18_000);
    assert_eq!(
        stats.recorded,
        stats.accepted + stats.dropped_total(),
        "{stats:?}"
    );
    assert!(agent.shutdown(LONG));
}
