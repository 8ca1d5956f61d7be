//! Telemetry on disk: one SQLite file, one writer, any number of readers.
//!
//! * [`Store::submit`] hands a [`Batch`](event::Batch) to the one writer thread by a bounded queue; the [`Ticket`]
//!   resolves after the commit. What was acknowledged is in the database, whole, once, and its rollups with it.
//! * [`Store::read`] runs queries on a few connections that only read, each call in one snapshot.
//! * The schema is in `migrations/`, and [`schema`] is how Diesel sees it. Rows hold what is queried; the rest of an
//!   event is in compressed blocks, stack traces are stored once, names are numbers. `v_*` views show all of it to
//!   people.
//! * A damaged file is reported and never replaced; one of a newer version is refused.
//! * [`event`] is what is stored, [`rollup`] what is counted of it, [`document`] how a stored event reads as a whole.
//!
//! Other crates decode what agents send (`apm-intake`) and answer questions (`analytics` of the server).

pub mod access;
mod apply;
mod backup;
mod block;
mod blocking;
mod bounds;
mod cache;
pub mod cause;
mod checksum;
mod clear;
mod coarse_rollups;
mod dictionary;
mod direction;
pub mod document;
mod error;
pub mod event;
mod events;
mod file;
mod first_rows;
mod gate;
pub mod id;
mod insert;
mod json;
pub mod kept;
mod limits;
#[cfg(test)]
mod lookups;
#[doc(hidden)]
pub mod measure;
mod number;
mod open;
mod options;
pub mod output;
mod pool;
mod queue;
mod retention;
pub mod rollup;
mod rollups;
mod row_checksums;
mod rows;
pub mod schema;
mod scratch;
mod scrub;
pub mod share;
mod statement;
mod stats;
mod store;
pub mod text_file;
mod ticket;
mod trace_index;
mod transaction;
mod wal;
mod writer;

pub use backup::{Backup, BackupError, backup, partial};
pub use direction::{is_obeyed, turns_direction};
pub use error::{OpenError, StoreError, SubmitError};
pub use events::{
    Progress, Texts, Wanted, events, events_while, of_block, trace, trace_blocks, trace_in,
};
pub use id::StoredId;
pub use limits::{Beyond, NAMES, NameKind, NameLimit, NameLimits, OTHER};
pub use open::{MIGRATIONS, uri};
pub use options::{Durability, SEARCH_TIME, StoreOptions, TailSampling};
pub use pool::share_taken;
pub use scratch::scratch;
pub use stats::{COMMIT_TIMES, StoreStats};
pub use store::Store;
pub use ticket::{Committed, Ticket};
