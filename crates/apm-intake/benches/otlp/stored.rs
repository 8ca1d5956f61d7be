//! Many spans in one go: decoded, stored, indexed and rolled up in this process.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::time::{Duration, Instant};

use apm_intake::otlp::{Encoding, Signal, decode};
use apm_store::{Store, StoreOptions};
use prost::Message as _;

use super::request::{NOW, SPANS, request};

/// The thread that writes, by its name.
const WRITER: &str = "apm-store";

/// Bodies whose commit is waited for together.
const AT_ONCE: usize = 100;

/// Stores so many spans, and prints what they cost.
pub(crate) fn run(spans: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("apm.db");
    let store = Store::open(StoreOptions {
        max_size: None,
        raw_max_age: None,
        rollup_max_age: None,
        ..StoreOptions::new(&file)
    })
    .expect("a database");
    let (mut tickets, mut decoding, mut bytes) = (Vec::new(), Duration::ZERO, 0);
    let start = Instant::now();
    let bodies = spans.div_ceil(u64::from(SPANS));
    for number in 0..bodies {
        let body = request(number).encode_to_vec();
        bytes += body.len();
        let received = i64::try_from(NOW / 1_000 + number * 500_000).expect("microseconds fit");
        let before = cpu("thread-self");
        let export = decode(Signal::Traces, Encoding::Protobuf, &body, received).expect("a body");
        decoding += cpu("thread-self") - before;
        for batch in export.batches {
            tickets.push(store.submit_when_room(batch).expect("it is open"));
        }
        if tickets.len() > 2 * AT_ONCE {
            for ticket in tickets.drain(..AT_ONCE) {
                ticket.wait().expect("stored");
            }
        }
    }
    for ticket in tickets {
        ticket.wait().expect("stored");
    }
    let (wall, writing) = (start.elapsed(), writer());
    store.close();
    let size = std::fs::metadata(&file).expect("a file").len();
    let sent = (bodies * u64::from(SPANS)) as f64;
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / sent;
    println!(
        "{sent} spans of {:.0} bytes: decode {:.2} µs, writer {:.2} µs, together {:.2} µs of CPU time; {:.1} bytes \
         per span on the disk; wall, with making the bodies, {:.0} spans/s",
        bytes as f64 / sent,
        micros(decoding),
        micros(writing),
        micros(decoding + writing),
        size as f64 / sent,
        sent / wall.as_secs_f64(),
    );
    if let Some(path) = std::env::var_os("POCKET_APM_OTLP_KEEP") {
        std::fs::copy(&file, path).expect("kept");
    }
}

/// CPU time of the threads that write.
fn writer() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let of = |task: std::fs::DirEntry| {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        (name.trim() == WRITER).then(|| cpu(&format!("self/task/{}", task.file_name().display())))
    };
    tasks.flatten().filter_map(of).sum()
}

/// CPU time of a thread, by its path below /proc.
fn cpu(thread: &str) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{thread}/schedstat")).expect("Linux");
    let nanos = text.split_ascii_whitespace().next();
    let nanos = nanos.and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("a number"))
}
