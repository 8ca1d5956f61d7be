//! Helpers that tests of several packages share. It is not published: packages name it for their tests only.

mod alone;
mod programs;
mod shared;
mod small_disk;

pub use alone::{alone, command};
pub use programs::{installed, tool};
pub use shared::shared;
pub use small_disk::{on_small_disk, small_disk};
