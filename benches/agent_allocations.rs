//! Allocations of the agent on the service's own threads: per transaction, per query, per error.
//!
//! ```sh
//! cargo bench --bench agent_allocations
//! ```
//!
//! A program of its own, because a counting allocator is slower: times come from `agent_overhead`, which measures the
//! same things.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::hint::black_box;

use actix_web::dev::Service as _;
use actix_web::rt::System;
use allocation_counter::measure;
use pocket_apm::people::NewPerson;

use self::scenario::{BROWSER, PLAIN, QUERIES, Watched};

#[path = "agent_overhead/scenario.rs"]
mod scenario;

/// First calls fill caches, and are not counted.
const WARM_UP: u64 = 100;
/// Calls whose allocations are counted; a buffer that grows now and then is spread over them.
const COUNTED: u64 = 100;

fn main() {
    println!(
        "{:<24} {:<14} {:>12} {:>12}",
        "", "", "allocations", "bytes"
    );
    let system = System::new();
    for (name, path, headers) in [
        ("request", PLAIN, &[][..]),
        ("request, nine headers", PLAIN, &BROWSER),
        ("request, five queries", QUERIES, &[]),
    ] {
        for watched in Watched::ALL {
            let agent = watched.agent();
            let service = watched.service(&system, &agent);
            let requests = (0..WARM_UP + COUNTED).map(|_| scenario::request(path, headers));
            let mut requests = requests.collect::<Vec<_>>().into_iter();
            print(name, watched, || {
                let request = requests.next().expect("a request for each call");
                drop(system.block_on(service.call(request)).expect("an answer"));
            });
            scenario::settle(&agent);
        }
    }
    for watched in Watched::ALL {
        let agent = watched.agent();
        let mut conn = scenario::connection(&agent);
        let transaction = agent.transaction("queries", "bench");
        transaction.run(|| {
            print("query", watched, || {
                black_box(scenario::query(&mut conn));
            });
        });
    }
    let person = NewPerson::random(&mut rand::rng());
    print("statement: select", Watched::Not, || {
        black_box(scenario::format(&scenario::select()));
    });
    print("statement: insert", Watched::Not, || {
        black_box(scenario::format(&scenario::insert(&person)));
    });
    let error = std::io::Error::other("7".parse::<bool>().expect_err("7 is no bool"));
    for watched in [Watched::Disabled, Watched::Unsampled, Watched::Sampled] {
        let agent = watched.agent();
        let transaction = agent.transaction("errors", "bench");
        transaction.run(|| {
            print("error", watched, || {
                black_box(apm_agent::capture_error(black_box(&error)));
            });
        });
    }
}

/// Prints how often, on this thread, a call allocates, and how much.
fn print(name: &str, watched: Watched, mut call: impl FnMut()) {
    for _ in 0..WARM_UP {
        call();
    }
    let counted = measure(|| {
        for _ in 0..COUNTED {
            call();
        }
    });
    println!(
        "{name:<24} {:<14} {:>12.2} {:>12.0}",
        watched.name(),
        counted.count_total as f64 / COUNTED as f64,
        counted.bytes_total as f64 / COUNTED as f64,
    );
}
