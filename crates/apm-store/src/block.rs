//! Rest documents, 128 to a block, compressed together.
//!
//! Event `seq` is number `seq % 128` of block `seq / 128`: no row points anywhere. Together they take a tenth of what
//! they take one by one, and reading one back costs some 50 µs.
//!
//! A block is written with each commit, also while it is not full, and written again by the next commit until it is: so
//! an event can be read from its commit on, and nothing has to be tidied up later. The price is to compress at most
//! [`SLOTS`] documents per commit once more, some 100 µs at low traffic and nothing at full batches. A block that grew
//! beyond [`MAX_RAW`] is closed early and the numbers left in it stay unused, and so after a restart: a block is
//! never read by the writer.
//!
//! Layout, before compression, per document: kind (1 byte), id of its stack (varint, 0: none), length (varint), JSON.
//! A document that is gone while others of the block are kept is a byte 0.
//! Stored: a zstd frame with its length before it (see `frame`). A checksum of these bytes stands behind the
//! checksums of the rows: they are a tenth of the documents, so it costs a tenth of one of the documents. A bit that
//! flipped on the disk is an error when the block is read, and never shown. Frames of stack traces and of earlier
//! versions end with zstd's own checksum of what was compressed; the first versions had none.

mod frame;

use diesel::prelude::*;
use xxhash_rust::xxh3::xxh3_64;

use super::error::StoreError;
use super::schema::block;
use crate::event::Kind;
use crate::rollup::kind_code;
use frame::Growing;
pub(super) use frame::{Packer, unpack};

/// Documents in a block.
pub(super) const SLOTS: i64 = 128;

/// Bytes of documents from which on a block takes no more: bounds what a page decompresses to show one event.
const MAX_RAW: usize = 1 << 20;

/// Bytes of a checksum of a row, and of that of a block.
pub(super) const SUM: usize = 4;

/// The code of a document that is gone, in the place of its kind: the others keep their numbers.
const GONE: u8 = 0;

/// The block being filled.
#[derive(Debug, Default)]
pub(super) struct Builder {
    raw: Growing,
    /// Checksums of the rows of its events, see [`super::row_checksums`].
    sums: Vec<u8>,
    facts: Facts,
}

/// Columns of a block's row, beside its documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Documents in it.
    pub(super) events: usize,
    /// When the last one arrived, seconds since the epoch.
    pub(super) received: i64,
    /// The earliest and the latest event, µs since the epoch.
    pub(super) ts_min: i64,
    pub(super) ts_max: i64,
    /// The longest transaction and the longest span, µs.
    pub(super) tx_longest: Option<i64>,
    pub(super) span_longest: Option<i64>,
}

impl Builder {
    /// Adds a document, and the checksum of its event's row. `received`: seconds since the epoch; `ts`: µs.
    pub(super) fn push(&mut self, received: i64, ts: i64, document: Document<'_>, sum: u32) {
        self.sums.extend_from_slice(&sum.to_le_bytes());
        write(self.raw.end(), document);
        let first = self.facts.events == 0;
        self.facts = Facts {
            events: self.facts.events + 1,
            received,
            ts_min: if first { ts } else { ts.min(self.facts.ts_min) },
            ts_max: if first { ts } else { ts.max(self.facts.ts_max) },
            ..self.facts
        };
    }

    /// Notes the duration (µs) of the transaction that is added next.
    pub(super) fn transaction(&mut self, duration: i64) {
        self.facts.tx_longest = self.facts.tx_longest.max(Some(duration));
    }

    /// The same of a span.
    pub(super) fn span(&mut self, duration: i64) {
        self.facts.span_longest = self.facts.span_longest.max(Some(duration));
    }

    pub(super) fn facts(&self) -> Facts {
        self.facts
    }

    /// The packed documents, and the checksums: of the rows in the order of the documents, then of the packed ones.
    pub(super) fn pack(&self, packer: &mut Packer) -> (Vec<u8>, Vec<u8>) {
        let data = packer.pack_growing(&self.raw);
        let mut sums = Vec::with_capacity(self.sums.len() + SUM);
        sums.extend_from_slice(&self.sums);
        // Behind those of the rows, so that their places do not depend on it.
        sums.extend_from_slice(&checksum(&data));
        (data, sums)
    }

