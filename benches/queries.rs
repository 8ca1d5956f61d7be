//! How long the lists take, at a tenth of the data and at all of it, and how long single traces.
//!
//! ```sh
//! cargo bench --bench queries                                      # 10 000 and 100 000 traces of 11 events
//! POCKET_APM_BENCH_TRACES=20000 cargo bench --bench queries        # 2 000 and 20 000
//! POCKET_APM_BENCH_TRACES=1000000 cargo bench --bench queries      # 100 000 and 1 000 000, in three minutes
//! ```
//!
//! A million traces make a database of a gigabyte, and show what grows and what only fills up: at ten thousand traces most minutes
//! of most groups are empty.
//!
//! Not criterion: what counts is the 95th percentile of single requests, and the ratio between two sizes.
//! Each question is asked [`RUNS`] times of each database; `first` is the very first answer, when nothing
//! of that question has been read before. Targets: p95 < 20 ms, and ≤ 1.2 times the p50 at a tenth. Where
//! the p50 is below a millisecond the ratio says nothing.
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use apm_server::analytics::trace::read;
use apm_server::store::{Store, StoreError};
use apm_server::time;
use diesel::SqliteConnection;

#[path = "queries/data.rs"]
mod data;
#[path = "queries/insight.rs"]
mod insight;
#[path = "queries/questions.rs"]
mod questions;

const RUNS: usize = 40;
const TRACES: u64 = 100_000;

type Ask = Box<dyn Fn(&mut SqliteConnection) -> Result<(), StoreError>>;

fn main() {
    let traces = std::env::var("POCKET_APM_BENCH_TRACES").map_or(TRACES, |traces| {
        traces
            .parse()
            .expect("POCKET_APM_BENCH_TRACES is a number of traces, as 100000")
    });
    let dir = tempfile::tempdir().expect("a directory");
    let end = time::now();
    let small = data::store(&dir.path().join("small.db"), traces / 10, end);
    let large = data::store(&dir.path().join("large.db"), traces, end);
    println!(
        "{:28} {:>5}  {:>8} {:>8} {:>8}  {:>8} {:>8} {:>8}  {:>6}",
        "question, hours", "", "first", "p50", "p95", "first", "p50", "p95", "ratio"
    );
    println!(
        "{:34}  {:^26}  {:^26}",
        "",
        format!("{} traces", traces / 10),
        format!("{traces} traces")
    );
    for hours in [0.25, 1.0, 24.0] {
        let asked = questions::of_lists(end, hours)
            .into_iter()
            .chain(insight::questions(end, hours));
        for (name, ask) in asked {
            let few = measured(&small, &ask);
            let many = measured(&large, &ask);
            let ratio = many[1].as_secs_f64() / few[1].as_secs_f64();
            let ms = |time: Duration| format!("{:8.2}", time.as_secs_f64() * 1000.0);
            let columns = |times: [Duration; 3]| times.map(ms).join(" ");
            println!(
                "{name:28} {hours:>5}  {}  {}  {ratio:6.2}",
                columns(few),
                columns(many)
            );
        }
    }
    single_traces(&large, end);
}

/// First, p50 and p95.
fn measured(store: &Store, ask: &Ask) -> [Duration; 3] {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            store.read::<_, StoreError>(ask).expect("an answer");
            start.elapsed()
        })
        .collect();
    let first = times[0];
    times.sort_unstable();
    [first, times[RUNS / 2], times[RUNS * 95 / 100]]
}

/// Single traces, as JSON: their target is 100 ms at 5 000 spans.
fn single_traces(store: &Store, end: i64) {
    println!("\n{:40} {:>8} {:>8} {:>8}", "", "first", "p50", "p95");
    for spans in [10, 1_000, 5_000, 10_000] {
        let id = data::trace(store, spans, end);
        let ask: Ask = Box::new(move |conn| {
            let trace = read::trace(conn, &id)?.expect("the trace");
            black_box(serde_json::to_vec(&trace).expect("JSON"));
            Ok(())
        });
        let times = measured(store, &ask).map(|time| time.as_secs_f64() * 1000.0);
        println!(
            "a trace of {spans:>6} spans, to JSON {:>16.2} {:>8.2} {:>8.2}",
            times[0], times[1], times[2]
        );
    }
}
