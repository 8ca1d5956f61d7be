//! Why a body cannot be read.

use std::fmt;

/// Why a body cannot be read as an export request: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(String);

impl Malformed {
    pub(super) fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }

    /// The same, with the name of what it was met in.
    pub(super) fn within(self, part: impl fmt::Display) -> Self {
        Self(format!("{part}: {}", self.0))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}
