//! Helpers that tests of several packages share. It is not published: packages name it for their tests only.

mod alone;
mod programs;

pub use alone::{alone, command};
pub use programs::{installed, tool};
