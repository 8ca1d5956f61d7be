//! The output of a store to Elasticsearch or OpenSearch.
//!
//! * `worker` follows the events in the order of their numbers, one load after the other. The range of a load is noted
//!   in the store before it is sent, and forgotten with the next one ([`apm_store::output`]).
//! * `load` makes documents of events, as the bytes of `_bulk` requests; `aggregate` counts events by minute, ten
//!   minutes and hour, and makes documents of the counts.
//! * `send` brings the documents of a request into the engine: it repeats what the engine could not take yet, counts
//!   what it refuses for good, and asks which documents are there when the outcome of a request is unknown.
//! * `share` gives the counts of this server to the others, and takes theirs. `remote` reads events of theirs.
//! * `engine` asks; `client` knows the addresses and the credential; `dialect` which engine it is; `template` the types
//!   of fields that OpenSearch lacks; `lifecycle` the age at which the engine deletes documents.
//!
//! Floors, from the top: `worker` → `share`, `remote` → `send`, `load` → `aggregate`, `bulk`, `lifecycle` →
//! `template` → `dialect`, `engine` → `client` → `config`.

mod aggregate;
mod bulk;
mod client;
mod config;
mod dialect;
mod engine;
mod lifecycle;
mod load;
mod remote;
mod send;
mod share;
mod stats;
mod template;
mod worker;

pub use config::{Auth, Config, ConfigError, Pace, host, without_user};
pub use remote::{
    Events, Found, FoundDocument, FoundDurations, FoundField, FoundGroup, FoundGroups, FoundValues,
    OfTraces, OfValues,
};
pub use share::{Coverage, Peer};
pub use stats::{Lag, Stats};
pub use template::{is_indexed, is_number};
pub use worker::{Output, StartError};
