//! The intake as agents see it.

mod protocol;
