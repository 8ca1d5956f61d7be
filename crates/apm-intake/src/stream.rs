//! A request's state between its chunks: bytes in, batches out. Does no I/O and never waits.

mod browser;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use apm_store::event::{Batch, Resource};

use super::browser::{Browser, Sender, is_taken};
use super::counters::{Counters, Offending, Wire};
use super::elastic::{self, Decoded};
use super::inflate::Inflate;
use super::lines::{Line, Lines};
use super::refused::{Reason, Refused};
use super::report::{Report, echo};

/// Events after which a batch is handed over.
const FULL_EVENTS: usize = 500;
/// Bytes after which a batch is handed over.
const FULL_BYTES: usize = 512 * 1024;

/// Reads the body of one request.
#[derive(Debug)]
pub struct Stream {
    inflate: Inflate,
    lines: Lines,
    sink: Sink,
}

/// The receiver of the lines.
#[derive(Debug)]
struct Sink {
    counters: Arc<Counters>,
    client: Option<IpAddr>,
    resource: Option<Arc<Resource>>,
    batch: Option<Batch>,
    report: Report,
    lines: u64,
    /// Whether something was met after which nothing more is read.
    over: bool,
    /// The sender, of the body of a browser.
    browser: Option<Sender>,
}

impl Stream {
    /// `encoding`: the request's `Content-Encoding`. `limit`: the longest line, bytes, terminator included.
    pub fn new(
        encoding: Option<&str>,
        limit: usize,
        client: Option<IpAddr>,
        counters: Arc<Counters>,
    ) -> Self {
        let sink = Sink {
            counters,
            client,
            resource: None,
            batch: None,
            report: Report::default(),
            lines: 0,
            over: false,
            browser: None,
        };
        Self {
            inflate: Inflate::new(encoding),
            lines: Lines::new(limit),
            sink,
        }
    }

    /// Reads a body of a browser. No backend's rules hold less for it; it may also be in the third version.
    #[must_use]
    pub fn browser(mut self, browser: Browser) -> Self {
        self.sink.browser = Some(browser.into());
        self
    }

    /// The wire on which it comes.
    pub(crate) fn wire(&self) -> Wire {
        self.sink.wire()
    }

    /// The longest time that it may take as a whole, where it is not that of all bodies.
    pub(crate) fn longest(&self) -> Option<Duration> {
        self.sink.browser.as_ref().map(|sender| sender.longest)
    }

    /// Reads on in `chunk` until a batch is full, which is given out, or the chunk is used up.
    pub fn advance(&mut self, chunk: &mut &[u8]) -> Option<Batch> {
        while !self.sink.over {
            match self.inflate.next(chunk) {
                Ok(Some(piece)) => self.sink.read(&mut self.lines, piece),
                Ok(None) => return None,
                Err(error) => self.sink.refuse_body(&error),
            }
            if self.sink.batch.as_ref().is_some_and(is_full) {
                return self.take();
            }
        }
        *chunk = &[];
        None
    }

    /// The body has ended: reads what was held back.
    pub fn finish(&mut self) {
        if self.sink.over {
            return;
        }
        match self.inflate.finish() {
            Ok(piece) => self.sink.read(&mut self.lines, piece),
            Err(error) => return self.sink.refuse_body(&error),
        }
        let is_first = self.sink.resource.is_none();
        if let Some(line) = self.lines.finish() {
            match line {
                // Nothing follows, so nothing was sent; Elastic's server says so rather than accept it.
                Line::Whole(line) if is_first && self.sink.is_metadata(line) => {
                    self.sink
                        .end(400, "EOF while reading metadata".to_owned(), line);
                }
                line => self.sink.line(line),
            }
        }
    }

    /// The events so far, none where there are none.
    pub fn take(&mut self) -> Option<Batch> {
        self.sink
            .batch
            .take()
            .filter(|batch| !batch.events.is_empty())
    }

    /// Whether there are events that were not given out.
    pub(crate) fn has_events(&self) -> bool {
        self.sink
            .batch
            .as_ref()
            .is_some_and(|batch| !batch.events.is_empty())
    }

    /// Whether a line has begun and not ended.
    pub(crate) fn is_within_line(&self) -> bool {
        self.lines.is_within()
    }

    /// Lines that were whole so far.
    pub(crate) fn lines(&self) -> u64 {
        self.sink.lines
    }

