//! The agent's cost on the service's own threads: per transaction, per query, per error.
//!
//! ```sh
//! cargo bench --bench agent_overhead
//! cargo bench --bench agent_allocations    # the same, in allocations
//! ```
//!
//! A request goes straight into actix-web's services, so what a group adds to its "no middleware" is the agent's, and
//! nothing else. The agent's own thread is not in these times; `benches/peers` measures both together, under
//! load.

use std::hint::black_box;
use std::time::{Duration, Instant};

use actix_web::dev::Service as _;
use actix_web::rt::System;
use criterion::Criterion;
use pocket_apm::people::NewPerson;

use self::scenario::{BROWSER, PLAIN, QUERIES, Watched};

#[path = "agent_overhead/scenario.rs"]
mod scenario;

/// Errors that the agent keeps until its thread has resolved them (at most 256); the clock stands while it does.
const ERRORS: u64 = 200;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    requests(&mut criterion, "request", PLAIN, &[]);
    requests(&mut criterion, "request, nine headers", PLAIN, &BROWSER);
    requests(&mut criterion, "request, five queries", QUERIES, &[]);
    query(&mut criterion);
    statement(&mut criterion);
    error(&mut criterion);
    criterion.final_summary();
}

fn requests(
    criterion: &mut Criterion,
    name: &str,
    path: &str,
    headers: &[(&'static str, &'static str)],
) {
    let system = System::new();
    let mut group = criterion.benchmark_group(name);
    for watched in Watched::ALL {
        let agent = watched.agent();
        let service = watched.service(&system, &agent);
        group.bench_function(watched.name(), |bencher| {
            bencher.iter_batched(
                || scenario::request(path, headers),
                |request| {
                    // The response's body goes here, and with it ends the transaction.
                    drop(system.block_on(service.call(request)).expect("an answer"));
                },
                criterion::BatchSize::SmallInput,
            );
        });
        scenario::settle(&agent);
    }
    group.finish();
}

/// One query in a transaction that stays open.
fn query(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("query");
    for watched in Watched::ALL.into_iter().chain([Watched::Unhashed]) {
        let agent = watched.agent();
        let mut conn = scenario::connection(&agent);
        let transaction = agent.transaction("queries", "bench");
        transaction.run(|| {
            group.bench_function(watched.name(), |bencher| {
                bencher.iter(|| black_box(scenario::query(&mut conn)));
            });
        });
        scenario::settle(&agent);
    }
    group.finish();
}

/// The cost of learning a statement from Diesel, which writes it anew each time, up to its values. Compare with
/// `query`.
fn statement(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("statement");
    group.bench_function("select", |bencher| {
        bencher.iter(|| scenario::format(&scenario::select()));
    });
    let person = NewPerson::random(&mut rand::rng());
    group.bench_function("insert", |bencher| {
        bencher.iter(|| scenario::format(&scenario::insert(&person)));
    });
    group.finish();
}

/// One error with a cause, captured in a transaction.
fn error(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("error");
    let error = std::io::Error::other("7".parse::<bool>().expect_err("7 is no bool"));
    for watched in [Watched::Disabled, Watched::Unsampled, Watched::Sampled] {
        let agent = watched.agent();
        let transaction = agent.transaction("errors", "bench");
        transaction.run(|| {
            group.bench_function(watched.name(), |bencher| {
                bencher.iter_custom(|iterations| {
                    let mut spent = Duration::ZERO;
                    let mut left = iterations;
                    while left > 0 {
                        let now = left.min(ERRORS);
                        let start = Instant::now();
                        for _ in 0..now {
                            black_box(apm_agent::capture_error(black_box(&error)));
                        }
                        spent += start.elapsed();
                        scenario::settle(&agent);
                        left -= now;
                    }
                    spent
                });
            });
        });
    }
    group.finish();
}