    /// Whether it takes no more documents.
    pub(super) fn is_full(&self) -> bool {
        self.facts.events as i64 >= SLOTS || self.raw.text().len() >= MAX_RAW
    }

    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.sums.clear();
        self.facts = Facts::default();
    }

    /// Becomes equal to `other`, in the memory that it has.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.raw.copy_from(&other.raw);
        self.sums.clone_from(&other.sums);
        self.facts = other.facts;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "half of the hash is enough to find damage"
)]
fn checksum(data: &[u8]) -> [u8; SUM] {
    (xxh3_64(data) as u32).to_le_bytes()
}

/// A block as it is stored.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = block)]
pub(super) struct Packed {
    id: i64,
    data: Vec<u8>,
    events: i32,
    sums: Option<Vec<u8>>,
}

impl Packed {
    /// The documents, which have to be as they were stored.
    pub(super) fn unpack(&self) -> Result<Vec<u8>, StoreError> {
        let sums = self.sums.as_deref().unwrap_or_default();
        match sums.last_chunk::<SUM>() {
            // Those of earlier versions, and of blocks that were thinned out, are compared by zstd.
            _ if self.has_own_checksum() => {}
            // Those of the first versions have no checksums.
            None => {}
            // One for each of its events stands before it.
            Some(sum) if *sum == checksum(&self.data) && sums.len() == self.sum_bytes() => {}
            Some(_) => {
                return Err(StoreError::BadBlock(format!(
                    "the documents of block {} differ from their checksum",
                    self.id
                )));
            }
        }
        unpack(&self.data)
    }

    /// Bytes of the checksums of a block that is whole.
    fn sum_bytes(&self) -> usize {
        SUM * (usize::try_from(self.events).unwrap_or_default() + 1)
    }

    /// Whether the zstd frame ends with a checksum: the third bit of what follows the length and the magic number.
    fn has_own_checksum(&self) -> bool {
        self.data.get(8).is_some_and(|flags| flags & 4 != 0)
    }

    /// Bytes of its packed documents.
    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    /// Its events.
    pub(super) fn events(&self) -> i64 {
        i64::from(self.events)
    }

    /// The checksums of the rows of its events.
    pub(super) fn sums(&self) -> Option<&[u8]> {
        self.sums.as_deref()
    }

    /// Its number.
    pub(super) fn id(&self) -> i64 {
        self.id
    }
}

/// A document of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Document<'a> {
    pub(super) kind: Kind,
    /// 0: none.
    pub(super) stack: i64,
    pub(super) json: &'a str,
}

fn write(raw: &mut Vec<u8>, document: Document<'_>) {
    raw.push(kind_code(document.kind));
    varint(raw, document.stack.cast_unsigned());
    varint(raw, document.json.len() as u64);
    raw.extend_from_slice(document.json.as_bytes());
}

/// A block of which some documents stay, each in its place; those behind the last one are left out.
pub(super) fn thinned(
    documents: &[Option<Document<'_>>],
    stays: impl Fn(usize) -> bool,
) -> Vec<u8> {
    let mut raw = Vec::new();
    let mut end = 0;
    for (slot, document) in documents.iter().enumerate() {
        match document {
            Some(document) if stays(slot) => {
                write(&mut raw, *document);
                end = raw.len();
            }
            _ => raw.push(GONE),
        }
    }
    raw.truncate(end);
    raw
}

/// The documents of an unpacked block, in order; `None` where one is gone.
pub(super) fn documents(raw: &[u8]) -> Result<Vec<Option<Document<'_>>>, StoreError> {
    let mut at = raw;
    let mut documents = Vec::with_capacity(SLOTS as usize);
    while let Some(code) = at.first() {
        if *code == GONE {
            documents.push(None);
            at = &at[1..];
            continue;
        }
        let document = document(&mut at)
            .ok_or_else(|| StoreError::BadBlock("a document that is cut".to_owned()))?;
        documents.push(Some(document));
    }
    Ok(documents)
}

fn document<'a>(at: &mut &'a [u8]) -> Option<Document<'a>> {
    let (code, rest) = at.split_first()?;
    *at = rest;
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| kind_code(*kind) == *code)?;
    let stack = read_varint(at)?.cast_signed();
    let len = usize::try_from(read_varint(at)?).ok()?;
    let (json, rest) = at.split_at_checked(len)?;
    *at = rest;
    Some(Document {
        kind,
        stack,
        json: std::str::from_utf8(json).ok()?,
    })
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn read_varint(at: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = at.split_first()?;
        *at = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    // Ten bytes hold any number: a longer one is damage.
    None
}

#[cfg(test)]
mod tests;
