//! Findings with evidence: the SQL of services, and its growth.
//!
//! * Pure rules first: [`growth`] (latency against rows), [`repeats`] (the same statement again and again in one
//!   request), [`plan`] (what `EXPLAIN QUERY PLAN` means). They know no database and are tested by tables.
//! * `guard` is how SQL of strangers is run: one statement, reading only, within limits. [`plan::explain`] uses it
//!   on a service's file, [`console`] on the telemetry.
//! * What happens between two windows or since a marker is asked of `analytics`, whose floor this is; what is kept
//!   (findings, markers, who calls which statement) is written through the store's writer.
//!
//! It knows no HTTP (`api`) and no pages (`ui`), and does not guess. A finding says what was measured, and goes quiet
//! when it no longer holds.

mod bounds;
pub mod callers;
pub mod check;
pub mod compare;
pub mod console;
mod engine;
pub mod finding;
pub mod growth;
mod guard;
pub mod marker;
mod observe;
pub mod offline;
pub mod plan;
pub mod repeats;
mod rules;
pub mod severity;
mod tables;
pub(crate) mod triage;
mod values;
pub mod versions;
pub mod workload;

pub use engine::{Engine, Options};
pub use rules::Files;
