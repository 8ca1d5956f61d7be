//! One trace as data: its tree on one timeline, its critical path, and the lines that a reader sees of it.
//!
//! A trace may have hundreds of thousands of items. It is read whole, in a form of some 150 bytes an item, because its tree,
//! its critical path and its sums need all of it. What a page or an answer shows is a part of that: `lines` says which lines
//! there are, `window` which of them are seen, `find` which match.

mod clock;
pub(crate) mod cover;
pub(crate) mod critical;
mod errors;
pub mod find;
pub mod item;
mod kept;
pub mod lines;
mod names;
pub mod read;
mod row;
pub(crate) mod tree;
pub mod window;
