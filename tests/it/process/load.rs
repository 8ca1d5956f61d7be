//! The binary under load: what it takes, and that nothing is lost when it stops.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::limits::{FREE_PORTS, exit, shell, stop};
use super::{start, stored_writes};
use crate::support::{DEADLINE, Ended, addresses, get, signal};

/// `POCKET_APM_STOP_ROUNDS` sets how often (default 1).
#[actix_web::test]
async fn a_stop_under_load_stores_all_that_was_answered() {
    let rounds = std::env::var("POCKET_APM_STOP_ROUNDS");
    for _ in 0..rounds.map_or(1, |rounds| rounds.parse().unwrap()) {
        stop_under_load().await;
    }
}

async fn stop_under_load() {
    const CLIENTS: usize = 4;
    /// Answers after which it is stopped.
    const UNDER_LOAD: usize = 200;
    let dir = tempfile::tempdir().unwrap();
    let (mut child, service, _) = start(&dir);
    let answers = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let url = format!("{service}/sql-write");
            let answers = Arc::clone(&answers);
            std::thread::spawn(move || {
                let system = actix_web::rt::System::new();
                system.block_on(async {
                    let client = awc::Client::default();
                    while let Ok(answer) = client.get(&url).send().await {
                        answers.fetch_add(usize::from(answer.status() == 200), Ordering::Relaxed);
                    }
                });
            })
        })
        .collect();
    let started = Instant::now();
    while answers.load(Ordering::Relaxed) < UNDER_LOAD {
        assert!(started.elapsed() < DEADLINE);
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    signal(&child, "TERM");
    let status = exit(&mut child, Duration::from_secs(10)).await;
    assert!(status.expect("it stops").success());
    for client in clients {
        client.join().unwrap();
    }
    let answered = answers.load(Ordering::Relaxed);
    let stored = stored_writes(&dir).await as usize;
    // Of each client one answer may have been on its way.
    assert!(
        (answered..=answered + CLIENTS).contains(&stored),
        "{answered} answered, {stored} stored"
    );
}

/// A number of `/proc/PID/status`.
pub(super) fn status(child: &Child, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    let number = line.split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}

#[actix_web::test]
async fn clients_that_ask_for_much_and_read_nothing_get_little_memory_few_threads_and_stall_nobody()
{
    let dir = tempfile::tempdir().unwrap();
    let mut child = Ended::start(&mut shell(&dir, "", FREE_PORTS));
    let [service, apm] = addresses(child.stdout.take().unwrap(), ["service", "APM"]);
    for _ in 0..20 {
        get(&format!("{service}/sql-write")).await;
    }
    let url = format!("{apm}/api/v1/services");
    let started = Instant::now();
    while get(&url).await.json()["services"]
        .as_array()
        .unwrap()
        .is_empty()
    {
        assert!(started.elapsed() < DEADLINE);
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    let idle = status(&child, "VmRSS:");
    let address = apm.trim_start_matches("http://").to_owned();
    let pipelined =
        "GET /services HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n".repeat(200);
    let mut held = Vec::new();
    for _ in 0..500 {
        use std::io::Write as _;
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream
            .set_write_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        // The server may take no more of it.
        let _ = stream.write_all(pipelined.as_bytes());
        held.push(stream);
    }
    let mut threads = 0;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(5) {
        threads = threads.max(status(&child, "Threads:"));
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    let asked = Instant::now();
    assert_eq!(get(&format!("{apm}/healthz")).await.status, 200);
    let answered = asked.elapsed();
    let taken = status(&child, "VmHWM:").saturating_sub(idle);
    drop(held);
    stop(&mut child).await;
    // Some twenty are there at rest; 32 are for queries.
    assert!(threads <= 64, "{threads} threads");
    assert!(answered < Duration::from_secs(5), "{answered:?}");
    // 100 000 requests wait: decoded at once they would take some 700 MB.
    assert!(taken <= 256 << 10, "{taken} kB above idle");
}
