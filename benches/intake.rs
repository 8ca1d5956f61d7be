//! The cost of taking events in: each stage alone, and all together.
//!
//! ```sh
//! cargo bench --bench intake                                   # each stage, on 20 000 events
//! POCKET_APM_SOAK=4000000 cargo bench --bench intake           # one long run: events/s of CPU time, bytes per event
//! POCKET_APM_SOAK=4000000 POCKET_APM_SOAK_ENTROPY=1 …          # the same with 120 random bytes per transaction
//! POCKET_APM_SOAK=4000000 POCKET_APM_SOAK_RATE=1000 …          # the same with so many events per second of event time
//! POCKET_APM_HTTP=1000000 cargo bench --bench intake           # over HTTP, four connections, CPU of the whole server
//! POCKET_APM_READERS=3 cargo bench --bench intake              # log and database beside so many readers, limit 16 MiB
//! POCKET_APM_READERS=3 POCKET_APM_READERS_LIMIT=64 …           # the same with another limit, MiB
//! POCKET_APM_INSIGHT=3000000 cargo bench --bench intake        # without and with the engine that looks for findings
//! ```
//!
//! The stream is one recorded from the Node.js agent, repeated with fresh ids and moving timestamps; a generated one
//! where the recording is missing. CPU time is that of the threads that decode and write; making the stream is not in
//! it.

#[path = "intake/http.rs"]
mod http;
#[path = "intake/insight.rs"]
mod insight;
#[path = "intake/readers.rs"]
mod readers;
#[path = "intake/recorded.rs"]
mod recorded;
#[path = "intake/soak.rs"]
mod soak;

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use apm_server::import::batches;
use apm_store::event::{Batch, Event};
use apm_store::measure::{Stages, encode};
use apm_store::{Store, StoreOptions};
use criterion::{BatchSize, Criterion, Throughput};
use sql_lexer::Fingerprint;

use recorded::Stream;

/// Events per measured pass.
const EVENTS: u64 = 20_000;

/// Events per second of event time: as they would come at the rate that is aimed at.
const RATE: u64 = 100_000;

fn main() {
    if http::serve() {
        return;
    }
    let number = |name: &str| {
        let value = std::env::var(name).ok()?;
        Some(
            value
                .parse::<u64>()
                .unwrap_or_else(|_| panic!("{name} is a number")),
        )
    };
    let rate = number("POCKET_APM_SOAK_RATE").unwrap_or(RATE);
    if let Some(events) = number("POCKET_APM_HTTP") {
        return http::run(events, rate);
    }
    if let Some(count) = number("POCKET_APM_READERS") {
        return readers::run(count, number("POCKET_APM_READERS_LIMIT").unwrap_or(16));
    }
    if let Some(events) = number("POCKET_APM_INSIGHT") {
        return insight::run(events, rate);
    }
    if let Some(events) = number("POCKET_APM_SOAK") {
        let high_entropy = number("POCKET_APM_SOAK_ENTROPY").is_some_and(|on| on > 0);
        return soak::run(events, high_entropy, rate);
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();
    stages(&mut criterion, rate);
    criterion.final_summary();
}

/// Request bodies of [`EVENTS`] events in all.
fn bodies(stream: &mut Stream) -> Vec<String> {
    let mut bodies = Vec::new();
    let mut events = 0;
    while events < EVENTS {
        let mut body = String::new();
        events += stream.body(&mut body);
        bodies.push(body);
    }
    bodies
}

fn decode(bodies: &[String]) -> Vec<Batch> {
    bodies
        .iter()
        .flat_map(|body| batches(body.as_bytes()))
        .collect()
}

fn stages(criterion: &mut Criterion, rate: u64) {
    let mut stream = Stream::new(false, rate);
    let first = bodies(&mut stream);
    let decoded = decode(&first);
    let statements: Vec<String> = decoded.iter().flat_map(statements).collect();
    let mut group = criterion.benchmark_group("intake");
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| decode(black_box(&first)))
    });
    group.bench_function("encode", |bencher| {
        bencher.iter(|| encode(black_box(&decoded)))
    });
    group.bench_function("fingerprint", |bencher| {
        bencher.iter(|| {
            for sql in &statements {
                black_box(Fingerprint::from_text(sql));
            }
        });
    });
    let dir = tempfile::tempdir().expect("a directory");
    let stages = RefCell::new(Stages::new(dir.path()));
    group.bench_function("insert", |bencher| {
        bencher.iter_batched(
            || decode(&bodies(&mut stream)),
            |batches| stages.borrow_mut().insert(&batches),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("rollup", |bencher| {
        bencher.iter_batched(
            || stages.borrow_mut().insert(&decode(&bodies(&mut stream))),
            |counts| stages.borrow_mut().rollup(&counts),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("together", |bencher| {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(StoreOptions::new(dir.path().join("apm.db"))).expect("opens");
        bencher.iter_batched(
            || bodies(&mut stream),
            |bodies| {
                let mut tickets = Vec::new();
                for body in &bodies {
                    for batch in batches(body.as_bytes()) {
                        tickets.push(store.submit_when_room(batch).expect("open"));
                    }
                }
                for ticket in tickets {
                    ticket.wait().expect("stored");
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn statements(batch: &Batch) -> Vec<String> {
    let of = |event: &Event| match event {
        Event::Span(span) => batch.opt(span.db_statement).map(str::to_owned),
        _ => None,
    };
    batch.events.iter().filter_map(of).collect()
}