    /// Bytes that an unfinished line holds.
    pub(crate) fn held(&self) -> usize {
        self.lines.held()
    }

    /// Whether nothing more is read.
    pub(crate) fn is_over(&self) -> bool {
        self.sink.over
    }

    /// Ends the reading with an error that concerns all that follows.
    pub(crate) fn end(&mut self, status: u16, message: String) {
        self.sink.end(status, message, b"");
    }

    /// The report of the request.
    pub(crate) fn report(&mut self) -> &mut Report {
        &mut self.sink.report
    }
}

fn is_full(batch: &Batch) -> bool {
    batch.events.len() >= FULL_EVENTS || batch.size() >= FULL_BYTES
}

impl Sink {
    fn read(&mut self, lines: &mut Lines, mut piece: &[u8]) {
        if let Some(sender) = &mut self.browser
            && !sender.has_room(piece.len())
        {
            return self.end(413, "request body too large".to_owned(), b"");
        }
        while !self.over
            && let Some(line) = lines.next(&mut piece)
        {
            self.line(line);
        }
    }

    fn line(&mut self, line: Line<'_>) {
        self.lines += 1;
        let Some(resource) = &self.resource else {
            return self.first_line(line);
        };
        let line = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => return,
            Line::Whole(line) => line,
            Line::TooLong(head) => return self.reject(&too_long(), head),
        };
        let resource = Arc::clone(resource);
        if self.browser.is_none() {
            self.event(line, &resource);
            return;
        }
        self.line_of_browser(line, &resource);
    }

    /// Decodes a line. Gives whether it is sound.
    fn event(&mut self, line: &[u8], resource: &Arc<Resource>) -> bool {
        let visitor = self.browser.as_ref().map(|sender| &sender.visitor);
        let batch = self.batch.get_or_insert_with(|| {
            let mut batch = Batch::new(Arc::clone(resource), now());
            batch.visitor = visitor.cloned();
            batch
        });
        let refused = match elastic::event(line, batch) {
            Ok(Decoded::Event) => match &self.browser {
                Some(sender) => is_taken(sender, batch).err(),
                None => None,
            },
            Ok(Decoded::Ignored) => {
                self.counters.ignore();
                None
            }
            Err(refused) => Some(refused),
        };
        if let Some(refused) = &refused {
            self.reject(refused, line);
        }
        refused.is_none()
    }

    /// The metadata line. Without one, nothing that follows can be understood.
    fn first_line(&mut self, line: Line<'_>) {
        let (line, refused) = match line {
            Line::TooLong(head) => (head, too_long()),
            Line::Whole(line) if !self.is_metadata(line) => {
                let message = "\"metadata\" or \"m\" required".to_owned();
                (
                    line,
                    Refused {
                        reason: Reason::Unknown,
                        message,
                    },
                )
            }
            Line::Whole(line) => match self.resource(line) {
                Ok(resource) => return self.resource = Some(Arc::new(resource)),
                Err(refused) => (line, refused),
            },
        };
        self.reject(&refused, line);
        self.over = true;
    }

    fn reject(&mut self, refused: &Refused, line: &[u8]) {
        let status = match refused.reason {
            Reason::Forbidden => 403,
            _ => 400,
        };
        self.report.add(status, refused.message.clone(), line);
        self.count(refused, 1, line);
    }

    fn count(&mut self, refused: &Refused, events: u64, line: &[u8]) {
        let offending = Offending {
            timestamp: now(),
            message: refused.message.clone(),
            document: echo(line),
            service: self
                .resource
                .as_ref()
                .map(|resource| resource.service_name.clone()),
        };
        self.counters
            .reject(self.wire(), refused.reason, events, offending);
    }

    fn refuse_body(&mut self, error: &super::inflate::InflateError) {
        self.end(400, format!("data decoding error: {error}"), b"");
    }

    fn end(&mut self, status: u16, message: String, document: &[u8]) {
        self.report.add(status, message, document);
        self.over = true;
    }
}

fn too_long() -> Refused {
    Refused {
        reason: Reason::Oversized,
        message: "event exceeded the permitted size".to_owned(),
    }
}

