#![doc = include_str!("../README.md")]
//!
//! # How it works
//! [`install`] asks SQLite to call this crate for each connection that the process opens. There it registers a small SQL function,
//! whose user data is the connection's slot. Nothing else is changed: a connection that is not attached to is not traced.
//!
//! [`attach`] runs that function through Diesel. The function knows the handle of the connection that runs it, so the slot is the
//! right one, and the handle is alive. Then SQLite is asked to report each statement that ends. The slot is freed by SQLite itself, when it
//! destroys the function with the connection.
//!
//! Diesel's main branch has a method that gives the handle. When it is released, it replaces the function and the process-wide call;
//! the rest stays as it is (module `slot`).

mod callback;
mod finished;
mod locate;
mod slot;

pub use finished::{Counters, Finished, StatementKey};
pub use locate::{AttachError, InstallError, attach, detach, install};

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Count the rows that a statement returns. It costs a call for each row.
    pub rows: bool,
    /// Count the pages that a statement reads into the cache and writes from it.
    pub pages: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rows: true,
            pages: true,
        }
    }
}

impl Options {
    /// Sets whether the rows that a statement returns are counted.
    #[must_use]
    pub fn rows(mut self, rows: bool) -> Self {
        self.rows = rows;
        self
    }

    /// Sets whether pages are counted.
    #[must_use]
    pub fn pages(mut self, pages: bool) -> Self {
        self.pages = pages;
        self
    }
}
