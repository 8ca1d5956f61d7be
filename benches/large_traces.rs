//! Measures how soon a large trace can be used, and what the server needs for it.
//!
//! ```sh
//! cargo bench --bench large_traces
//! ```
//!
//! Each trace is alone in a database that a new server process reads. `idle` is its memory after another page, `most`
//! the most that was resident in the end. Goals: each answer within 1 s and 300 kB, and less than 256 MiB above idle.
//! Linux only.
#![expect(clippy::print_stdout, reason = "the table is the result")]

use std::time::Instant;

use apm_store::event::{Batch, Event, Outcome, Resource, ServiceOverride, Span, Transaction};
use apm_store::{Store, StoreOptions};

#[path = "names/server.rs"]
mod server;

use server::{Running, answer, memory};

const SPANS: [u64; 3] = [20_000, 50_000, 400_000];
const TRACE: &str = "0000000000000000000000000000000a";
const ENTRY: &str = "00000000000000aa";
/// Spans per batch.
const TOGETHER: u64 = 2_000;

fn main() {
    println!(
        "{:>8} {:22} {:>8} {:>9}",
        "spans", "question", "ms", "bytes"
    );
    for spans in SPANS {
        let dir = tempfile::tempdir().expect("a directory");
        let mut options = StoreOptions::new(dir.path().join("apm.db"));
        options.max_size = None;
        let store = Store::open(options).expect("opens");
        fill(&store, spans);
        store.close();
        let server = Running::start(dir.path(), &[]);
        answer(&server.address, "/services");
        let idle = memory(server.id(), "VmRSS");
        for (name, question) in [
            ("the page, first", String::new()),
            ("the page, again", String::new()),
            ("rows in the middle", format!("?rows={}", spans / 2)),
            ("a search", "?find=upstream".to_owned()),
            (
                "its last hit",
                format!("?find=is:failed&hit={}", spans / 100),
            ),
            ("statistics", "?tab=statistics".to_owned()),
            ("SQL", "?tab=sql".to_owned()),
        ] {
            let start = Instant::now();
            let (bytes, _) = answer(&server.address, &format!("/traces/{TRACE}{question}"));
            println!(
                "{spans:>8} {name:22} {:>8.0} {bytes:>9}",
                start.elapsed().as_secs_f64() * 1000.0
            );
        }
        let most = memory(server.id(), "VmHWM");
        println!(
            "{spans:>8} idle {idle:.0} MiB, most {most:.0} MiB: {:.0} more\n",
            most - idle
        );
    }
}

/// Statements, calls and work of one request, on five levels; one in a hundred is an orphan, one in 97 failed.
fn fill(store: &Store, spans: u64) {
    let now = apm_time::now();
    for first in (0..spans).step_by(TOGETHER as usize) {
        let resource = Resource {
            service_name: "big".to_owned(),
            environment: None,
            service_version: None,
            agent_name: "rust".to_owned(),
            agent_version: "1".to_owned(),
            language: None,
            client: None,
            document: r#"{"metadata":{"service":{"name":"big"}}}"#.to_owned(),
        };
        let mut batch = Batch::new(resource.into(), now);
        if first == 0 {
            entry(&mut batch, now, spans);
        }
        for number in first + 1..=(first + TOGETHER).min(spans) {
            span(&mut batch, now, number);
        }
        store
            .submit_when_room(batch)
            .expect("room")
            .wait()
            .expect("stored");
    }
}

fn span(batch: &mut Batch, at: i64, number: u64) {
    let id = |number: u64| format!("{:016x}", 1 << 40 | number);
    let parent = match number % 5 {
        _ if number.is_multiple_of(100) => format!("{:016x}", 0xdead_0000 + number),
        1 => ENTRY.to_owned(),
        _ => id(number - 1),
    };
    let (name, kind, subtype, statement) = match number % 3 {
        0 => (
            "SELECT FROM people",
            "db",
            Some("sqlite"),
            Some(format!("SELECT name FROM people WHERE id = {number}")),
        ),
        1 => ("render the page", "app", None, None),
        _ => ("GET upstream:8080", "external", Some("http"), None),
    };
    let event = Span {
        id: batch.keep_id(&id(number)),
        trace_id: batch.keep_id(TRACE),
        transaction_id: Some(batch.keep_id(ENTRY)),
        parent_id: batch.keep_id(&parent),
        service: ServiceOverride::default(),
        timestamp: at + number as i64 * 10,
        duration: 40_000 - (number % 5) as i64 * 5_000,
        name: batch.keep(name),
        kind: batch.keep(kind),
        subtype: subtype.map(|subtype| batch.keep(subtype)),
        action: None,
        outcome: match number % 97 {
            0 => Outcome::Failure,
            _ => Outcome::Success,
        },
        sample_rate: Some(1.0),
        status: None,
        resource: None,
        target_type: None,
        target_name: None,
        db_instance: None,
        db_statement: statement.as_deref().map(|statement| batch.keep(statement)),
        composite: None,
        cost: None,
        stack: None,
        rest: batch.keep("{}"),
    };
    batch.events.push(Event::Span(event));
}

fn entry(batch: &mut Batch, at: i64, spans: u64) {
    let event = Transaction {
        id: batch.keep_id(ENTRY),
        trace_id: batch.keep_id(TRACE),
        parent_id: None,
        service: ServiceOverride::default(),
        timestamp: at,
        duration: 60_000_000,
        name: Some(batch.keep("GET /big")),
        kind: batch.keep("request"),
        result: Some(batch.keep("HTTP 2xx")),
        outcome: Outcome::Success,
        sampled: true,
        sample_rate: Some(1.0),
        status: Some(200),
        spans_started: spans as i64,
        spans_dropped: None,
        dropped: 0..0,
        rest: batch.keep("{}"),
    };
    batch.events.push(Event::Transaction(event));
}
