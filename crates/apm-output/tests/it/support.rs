//! A store with events, an output with short pauses, and the engine behind it.

pub(crate) mod engine;
pub(crate) mod every_kind;
mod http;
pub(crate) mod rollups;
pub(crate) mod servers;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apm_intake::Stream;
use apm_output::{Config, Output};
use apm_store::{Store, StoreOptions};

use engine::Engine;

/// A store of its own.
pub(crate) fn store(dir: &Path) -> Store {
    let mut options = StoreOptions::new(dir.join("apm.db"));
    options.keeps_unsent = true;
    Store::open(options).expect("opens")
}

/// A store that shares its counts.
pub(crate) fn sharing_store(dir: &Path) -> Store {
    let mut options = StoreOptions::new(dir.join("apm.db"));
    options.keeps_unsent = true;
    options.shares_counts = true;
    Store::open(options).expect("opens")
}

/// An output of one of several servers.
pub(crate) fn named(engine: &Engine, name: &str) -> Config {
    let mut config = config(engine);
    config.server_name = name.to_owned();
    config
}

/// An output with short pauses.
pub(crate) fn config(engine: &Engine) -> Config {
    of_hosts([engine.url()])
}

/// The same to several hosts.
pub(crate) fn of_hosts(hosts: impl IntoIterator<Item = String>) -> Config {
    let mut config = Config::new(hosts).expect("addresses");
    config.pace.poll = Duration::from_millis(10);
    config.pace.pause = Duration::from_millis(5);
    config.pace.longest_pause = Duration::from_millis(50);
    config.pace.timeout = Duration::from_millis(500);
    config.pace.grace = Duration::from_millis(500);
    config.pace.documents = 100;
    config.pace.follow = Duration::from_millis(10);
    config.pace.pack = Duration::from_millis(10);
    config.pace.hole = Duration::from_millis(300);
    config.pace.reread = Duration::from_millis(300);
    config.pace.silent = Duration::from_millis(1500);
    config
}

/// Starts an output.
pub(crate) fn start(store: &Store, config: Config) -> Output {
    Output::start(store.clone(), config).expect("starts")
}

const METADATA: &str = r#"{"metadata":{"service":{"name":"shop","environment":"test","language":{"name":"rust"},
"agent":{"name":"rust","version":"1"}},"system":{"hostname":"h"},"labels":{"team":"red"}}}"#;

/// Stores lines as an agent sends them; gives back how many events they are.
pub(crate) fn feed(store: &Store, lines: impl IntoIterator<Item = String>) -> usize {
    let mut body = METADATA.replace('\n', "");
    for line in lines {
        body.push('\n');
        body += &line;
    }
    feed_body(store, &body)
}

/// Stores the body of a request.
pub(crate) fn feed_body(store: &Store, body: &str) -> usize {
    feed_as(store, body, false)
}

/// The same, as a browser sends it or as a service does.
pub(crate) fn feed_as(store: &Store, body: &str, is_browser: bool) -> usize {
    let batches = batches(body);
    let tickets: Vec<_> = batches
        .into_iter()
        .map(|mut batch| {
            if is_browser {
                batch.visitor = Some("".into());
            }
            batch
        })
        .map(|batch| store.submit_when_room(batch).expect("open"))
        .collect();
    let stored = tickets
        .into_iter()
        .map(|ticket| ticket.wait().expect("stored").events);
    stored.sum()
}

/// The batches that the intake makes of a body.
pub(crate) fn batches(body: &str) -> Vec<apm_store::event::Batch> {
    let mut stream = Stream::new(None, 300 * 1024, None, Arc::default());
    let mut chunk = body.as_bytes();
    let mut batches = Vec::new();
    while let Some(batch) = stream.advance(&mut chunk) {
        batches.push(batch);
    }
    stream.finish();
    batches.extend(stream.take());
    batches
}

/// Microseconds since the epoch.
pub(crate) fn now() -> i64 {
    apm_time::now()
}

/// Lines of transactions, each with a span of a database and a metricset now and then.
pub(crate) fn lines(first: u64, count: u64) -> impl Iterator<Item = String> {
    let at = now();
    (first..first + count).map(move |n| match n % 4 {
        0 => format!(
            r#"{{"transaction":{{"id":"{n:016x}","trace_id":"{n:032x}","name":"GET /{}","type":"request",
"result":"HTTP 2xx","outcome":"success","duration":{}.5,"timestamp":{at},"span_count":{{"started":1}},
"context":{{"tags":{{"n":{n}}},"request":{{"method":"GET","url":{{"full":"http://h/é\"{n}"}}}}}}}}}}"#,
            n % 3,
            n % 40
        ),
        1 => format!(
            r#"{{"span":{{"id":"{n:016x}","trace_id":"{:032x}","parent_id":"{:016x}","name":"SELECT","type":"db",
"subtype":"sqlite","action":"query","duration":2,"timestamp":{at},"outcome":"success",
"context":{{"db":{{"statement":"SELECT {n}","type":"sql"}},
"destination":{{"service":{{"resource":"sqlite/d"}}}}}}}}}}"#,
            n - 1,
            n - 1
        ),
        2 => format!(
            r#"{{"error":{{"id":"{n:032x}","timestamp":{at},"exception":{{"message":"no {n}","type":"E",
"stacktrace":[{{"filename":"a.rs","lineno":1}}]}}}}}}"#
        ),
        _ => format!(
            r#"{{"metricset":{{"timestamp":{at},"samples":{{"my.gauge":{{"value":{n},"type":"gauge"}}}}}}}}"#
        ),
    })
    .map(|line| line.replace('\n', ""))
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "still not: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
