//! The places of the events of a trace: keys of the table `trace_at`.
//!
//! An index by trace id is hit at random, and at some million events its cost decides the intake's speed. Here the key
//! begins with the segment (131 072 numbers of arrival), so that all writes go to the newest few hundred pages at
//! any size. A look-up probes each segment once, newest first: some ten probes per million events.

use xxhash_rust::xxh3::xxh3_64;

use super::id::StoredId;
use super::rows::RowId;

/// Events per segment, as a power of two.
const SEGMENT_BITS: u32 = 17;

/// The segment of traces whose blocks were thinned out: one probe finds them, however old they are.
pub(super) const KEPT: i64 = -1;

/// Bits of the trace id's hash that are in a key.
const HASH_BITS: u32 = 40;

/// The segment of an event.
pub(super) fn segment(seq: i64) -> i64 {
    seq >> SEGMENT_BITS
}

/// The key of a trace in a segment.
pub(super) fn key(segment: i64, hash: u64) -> i64 {
    segment << HASH_BITS | bits(hash).cast_signed()
}

/// The part of a hash that is in a key. Traces of different hashes may have the same: who chooses ids can make some.
pub(super) fn bits(hash: u64) -> u64 {
    hash & ((1 << HASH_BITS) - 1)
}

impl RowId<'_> {
    /// A hash that is the same as that of the equal [`StoredId`].
    pub(super) fn hash(&self) -> u64 {
        match self {
            Self::Short(id) => xxh3_64(&id.to_le_bytes()),
            Self::Long(id) => xxh3_64(id),
            Self::Other(id) => xxh3_64(id.as_bytes()),
            Self::Shared => xxh3_64(&[]),
        }
    }
}

impl StoredId {
    /// The part of a key that is the same in every segment, for a look-up in SQL.
    pub fn trace_bits(&self) -> i64 {
        key(0, self.hash())
    }

    /// A hash that is the same as that of the equal [`RowId`].
    pub(super) fn hash(&self) -> u64 {
        match self {
            Self::Short(id) => xxh3_64(&id.to_le_bytes()),
            Self::Long(id) => xxh3_64(id),
            Self::Other(id) => xxh3_64(id.as_bytes()),
        }
    }
}

/// The segment that a key is in.
pub(super) fn segment_of_key(key: i64) -> i64 {
    key >> HASH_BITS
}

/// The least key of a segment.
pub(super) fn first_key(segment: i64) -> i64 {
    segment << HASH_BITS
}
