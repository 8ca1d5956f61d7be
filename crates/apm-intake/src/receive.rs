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

use apm_store::event::{Batch, Kind};
use apm_store::{Store, StoreError, SubmitError, Ticket};
use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::{Stream as Chunks, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::counters::Counters;
use super::report::Report;
use super::stream::Stream;
use super::streams::{Streams, Why};

/// Requests that fill a batch at the same time; a batch is at most about 1 MiB.
const DECODERS: usize = 48;
/// Unfinished lines beyond [`SHORT`] at the same time; each at most as long as a line may be.
const LONG_LINES: usize = 48;
/// The most bytes of an unfinished line that needs no place of its own.
const SHORT: usize = 16 * 1024;
/// The most that may be handed over and not yet committed: events, or 2 KiB each where they are larger.
const IN_FLIGHT: usize = 16 * 1024;
/// Batches that one request may have handed over and not seen committed.
const TICKETS: usize = 16;
/// The longest time that a batch waits for more of its request before it is handed over.
const PATIENCE: Duration = Duration::from_millis(50);
/// The longest time that a batch waits for the writer before the request is refused.
const WRITER_WAIT: Duration = Duration::from_secs(1);
/// The longest time that a request waits for a place.
const PLACE_WAIT: Duration = Duration::from_secs(10);

const STOPPING: &str = "server is shutting down";
const TOO_MANY: &str = "cannot handle stream: too many requests are open";
const QUEUE_FULL: &str = "cannot handle stream: cannot process batch: queue is full";

/// The state that all requests of a server share.
#[derive(Debug)]
pub struct Intake {
    pub counters: Arc<Counters>,
    store: Store,
    decoders: Arc<Semaphore>,
    long_lines: Arc<Semaphore>,
    in_flight: Arc<Semaphore>,
    pub streams: Arc<Streams>,
    /// Longest time that a line may take.
    line: Duration,
    /// Longest time that a body may take.
    whole: Duration,
}

/// A batch that was handed over.
struct Pending {
    ticket: Ticket,
    events: [u64; Kind::ALL.len()],
    _weight: OwnedSemaphorePermit,
}

impl Intake {
    /// `line`: the longest time that a line may take; `whole`: that of a body. `streams`: bodies that may be open.
    pub fn new(store: Store, line: Duration, whole: Duration, streams: usize) -> Self {
        Self {
            counters: Arc::default(),
            store,
            decoders: Arc::new(Semaphore::new(DECODERS)),
            long_lines: Arc::new(Semaphore::new(LONG_LINES)),
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT)),
            streams: Streams::new(streams),
            line,
            whole,
        }
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
            let left = self.whole.saturating_sub(start.elapsed());
            if left.is_zero() {
                let seconds = self.whole.as_secs();
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
            let line_left = line.map(|(_, since)| self.line.saturating_sub(since.elapsed()));
            if line_left.is_some_and(|left| left.is_zero()) {
                let seconds = self.line.as_secs();
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
        request.flush(&mut stream).await;
        while let Some(pending) = request.pending.pop_front() {
            request.settle(pending, &mut stream).await;
        }
        let report = std::mem::take(stream.report());
        self.counters.answer(report.status(), bytes);
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
            self.flush(stream).await;
        }
        if stream.held() <= SHORT {
            self.long_line = None;
        } else if self.long_line.is_none() {
            self.flush(stream).await;
            self.long_line = place(&self.intake.long_lines).await;
            if self.long_line.is_none() {
                stream.end(503, QUEUE_FULL.to_owned());
            }
        }
    }

    /// Hands over what there is.
    async fn flush(&mut self, stream: &mut Stream) {
        if let Some(batch) = stream.take() {
            self.hand_over(batch, stream).await;
        }
        self.decoder = None;
    }

    async fn hand_over(&mut self, batch: Batch, stream: &mut Stream) {
        let weight = batch
            .events
            .len()
            .max(batch.size() / 2048)
            .clamp(1, IN_FLIGHT);
        let weight = u32::try_from(weight).expect("the budget is small");
        let acquired = Arc::clone(&self.intake.in_flight).acquire_many_owned(weight);
        let Ok(Ok(weight)) = timeout(WRITER_WAIT, acquired).await else {
            return stream.end(503, QUEUE_FULL.to_owned());
        };
        let mut events = [0; Kind::ALL.len()];
        for event in &batch.events {
            events[event.kind() as usize] += 1;
        }
        match self.intake.store.submit(batch) {
            Ok(ticket) => self.pending.push_back(Pending {
                ticket,
                events,
                _weight: weight,
            }),
            Err(SubmitError::ShuttingDown) => stream.end(503, STOPPING.to_owned()),
            Err(_) => stream.end(503, QUEUE_FULL.to_owned()),
        }
        while self.pending.len() > TICKETS
            && let Some(pending) = self.pending.pop_front()
        {
            self.settle(pending, stream).await;
        }
    }

    /// Waits for a commit, and counts what it stored.
    async fn settle(&self, pending: Pending, stream: &mut Stream) {
        match pending.ticket.await {
            Ok(_) => {
                for (kind, events) in Kind::ALL.into_iter().zip(pending.events) {
                    self.intake.counters.accept(kind, events);
                    stream.report().accepted += usize::try_from(events).unwrap_or(usize::MAX);
                }
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