/// Now, µs since the epoch.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINES: [&str; 8] = [
        r#"{"metadata":{"service":{"name":"s","agent":{"name":"a","version":"1"}}}}"#,
        concat!(
            r#"{"transaction":{"id":"00000000000000a1","trace_id":"2","type":"request","duration":1.5,"#,
            r#""timestamp":7,"span_count":{"started":1},"context":{"request":{"method":"GET","#,
            r#""headers":{"a":["b","c"]},"url":{"port":"80"}},"tags":{"é":"\u00e9"}},"#,
            r#""dropped_spans_stats":[{"outcome":"success","duration":{"count":1,"sum":{"us":5}}}]}}"#,
        ),
        concat!(
            r#"{"span":{"id":"1","trace_id":"2","parent_id":"3","name":"n","type":"db.x.y","start":1,"#,
            r#""duration":2,"timestamp":8,"stacktrace":[{"filename":"f","lineno":1}],"#,
            r#""context":{"db":{"statement":"SELECT 1"}}}}"#,
        ),
        r#"{"Span":{"ID":"1"}}"#,
        concat!(
            r#"{"span":{"ID":"1","trace_id":"2","parent_id":"3","name":"n","name":"m","type":"t","#,
            r#""timestamp":8,"duration":2}}"#,
        ),
        concat!(
            r#"{"error":{"id":"1","timestamp":9,"exception":{"type":"T","cause":[{"message":"m"}],"#,
            r#""stacktrace":[{"classname":"C"}]}}}"#,
        ),
        r#"{"metricset":{"timestamp":9,"samples":{"a.b":{"value":1.5},"h":{"values":[1],"counts":[2]}}}}"#,
        r#"{"log":{"@timestamp":9,"log.level":"warn","message":"m","service":{"name":"x"}}}"#,
    ];

    /// Reads a body: its events as text, and its report.
    fn read(chunks: &[&[u8]]) -> (Vec<String>, String) {
        let mut stream = Stream::new(None, 2000, None, Arc::default());
        let mut batches = Vec::new();
        for chunk in chunks {
            let mut chunk = *chunk;
            while let Some(batch) = stream.advance(&mut chunk) {
                batches.push(batch);
            }
        }
        stream.finish();
        batches.extend(stream.take());
        let tell = |batch: &Batch| -> Vec<String> {
            let tell = |event: &apm_store::event::Event| {
                // An event that lost its timestamp got the time of receipt, which differs from one reading to the next.
                let received = event.timestamp() > 1_000_000_000_000_000;
                let time = if received { 0 } else { event.timestamp() };
                format!("{:?} {time} {}", event.kind(), batch.text(event.rest()))
            };
            batch.events.iter().map(tell).collect()
        };
        let events = batches.iter().flat_map(tell).collect();
        (
            events,
            serde_json::to_string(stream.report()).expect("it is plain"),
        )
    }

    #[test]
    fn every_kind_of_line_becomes_an_event_and_the_odd_ones_are_put_in_order() {
        let (events, report) = read(&[LINES.join("\n").as_bytes()]);
        assert_eq!(events.len(), 6, "{events:#?} {report}");
        assert!(
            report.contains("did not recognize object type: \\\"Span\\\""),
            "{report}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn where_a_body_is_cut_changes_nothing(
            cuts in prop::collection::vec(0usize..1600, 0..8),
            damage in prop::option::of((0usize..1600, any::<u8>())),
        ) {
            let mut body = LINES.join("\n").into_bytes();
            if let Some((at, byte)) = damage {
                let at = at % body.len();
                body[at] = byte;
            }
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(body.len())).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&chunks), read(&[&body]));
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(
            line in 1usize..LINES.len(),
            edits in prop::collection::vec(
                (any::<prop::sample::Index>(), 0usize..6, prop::collection::vec(any::<u8>(), 0..6)),
                1..5,
            ),
        ) {
            let mut bytes = LINES[line].as_bytes().to_vec();
            for (at, cut, new) in edits {
                let at = at.index(bytes.len().max(1)).min(bytes.len());
                let end = (at + cut).min(bytes.len());
                bytes.splice(at..end, new);
            }
            let _ = read(&[LINES[0].as_bytes(), b"\n", &bytes, b"\n"]);
        }

        #[test]
        fn no_json_makes_the_decoder_panic(inner in r#"[\[\]{}:,"\\a-z0-9.eE +-]{0,60}"#, line in 1usize..5) {
            let kind = ["span", "transaction", "error", "metricset", "log"][line];
            let text = format!("{{\"{kind}\":{inner}");
            let _ = read(&[LINES[0].as_bytes(), b"\n", text.as_bytes(), b"\n"]);
        }
    }
}
