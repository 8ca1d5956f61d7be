//! One trace as data: its tree on one timeline, its critical path, and what its spans leave uncovered.

pub(crate) mod cover;
pub(crate) mod critical;
pub mod item;
pub mod read;
mod row;
pub(crate) mod tree;
