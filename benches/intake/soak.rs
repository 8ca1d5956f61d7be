//! Many events in one go: what the sustained rate and the size on disk are.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::path::Path;
use std::time::{Duration, Instant};

use apm_server::import::batches;
use apm_store::{Store, StoreOptions};

use super::recorded::Stream;

/// Stores so many events and prints what they cost.
pub(crate) fn run(events: u64, high_entropy: bool, rate: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut stream = Stream::new(high_entropy, rate);
    let start = Instant::now();
    let mut last = (0, Duration::ZERO);
    let (sent, decoded) = feed(&store, &mut stream, events, |sent, decoded| {
        let now = decoded + thread("apm-store");
        let spent = (now - last.1).as_nanos() as f64 / 1000.0 / (sent - last.0) as f64;
        println!(
            "{sent:>9} events, the last ones {spent:.2} µs each, {} MiB resident",
            resident()
        );
        last = (sent, now);
    });
    let wall = start.elapsed();
    let writer = thread("apm-store");
    let stats = store.stats();
    store.close();
    let size = std::fs::metadata(dir.path().join("apm.db"))
        .expect("a file")
        .len();
    let per = |time: Duration| time.as_nanos() as f64 / 1000.0 / sent as f64;
    println!(
        "{sent} events at {rate}/s of event time{}: decode {:.2} µs, writer {:.2} µs, together {:.2} µs = {:.0} \
         events/s of CPU time; wall {:.0} events/s; {:.1} bytes per event; {} commits; {} MiB resident",
        if high_entropy { ", high entropy" } else { "" },
        per(decoded),
        per(writer),
        per(decoded + writer),
        sent as f64 / (decoded + writer).as_secs_f64(),
        sent as f64 / wall.as_secs_f64(),
        size as f64 / sent as f64,
        stats.commits,
        resident(),
    );
    if let Some(path) = std::env::var_os("POCKET_APM_SOAK_KEEP") {
        std::fs::copy(dir.path().join("apm.db"), path).expect("kept");
    }
}

/// A new database that forgets nothing.
pub(crate) fn open(dir: &Path) -> Store {
    Store::open(StoreOptions {
        max_size: None,
        raw_max_age: None,
        rollup_max_age: None,
        ..StoreOptions::new(dir.join("apm.db"))
    })
    .expect("opens")
}

/// Stores at least so many events: how many, and the CPU time of decoding them. Tells both after each half million.
pub(crate) fn feed(
    store: &Store,
    stream: &mut Stream,
    events: u64,
    mut progress: impl FnMut(u64, Duration),
) -> (u64, Duration) {
    let mut body = String::new();
    let mut tickets = Vec::new();
    let mut decoded = Duration::ZERO;
    let mut sent = 0;
    while sent < events {
        let count = stream.body(&mut body);
        let before = cpu("self");
        let batches = batches(body.as_bytes());
        decoded += cpu("self").saturating_sub(before);
        for batch in batches {
            tickets.push(store.submit_when_room(batch).expect("open"));
        }
        sent += count;
        if tickets.len() > 200 {
            for ticket in tickets.drain(..100) {
                ticket.wait().expect("stored");
            }
        }
        if sent % 500_000 < count {
            progress(sent, decoded);
        }
    }
    for ticket in tickets {
        ticket.wait().expect("stored");
    }
    (sent, decoded)
}

/// CPU time of a thread of this process.
fn cpu(thread: &str) -> Duration {
    let path = match thread {
        "self" => "/proc/thread-self/schedstat".to_owned(),
        id => format!("/proc/self/task/{id}/schedstat"),
    };
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let nanos = text
        .split_ascii_whitespace()
        .next()
        .and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

/// CPU time of the threads of a name.
pub(crate) fn thread(wanted: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let mut time = Duration::ZERO;
    for task in tasks.flatten() {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if name.trim() == wanted {
            time += cpu(&task.file_name().to_string_lossy());
        }
    }
    time
}

/// Resident memory, MiB.
fn resident() -> u64 {
    resident_of("self")
}

/// Resident memory of a process, MiB.
pub(crate) fn resident_of(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    let kib = line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse().ok());
    kib.unwrap_or(0_u64) / 1024
}
