//! The time of lists, beside a tenth of the data, and of single traces.
//!
//! ```sh
//! cargo bench --bench queries                                      # 100 000 traces of 11 events
//! POCKET_APM_BENCH_TRACES=20000 cargo bench --bench queries        # 20 000
//! POCKET_APM_BENCH_TRACES=1000000 cargo bench --bench queries      # 1 000 000: a gigabyte, three minutes
//! cargo bench --bench queries -- statements                        # only the questions with this in their name
//! ```
//!
//! A tenth of the data comes in two ways. *A tenth of the time* is the same service when less of its history was there:
//! what a list costs as data accumulates. *A tenth of the rate* is a service with a tenth of the load over the same
//! time: most minutes of most transaction groups are empty there, so lists have fewer rows to add up until each minute
//! has its row.
//!
//! Not criterion: what counts is the 95th percentile of single requests. Each question is asked [`RUNS`] times of each
//! database;
//! `first` is the very first answer, when nothing of that question has been read before. Targets: p95 < 20 ms, and ≤
//! 1.2 times the p50 at a tenth. Where the p50 is far below a millisecond the ratio says little.
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use apm_server::analytics::trace::read;
use apm_server::api::TracePart;
use apm_store::{Store, StoreError};
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
    // Cargo adds `--bench`.
    let wanted: Option<String> = std::env::args().skip(1).find(|arg| !arg.starts_with("--"));
    let dir = tempfile::tempdir().expect("a directory");
    let end = apm_time::now();
    let store =
        |name: &str, traces, length| data::store(&dir.path().join(name), traces, length, end);
    let thin = store("thin.db", traces / 10, data::DAY);
    let short = store("short.db", traces / 10, data::DAY / 10);
    let large = store("large.db", traces, data::DAY);
    println!(
        "{:34}  {:^26}  {:>16}  {:>16}",
        "",
        format!("{traces} traces in 24 h"),
        format!("{} in 24 h", traces / 10),
        format!("{} in 2.4 h", traces / 10),
    );
    println!(
        "{:28} {:>5}  {:>8} {:>8} {:>8}  {:>8} {:>7}  {:>8} {:>7}",
        "question, hours", "", "first", "p50", "p95", "p50", "ratio", "p50", "ratio"
    );
    for hours in [0.25, 1.0, 24.0] {
        let asked = questions::of_lists(end, hours)
            .into_iter()
            .chain(insight::questions(end, hours))
            .filter(|(name, _)| {
                wanted
                    .as_ref()
                    .is_none_or(|part| name.contains(part.as_str()))
            });
        for (name, ask) in asked {
            let [_, thin, _] = measured(&thin, &ask);
            let [_, short, _] = measured(&short, &ask);
            let [first, p50, p95] = measured(&large, &ask);
            let ms = |time: Duration| time.as_secs_f64() * 1000.0;
            let ratio = |to: Duration| p50.as_secs_f64() / to.as_secs_f64();
            println!(
                "{name:28} {hours:>5}  {:8.2} {:8.2} {:8.2}  {:8.2} {:7.2}  {:8.2} {:7.2}",
                ms(first),
                ms(p50),
                ms(p95),
                ms(thin),
                ratio(thin),
                ms(short),
                ratio(short),
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
            let part = TracePart::read(conn, trace, 0, usize::MAX)?;
            black_box(serde_json::to_vec(&part).expect("JSON"));
            Ok(())
        });
        let times = measured(store, &ask).map(|time| time.as_secs_f64() * 1000.0);
        println!(
            "a trace of {spans:>6} spans, to JSON {:>16.2} {:>8.2} {:>8.2}",
            times[0], times[1], times[2]
        );
    }
}
