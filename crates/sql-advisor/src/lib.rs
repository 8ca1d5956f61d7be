#![doc = include_str!("../README.md")]
//!
//! # How it works
//! [`advise`] copies the database and never writes to the file itself (module `copy`). It reads each statement (module
//! `statement`): which columns it compares, groups and sorts by, and what its parameters are compared with. From that
//! come the values of the parameters, taken from the data (module `values`), and the candidates (module `candidates`).
//! Each candidate is made on the copy, and the statements run with and without it (modules `measure` and `search`).
//! Candidates that help over the whole workload are recommended.
//!
//! [`check_migration`] runs the same statements before and after a migration.

mod alarm;
mod candidates;
mod copy;
mod entries;
mod error;
mod fill;
mod functions;
mod guard;
mod lab;
mod measure;
mod migration;
mod options;
mod plan;
mod prepare;
mod proof;
mod report;
mod rowids;
mod schema;
mod search;
mod spill;
mod statement;
mod statistics;
mod values;

pub use alarm::Alarm;
pub use error::AdviseError;
pub use functions::{
    BUILT_IN_LIKES, Clock, likes, reads_whole_file, replace_likes, replace_slow_functions,
};
pub use lab::Lab;
pub use migration::{Fate, Migration, Replay, check_migration};
pub use options::{Options, Recorded, Stage};
pub use prepare::{PREPARING, prepare_until};
pub use proof::{Proof, Size, prove};
pub use report::{
    Advice, Cost, ENTRY_STEPS, Measured, Recommended, Refused, Replayed, Write, figure,
};
pub use search::advise;
pub use spill::{Spill, written};
