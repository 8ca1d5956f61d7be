//! From the bytes of a request to committed events.
//!
//! `inflate` undoes compression, `lines` splits, `elastic` decodes a line of Elastic's intake v2 into a [`Batch`],
//! `stream` holds a request's state between its chunks, `receive` feeds it and hands the batches to the writer,
//! `report` says what became of it all.
//!
//! A body of a browser is read like one of Elastic's, on the terms of `browser`.
//!
//! A body of OTLP is read as a whole: `export` takes room for it (`room`), undoes compression (`unpack`), and has
//! `otlp` decode it. `commit` is the way to the writer for both.
//!
//! Nothing here is unbounded: a line has a limit, a batch is handed over when it is full, and a request waits for the
//! writer only so long: then it is answered with 503, and the sender tries again.
//!
//! [`Batch`]: apm_store::event::Batch

mod browser;
mod commit;
mod conventions;
mod counters;
mod elastic;
mod export;
mod hash;
mod inflate;
mod limits;
mod lines;
pub mod otlp;
mod receive;
mod refused;
mod report;
mod room;
mod stream;
mod streams;
mod unpack;

pub use browser::{Browser, Terms, Visitor};
pub use counters::{Counters, Look, LookAtWire, Offending, Wire};
pub use export::{Export, ExportError, Exported};
pub use receive::{Intake, Limits};
pub use report::Report;
pub use stream::Stream;
pub use streams::Streams;
pub use unpack::Compression;
