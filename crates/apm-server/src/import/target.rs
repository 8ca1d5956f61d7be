//! Targets of request bodies: a store of this process, or a server that runs.

use std::collections::VecDeque;
use std::sync::Arc;

use actix_web::rt::{System, SystemRunner};
use apm_intake::{Counters, Stream};
use apm_store::event::Batch;
use apm_store::{Store, StoreError, Ticket};

use super::{ImportError, Summary};
use crate::remote::Remote;

/// Longest line that the intake takes, bytes, as the server has it by default.
pub(super) const MAX_EVENT_SIZE: usize = 300 * 1024;

/// Batches that may wait for their commit before the next body is read.
const AHEAD: usize = 64;

/// The type of the bodies.
const NDJSON: &str = "application/x-ndjson";

/// Refusals that are kept to be shown.
const SHOWN: usize = 5;

/// A target of request bodies.
#[derive(Debug)]
pub struct Target {
    kind: Kind,
    taken: Summary,
    refusals: Vec<Refusal>,
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Refusal {
    /// The mistake.
    pub message: String,
    /// The beginning of the line.
    #[serde(default)]
    pub document: String,
}

/// Takes request bodies.
type Function = Box<dyn FnMut(&[u8])>;

enum Kind {
    Store(Box<InProcess>),
    Server(Box<Http>),
    Function(Function),
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(target) => target.fmt(f),
            Self::Server(target) => target.fmt(f),
            Self::Function(_) => f.write_str("Function"),
        }
    }
}

impl Target {
    /// Through the intake into a store of this process.
    pub fn store(store: Store) -> Self {
        Self::new(Kind::Store(Box::new(InProcess {
            store,
            counters: Arc::default(),
            pending: VecDeque::new(),
            rejected: 0,
        })))
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            taken: Summary::default(),
            refusals: Vec::new(),
        }
    }

    /// To a server, as an agent would send.
    ///
    /// Has a runtime of its own: not to be used inside of one.
    pub fn server(server: Remote) -> Self {
        let system = System::new();
        Self::new(Kind::Server(Box::new(Http { system, server })))
    }

    /// To a function: for files, and for looking at what would be sent.
    pub fn function(function: impl FnMut(&[u8]) + 'static) -> Self {
        Self::new(Kind::Function(Box::new(function)))
    }

    /// The events that were taken so far, also if sending ended early.
    pub fn taken(&self) -> Summary {
        self.taken
    }

    /// Why lines were refused: the first few.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Sends a body; what becomes of it may be told later, by [`Self::finish`] at last.
    pub(crate) fn send(&mut self, body: &[u8]) -> Result<Summary, ImportError> {
        let summary = match &mut self.kind {
            Kind::Store(target) => target.send(body, &mut self.refusals),
            Kind::Server(target) => target.send(body, &mut self.refusals),
            Kind::Function(function) => {
                function(body);
                Ok(Summary::default())
            }
        }?;
        self.refusals.truncate(SHOWN);
        self.taken += summary;
        Ok(summary)
    }

    /// Waits until all that was sent is stored.
    pub(crate) fn finish(&mut self) -> Result<Summary, ImportError> {
        let Kind::Store(target) = &mut self.kind else {
            return Ok(Summary::default());
        };
        let summary = target.settle(0)?;
        self.taken += summary;
        Ok(summary)
    }
}

#[derive(Debug)]
struct InProcess {
    store: Store,
    counters: Arc<Counters>,
    pending: VecDeque<Ticket>,
    /// Lines that were refused and told.
    rejected: u64,
}

impl InProcess {
    fn send(&mut self, body: &[u8], refusals: &mut Vec<Refusal>) -> Result<Summary, ImportError> {
        let mut stream = Stream::new(None, MAX_EVENT_SIZE, None, Arc::clone(&self.counters));
        let mut summary = Summary::default();
        let mut body = body;
        while let Some(batch) = stream.advance(&mut body) {
            self.submit(batch)?;
        }
        stream.finish();
        if let Some(batch) = stream.take() {
            self.submit(batch)?;
        }
        let look = self.counters.look();
        let rejected = look.rejected.iter().map(|(_, n)| n).sum();
        if rejected > self.rejected && refusals.len() < SHOWN {
            let refused = look.offending.into_iter().map(|line| Refusal {
                message: line.message,
                document: line.document,
            });
            refusals.clear();
            refusals.extend(refused);
        }
        summary.rejected += rejected - self.rejected;
        self.rejected = rejected;
        // Commits go on while the next body is read, and only so many batches wait in memory.
        summary += self.settle(AHEAD)?;
        Ok(summary)
    }

    fn submit(&mut self, batch: Batch) -> Result<(), ImportError> {
        let ticket = self.store.submit_when_room(batch);
        self.pending
            .push_back(ticket.map_err(|_| StoreError::Closed)?);
        Ok(())
    }

    /// Waits until no more than `left` batches are not stored.
    fn settle(&mut self, left: usize) -> Result<Summary, ImportError> {
        let mut summary = Summary::default();
        while self.pending.len() > left
            && let Some(ticket) = self.pending.pop_front()
        {
            summary.accepted += ticket.wait()?.events as u64;
        }
        Ok(summary)
    }
}

#[derive(Debug)]
struct Http {
    system: SystemRunner,
    server: Remote,
}

/// The answer of a server to `?verbose`.
#[derive(serde::Deserialize)]
struct Told {
    accepted: u64,
    #[serde(default)]
    errors: Vec<Refusal>,
}

impl Http {
    fn send(&mut self, body: &[u8], refusals: &mut Vec<Refusal>) -> Result<Summary, ImportError> {
        let lines = body.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.trim_ascii().is_empty()).count() as u64;
        // The first one is metadata.
        let events = lines.saturating_sub(1);
        let Self { system, server } = self;
        let posted = server.post("/intake/v2/events?verbose", NDJSON, body.to_vec());
        let answer = system.block_on(posted)?;
        // 400: some lines were refused, the others are stored, and the answer says how many.
        match serde_json::from_slice::<Told>(&answer.body) {
            Ok(Told { accepted, errors }) if matches!(answer.status, 200..=299 | 400) => {
                refusals.extend(errors);
                Ok(Summary {
                    accepted,
                    rejected: events.saturating_sub(accepted),
                })
            }
            _ => Err(server.refused(&answer).into()),
        }
    }
}
