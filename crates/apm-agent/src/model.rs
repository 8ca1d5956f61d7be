//! Intake v2 events as structs, for the rare ones that are written by serde.

pub(crate) mod error;
