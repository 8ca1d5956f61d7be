//! A minute without a server: `cargo test -p apm-agent --test it soak -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use apm_agent::{Agent, DropReason};
use log::{Level, Metadata, Record};

use crate::support::server::{Behaviour, FakeServer, nobody};

const RUN: Duration = Duration::from_secs(60);
const PER_SECOND: u32 = 1000;

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Counts the agent's own warnings.
#[derive(Debug)]
struct Warnings(std::sync::atomic::AtomicUsize);

impl log::Log for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "apm_agent"
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) && record.level() == Level::Warn {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

static WARNINGS: Warnings = Warnings(std::sync::atomic::AtomicUsize::new(0));

fn request(agent: &Agent) {
    agent.transaction("GET /sql-write", "request").run(|| {
        for _ in 0..5 {
            drop(apm_agent::span("INSERT INTO people", "db.sqlite"));
        }
    });
}

#[test]
#[ignore = "takes a minute"]
fn a_minute_without_a_server_costs_bounded_memory_and_one_warning() {
    log::set_logger(&WARNINGS).unwrap();
    log::set_max_level(log::LevelFilter::Warn);
    let address = nobody();
    let agent = Agent::builder()
        .service_name("soak")
        .server_url(format!("http://{address}"))
        .option("cloud_provider", "none")
        .option("central_config", "false")
        .option("api_request_time", "1s")
        .start();
    let before = resident();
    let begin = Instant::now();
    let (mut done, mut most) = (0, before);
    while begin.elapsed() < RUN {
        let due = (begin.elapsed().as_secs_f64() * f64::from(PER_SECOND)) as u32;
        while done < due {
            request(&agent);
            done += 1;
        }
        most = most.max(resident());
        std::thread::sleep(Duration::from_millis(10));
    }
    let grown = most.saturating_sub(before);
    eprintln!(
        "{done} transactions, resident memory grew by {} KiB, {:?}",
        grown / 1024,
        agent.stats()
    );
    assert!(done > PER_SECOND * 59);
    assert!(grown < 16 << 20, "{grown} bytes");
    assert_eq!(WARNINGS.0.load(std::sync::atomic::Ordering::Relaxed), 1);
    let stats = agent.stats();
    assert!(stats.dropped(DropReason::QueueFull) > 0, "{stats:?}");

    let server = FakeServer::start_at(address, Behaviour::Accept);
    assert!(agent.flush(Duration::from_secs(20)));
    let stats = agent.stats();
    assert_eq!(
        stats.recorded,
        stats.accepted + stats.dropped_total(),
        "{stats:?}"
    );
    assert_eq!(server.events().len() as u64, stats.accepted);
    assert!(agent.shutdown(Duration::from_secs(5)));
}
