//! Feeds a request's chunks to its [`Stream`] as they arrive, hands the batches to the writer, and answers
//! when all of them are committed.
//!
//! However many requests there are and however slow they send, memory is bounded by three budgets:
//! a place to decode in is held only while a batch is being filled; what was handed over is weighed until its
//! commit; an unfinished line beyond a few kilobytes needs a place of its own. A request that gets none in time
//! is answered 503. Nobody waits for one budget while holding another without a deadline.
//!
//! A sender may pause between lines for as long as it likes, and is held to a rate within a line: see `streams`.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apm_store::event::Batch;
use apm_store::{Store, StoreError};
use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::{Stream as Chunks, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::commit::{Commits, NotTaken, Pending};
use super::counters::Counters;
use super::report::Report;
use super::room::Room;
use super::stream::Stream;
use super::streams::{Streams, Why};

/// Requests that fill a batch at the same time; a batch is at most about 1 MiB.
const DECODERS: usize = 48;
/// Unfinished lines beyond [`SHORT`] at the same time; each at most as long as a line may be.
const LONG_LINES: usize = 48;
/// The most bytes of an unfinished line that needs no place of its own.
const SHORT: usize = 16 * 1024;
/// Batches that one request may have handed over and not seen committed.
const TICKETS: usize = 16;
/// The longest time that a batch waits for more of its request before it is handed over.
const PATIENCE: Duration = Duration::from_millis(50);
/// The longest time that a request waits for a place.
const PLACE_WAIT: Duration = Duration::from_secs(10);

const STOPPING: &str = "server is shutting down";
const TOO_MANY: &str = "cannot handle stream: too many requests are open";
const QUEUE_FULL: &str = "cannot handle stream: cannot process batch: queue is full";

/// The state that all requests of a server share.
#[derive(Debug)]
pub struct Intake {
    pub counters: Arc<Counters>,
    pub(super) commits: Commits,
    decoders: Arc<Semaphore>,
    long_lines: Arc<Semaphore>,
    pub streams: Arc<Streams>,
    pub(super) room: Room,
    limits: Limits,
}

/// The limits of bodies.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest time that a line of events may take, and that an export may take as a whole.
    pub line: Duration,
    /// Longest time that a body of lines may take.
    pub whole: Duration,
    /// Bodies that may be open.
    pub streams: usize,
    /// Largest export, bytes, before and after decompression.
    pub export: usize,
}

impl Intake {
    /// An intake into a store.
    pub fn new(store: Store, limits: Limits) -> Self {
        let counters = Arc::<Counters>::default();
        Self {
            commits: Commits::new(store, Arc::clone(&counters)),
            counters,
            decoders: Arc::new(Semaphore::new(DECODERS)),
            long_lines: Arc::new(Semaphore::new(LONG_LINES)),
            streams: Streams::new(limits.streams),
            room: Room::new(limits.export),
            limits,
        }
    }

    /// The limits of bodies.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Reads a body to its end. Returns when every event that counts as accepted is committed.
    pub async fn receive<E>(
        &self,
        chunks: impl Chunks<Item = Result<Bytes, E>>,
        mut stream: Stream,
    ) -> Report {
        let mut chunks = pin!(chunks);
        let mut request = Request {
            intake: self,
            pending: VecDeque::new(),
            decoder: None,
            long_line: None,
        };
        let mut bytes = 0;
        let wire = stream.wire();
        let whole = stream.longest().unwrap_or(self.limits.whole);
        let start = Instant::now();
        let open = self.streams.open();
        if open.is_err() {
            stream.end(503, TOO_MANY.to_owned());
        }
        // Since when the line has been coming that is not whole yet.
        let mut line: Option<(u64, Instant)> = None;
        while let Ok(open) = &open
            && !stream.is_over()
        {
            let left = whole.saturating_sub(start.elapsed());
            if left.is_zero() {
                let seconds = whole.as_secs();
                stream.end(
                    503,
                    format!("request timed out: the body took longer than {seconds} s; send shorter requests"),
                );
                break;
            }
            line = match line {
                _ if !stream.is_within_line() => None,
                Some((number, since)) if number == stream.lines() => Some((number, since)),
                _ => Some((stream.lines(), Instant::now())),
            };
            let line_left = line.map(|(_, since)| self.limits.line.saturating_sub(since.elapsed()));
            if line_left.is_some_and(|left| left.is_zero()) {
                let seconds = self.limits.line.as_secs();
                stream.end(
                    503,
                    format!("request timed out: a line took longer than {seconds} s"),
                );
                break;
            }
            let mut patience = left.min(line_left.unwrap_or(left));
            if stream.has_events() {
                patience = patience.min(PATIENCE);
            }
            open.wait(!stream.has_events() && line.is_none());
            let next = timeout(patience, chunks.next());
            let next = match select(pin!(next), pin!(open.ended())).await {
                Either::Left((next, _)) => next,
                Either::Right((Why::Room, _)) => {
                    // All that came is stored. The body ends here as if its sender had ended it.
                    stream.report().early = true;
                    break;
                }
                Either::Right((Why::Stop, _)) => {
                    stream.end(503, STOPPING.to_owned());
                    break;
                }
            };
            open.wait(false);
            match next {
                // The batch has waited long enough for more of its request.
                Err(_) if stream.has_events() => request.flush(&mut stream).await,
                // The limit that was passed is reported above.
                Err(_) => {}
                Ok(None) => {
                    stream.finish();
                    break;
                }
                Ok(Some(Err(_))) => {
                    stream.end(400, "data read error: the body ended too early".to_owned());
                }
                Ok(Some(Ok(chunk))) => {
                    bytes += chunk.len() as u64;
                    request.read(&chunk, &mut stream).await;
                }
            }
        }
        // Events that came before the end are stored, whatever ended the body.
        request.flush(&mut stream).await;
        while let Some(pending) = request.pending.pop_front() {
            request.settle(pending, &mut stream).await;
        }
        let report = std::mem::take(stream.report());
        self.counters.answer(wire, report.status() >= 400, bytes);
        report
    }
}

