//! A body of OTLP, from its bytes to committed events.
//!
//! Unlike the lines of Elastic's agents, a message of OTLP is read as a whole: it says nothing of its length inside,
//! and is answered as one. `room` bounds its memory, `commit` its share of the writer's budget.
//!
//! A body becomes several batches. The share of the writer's budget for all of them is taken before the first one is
//! handed over, so that a body is not stored in part and then sent again by its client.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::{Duration, Instant};

use apm_store::StoreError;
use apm_store::event::Batch;
use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::{Stream as Chunks, StreamExt as _};
use tokio::time::timeout;

use super::commit::{Commits, NotTaken, Pending};
use super::counters::{Offending, Wire};
use super::otlp::{self, Encoding, Signal};
use super::receive::Intake;
use super::refused::Reason;
use super::room::{Held, NoRoom};
use super::stream::now;
use super::unpack::{Compression, Unpack};

/// A body beyond this is decoded on a thread of its own, bytes: others of the same worker do not wait for it.
const LARGE: usize = 256 * 1024;

/// A body as it is announced, before it is read.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    /// On which wire it comes.
    pub wire: Wire,
    /// The kind of telemetry that it holds.
    pub signal: Signal,
    /// Its encoding.
    pub encoding: Encoding,
    /// Its compression.
    pub compression: Compression,
}

/// The outcome of a body that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Events that are committed.
    pub accepted: u64,
    /// Spans, data points or log records that were refused.
    pub rejected: u64,
    /// The reason for the first of them, or a warning where none was refused.
    pub message: Option<String>,
}

/// Why nothing, or not all, of a body was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// It is not what it says it is. The same body is refused again.
    #[error("{0}")]
    Malformed(String),
    /// It is larger than an export may be, before or after decompression. The same body is refused again.
    #[error("the body has more than {0} bytes: send smaller batches, or raise --apm-otlp-max-size")]
    TooLarge(usize),
    /// It ended before its end.
    #[error("the body ended too early")]
    Cut,
    /// It did not come in time.
    #[error("the body took longer than {} s: send smaller batches", .0.as_secs())]
    Late(Duration),
    /// The server has more to do than it can.
    #[error("the server is busy: {0}")]
    Busy(&'static str),
    /// The server stops.
    #[error("the server is shutting down")]
    Stopping,
    /// The events could not be written.
    #[error("the events could not be stored: {0}")]
    Failed(String),
}

impl From<NoRoom> for ExportError {
    fn from(_: NoRoom) -> Self {
        Self::Busy("there is no room for one more body")
    }
}

impl From<NotTaken> for ExportError {
    fn from(why: NotTaken) -> Self {
        match why {
            NotTaken::Full => Self::Busy("the queue of the writer is full"),
            NotTaken::Stopping => Self::Stopping,
        }
    }
}

impl From<StoreError> for ExportError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Closed => Self::Stopping,
            error => Self::Failed(error.to_string()),
        }
    }
}

impl Intake {
    /// Reads a body to its end. Returns when all of its events are committed.
    ///
    /// # Errors
    /// See [`ExportError`]. Of a body that could not be stored, a part may be.
    pub async fn export<E>(
        &self,
        export: Export,
        chunks: impl Chunks<Item = Result<Bytes, E>>,
    ) -> Result<Exported, ExportError> {
        let mut bytes = 0;
        let done = self.take(export, chunks, &mut bytes).await;
        self.counters
            .answer(export.wire, done.is_err(), bytes as u64);
        match &done {
            Ok(done) if done.rejected > 0 => {
                let message = done.message.clone().unwrap_or_default();
                self.reject(export.wire, Reason::Invalid, done.rejected, message);
            }
            Err(error @ (ExportError::Malformed(_) | ExportError::Cut)) => {
                self.reject(export.wire, Reason::Malformed, 1, error.to_string());
            }
            Err(error @ ExportError::TooLarge(_)) => {
                self.reject(export.wire, Reason::Oversized, 1, error.to_string());
            }
            // A server that is busy or stops is no fault of the body.
            _ => {}
        }
        done
    }

    fn reject(&self, wire: Wire, reason: Reason, count: u64, message: String) {
        let offending = Offending {
            timestamp: now(),
            message,
            document: String::new(),
            service: None,
        };
        self.counters.reject(wire, reason, count, offending);
    }

