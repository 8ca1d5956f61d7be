//! Questions about events that went through the real store.

mod api;
mod bounded;
mod charts;
mod discover;
mod equal;
mod files;
mod grouped;
mod late;
mod lists;
mod metrics;
mod openapi;
mod protocol;
mod retained;
mod same;
mod searched;
mod shown;
mod trace;

use apm_server::analytics::Scope;
use apm_server::analytics::window::Window;
use std::path::Path;
use std::sync::Arc;

use apm_store::event::{Batch, Event, Outcome, Resource};
use apm_store::{Store, StoreOptions};
use apm_time::Range;

use crate::support::events::{NEW_YEAR, now, pairs, resource, transaction};

const MINUTE: i64 = 60_000_000;

fn open(dir: &Path) -> Store {
    Store::open(StoreOptions::new(dir.join("apm.db"))).expect("a new database")
}

/// A sender whose metadata says what its columns say.
fn sender(service: &str) -> Arc<Resource> {
    let service_metadata = serde_json::json!({
        "name": service, "environment": "test", "agent": {"name": "rust", "version": "1.0.0"},
    });
    let document = serde_json::json!({"metadata": {"service": service_metadata}}).to_string();
    Arc::new(Resource {
        document,
        ..Resource::clone(&resource(service))
    })
}

fn batch(service: &str) -> Batch {
    Batch::new(sender(service), now())
}

/// Transactions `GET /a` with a span each.
fn with_spans(service: &str, first: u64, count: u64) -> Batch {
    let mut batch = pairs(service, first, count);
    batch.resource = sender(service);
    batch
}

fn store_all(store: &Store, batch: Batch) {
    store.submit(batch).expect("room").wait().expect("stored");
}

/// The first 15 minutes of the year, seen an hour later.
fn window() -> Window {
    let range = Range::new(NEW_YEAR, NEW_YEAR + 15 * MINUTE).expect("not empty");
    Window::new(range, NEW_YEAR + 60 * MINUTE)
}

fn of_service(service: &str) -> Scope {
    Scope {
        service: Some(service.to_owned()),
        ..Scope::default()
    }
}

/// Adds transactions `GET /{name}` of these durations (µs), a second apart; every tenth fails.
fn add(batch: &mut Batch, first: u64, name: &str, durations: impl IntoIterator<Item = i64>) {
    for (index, duration) in (0..).zip(durations) {
        let mut event = transaction(batch, first + index, name);
        event.timestamp = NEW_YEAR + index as i64 % 600 * 1_000_000;
        event.duration = duration;
        if index % 10 == 9 {
            event.outcome = Outcome::Failure;
            event.result = Some(batch.keep("HTTP 5xx"));
        }
        batch.events.push(Event::Transaction(event));
    }
}

/// 100 transactions of 1 to 100 ms in `GET /a`, 50 of 2 ms in `GET /b`.
fn shop(store: &Store) {
    let mut events = batch("shop");
    add(&mut events, 1, "a", (1..=100).map(|ms| ms * 1000));
    add(&mut events, 1001, "b", std::iter::repeat_n(2000, 50));
    store_all(store, events);
}
