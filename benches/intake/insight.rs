//! What keeping statements, repeats and growth current adds to taking events in.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::time::Duration;

use apm_server::insight::{Engine, Options};

use super::recorded::Stream;
use super::soak::{feed, open, thread};

/// Stores so many events without the engine that looks for findings, and so many with it.
pub(crate) fn run(events: u64, rate: u64) {
    let without = spent(events, rate, false);
    let with = spent(events, rate, true);
    println!(
        "{events} events: {without:.2} µs each without insights, {with:.2} µs with: {:+.1} %",
        100.0 * (with / without - 1.0)
    );
}

/// CPU time per event of decoding, writing and looking, µs.
fn spent(events: u64, rate: u64, looks: bool) -> f64 {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let engine = looks.then(|| Engine::start(store.clone(), Options::default()).expect("a thread"));
    let (sent, decoded) = feed(&store, &mut Stream::new(false, rate), events, |sent, _| {
        println!(
            "{sent:>9} events, insights {}",
            if looks { "on" } else { "off" }
        );
    });
    let spent: Duration = decoded + thread("apm-store") + thread("apm-insight");
    drop(engine);
    store.close();
    spent.as_nanos() as f64 / 1000.0 / sent as f64
}
