//! Telemetry of four services over the hours before a moment: per trace a transaction, an insert and nine selects.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apm_server::analytics::Scope;
use apm_server::analytics::window::Window;
use apm_server::insight::callers::{self, Wanted};
use apm_server::insight::{Engine, Options};
use apm_store::event::{Batch, Event, Outcome, Resource, ServiceOverride, Span, Transaction};
use apm_store::{Store, StoreError, StoreOptions};
use apm_time::Range;
use diesel::SqliteConnection;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Their names.
pub(crate) const SERVICES: [&str; 4] = ["shop", "bank", "mail", "stock"];
/// Transaction groups, and statements, of each.
const GROUPS: u64 = 25;
const SPANS: u64 = 10;
pub(crate) const DAY: i64 = 86_400_000_000;
const TRACES_PER_BATCH: u64 = 400;

/// A database with so many traces over the `length` before `end` (µs, µs since the epoch).
pub(crate) fn store(path: &Path, traces: u64, length: i64, end: i64) -> Store {
    let store = Store::open(StoreOptions::new(path)).expect("a new database");
    // Callers and findings are kept while events come, as in the server, but looked for more often.
    let mut options = Options::default();
    options.look = Duration::from_millis(100);
    options.judge = Duration::from_secs(1);
    let engine = Engine::start(store.clone(), options).expect("a thread");
    let mut chance = SmallRng::seed_from_u64(1);
    for first in (0..traces).step_by(TRACES_PER_BATCH as usize) {
        for (at, service) in SERVICES.iter().enumerate() {
            let mut batch = Batch::new(resource(service), end);
            let own = (first..traces.min(first + TRACES_PER_BATCH))
                .filter(|trace| *trace % SERVICES.len() as u64 == at as u64);
            for trace in own {
                let start = end - length + (length as f64 * trace as f64 / traces as f64) as i64;
                add(&mut batch, &mut chance, trace, start, SPANS);
            }
            store.submit(batch).expect("room").wait().expect("stored");
        }
    }
    await_callers(&store, end);
    drop(engine);
    store
}

/// The engine looks behind the intake.
fn await_callers(store: &Store, end: i64) {
    // Under callgrind everything takes fifty times as long.
    let deadline = Instant::now() + Duration::from_secs(600);
    let range = Range {
        from: end - DAY,
        to: end,
    };
    let known = |conn: &mut SqliteConnection| {
        let window = Window::new(range, end);
        let callers = callers::list(conn, &Scope::default(), Wanted::All, &window)?;
        Ok(callers.len() as u64)
    };
    while store.read::<_, StoreError>(known).expect("callers") < SERVICES.len() as u64 * GROUPS / 2
    {
        assert!(
            Instant::now() < deadline,
            "the engine has counted no callers"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The statement that reads a table.
pub(crate) fn select(table: u64) -> String {
    format!("SELECT * FROM t{table} WHERE id = ?")
}

/// Adds one more trace, and returns its id.
pub(crate) fn trace(store: &Store, spans: u64, end: i64) -> String {
    let mut batch = Batch::new(resource(SERVICES[0]), end);
    let mut chance = SmallRng::seed_from_u64(spans);
    let id = add(&mut batch, &mut chance, u64::MAX, end - DAY, spans);
    store.submit(batch).expect("room").wait().expect("stored");
    id
}

fn add(batch: &mut Batch, chance: &mut SmallRng, trace: u64, start: i64, spans: u64) -> String {
    let trace_id = format!(
        "{:032x}",
        u128::from(trace) << 64 | u128::from(chance.random::<u64>())
    );
    let id = format!("{:016x}", chance.random::<u64>());
    for number in 0..spans {
        let table = favourite(chance);
        let (verb, statement) = match number {
            0 => (
                "INSERT INTO",
                format!("INSERT INTO t{table} (a) VALUES (?)"),
            ),
            _ => ("SELECT FROM", select(table)),
        };
        let span = Span {
            id: batch.keep_id(&format!("{:016x}", chance.random::<u64>())),
            trace_id: batch.keep_id(&trace_id),
            transaction_id: Some(batch.keep_id(&id)),
            parent_id: batch.keep_id(&id),
            service: ServiceOverride::default(),
            timestamp: start + 1000 * number as i64,
            duration: duration(chance, 400.0),
            name: batch.keep(&format!("{verb} t{table}")),
            kind: batch.keep("db"),
            subtype: Some(batch.keep("sqlite")),
            action: Some(batch.keep("query")),
            outcome: Outcome::Success,
            sample_rate: Some(1.0),
            status: None,
            resource: Some(batch.keep("sqlite/app.db")),
            target_type: Some(batch.keep("sqlite")),
            target_name: Some(batch.keep("app.db")),
            db_instance: Some(batch.keep("app.db")),
            db_statement: Some(batch.keep(&statement)),
            composite: None,
            cost: None,
            stack: None,
            rest: batch.keep(r#"{"context":{"db":{"instance":"app.db","type":"sql"}}}"#),
        };
        batch.events.push(Event::Span(span));
    }
    let failed = chance.random_bool(0.03);
    let transaction = Transaction {
        id: batch.keep_id(&id),
        trace_id: batch.keep_id(&trace_id),
        parent_id: None,
        service: ServiceOverride::default(),
        timestamp: start,
        duration: duration(chance, 8000.0),
        name: Some(batch.keep(&format!("GET /{}", favourite(chance)))),
        kind: batch.keep("request"),
        result: Some(batch.keep(if failed { "HTTP 5xx" } else { "HTTP 2xx" })),
        outcome: if failed {
            Outcome::Failure
        } else {
            Outcome::Success
        },
        sampled: true,
        sample_rate: Some(1.0),
        status: Some(if failed { 500 } else { 200 }),
        spans_started: spans as i64,
        spans_dropped: None,
        dropped: 0..0,
        rest: batch.keep(r#"{"context":{"request":{"method":"GET","url":{"pathname":"/"}}}}"#),
    };
    batch.events.push(Event::Transaction(transaction));
    trace_id
}

/// Few are frequent, most are rare.
fn favourite(chance: &mut SmallRng) -> u64 {
    (GROUPS as f64 * chance.random::<f64>().powi(2)) as u64
}

/// µs around a typical value, with a long tail.
fn duration(chance: &mut SmallRng, typical: f64) -> i64 {
    let bell: f64 = (0..6).map(|_| chance.random::<f64>() - 0.5).sum();
    (typical * (1.4 * bell).exp()) as i64
}

fn resource(service: &str) -> Arc<Resource> {
    Arc::new(Resource {
        service_name: service.to_owned(),
        environment: Some("bench".to_owned()),
        service_version: Some("1.0.0".to_owned()),
        agent_name: "nodejs".to_owned(),
        agent_version: "4.0.0".to_owned(),
        language: Some("javascript".to_owned()),
        client: None,
        document: format!(r#"{{"metadata":{{"service":{{"name":"{service}"}}}}}}"#),
    })
}
