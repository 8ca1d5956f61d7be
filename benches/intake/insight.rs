//! The cost of keeping statements, repeats and growth current while events are taken in.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::time::Duration;

use apm_server::insight::{Engine, Options};

use super::recorded::Stream;
use super::soak::{feed, open, thread};

/// Stores so many events without the engine that looks for findings, and so many with it.
pub(crate) fn run(events: u64, rate: u64) {
    let [decoded, writer, _] = spent(events, rate, false);
    let (without, [decoded_too, writer_too, looks]) = (decoded + writer, spent(events, rate, true));
    println!("without insights: decode {decoded:.2} µs, writer {writer:.2} µs per event");
    println!("with: decode {decoded_too:.2} µs, writer {writer_too:.2} µs, looking {looks:.2} µs");
    // The machine's speed drifts between the two runs; decoding is the same work in both, so it is the measure of that.
    let drift = decoded_too / decoded;
    let with = (decoded_too + writer_too + looks) / drift;
    println!(
        "{events} events: {:+.1} % (as measured {:+.1} %)",
        100.0 * (with / without - 1.0),
        100.0 * (drift * with / without - 1.0)
    );
}

/// CPU time per event of decoding, writing and looking, µs.
fn spent(events: u64, rate: u64, looks: bool) -> [f64; 3] {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let engine = looks.then(|| Engine::start(store.clone(), Options::default()).expect("a thread"));
    let mut stream = Stream::new(false, rate).until_now(events);
    let (sent, decoded) = feed(&store, &mut stream, events, |_, _| {});
    let spent = [decoded, thread("apm-store"), thread("apm-insight")];
    drop(engine);
    store.close();
    spent.map(|time: Duration| time.as_nanos() as f64 / 1000.0 / sent as f64)
}
