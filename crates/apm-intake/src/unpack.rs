//! Undoes the compression of a body that is there as a whole.
//!
//! The text comes out in pieces of a bounded size, so that its length is known before it takes memory.

use std::io::{self, Read};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

/// The longest piece, bytes.
pub(super) const PIECE: usize = 64 * 1024;
/// Largest window of zstd, as a power of two: 8 MiB, which every decoder should have (RFC 8878, section 3.1.1.1.2).
const WINDOW: u32 = 23;

/// The compression of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// It is not.
    None,
    /// gzip, of one member or several.
    Gzip,
    /// zlib, which HTTP calls `deflate`.
    Deflate,
    /// zstd, with a window of at most 8 MiB.
    Zstd,
}

impl Compression {
    /// By its name in `Content-Encoding` or `grpc-encoding`. `None`: it is not known.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.trim();
        [
            ("", Self::None),
            ("identity", Self::None),
            ("gzip", Self::Gzip),
            ("deflate", Self::Deflate),
            ("zstd", Self::Zstd),
        ]
        .into_iter()
        .find_map(|(known, compression)| known.eq_ignore_ascii_case(name).then_some(compression))
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "identity",
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }
}

/// A body that cannot be decompressed.
#[derive(Debug, thiserror::Error)]
#[error("the body is not {encoding}: {source}")]
pub(super) struct Corrupt {
    encoding: &'static str,
    source: io::Error,
}

/// The text of a body, a piece at a time.
pub(super) struct Unpack<'b> {
    compression: Compression,
    reader: Box<dyn Read + 'b>,
}

impl<'b> Unpack<'b> {
    pub(super) fn new(compression: Compression, body: &'b [u8]) -> Result<Self, Corrupt> {
        let reader: Box<dyn Read + 'b> = match compression {
            Compression::None => Box::new(body),
            Compression::Gzip => Box::new(MultiGzDecoder::new(body)),
            Compression::Deflate => Box::new(ZlibDecoder::new(body)),
            Compression::Zstd => Box::new(zstd(body).map_err(|source| Corrupt {
                encoding: compression.name(),
                source,
            })?),
        };
        Ok(Self {
            compression,
            reader,
        })
    }

    /// Adds the next piece, at most [`PIECE`] bytes. Gives how many there were; none at the end.
    pub(super) fn next(&mut self, text: &mut Vec<u8>) -> Result<usize, Corrupt> {
        let piece = Read::by_ref(&mut self.reader).take(PIECE as u64);
        let mut piece = piece;
        piece.read_to_end(text).map_err(|source| Corrupt {
            encoding: self.compression.name(),
            source,
        })
    }
}

fn zstd(body: &[u8]) -> io::Result<zstd::stream::read::Decoder<'static, &[u8]>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
    decoder.window_log_max(WINDOW)?;
    Ok(decoder)
}

#[cfg(test)]
mod tests;
