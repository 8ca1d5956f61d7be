//! Ids as events have them.

use apm_store::event::Id;
use xxhash_rust::xxh3::Xxh3;

/// Ids of a span that has them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    pub(super) trace: [u8; 16],
    pub(super) span: u64,
    pub(super) parent: Option<u64>,
}

/// An id that is the same whenever the same body comes again: of what, where, and which of several.
pub(super) fn derived(parts: &[&[u8]]) -> Id {
    let mut hash = Xxh3::new();
    for part in parts {
        // Lengths keep the parts apart: `ab`, `c` is not `a`, `bc`.
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    Id::Long(hash.digest128().to_be_bytes())
}

/// A trace's id in hex.
pub(super) fn trace_hex(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}

/// A span's id in hex.
pub(super) fn span_hex(id: u64) -> String {
    format!("{id:016x}")
}