    async fn take<E>(
        &self,
        export: Export,
        chunks: impl Chunks<Item = Result<Bytes, E>>,
        bytes: &mut usize,
    ) -> Result<Exported, ExportError> {
        let open = self
            .streams
            .open()
            .map_err(|_| ExportError::Busy("too many requests are open"))?;
        let mut held = self.room.begin();
        let body = {
            let read = pin!(self.read(chunks, &mut held, bytes));
            // When the server stops, only reading is given up: a body that is there is stored.
            match select(read, pin!(open.ended())).await {
                Either::Left((body, _)) => body?,
                Either::Right(_) => return Err(ExportError::Stopping),
            }
        };
        let text = match export.compression {
            Compression::None => body,
            compression => self.unpack(compression, &body, &mut held).await?,
        };
        let room = self.room.decode(text.len()).await?;
        let decoded = decode(export, text).await?;
        // The body is gone, and its events hold room of their own.
        drop(held);
        let accepted = self.commit(export.wire, decoded.batches).await?;
        drop(room);
        Ok(Exported {
            accepted,
            rejected: decoded.rejected,
            message: decoded.reason,
        })
    }

    /// The body as it is sent. `bytes` says how much has come.
    async fn read<E>(
        &self,
        chunks: impl Chunks<Item = Result<Bytes, E>>,
        held: &mut Held,
        bytes: &mut usize,
    ) -> Result<Vec<u8>, ExportError> {
        let limits = self.limits();
        let start = Instant::now();
        let mut chunks = pin!(chunks);
        let mut body = Vec::new();
        loop {
            // One limit for all of the body: a sender of single bytes cannot stretch it.
            let left = limits.line.saturating_sub(start.elapsed());
            let Ok(chunk) = timeout(left, chunks.next()).await else {
                return Err(ExportError::Late(limits.line));
            };
            let chunk = match chunk {
                None => return Ok(body),
                Some(chunk) => chunk.map_err(|_| ExportError::Cut)?,
            };
            *bytes += chunk.len();
            if body.len() + chunk.len() > limits.export {
                return Err(ExportError::TooLarge(limits.export));
            }
            // Room is taken before the bytes are kept, and after it is known that they may be.
            held.grow(chunk.len()).await?;
            body.extend_from_slice(&chunk);
        }
    }

    async fn unpack(
        &self,
        compression: Compression,
        body: &[u8],
        held: &mut Held,
    ) -> Result<Vec<u8>, ExportError> {
        let _turn = self.room.unpack().await?;
        let malformed = |error: super::unpack::Corrupt| ExportError::Malformed(error.to_string());
        let most = self.limits().export;
        let mut unpack = Unpack::new(compression, body).map_err(malformed)?;
        let mut text = Vec::new();
        loop {
            let piece = unpack.next(&mut text).map_err(malformed)?;
            if piece == 0 {
                return Ok(text);
            }
            if text.len() > most {
                return Err(ExportError::TooLarge(most));
            }
            held.grow(piece).await?;
            // A piece takes a while, in which other requests of this worker wait.
            tokio::task::yield_now().await;
        }
    }

    /// Hands the batches over and waits for their commits. Gives the events that were stored.
    async fn commit(&self, wire: Wire, batches: Vec<Batch>) -> Result<u64, ExportError> {
        if batches.is_empty() {
            return Ok(0);
        }
        let weight = batches.iter().map(Commits::weight).sum();
        let mut spare = self.commits.share(weight).await?;
        let mut pending = VecDeque::<Pending>::new();
        let mut stored = 0;
        for batch in batches {
            let weight = Commits::weight(&batch);
            let share = loop {
                if let Some(share) = spare.split(weight) {
                    break share;
                }
                // The budget may be smaller than the body: commits of earlier batches give their shares back.
                let first = pending.pop_front().expect("what is not spare is pending");
                let (events, share) = self.commits.settle(first).await?;
                stored += events;
                spare.merge(share);
            };
            pending.push_back(self.commits.submit(wire, batch, share)?);
        }
        let mut failed = None;
        // All commits are waited for, also after a failure: their events have to be counted.
        for pending in pending {
            match self.commits.settle(pending).await {
                Ok((events, _)) => stored += events,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(stored), |error| Err(error.into()))
    }
}

async fn decode(export: Export, text: Vec<u8>) -> Result<otlp::Export, ExportError> {
    let Export {
        signal, encoding, ..
    } = export;
    let received = now();
    let decoded = if text.len() <= LARGE {
        otlp::decode(signal, encoding, &text, received)
    } else {
        let decode = move || otlp::decode(signal, encoding, &text, received);
        let decoded = tokio::task::spawn_blocking(decode).await;
        decoded.map_err(|_| ExportError::Failed("decoding did not end in order".to_owned()))?
    };
    decoded.map_err(|error| ExportError::Malformed(error.to_string()))
}
