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
//! [`observe_every`] sets up the same trace already where SQLite calls this crate, on every connection that is opened
//! from then on.
//!
//! Diesel's main branch has a method that gives the handle. When it is released, it replaces the function and the
//! process-wide call; the rest stays as it is (module `slot`).

mod callback;
mod every;
mod finished;
mod locate;
mod memory;
mod options;
mod slot;

pub use finished::{Counters, Finished, StatementKey};
pub use locate::{AttachError, InstallError, attach, detach, install, observe_every};
pub use memory::{MemoryBound, MemoryDeadline, MemoryError, bound_memory};
pub use options::Options;
