//! Elastic's intake v2: one line of JSON, one event.
//!
//! `decode` reads a line against the tables of `schema` in one pass (`walk`), and leaves the values of columns in
//! `fields`. A line that an agent wrote in another form than all others is rewritten first (`canonical`). The module of
//! its kind makes the event of that; `rest` keeps the members that are no columns. `rum` writes out the short lines of
//! browsers.

mod canonical;
mod columns;
mod decode;
mod error;
mod fields;
mod grouping;
mod log;
mod metadata;
mod metricset;
mod otel;
mod rest;
pub(crate) mod rum;
mod schema;
mod span;
mod stack;
mod timestamp;
mod transaction;
mod walk;

pub(crate) use canonical::mended;
pub(crate) use decode::{Decoded, event, is_metadata, resource};
pub(crate) use grouping::key as grouping_key;
pub(crate) use timestamp::cannot_be;
