//! The store's module about access to files, from its own source.

#[path = "../../../../crates/apm-store/src/access.rs"]
pub mod access;
