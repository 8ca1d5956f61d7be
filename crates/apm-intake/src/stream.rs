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
mod tests;
