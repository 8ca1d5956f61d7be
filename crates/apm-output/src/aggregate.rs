//! Counts of events by minute, ten minutes and hour, as APM Server makes them for Kibana.
//!
//! Counts of one bucket add up, so that a bucket may be sent in several documents: events that come late make one more.
//! All counts up to an event are sent together with a note of that event's number (`apm_store::output::aggregate`), so
//! that each event is counted once, whatever happens in between.

mod count;
mod histogram;
mod key;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

use apm_store::document::Document;
use apm_store::event::{Kind, StoredEvent};
use apm_store::output::WIDTHS;

use count::Count;
use key::{Key, Metric};

/// Counts and bars of histograms that are kept; with more, they are sent before their time.
const MOST: usize = 200_000;

/// Events after which all is sent: what a start after a crash has to read again.
const EVENTS: u64 = 2_000_000;

/// Bytes of an event in the store beside its document, roughly.
const ROW: u64 = 250;

type Counts = HashMap<Key, Count, foldhash::fast::RandomState>;

/// The bounds of counts that wait for the end of their buckets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Seconds.
    pub(crate) seconds: i64,
    /// Bytes of the events in them, which the store keeps until then.
    pub(crate) bytes: u64,
}

/// Documents that are complete.
#[derive(Debug)]
pub(crate) struct Flush {
    /// The number of the last event in them.
    pub(crate) to: i64,
    /// The widths of whose buckets they are.
    pub(crate) widths: [bool; 3],
    /// Their datasets and their JSON.
    pub(crate) documents: Vec<(String, Vec<u8>)>,
}

/// Counts events.
#[derive(Debug)]
pub(crate) struct Aggregator {
    namespace: String,
    /// The last event that is counted in what was sent, by width.
    counted: [i64; 3],
    /// The widths that count the events in `recent`.
    enabled: [bool; 3],
    recent: Counts,
    by_width: [Counts; 3],
    /// Seconds between flushes, by width: one for each bucket, or several where the store waits for them.
    periods: [i64; 3],
    /// The period of the last flush, by width.
    flushed: [i64; 3],
    /// Counts and bars.
    size: usize,
    events: u64,
    /// Bytes of the events that were counted since all was sent, and the most of them.
    bytes: u64,
    most_bytes: u64,
    /// `observer`, the same in all documents.
    observer: Vec<u8>,
    /// Labels of the metadata, by its address.
    labels: HashMap<usize, (Arc<str>, Vec<u8>)>,
}

impl Aggregator {
    /// `counted`: the last event that is counted in what was sent, by width.
    pub(crate) fn new(namespace: &str, counted: [i64; 3], bounds: Bounds) -> Self {
        let now = now();
        let periods = WIDTHS.map(|width| width.min(bounds.seconds));
        Self {
            namespace: namespace.to_owned(),
            counted,
            enabled: [false; 3],
            recent: Counts::default(),
            by_width: Default::default(),
            periods,
            flushed: periods.map(|period| now / period),
            size: 0,
            events: 0,
            bytes: 0,
            most_bytes: bounds.bytes,
            observer: Vec::new(),
            labels: HashMap::new(),
        }
    }

    /// Counts an event.
    pub(crate) fn count(&mut self, event: &StoredEvent, document: &Document<'_>) {
        // After a restart one width may have sent more than another, and begins to count later.
        let enabled = self.counted.map(|counted| event.seq > counted);
        if enabled != self.enabled {
            self.spill();
            self.enabled = enabled;
        }
        if enabled == [false; 3] {
            return;
        }
        self.events += 1;
        self.bytes += event.rest.len() as u64 + ROW;
        if self.observer.is_empty() {
            document.write_field("observer", &mut self.observer);
        }
        // An event is counted once, in the narrowest bucket, from which the wider ones are made.
        let bucket = event.timestamp.div_euclid(WIDTHS[0] * 1_000_000) * WIDTHS[0];
        let labels = key::labels(&mut self.labels, event, document);
        let key = |metric| Key::new(metric, bucket, document, labels);
        let (size, recent) = (&mut self.size, &mut self.recent);
        let mut count = |key: Key, change: &dyn Fn(&mut Count) -> usize| {
            let is_new = !recent.contains_key(&key);
            *size += usize::from(is_new) + change(recent.entry(key).or_default());
        };
        count(key(Metric::Summary), &|_| 0);
        match event.kind {
            Kind::Transaction => {
                let observed = count::transaction(event);
                count(key(Metric::Transaction), &|count| count.observe(observed));
                count(key(Metric::ServiceTransaction), &|count| {
                    count.observe(observed)
                });
                for dropped in count::dropped(event) {
                    let key = Key::dropped(bucket, document, labels, &dropped);
                    count(key, &|count| count.respond(dropped.responses(event)));
                }
            }
            Kind::Span if key::has_target(document) => {
                let responses = count::span(event);
                count(key(Metric::Destination), &|count| count.respond(responses));
            }
            _ => {}
        }
    }

    /// Whether a period has ended since its last flush, or there is too much.
    pub(crate) fn is_due(&self) -> bool {
        let now = now();
        let ended = |at: usize| now / self.periods[at] != self.flushed[at];
        self.is_full() || (0..3).any(ended)
    }

    /// Whether all counts are written before their time.
    fn is_full(&self) -> bool {
        self.size >= MOST || self.events >= EVENTS || self.bytes >= self.most_bytes
    }

    /// The documents of what is counted up to the event `to`. `is_last`: of all buckets.
    pub(crate) fn flush(&mut self, to: i64, is_last: bool) -> Option<Flush> {
        let now = now();
        let all = is_last || self.is_full();
        self.spill();
        let mut flush = Flush {
            to,
            widths: [false; 3],
            documents: Vec::new(),
        };
        for (at, width) in WIDTHS.iter().enumerate() {
            let period = now / self.periods[at];
            if !all && period == self.flushed[at] {
                continue;
            }
            self.flushed[at] = period;
            // No event was counted since the last flush of this width.
            if to <= self.counted[at] {
                continue;
            }
            self.counted[at] = to;
            flush.widths[at] = true;
            for (key, count) in self.by_width[at].drain() {
                self.size = self.size.saturating_sub(1 + count.bars());
                let written =
                    write::document(&key, &count, *width, &self.namespace, &self.observer);
                flush.documents.extend(written);
            }
        }
        if all {
            self.events = 0;
            self.bytes = 0;
        }
        (flush.widths != [false; 3]).then_some(flush)
    }

    /// Adds the events counted lately to the buckets of each width.
    fn spill(&mut self) {
        for (key, count) in self.recent.drain() {
            self.size = self.size.saturating_sub(1 + count.bars());
            for (at, width) in WIDTHS.iter().enumerate() {
                if self.enabled[at] {
                    let of_width = self.by_width[at].entry(key.of_width(*width)).or_default();
                    let before = of_width.bars();
                    let is_new = of_width.is_new();
                    of_width.add(&count);
                    self.size += of_width.bars() - before + usize::from(is_new);
                }
            }
        }
    }
}

/// Seconds since the epoch.
fn now() -> i64 {
    apm_time::now() / apm_time::SECOND
}
