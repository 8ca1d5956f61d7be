//! The stream that is measured: recorded by an agent, repeated with fresh ids and moving timestamps.
//!
//! A repetition keeps the shape of the recording (traces, names, statements, stacks) and replaces every id and
//! timestamp, and scales durations. Where the recording is missing, a generated stream takes its place.

use std::cell::RefCell;
use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;
use std::rc::Rc;

use apm_server::generate;
use apm_server::import::Target;
use flate2::read::GzDecoder;

/// Events per request body.
const TOGETHER: usize = 1000;

/// Repetitions from the beginning of one of several streams to that of the next.
const APART: u64 = 1 << 20;

/// A line with places that change.
struct Line {
    text: String,
    places: Vec<(Range<usize>, Place)>,
    is_transaction: bool,
}

enum Place {
    Id(u128, usize),
    Timestamp,
    Duration(f64),
}

/// A stream without end.
pub(crate) struct Stream {
    metadata: String,
    lines: Vec<Line>,
    /// Whether each transaction gets 120 random bytes.
    high_entropy: bool,
    /// Events per second of event time.
    rate: u64,
    next: u64,
    /// The start of event time, µs.
    start: i64,
}

impl Stream {
    pub(crate) fn new(high_entropy: bool, rate: u64) -> Self {
        Self::numbered(0, high_entropy, rate)
    }

    /// One of several streams, which have no id in common.
    pub(crate) fn numbered(number: u64, high_entropy: bool, rate: u64) -> Self {
        let text = recording().unwrap_or_else(|| {
            eprintln!("the recorded stream is missing: a generated one takes its place");
            generated()
        });
        let mut lines = text.lines();
        let metadata = lines.next().expect("metadata").to_owned();
        // Of a generated stream the other senders' metadata is left out: one body has one sender.
        let events = lines.filter(|line| !line.starts_with("{\"metadata\""));
        let lines: Vec<Line> = events.map(Line::new).collect();
        Self {
            metadata,
            high_entropy,
            rate,
            next: number * lines.len() as u64 * APART,
            lines,
            start: 1_767_225_600_000_000,
        }
    }

    /// The same, but `events` of it end now: the rules of insight look at the last minutes.
    pub(crate) fn until_now(self, events: u64) -> Self {
        let length = (events as f64 * 1e6 / self.rate as f64) as i64;
        Self {
            start: apm_time::now() - length,
            ..self
        }
    }

    /// The next request body, and how many events are in it.
    pub(crate) fn body(&mut self, body: &mut String) -> u64 {
        use std::fmt::Write as _;

        body.clear();
        body.push_str(&self.metadata);
        body.push('\n');
        for _ in 0..TOGETHER {
            let repetition = self.next / self.lines.len() as u64;
            let line = &self.lines[(self.next % self.lines.len() as u64) as usize];
            let position = self.next % (self.lines.len() as u64 * APART);
            let timestamp = self.start + (position as f64 * 1e6 / self.rate as f64) as i64;
            let fresh = mix(repetition);
            let mut at = 0;
            for (range, place) in &line.places {
                body.push_str(&line.text[at..range.start]);
                at = range.end;
                let written = match place {
                    Place::Id(id, 16) => write!(body, "{:016x}", *id as u64 ^ fresh),
                    Place::Id(id, _) => {
                        let fresh = u128::from(fresh) << 64 | u128::from(mix(!repetition));
                        write!(body, "{:032x}", id ^ fresh)
                    }
                    Place::Timestamp => write!(body, "{timestamp}"),
                    Place::Duration(ms) => {
                        write!(
                            body,
                            "{:.3}",
                            ms * (0.4 + (mix(self.next) % 1400) as f64 / 1000.0)
                        )
                    }
                };
                written.expect("a String takes everything");
            }
            if self.high_entropy && line.is_transaction {
                let end = line.text.len() - 2;
                body.push_str(&line.text[at..end]);
                body.push_str(",\"marks\":{\"noise\":{");
                for part in 0..7 {
                    let noise = mix(self.next * 7 + part);
                    let comma = if part == 0 { "" } else { "," };
                    write!(body, "{comma}\"n{part}\":{noise}").expect("a String takes everything");
                }
                body.push_str("}}}}");
            } else {
                body.push_str(&line.text[at..]);
            }
            body.push('\n');
            self.next += 1;
        }
        TOGETHER as u64
    }
}

impl Line {
    fn new(text: &str) -> Self {
        let mut places = Vec::new();
        for key in [
            "\"id\":\"",
            "\"trace_id\":\"",
            "\"transaction_id\":\"",
            "\"parent_id\":\"",
        ] {
            for (at, _) in text.match_indices(key) {
                let start = at + key.len();
                let Some(len) = text[start..].find('"') else {
                    continue;
                };
                let id = &text[start..start + len];
                if let (16 | 32, Ok(number)) = (len, u128::from_str_radix(id, 16)) {
                    places.push((start..start + len, Place::Id(number, len)));
                }
            }
        }
        for (key, make) in [
            ("\"timestamp\":", (|_| Place::Timestamp) as fn(f64) -> Place),
            ("\"duration\":", Place::Duration),
        ] {
            if let Some(at) = text.find(key) {
                let start = at + key.len();
                let number = |c: char| c.is_ascii_digit() || c == '.';
                let len = text[start..].find(|c| !number(c)).unwrap_or(0);
                if let Ok(value) = text[start..start + len].parse() {
                    places.push((start..start + len, make(value)));
                }
            }
        }
        places.sort_by_key(|(range, _)| range.start);
        Self {
            text: text.to_owned(),
            places,
            is_transaction: text.starts_with("{\"transaction\""),
        }
    }
}

/// Mixes bits, so that what counts up looks random (the finalizer of `SplitMix64`).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn recording() -> Option<String> {
    let shared = std::env::var_os("POCKET_APM_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")),
        PathBuf::from,
    );
    let path = shared.join("fixtures/server/load/apm-nodejs-traces-3.29.0.ndjson.gz");
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    GzDecoder::new(file).read_to_string(&mut text).ok()?;
    Some(text)
}

fn generated() -> String {
    let text = Rc::new(RefCell::new(String::new()));
    let kept = Rc::clone(&text);
    let mut target = Target::function(move |body: &[u8]| {
        let body = std::str::from_utf8(body).expect("made here");
        kept.borrow_mut().push_str(body);
    });
    let options = generate::Options::new(300, 1_767_225_600_000_000);
    generate::generate(&options, &mut target, |_| ()).expect("nothing can fail");
    text.take()
}
