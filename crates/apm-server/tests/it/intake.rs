//! The intake as agents see it.

mod documents;
mod load;
mod protocol;
