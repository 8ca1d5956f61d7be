//! The web pages: what the telemetry says, first as a sentence, then as evidence.
//!
//! Rendered here with maud, charts as SVG (reference/ui.md 9.4). Pages get a connection from the store's readers and ask
//! `analytics`; there is no SQL in here. Everything a page shows is in its address, every name from telemetry is escaped, and
//! the content policy allows nothing but this server's own files.
#![expect(dead_code, reason = "the pages that use these parts come next")]

mod assets;
mod chart;
mod components;
mod href;
mod moment;
mod number;
mod pages;
mod view;
