//! `/api/v1` of what SQL does: insights, markers, comparisons, the gate, plans, growth, and the console.
//!
//! What changes something is POST; the guard lets no other site's page do so.

mod console;
mod findings;
mod gate;
mod markers;
mod statement;

pub use console::Settings;
pub(super) use console::{sql, sql_of_body};
pub(super) use findings::{dismiss, insights, restore};
pub(super) use gate::check;
pub(super) use markers::{compare, markers, set_marker};
pub(super) use statement::{callers, growth, plan};
