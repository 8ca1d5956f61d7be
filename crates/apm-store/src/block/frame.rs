//! Texts in zstd frames: blocks of documents, and stack traces.
//!
//! Stored: length of the text (u32, little-endian), then one zstd frame. The highest bit of the length says that the
//! frame needs the dictionary: a text that all frames begin with, as it were, and of which they take what they need.
//!
//! The dictionary holds names of fields and what often stands between them, by Elastic's agents and by OpenTelemetry:
//! zstd finds what repeats within a block, and the names of each kind of document stood in every block once.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CCtx, compress_bound, get_error_name};

use crate::error::StoreError;

/// Frames in databases need every byte of it, so it never changes. Another one needs another mark.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");

/// The mark of frames that need the dictionary, in their length. Earlier versions made frames without it.
const WITH_DICTIONARY: u32 = 1 << 31;

/// No block is larger: a block ends with the event that passes its bound, and events are bounded by the intake.
const LIMIT: usize = 1 << 30;

/// Level 1: higher ones cost more and win nothing on blocks (measured).
const LEVEL: i32 = 1;

/// A text that grows until it is packed. It stands behind the dictionary, as zstd finds what is right before a text in
/// fewer steps than what is elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Growing(Vec<u8>);

impl Default for Growing {
    fn default() -> Self {
        Self(DICTIONARY.to_vec())
    }
}

impl Growing {
    pub(super) fn text(&self) -> &[u8] {
        &self.0[DICTIONARY.len()..]
    }

    /// For adding to it.
    pub(super) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    pub(super) fn clear(&mut self) {
        self.0.truncate(DICTIONARY.len());
    }

    /// Becomes equal to `other`, in the memory that it has.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.0.clone_from(&other.0);
    }
}

/// Bytes of a buffer that is kept for the next frame.
const KEPT: usize = 1 << 20;

/// Compresses with its state kept between calls.
pub(crate) struct Packer {
    compressor: Compressor<'static>,
    context: CCtx<'static>,
    /// The room that zstd asks for, which is larger than a frame by a multiple.
    room: Vec<u8>,
}

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Packer")
    }
}

impl Packer {
    pub(crate) fn new() -> std::io::Result<Self> {
        let mut compressor = Compressor::with_dictionary(LEVEL, DICTIONARY)?;
        compressor.include_checksum(true)?;
        Ok(Self {
            compressor,
            context: CCtx::create(),
            room: Vec::new(),
        })
    }

    /// A frame with zstd's checksum.
    pub(crate) fn pack(&mut self, text: &[u8]) -> Vec<u8> {
        self.make_room(text.len());
        self.compressor
            .compress_to_buffer(text, &mut self.room)
            .expect("the buffer has the size that zstd asks for");
        self.frame(text.len())
    }

    /// A frame without one.
    pub(super) fn pack_growing(&mut self, text: &Growing) -> Vec<u8> {
        let (dictionary, text) = text.0.split_at(DICTIONARY.len());
        self.make_room(text.len());
        self.context
            .compress_using_dict(&mut self.room, text, dictionary, LEVEL)
            .map_err(get_error_name)
            .expect("the buffer has the size that zstd asks for");
        self.frame(text.len())
    }

    fn make_room(&mut self, len: usize) {
        self.room.clear();
        self.room.reserve(compress_bound(len));
    }

    /// The compressed text, behind the length of the text.
    fn frame(&mut self, len: usize) -> Vec<u8> {
        // The highest bit is that of the mark.
        let len = i32::try_from(len).expect("blocks and stacks are far below 2 GiB");
        let mut frame = Vec::with_capacity(4 + self.room.len());
        frame.extend_from_slice(&(len.cast_unsigned() | WITH_DICTIONARY).to_le_bytes());
        frame.extend_from_slice(&self.room);
        if self.room.capacity() > KEPT {
            self.room = Vec::new();
        }
        frame
    }
}

/// Unpackers of frames with the dictionary, and of those without.
#[derive(Default)]
struct Unpackers {
    with: Option<Decompressor<'static>>,
    without: Option<Decompressor<'static>>,
}

thread_local! {
    // Their working memory of some 150 KB is made once for each thread that reads, not for each block.
    static UNPACKERS: RefCell<Unpackers> = RefCell::default();
}

