//! The agent's part of a span of the crate `tracing`.

use std::sync::Arc;

use super::described;
use super::fields::{Fields, label};
use super::meaning::{Key, Meaning};
use crate::recording::current::Current;
use crate::recording::handle::Transaction;
use crate::recording::http::{HttpRequest, transaction_name};
use crate::recording::outcome::Outcome;
use crate::recording::recorder::Recorder;
use crate::recording::span::Recording;
use crate::util::lock;

/// A span of the crate `tracing`, as the agent records it.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are spans, and the subscriber boxes the whole"
)]
pub(super) enum Traced {
    Span {
        recording: Recording,
        meaning: Meaning,
    },
    /// Work that nothing else has made a transaction of.
    Transaction {
        /// Ends when it is dropped.
        _transaction: Transaction,
        current: Current,
        meaning: Meaning,
    },
    /// Is not recorded, and takes what was current along.
    Carrier(Current),
}

impl Traced {
    /// A span, with what its fields told when it was made.
    pub(super) fn span(recording: Recording, fields: Fields<'_>) -> Self {
        let mut traced = Self::Span {
            recording,
            meaning: Meaning::default(),
        };
        traced.tell(fields);
        traced
    }

    /// A transaction of a type such as `request`; `None` when the agent is not recording.
    pub(super) fn begin(
        agent: &Arc<Recorder>,
        name: &'static str,
        meaning: &Meaning,
    ) -> Option<Self> {
        let kind = match meaning.is_kind("consumer") || meaning.has(Key::Messaging) {
            true => "messaging",
            false => "request",
        };
        let transaction = Transaction::begin_on(Some(agent), name.into(), kind.into(), None);
        Some(Self::Transaction {
            current: transaction.current()?,
            _transaction: transaction,
            meaning: Meaning::default(),
        })
    }

    /// The context of code that runs in the span.
    pub(super) fn current(&self) -> Current {
        match self {
            Self::Span { recording, .. } => recording.current(),
            Self::Transaction { current, .. } | Self::Carrier(current) => current.clone(),
        }
    }

    /// The statement that its fields have told, if it is the span of a query.
    pub(super) fn statement(&self) -> Option<&str> {
        match self {
            Self::Span { meaning, .. } => meaning.text(Key::Statement),
            Self::Transaction { .. } | Self::Carrier(_) => None,
        }
    }

    pub(super) fn agent(&self) -> Arc<Recorder> {
        match self {
            Self::Span { recording, .. } => recording.agent(),
            Self::Transaction { current, .. } | Self::Carrier(current) => {
                Arc::clone(&current.transaction.recorder)
            }
        }
    }

    /// Takes over what the span's fields tell.
    pub(super) fn tell(&mut self, fields: Fields<'_>) {
        match self {
            Self::Span { recording, meaning } => {
                for (key, value) in fields.labels {
                    recording.set_label(key, value);
                }
                meaning.extend(fields.meaning);
            }
            Self::Transaction {
                current, meaning, ..
            } => {
                let mut state = lock(&current.transaction.state);
                for (key, value) in fields.labels {
                    state.extra().labels.set(key, value);
                }
                meaning.extend(fields.meaning);
            }
            Self::Carrier(_) => {}
        }
    }

    /// The answer of a request has this status.
    pub(super) fn answered(&mut self, status: u64) {
        if let Self::Transaction { meaning, .. } = self {
            meaning.set(Key::HttpStatus, "http.status_code", (status as f64).into());
        }
    }

    /// The span is closed: works out what it was, and ends it.
    pub(super) fn close(self) {
        match self {
            Self::Span {
                mut recording,
                meaning,
            } => describe(&mut recording, meaning),
            Self::Transaction {
                current, meaning, ..
            } => conclude(&current, &meaning),
            Self::Carrier(_) => {}
        }
    }
}

fn describe(recording: &mut Recording, meaning: Meaning) {
    let worst = if meaning.is_kind("server") { 500 } else { 400 };
    if let Some(outcome) = described::outcome(&meaning, worst) {
        recording.set_outcome(outcome);
    }
    if let Some(name) = meaning.text(Key::Name) {
        recording.set_name(name.to_owned());
    }
    let agent = recording.agent();
    match described::exit(&meaning, &agent) {
        Some((description, better)) => {
            if let Some(name) = better.filter(|_| !meaning.has(Key::Name)) {
                recording.set_name(name);
            }
            recording.describe(description);
        }
        // The fields are worth as much as any other.
        None => {
            for (name, value) in meaning.into_fields() {
                recording.set_label(name, label(&agent, value));
            }
        }
    }
}

fn conclude(current: &Current, meaning: &Meaning) {
    let core = &current.transaction;
    let method = meaning.text(Key::Method);
    if let Some(name) = meaning.text(Key::Name) {
        core.find_name(name.to_owned());
    } else if let Some(method) = method {
        core.find_name(transaction_name(method, meaning.text(Key::Route)));
    } else if let (Some(service), Some(method)) =
        (meaning.text(Key::RpcService), meaning.text(Key::RpcMethod))
    {
        core.find_name(format!("{service}/{method}"));
    }
    let status = meaning.number(Key::HttpStatus);
    let status = status.and_then(|status| u16::try_from(status).ok());
    if let Some(method) = method {
        let url = url(meaning);
        let request = HttpRequest::new(method, &url);
        core.set_http(&match status {
            Some(status) => request.status(status),
            None => request,
        });
    }
    if let Some(outcome) = described::outcome(meaning, 500) {
        let mut state = lock(&core.state);
        state.outcome.find(outcome);
        // With a status, `set_http` has found the result.
        if status.is_none() {
            let result = match outcome {
                Outcome::Failure => "Error",
                _ => "Success",
            };
            state.result.find(result.into());
        }
    }
}

/// The address of a request, as far as it is told.
fn url(meaning: &Meaning) -> String {
    if let Some(url) = meaning.text(Key::Url) {
        return url.to_owned();
    }
    let target = meaning.text(Key::Target).unwrap_or("/");
    match meaning.text(Key::Host) {
        Some(host) => {
            let scheme = meaning.text(Key::Scheme).unwrap_or("http");
            format!("{scheme}://{host}{target}")
        }
        None => target.to_owned(),
    }
}
