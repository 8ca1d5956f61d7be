//! The meaning of the names of OpenTelemetry's attributes, old names and current ones.
//!
//! `facts` reads the attributes of a span against the table of names. `transaction` and `span` say what follows from
//! them, and write it in the shape of intake v2. The rules are those of Elastic's server, so that a span looks the same
//! whatever wire it came by; where that server does not know a current name, this does.

mod database;
mod facts;
mod grpc;
mod labels;
mod span;
mod transaction;
mod url;
mod value;
mod write;

pub(crate) use facts::{EventKind, Facts, Kind};
pub(crate) use labels::{cut, is_label, label};
pub(crate) use span::SpanMeaning;
pub(crate) use transaction::TransactionMeaning;
pub(crate) use value::{KeyValue, Value};
pub(crate) use write::Json;

#[cfg(test)]
mod tests;
