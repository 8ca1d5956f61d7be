//! The parts that pages are made of: small typed functions that return markup.
//!
//! Whatever they are given is escaped: names, statements and messages come from telemetry and are never trusted. No
//! part writes a `style` attribute or a script, so the strict content policy holds.

pub(crate) mod cells;
pub(crate) mod choose;
pub(crate) mod code;
pub(crate) mod controls;
pub(crate) mod findings;
pub(crate) mod flyout;
pub(crate) mod frames;
pub(crate) mod head;
pub(crate) mod header;
pub(crate) mod icon;
pub(crate) mod minimap;
pub(crate) mod panel;
pub(crate) mod picker;
pub(crate) mod query;
pub(crate) mod saved;
pub(crate) mod shell;
pub(crate) mod source;
pub(crate) mod sql;
pub(crate) mod surroundings;
pub(crate) mod table;
pub(crate) mod waterfall;

/// Markup with a line for each tag, for the snapshots of tests.
#[cfg(test)]
pub(super) fn tag_lines(markup: maud::Markup) -> String {
    markup.into_string().replace("><", ">\n<")
}
