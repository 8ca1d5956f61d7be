//! Properties that hold for any input of the readers that strangers' bytes reach.
//!
//! Each function panics where it does not hold. The fuzzers in `fuzz/targets` call them with bytes of their own, the
//! tests of this crate with a corpus of published examples and changes of them.

pub mod corpus;
mod intake;
mod otlp;
mod query;
mod statement;
mod traceparent;

pub use intake::intake;
pub use otlp::otlp;
pub use query::query;
pub use statement::statement;
pub use traceparent::traceparent;