/// Unpacks what [`Packer::pack`] packed.
pub(crate) fn unpack(data: &[u8]) -> Result<Vec<u8>, StoreError> {
    let bad = |reason: &str| StoreError::BadBlock(reason.to_owned());
    let (len, frame) = data
        .split_first_chunk::<4>()
        .ok_or_else(|| bad("a packed text without a length"))?;
    let marked = u32::from_le_bytes(*len);
    let len = (marked & !WITH_DICTIONARY) as usize;
    if len > LIMIT {
        return Err(bad("a packed text beyond 1 GiB"));
    }
    let raw = UNPACKERS
        .with_borrow_mut(|kept| {
            let (kept, dictionary) = match marked & WITH_DICTIONARY {
                0 => (&mut kept.without, &[][..]),
                _ => (&mut kept.with, DICTIONARY),
            };
            let decompressor = match kept {
                Some(decompressor) => decompressor,
                None => kept.insert(Decompressor::with_dictionary(dictionary)?),
            };
            decompressor.decompress(frame, len)
        })
        .map_err(|error| bad(&format!("a packed text that cannot be unpacked: {error}")))?;
    if raw.len() != len {
        return Err(bad("a packed text of another length than it says"));
    }
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    fn without_dictionary(raw: &[u8], level: i32) -> Vec<u8> {
        let mut packed = u32::try_from(raw.len())
            .expect("small")
            .to_le_bytes()
            .to_vec();
        packed.extend(zstd::bulk::compress(raw, level).expect("zstd"));
        packed
    }

    /// Texts with pieces of the dictionary in them.
    fn text() -> impl Strategy<Value = Vec<u8>> {
        let piece = (any::<prop::sample::Index>(), 0..400usize).prop_map(|(at, len)| {
            let at = at.index(DICTIONARY.len());
            DICTIONARY[at..(at + len).min(DICTIONARY.len())].to_vec()
        });
        let piece = prop_oneof![piece, prop::collection::vec(any::<u8>(), 0..40)];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_text_comes_back_with_the_dictionary_and_of_earlier_versions_without_it(
            raw in text(),
            with_checksum in any::<bool>(),
        ) {
            let mut packer = Packer::new().expect("zstd");
            let mut growing = Growing::default();
            growing.end().extend_from_slice(&raw);
            let packed = match with_checksum {
                true => packer.pack(&raw),
                false => packer.pack_growing(&growing),
            };
            prop_assert_eq!(&unpack(&packed).expect("sound"), &raw);
            for level in [1, 3] {
                let before = without_dictionary(&raw, level);
                prop_assert_eq!(&unpack(&before).expect("sound"), &raw);
            }
        }
    }

    #[test]
    fn a_packer_that_is_used_again_packs_the_same() {
        let mut packer = Packer::new().expect("zstd");
        let texts = [&DICTIONARY[100..900], b"{}", &DICTIONARY[..300]];
        let first = texts.map(|text| packer.pack(text));
        assert_eq!(texts.map(|text| packer.pack(text)), first);
        let mut growing = Growing::default();
        let grown = texts.map(|text| {
            growing.clear();
            growing.end().extend_from_slice(text);
            (packer.pack_growing(&growing), packer.pack_growing(&growing))
        });
        assert!(grown.iter().all(|(one, other)| one == other));
        assert_eq!(
            texts.map(|text| Packer::new().expect("zstd").pack(text)),
            first
        );
    }

    const LEN: usize = 4936;
    const HASH: u64 = 0x5c315e10c27a0b28;

    /// A text in a frame, packed by another program with this dictionary.
    const STORED: [u8; 47] = [
        0x4a, 0x00, 0x00, 0x80, 0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x4a, 0xf5, 0x00, 0x00, 0x38, 0x73,
        0x68, 0x6f, 0x70, 0x7d, 0x7d, 0x7d, 0x06, 0x00, 0x4e, 0x81, 0x08, 0xee, 0x8a, 0x01, 0x56,
        0x82, 0x04, 0x60, 0x16, 0x66, 0xc4, 0x19, 0x38, 0x03, 0x15, 0x0f, 0x08, 0x04, 0x63, 0xf4,
        0x2d, 0x7a,
    ];

    #[test]
    fn the_dictionary_of_stored_frames_never_changes() {
        assert_eq!((DICTIONARY.len(), xxh3_64(DICTIONARY)), (LEN, HASH));
        let text = br#"{"context":{"db":{"instance":"shop","statement":"SELECT 1","type":"sql"}}}"#;
        assert_eq!(unpack(&STORED).expect("sound"), text);
    }

    #[test]
    fn a_document_alone_takes_a_third_less_with_the_dictionary() {
        let text = br#"{"context":{"db":{"instance":"shop","statement":"SELECT 1","type":"sql"},"destination":
            {"address":"localhost","port":5432},"service":{"target":{"type":"postgresql","name":"shop"}}}}"#;
        let mut packer = Packer::new().expect("zstd");
        let mut growing = Growing::default();
        growing.end().extend_from_slice(text);
        let before = without_dictionary(text, LEVEL).len();
        for packed in [packer.pack(text), packer.pack_growing(&growing)].map(|frame| frame.len()) {
            assert!(3 * packed < 2 * before, "{packed} of {before}");
        }
    }

    #[test]
    fn a_frame_without_its_dictionary_is_an_error() {
        let text = &DICTIONARY[100..1100];
        let mut packed = Packer::new().expect("zstd").pack(text);
        packed[3] ^= 0x80;
        assert!(unpack(&packed).is_err());
    }
}
