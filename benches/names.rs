//! Measures a server whose sender makes up names: memory, time of a page, and size of the files.
//!
//! ```sh
//! cargo bench --bench names                 # all cases, with the limits and without
//! cargo bench --bench names -- metrics      # only the cases with this in their name
//! POCKET_APM_SPANS=10000000 cargo bench --bench names -- "spans, "     # searches of so many spans, instead of 300 000
//! ```
//!
//! Each case fills a database, starts the server on it in a process of its own, and lets six readers
//! (`POCKET_APM_READERS`) ask for the same pages again and again for ten seconds, as open pages do that refresh.
//! `longest` is the slowest answer of all, `largest` the most bytes of one,
//! `memory` the most that was resident, `busy` how
//! many were answered 503. Without the limits of names (`--apm-max-names 0`) the database is one of before there were
//! any. Goals: 512 MiB and 1 s at any of these. Another case sends new names as fast as the writer takes them, at
//! `--apm-max-size 32MiB`. The last one stores a million new names of each kind: a thousand of them may take twice as
//! long at last as at first. Linux only.
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::time::{Duration, Instant};

#[path = "names/data.rs"]
mod data;
#[path = "names/server.rs"]
mod server;

use server::{Running, answer, memory};

/// Readers, unless `POCKET_APM_READERS` says another number.
const READERS: usize = 6;
const TIME: Duration = Duration::from_secs(10);
/// Spans that are searched, unless `POCKET_APM_SPANS` says another number.
const SPANS: u64 = 300_000;

/// A case: its name, what is stored, and the pages that are asked for.
type Case = (&'static str, fn(&apm_store::Store), &'static [&'static str]);

const CASES: [Case; 8] = [
    (
        "100 000 names",
        |store| data::transactions(store, 100_000, 100_000, 1),
        &[
            "/services",
            "/services/shop",
            "/services/shop/transactions",
            "/queries",
            "/services/shop/errors",
            "/services/shop/dependencies",
        ],
    ),
    (
        "100 000 results",
        |store| data::transactions(store, 100_000, 1, 100_000),
        &["/services/shop/transactions", "/services/shop"],
    ),
    (
        "500 000 metrics",
        |store| data::metrics(store, 500_000),
        &["/services/shop/metrics", "/services"],
    ),
    (
        "900 000 traces",
        |store| data::transactions(store, 900_000, 20, 3),
        &["/traces?from=now-24h", "/services?from=now-24h"],
    ),
    (
        "spans, long requests",
        |store| data::interleaved(store, spans()),
        &["/discover?from=now-24h&q=service.name%3A+shop+and+transaction.duration.us+%3E%3D+5000"],
    ),
    (
        "spans, none found",
        |store| data::interleaved(store, spans()),
        &["/discover?from=now-24h&q=service.name%3A+shop+and+span.duration.us+%3E%3D+5000"],
    ),
    (
        "spans, any text",
        |store| data::interleaved(store, spans()),
        &["/discover?from=now-24h&q=service.name%3A+shop+and+not+nothing"],
    ),
    (
        "spans, documents",
        |store| data::interleaved(store, spans()),
        &["/discover?from=now-24h&q=service.name%3A+shop+and+labels.k+%3A+v7"],
    ),
];

fn main() {
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| name.contains(only));
    println!(
        "{:28} {:>8} {:>10} {:>10} {:>10} {:>10} {:>8} {:>7}",
        "", "limits", "longest", "p95", "median", "largest", "memory", "busy"
    );
    for (name, fill, pages) in CASES {
        for limits in [true, false] {
            if is_wanted(name) {
                run(name, fill, pages, limits);
            }
        }
    }
    if is_wanted("32 MiB") {
        sizes();
    }
    if is_wanted("1 000 000 new") {
        growth();
    }
}

fn spans() -> u64 {
    std::env::var("POCKET_APM_SPANS").map_or(SPANS, |spans| {
        spans
            .parse()
            .expect("POCKET_APM_SPANS is a number of spans, as 10000000")
    })
}

fn run(name: &str, fill: fn(&apm_store::Store), pages: &'static [&'static str], limits: bool) {
    let dir = tempfile::tempdir().expect("a directory");
    data::fill(dir.path(), limits, fill);
    let server = Running::start(
        dir.path(),
        if limits {
            &[]
        } else {
            &["--apm-max-names", "0"]
        },
    );
    let end = Instant::now() + TIME;
    let readers = std::env::var("POCKET_APM_READERS").map_or(READERS, |readers| {
        readers
            .parse()
            .expect("POCKET_APM_READERS is a number of readers, as 1")
    });
    let readers: Vec<_> = (0..readers)
        .map(|reader| {
            let address = server.address.clone();
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                for page in pages.iter().cycle().skip(reader) {
                    let start = Instant::now();
                    if start > end && seen.len() >= pages.len() {
                        return seen;
                    }
                    let (bytes, is_busy) = answer(&address, page);
                    seen.push((start.elapsed(), bytes, is_busy));
                }
                seen
            })
        })
        .collect();
    let mut seen = Vec::new();
    for reader in readers {
        seen.extend(reader.join().expect("a reader"));
    }
    seen.sort_unstable();
    let longest = seen.last().map_or(0.0, |(time, ..)| time.as_secs_f64());
    let median = seen[seen.len() / 2].0.as_secs_f64();
    let p95 = seen[seen.len() * 95 / 100].0.as_secs_f64();
    let largest = seen
        .iter()
        .map(|(_, bytes, _)| *bytes)
        .max()
        .unwrap_or_default();
    println!(
        "{name:28} {:>8} {longest:>8.3} s {p95:>8.3} s {median:>8.3} s {:>7.1} MB {:>4.0} MiB {:>7}",
        if limits { "yes" } else { "none" },
        largest as f64 / 1e6,
        memory(server.id(), "VmHWM"),
        seen.iter().filter(|(.., is_busy)| *is_busy).count(),
    );
}

/// A million new names of each kind, without limits: what a thousand cost at first and at last, and the memory of the
/// writer.
fn growth() {
    const NAMES: u64 = 1_000_000;
    let dir = tempfile::tempdir().expect("a directory");
    let before = memory(std::process::id(), "VmHWM");
    let times = data::grow(dir.path(), NAMES);
    let middle = |times: &[Duration]| {
        let mut times = times.to_vec();
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1000.0
    };
    let (first, last) = (middle(&times[..20]), middle(&times[times.len() - 20..]));
    println!(
        "1 000 000 new names of 5 kinds: 1000 take {first:.1} ms at first, {last:.1} ms at last ({:.2}); \
         {:.0} MiB more",
        last / first,
        memory(std::process::id(), "VmHWM") - before,
    );
}

/// New names of each kind, as fast as they are stored: how large the files get.
fn sizes() {
    const LIMIT: u64 = 32 << 20;
    for limits in [true, false] {
        let dir = tempfile::tempdir().expect("a directory");
        let (events, most) = data::flood(dir.path(), LIMIT, limits, TIME * 3);
        println!(
            "new names at 32 MiB          {:>8} {:>8.0} events/s, at most {:.1} MiB ({:.2} of the limit)",
            if limits { "yes" } else { "none" },
            events as f64 / (TIME * 3).as_secs_f64(),
            most as f64 / f64::from(1 << 20),
            most as f64 / LIMIT as f64,
        );
    }
}
