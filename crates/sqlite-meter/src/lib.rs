#![doc = include_str!("../README.md")]
//!
//! # How it works
//! [`install`] asks SQLite to call this crate for each connection that the process opens. There it registers a small
//! SQL function, whose user data is the connection's slot. Nothing else is changed: a connection that is not attached
//! to is not traced.
//!
//! [`attach`] runs that function through Diesel. The function knows the handle of the connection that runs it, so the
//! slot is the right one, and the handle is alive. Then SQLite is asked to report each statement that ends. The slot is
//! freed by SQLite itself, when it destroys the function with the connection.
//!
//! [`attach_by`] hands the statement that runs the function to somebody else, such as rusqlite. There the function
//! itself attaches the observer, while SQLite runs it.
//!
//! [`observe_every`] sets up the same trace already where SQLite calls this crate, on every connection that is opened
//! from then on.
//!
//! [`instrument`] sets the connection's instrumentation as well, and lets it switch the reports off and on with each
//! query, by an instrumentation of this crate that holds the slot, too.
//!
//! Diesel's main branch has a method that gives the handle. When it is released, it replaces the function and the
//! process-wide call; the rest stays as it is (module `slot`).

mod callback;
mod every;
mod finished;
mod locate;
mod memory;
mod options;
mod pending;
mod program;
mod questions;
mod slot;
mod switch;

pub use finished::{Counters, Finished, StatementKey};
pub use locate::{AttachError, InstallError, attach, attach_by, detach, install, observe_every};
pub use memory::{MemoryBound, MemoryDeadline, MemoryError, bound_memory};
pub use options::Options;
pub use program::{Extent, Scan};
pub use switch::{Metered, Switch, instrument};