/// The parts of the budgets that one request holds.
struct Request<'a> {
    intake: &'a Intake,
    pending: VecDeque<Pending>,
    decoder: Option<OwnedSemaphorePermit>,
    long_line: Option<OwnedSemaphorePermit>,
}

impl Request<'_> {
    async fn read(&mut self, chunk: &[u8], stream: &mut Stream) {
        if self.decoder.is_none() {
            self.decoder = place(&self.intake.decoders).await;
            if self.decoder.is_none() {
                return stream.end(503, QUEUE_FULL.to_owned());
            }
        }
        let mut chunk = chunk;
        while let Some(batch) = stream.advance(&mut chunk) {
            self.hand_over(batch, stream).await;
        }
        if !stream.has_events() {
            self.decoder = None;
        } else if self.intake.decoders.available_permits() == 0 {
            // Others wait for a place to decode in: this batch goes before it is full.
            self.flush(stream).await;
        }
        if stream.held() <= SHORT {
            self.long_line = None;
        } else if self.long_line.is_none() {
            // The place to decode in is given back before the wait for another place.
            self.flush(stream).await;
            self.long_line = place(&self.intake.long_lines).await;
            if self.long_line.is_none() {
                stream.end(503, QUEUE_FULL.to_owned());
            }
        }
    }

    /// Hands over the current batch.
    async fn flush(&mut self, stream: &mut Stream) {
        if let Some(batch) = stream.take() {
            self.hand_over(batch, stream).await;
        }
        self.decoder = None;
    }

    async fn hand_over(&mut self, batch: Batch, stream: &mut Stream) {
        let commits = &self.intake.commits;
        let taken = match commits.share(Commits::weight(&batch)).await {
            Ok(share) => commits.submit(stream.wire(), batch, share),
            Err(not_taken) => Err(not_taken),
        };
        match taken {
            Ok(pending) => self.pending.push_back(pending),
            Err(NotTaken::Stopping) => stream.end(503, STOPPING.to_owned()),
            Err(NotTaken::Full) => stream.end(503, QUEUE_FULL.to_owned()),
        }
        while self.pending.len() > TICKETS
            && let Some(pending) = self.pending.pop_front()
        {
            self.settle(pending, stream).await;
        }
    }

    /// Waits for a commit, and counts what it stored.
    async fn settle(&self, pending: Pending, stream: &mut Stream) {
        match self.intake.commits.settle(pending).await {
            Ok((events, _)) => {
                stream.report().accepted += usize::try_from(events).unwrap_or(usize::MAX);
            }
            Err(StoreError::Closed) => stream.end(503, STOPPING.to_owned()),
            Err(error) => {
                stream.end(
                    503,
                    format!("cannot handle stream: cannot process batch: {error}"),
                );
            }
        }
    }
}

async fn place(places: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    timeout(PLACE_WAIT, Arc::clone(places).acquire_owned())
        .await
        .ok()?
        .ok()
}
