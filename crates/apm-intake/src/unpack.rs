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
mod tests {
    use std::io::Write as _;

    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn packed(compression: Compression, text: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        match compression {
            Compression::None => text.to_vec(),
            Compression::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Zstd => zstd::encode_all(text, 3).unwrap(),
        }
    }

    fn unpacked(compression: Compression, body: &[u8]) -> Result<Vec<u8>, Corrupt> {
        let mut unpack = Unpack::new(compression, body)?;
        let mut text = Vec::new();
        while unpack.next(&mut text)? > 0 {}
        Ok(text)
    }

    const ALL: [Compression; 4] = [
        Compression::None,
        Compression::Gzip,
        Compression::Deflate,
        Compression::Zstd,
    ];

    #[test]
    fn each_encoding_is_undone_in_pieces_that_are_not_large() {
        let text: Vec<u8> = (0..900_000_u32).map(|n| (n % 251) as u8).collect();
        for compression in ALL {
            let body = packed(compression, &text);
            assert!(unpacked(compression, &body).unwrap() == text);
            let mut unpack = Unpack::new(compression, &body).unwrap();
            let mut piece = Vec::new();
            assert_eq!(unpack.next(&mut piece).unwrap(), PIECE);
            assert_eq!(
                unpacked(compression, &packed(compression, b"")).unwrap(),
                b""
            );
        }
        let two = [
            packed(Compression::Gzip, b"one "),
            packed(Compression::Gzip, b"two"),
        ];
        assert_eq!(
            unpacked(Compression::Gzip, &two.concat()).unwrap(),
            b"one two"
        );
    }

    #[test]
    fn a_body_that_is_not_what_it_says_or_is_cut_names_its_encoding() {
        for compression in &ALL[1..] {
            let whole = packed(*compression, &[7; 5000]);
            for body in [
                &b"{\"resourceSpans\":[]}"[..],
                &whole[..whole.len() - 1],
                b"\x1f",
            ] {
                let error = unpacked(*compression, body)
                    .expect_err("refused")
                    .to_string();
                assert!(error.contains(compression.name()), "{error}");
            }
        }
    }

    #[test]
    fn a_window_of_zstd_beyond_the_limit_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(24).unwrap();
        encoder.include_contentsize(false).unwrap();
        encoder.write_all(&vec![7; 32 << 20]).unwrap();
        let body = encoder.finish().unwrap();
        assert!(unpacked(Compression::Zstd, &body).is_err());
    }

    #[test]
    fn encodings_are_known_by_their_names() {
        assert_eq!(Compression::named(" GZIP "), Some(Compression::Gzip));
        assert_eq!(Compression::named("identity"), Some(Compression::None));
        for unknown in ["br", "snappy", "gzip, zstd"] {
            assert_eq!(Compression::named(unknown), None, "{unknown}");
        }
    }
}
