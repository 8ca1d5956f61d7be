//! A receiver that hangs, beside the intake.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{fail, post, shown};
use crate::support::server::{TestServer, eventually};

/// Messages beyond those that may wait, and the one that is being sent.
const BEYOND: usize = 15;

/// The time of an intake.
async fn intake(server: &TestServer, number: u64) -> Duration {
    let body = format!(
        "{{\"metadata\":{{\"service\":{{\"name\":\"shop\",\"agent\":{{\"name\":\"a\",\"version\":\"1\"}}}}}}}}\n\
         {{\"transaction\":{{\"id\":\"{number:016x}\",\"trace_id\":\"{number:032x}\",\"name\":\"GET /\",\
         \"type\":\"request\",\"duration\":5,\"span_count\":{{\"started\":0}}}}}}\n"
    );
    let started = Instant::now();
    assert_eq!(server.intake(body).await.status, 202);
    started.elapsed()
}

/// The median times of an intake: of a server, and of another one. They take turns, so that what else runs on the
/// machine delays both.
async fn intakes(one: &TestServer, other: &TestServer) -> (Duration, Duration) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for number in 1..=100 {
        first.push(intake(one, number).await);
        second.push(intake(other, number).await);
    }
    first.sort();
    second.sort();
    (first[50], second[50])
}

#[actix_web::test]
async fn a_receiver_that_hangs_slows_no_intake_and_what_waits_for_it_is_bounded_and_counted() {
    // The system takes connections, and nobody answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", silent.local_addr().expect("bound"));
    let server = TestServer::with(|config| {
        config.alerts.look = Duration::from_millis(50);
        // Whoever waited for the receiver would wait longer than the test.
        config.alerts.timeout = Duration::from_secs(3_600);
        let ops = json!({"name": "ops", "kind": "webhook", "url": url});
        config.alerts.receivers = vec![serde_json::from_value(ops).expect("a receiver")];
    });
    let calm = TestServer::start();
    let send = async || {
        let sent = post(&server, "/api/v1/alerts/receivers/ops/test", json!({})).await;
        assert_eq!(sent.status, 204, "{}", sent.text);
    };
    send().await;
    let held = actix_web::rt::task::spawn_blocking(move || {
        let (mut held, _) = silent.accept().expect("a connection");
        let mut start = [0; 4];
        held.read_exact(&mut start).expect("a request");
        (silent, held, start)
    });
    // They are dropped when the test ends, and not before.
    let (_silent, _held, start) = held.await.expect("a thread");
    assert_eq!(&start, b"POST");
    for _ in 0..64 + BEYOND {
        send().await;
    }
    let dropped = format!("pocket_apm_alert_deliveries_total{{result=\"dropped\"}} {BEYOND}\n");
    eventually("they are dropped", async || {
        server.get("/metrics").await.text.contains(&dropped)
    })
    .await;
    let history = shown(&server).await["history"].to_string();
    assert!(history.contains("too many wait"), "{history}");

    let (usual, beside) = intakes(&calm, &server).await;
    eprintln!("intake takes {usual:?}, and {beside:?} beside a receiver that hangs");
    assert!(beside < usual * 5, "{usual:?}, then {beside:?}");
    // Rules are evaluated, pages are answered, and the server ends at once.
    fail(&server).await;
    eventually("fired", async || {
        let firing = shown(&server).await["firing"].take();
        let mut firing = firing.as_array().expect("alerts").iter();
        firing.any(|one| one["rule"] == "builtin-error")
    })
    .await;
    calm.stop().await;
    let stopped = actix_web::rt::time::timeout(Duration::from_secs(20), server.stop());
    assert!(stopped.await.is_ok(), "the server waits for the receiver");
}
