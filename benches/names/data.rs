//! Events of senders that make up names.

use std::path::Path;
use std::time::{Duration, Instant};

use apm_store::event::{
    Batch, ErrorEvent, Event, Metricset, Outcome, Resource, Sample, ServiceOverride, Span,
    Transaction,
};
use apm_store::{NameLimits, Store, StoreOptions};
use apm_time::{SECOND, now};

/// Events per batch.
const TOGETHER: u64 = 2_000;

/// Time over which events are spread, µs.
const DAY: i64 = 24 * 3_600 * SECOND;

fn open(dir: &Path, limits: bool, max_size: Option<u64>) -> Store {
    let mut options = StoreOptions::new(dir.join("apm.db"));
    options.max_size = max_size;
    if !limits {
        options.names = NameLimits::new(0);
    }
    Store::open(options).expect("opens")
}

/// Fills a database and closes it.
pub(crate) fn fill(dir: &Path, limits: bool, fill: fn(&Store)) {
    let store = open(dir, limits, None);
    fill(&store);
    store.close();
}

fn batch(service: &str) -> Batch {
    let resource = Resource {
        service_name: service.to_owned(),
        environment: None,
        service_version: None,
        agent_name: "rust".to_owned(),
        agent_version: "1".to_owned(),
        language: None,
        client: None,
        document: format!(r#"{{"metadata":{{"service":{{"name":"{service}"}}}}}}"#),
    };
    Batch::new(resource.into(), now())
}

fn store_all(store: &Store, batch: Batch) {
    store.submit_when_room(batch).expect("room");
}

fn transaction(batch: &mut Batch, number: u64, at: i64, name: &str, result: &str) {
    let event = Transaction {
        id: batch.keep_id(&format!("{number:016x}")),
        trace_id: batch.keep_id(&format!("{number:032x}")),
        parent_id: None,
        service: ServiceOverride::default(),
        timestamp: at,
        duration: 1_000 + (number % 7_919) as i64,
        name: Some(batch.keep(name)),
        kind: batch.keep("request"),
        result: Some(batch.keep(result)),
        outcome: Outcome::Success,
        sampled: true,
        sample_rate: Some(1.0),
        status: Some(200),
        spans_started: 1,
        spans_dropped: None,
        dropped: 0..0,
        rest: batch.keep(&format!(
            r#"{{"context":{{"tags":{{"k":"v{}"}}}}}}"#,
            number % 100
        )),
    };
    batch.events.push(Event::Transaction(event));
}

fn span(batch: &mut Batch, number: u64, at: i64, name: u64) {
    let event = Span {
        id: batch.keep_id(&format!("{:016x}", number | 1 << 62)),
        trace_id: batch.keep_id(&format!("{number:032x}")),
        transaction_id: Some(batch.keep_id(&format!("{number:016x}"))),
        parent_id: batch.keep_id(&format!("{number:016x}")),
        service: ServiceOverride::default(),
        timestamp: at,
        duration: 700,
        name: batch.keep("SELECT FROM people"),
        kind: batch.keep("db"),
        subtype: Some(batch.keep("sqlite")),
        action: None,
        outcome: Outcome::Success,
        sample_rate: Some(1.0),
        status: None,
        resource: Some(batch.keep(&format!("db-{name}"))),
        target_type: None,
        target_name: None,
        db_instance: None,
        db_statement: Some(batch.keep(&format!("SELECT c{name} FROM people"))),
        composite: None,
        cost: None,
        stack: None,
        rest: batch.keep(&format!(
            r#"{{"context":{{"tags":{{"k":"v{}"}}}}}}"#,
            number % 100
        )),
    };
    batch.events.push(Event::Span(event));
}

fn error(batch: &mut Batch, number: u64, at: i64) {
    let event = ErrorEvent {
        id: batch.keep_id(&format!("{number:032x}")),
        trace_id: None,
        transaction_id: None,
        parent_id: None,
        service: ServiceOverride::default(),
        timestamp: at,
        grouping_key: number,
        kind: Some(batch.keep(&format!("Fault{number}"))),
        message: Some(batch.keep("too much")),
        culprit: Some(batch.keep("main")),
        handled: Some(false),
        transaction_name: None,
        transaction_kind: None,
        stack: None,
        rest: batch.keep("{}"),
    };
    batch.events.push(Event::Error(event));
}

/// So many transactions of one service, with so many names and results. Where there are many names, so are statements,
/// destinations and errors, and all of it is of the last quarter of an hour; else they are spread over a day.
pub(crate) fn transactions(store: &Store, count: u64, names: u64, results: u64) {
    let is_flood = count < 500_000;
    let time = if is_flood { DAY / 96 } else { DAY };
    let first = now() - time;
    for start in (0..count).step_by(TOGETHER as usize) {
        let mut sent = batch("shop");
        for number in start..(start + TOGETHER).min(count) {
            let at = first + time / count as i64 * number as i64;
            let (name, result) = (
                format!("GET /{}", number % names),
                format!("code {}", number % results),
            );
            transaction(&mut sent, number, at, &name, &result);
            if names > 1_000 {
                span(&mut sent, number, at, number);
                error(&mut sent, number, at);
            }
        }
        store_all(store, sent);
    }
}

/// So many metrics of one service.
pub(crate) fn metrics(store: &Store, count: u64) {
    for start in (0..count).step_by(TOGETHER as usize) {
        let mut sent = batch("shop");
        for number in start..(start + TOGETHER).min(count) {
            let first = u32::try_from(sent.samples.len()).expect("few");
            let name = sent.keep(&format!("queue.{number}.depth"));
            sent.samples.push(Sample::gauge(name, 1.0));
            let event = Metricset {
                service: ServiceOverride::default(),
                timestamp: now() - 60 * SECOND,
                breakdown: None,
                samples: first..first + 1,
                labels: None,
                rest: sent.keep("{}"),
            };
            sent.events.push(Event::Metricset(event));
        }
        store_all(store, sent);
    }
}

/// So many spans and a tenth as many transactions of three services, in turn, with times of the whole day in each
/// block.
pub(crate) fn interleaved(store: &Store, count: u64) {
    let first = now() - DAY;
    for start in (0..count).step_by(TOGETHER as usize / 10) {
        let service = ["shop", "cart", "bank"][(start / (TOGETHER / 10) % 3) as usize];
        let mut sent = batch(service);
        for number in start..start + TOGETHER / 10 {
            let at = first + (number * 7_919 % 86_400) as i64 * SECOND;
            span(&mut sent, number, at, number % 50);
            if number % 10 == 0 {
                let name = format!("GET /{}", number % 20);
                transaction(&mut sent, number, at, &name, "HTTP 2xx");
            }
        }
        store_all(store, sent);
    }
}

/// So many new names of each kind, without limits: how long each thousand took to be stored.
pub(crate) fn grow(dir: &Path, names: u64) -> Vec<Duration> {
    let store = open(dir, false, None);
    let mut times = Vec::new();
    for first in (0..names).step_by(1_000) {
        let mut sent = batch("shop");
        for number in first..first + 1_000 {
            let name = format!("GET /{number}");
            transaction(&mut sent, number, now(), &name, &format!("code {number}"));
            span(&mut sent, number, now(), number);
            error(&mut sent, number, now());
        }
        let start = Instant::now();
        let stored = store.submit_when_room(sent).expect("room");
        stored.wait().expect("stored");
        times.push(start.elapsed());
    }
    store.close();
    times
}

/// New names of all kinds until the time is up: how many events were stored, and the most bytes that the files had.
pub(crate) fn flood(dir: &Path, limit: u64, limits: bool, time: Duration) -> (u64, u64) {
    let store = open(dir, limits, Some(limit));
    let end = Instant::now() + time;
    let (mut number, mut most) = (0, 0);
    while Instant::now() < end {
        let mut sent = batch("shop");
        for _ in 0..TOGETHER / 4 {
            transaction(
                &mut sent,
                number,
                now(),
                &format!("GET /{number}"),
                &format!("code {number}"),
            );
            span(&mut sent, number, now(), number);
            error(&mut sent, number, now());
            number += 1;
        }
        store_all(&store, sent);
        let stats = store.stats();
        most = most.max(stats.database_bytes + stats.log_bytes);
    }
    let events = store.stats().events;
    store.close();
    (events, most)
}
