//! An APM server that is down or talks nonsense: the service does not notice, and what was recorded arrives later.
//!
//! `POCKET_APM_OUTAGE_SECONDS` sets how long the server is away while requests go on (default 2).

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::{DEADLINE, TestApp, agent, get, start_service};

const REQUESTS: usize = 50;

/// Sends requests to a service whose agent sends to `apm`, and says how long the slowest took.
async fn requests(url: &str) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..REQUESTS {
        let started = Instant::now();
        let answer = get(&format!("{url}/sql-write")).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
        slowest = slowest.max(started.elapsed());
    }
    slowest
}

#[actix_web::test]
async fn what_was_recorded_while_the_server_was_down_arrives_when_it_is_back() {
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let apm = reserved.local_addr().unwrap().to_string();
    drop(reserved);
    let dir = tempfile::tempdir().unwrap();
    let agent = agent(&format!("http://{apm}"));
    let service = start_service(&dir.path().join("people.db"), &agent, &[]);

    let slowest = requests(&format!("http://{}", service.addr)).await;
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert_eq!(agent.stats().accepted, 0);
    let app = TestApp::around(&apm, agent, service, dir);

    app.discover("processor.event:transaction", REQUESTS).await;
    app.statements(REQUESTS * 7).await;
}

#[actix_web::test]
async fn an_outage_under_load_costs_old_events_which_are_counted_and_no_request() {
    const CLIENTS: usize = 4;
    let seconds = std::env::var("POCKET_APM_OUTAGE_SECONDS");
    let seconds = seconds.map_or(2, |seconds| seconds.parse().unwrap());
    let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
    let apm = reserved.local_addr().unwrap().to_string();
    drop(reserved);
    let dir = tempfile::tempdir().unwrap();
    let agent = agent(&format!("http://{apm}"));
    let service = start_service(&dir.path().join("people.db"), &agent, &[]);
    let url = format!("http://{}/sql-write", service.addr);
    let end = Instant::now() + Duration::from_secs(seconds);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || {
                let system = actix_web::rt::System::new();
                system.block_on(async {
                    let client = awc::Client::default();
                    let mut answered = 0;
                    while Instant::now() < end {
                        let answer = client.get(&url).send().await.unwrap();
                        assert_eq!(answer.status(), 200);
                        answered += 1;
                    }
                    answered
                })
            })
        })
        .collect();
    let mut answered: u64 = 0;
    for client in clients {
        let client = move || client.join().unwrap();
        answered += actix_web::web::block(client).await.unwrap();
    }
    assert_eq!(agent.stats().accepted, 0);
    let recorded = agent.stats().recorded;
    assert!(recorded >= answered * 8, "{answered}: {recorded}");
    // Back again, it gets what the agent had room for; the end of the test compares the sums.
    let app = TestApp::around(&apm, agent, service, dir);
    let started = Instant::now();
    loop {
        let stats = app.agent.stats();
        if stats.recorded == stats.accepted + stats.dropped_total() {
            assert!(stats.accepted > 0, "{stats:?}");
            break;
        }
        assert!(started.elapsed() < DEADLINE, "{stats:?}");
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn a_server_that_talks_nonsense_costs_the_events_and_nothing_else() {
    for nonsense in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 500 Oops\r\nContent-Length: 3\r\n\r\n<h1",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let agent = agent(&format!("http://{}", listener.local_addr().unwrap()));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(nonsense.as_bytes());
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let service = start_service(&dir.path().join("people.db"), &agent, &[]);

        let slowest = requests(&format!("http://{}", service.addr)).await;

        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        let stopping = agent.clone();
        let stop = move || stopping.shutdown(Duration::from_secs(2));
        actix_web::web::block(stop).await.unwrap();
        let stats = agent.stats();
        assert_eq!(stats.accepted, 0, "{nonsense}: {stats:?}");
        assert_eq!(
            stats.recorded,
            stats.dropped_total(),
            "{nonsense}: {stats:?}"
        );
        assert!(
            stats.recorded >= (REQUESTS * 8) as u64,
            "{nonsense}: {stats:?}"
        );
    }
}
