//! The largest size of log and database together while readers read all the time.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use apm_server::import::batches;
use apm_store::{Store, StoreError, StoreOptions};
use diesel::connection::SimpleConnection;

use super::recorded::Stream;

/// Events per second that are sent.
const PACE: u64 = 13_000;

/// Time of the measurement.
const TIME: Duration = Duration::from_secs(40);

/// The query that each reader repeats: it reads all transactions that are kept.
const QUESTION: &str =
    "SELECT group_id, count(*), avg(duration) FROM tx GROUP BY group_id ORDER BY 2 DESC";

/// Stores at a steady pace beside so many readers, with a limit of so many MiB, and prints the largest size.
pub(crate) fn run(readers: u64, limit: u64) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Store::open(StoreOptions {
        max_size: Some(limit << 20),
        ..StoreOptions::new(dir.path().join("apm.db"))
    })
    .expect("opens");
    let (done, reads, slowest) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let (mut sent, mut largest, mut longest_log) = (0, 0, 0);
    std::thread::scope(|scope| {
        for _ in 0..readers {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let start = Instant::now();
                    let read =
                        store.read::<_, StoreError>(|conn| Ok(conn.batch_execute(QUESTION)?));
                    read.expect("reads go on");
                    reads.fetch_add(1, Ordering::Relaxed);
                    let took = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
                    slowest.fetch_max(took, Ordering::Relaxed);
                }
            });
        }
        let mut stream = Stream::new(false, PACE);
        let mut body = String::new();
        let start = Instant::now();
        while start.elapsed() < TIME {
            let due = PACE * u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX) / 1000;
            if sent >= due {
                std::thread::sleep(Duration::from_millis(1));
            } else {
                sent += stream.body(&mut body);
                for batch in batches(body.as_bytes()) {
                    // An event that waits longer is not counted as stored.
                    store.submit_when_room(batch).expect("open");
                }
            }
            let stats = store.stats();
            largest = largest.max(stats.database_bytes + stats.log_bytes);
            longest_log = longest_log.max(stats.log_bytes);
        }
        done.store(true, Ordering::Relaxed);
    });
    let stats = store.stats();
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "{readers} readers, {} reads, the slowest {} ms; {} of {sent} events stored in {} s; log at most {:.1} MiB, \
         log and database {:.1} MiB of {limit}; readers kept out {} times, the writer {} times",
        reads.load(Ordering::Relaxed),
        slowest.load(Ordering::Relaxed),
        stats.events,
        TIME.as_secs(),
        mib(longest_log),
        mib(largest),
        stats.reader_pauses,
        stats.log_stalls,
    );
}
