//! Measures a server whose sender makes up names: memory, time of a page, and size of the files.
//!
//! ```sh
//! cargo bench --bench names                 # all cases, with the limits and without
//! cargo bench --bench names -- metrics      # only the cases with this in their name
//! ```
//!
//! Each case fills a database, starts the server on it in a process of its own, and lets six readers ask for the same pages again and
//! again for ten seconds, as open pages do that refresh. `longest` is the slowest answer of all, `largest` the most bytes of one,
//! `memory` the most that was resident, `busy` how
//! many were answered 503. Without the limits of names (`--apm-max-names 0`) the database is one of before there were any.
//! Goals: 512 MiB and 1 s at any of these. The last case sends new names as fast as the writer takes them, at `--apm-max-size 32MiB`.
//! Linux only.
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[path = "names/data.rs"]
mod data;

const READERS: usize = 6;
const TIME: Duration = Duration::from_secs(10);

/// A case: its name, what is stored, and the pages that are asked for.
type Case = (&'static str, fn(&apm_store::Store), &'static [&'static str]);

const CASES: [Case; 6] = [
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
        "300 000 spans",
        |store| data::interleaved(store, 300_000),
        &["/discover?from=now-24h&q=service.name%3A+shop+and+transaction.duration.us+%3E%3D+5000"],
    ),
    (
        "300 000 spans, documents",
        |store| data::interleaved(store, 300_000),
        &["/discover?from=now-24h&q=service.name%3A+shop+and+labels.k+%3A+v7"],
    ),
];

fn main() {
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| name.contains(only));
    println!(
        "{:28} {:>8} {:>10} {:>10} {:>10} {:>8} {:>7}",
        "", "limits", "longest", "median", "largest", "memory", "busy"
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
    let readers: Vec<_> = (0..READERS)
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
    let largest = seen
        .iter()
        .map(|(_, bytes, _)| *bytes)
        .max()
        .unwrap_or_default();
    println!(
        "{name:28} {:>8} {longest:>8.2} s {median:>8.2} s {:>7.1} MB {:>4.0} MiB {:>7}",
        if limits { "yes" } else { "none" },
        largest as f64 / 1e6,
        server.most_resident(),
        seen.iter().filter(|(.., is_busy)| *is_busy).count(),
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

/// The server alone, on a free port; killed when dropped.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(dir: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pocket-apm"))
            .args([
                "server",
                "--apm-listen",
                "127.0.0.1:0",
                "--apm-max-size",
                "16GiB",
            ])
            .args(options)
            .current_dir(dir)
            .env("RUST_LOG", "off")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.starts_with("APM")));
        let line = line.expect("a line with the address");
        let (_, address) = line.split_once("://").expect("a URL");
        Self {
            child,
            address: address.to_owned(),
        }
    }

    /// The most that was resident, MiB.
    fn most_resident(&self) -> f64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<f64>().ok()).expect("KiB") / 1024.0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks once and reads the answer to its end; returns its bytes, and whether the server was too busy for it.
fn answer(address: &str, path: &str) -> (usize, bool) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let is_busy = answer.starts_with(b"HTTP/1.1 503");
    assert!(
        is_busy || answer.starts_with(b"HTTP/1.1 200"),
        "{path}: {}",
        String::from_utf8_lossy(&answer[..answer.len().min(300)])
    );
    (answer.len(), is_busy)
}
