//! From the bytes of a request to committed events.
//!
//! `inflate` undoes compression, `lines` splits, `decode` reads a line against `schema` into a [`Batch`]
//! (its events are built by the module of their kind), `stream` holds a request's state between its chunks,
//! `receive` feeds it and hands the batches to the writer, `report` says what became of it all.
//!
//! Nothing here is unbounded: a line has a limit, a batch is handed over when it is full, and a request that
//! the writer cannot keep up with waits, then is told to come back.
//!
//! [`Batch`]: crate::event::Batch

mod counters;
mod decode;
mod error;
mod found;
mod grouping;
mod inflate;
mod limits;
mod lines;
mod log;
mod metadata;
mod metricset;
mod receive;
mod regular;
mod report;
mod schema;
mod span;
mod stack;
mod stream;
mod streams;
mod timestamp;
mod transaction;
mod walk;

pub(crate) use counters::{Counters, Look};
pub(crate) use receive::Intake;
pub(crate) use report::Report;
pub(crate) use span::inferred_target;
pub(crate) use stream::Stream;
