//! Texts without a life of their own.

/// A range of a [`Batch`](super::Batch)'s arena, in bytes, on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Text {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Text {
    /// Length in bytes.
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Whether this is the empty string.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}
