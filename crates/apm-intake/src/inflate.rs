//! Undoes a body's compression, piece by piece as it arrives.
//!
//! Memory stays bounded whatever the input: compressed bytes go in [`STEP`] at a time, so that no step
//! brings out more than about half a megabyte; and a body may not grow to more than [`RATIO`] times its
//! size (beyond an [`ALLOWANCE`] that lets small, repetitive bodies through).

use std::io::Write as _;

use flate2::write::{MultiGzDecoder, ZlibDecoder};

/// Compressed bytes per step. Deflate grows at most 1032-fold.
const STEP: usize = 512;
/// The shortest header of gzip, bytes.
const GZIP_HEADER: u64 = 10;
/// The text may be so many times as large as the body. Recorded streams of agents reach 20 to 50.
const RATIO: u64 = 200;
/// Text that any body may grow to, bytes.
const ALLOWANCE: u64 = 16 << 20;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum InflateError {
    /// It does not begin as its encoding does.
    #[error("{0}: invalid header")]
    Header(&'static str),
    /// It is damaged further on, or ends too early.
    #[error("{0}: corrupt input")]
    Corrupt(&'static str),
    /// It grows beyond all measure.
    #[error("{0}: the body grows to more than {RATIO} times its size")]
    Bomb(&'static str),
}

/// The encoding of a body.
#[derive(Debug)]
enum Mode {
    /// No header said it: the first two bytes tell.
    Sniff,
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
    /// A zlib stream that has ended; what follows is ignored.
    Ended,
}

/// Reads a body.
#[derive(Debug)]
pub(crate) struct Inflate {
    mode: Mode,
    /// The first bytes, until there are enough of them to tell what they are.
    head: Vec<u8>,
    /// The encoding that the header named.
    named: Option<&'static str>,
    read: u64,
    written: u64,
}

impl Inflate {
    /// `encoding`: the request's `Content-Encoding`. Anything but `gzip` and `deflate` is sniffed.
    pub(crate) fn new(encoding: Option<&str>) -> Self {
        let named = match encoding.map(str::trim) {
            Some(name) if name.eq_ignore_ascii_case("gzip") => Some("gzip"),
            Some(name) if name.eq_ignore_ascii_case("deflate") => Some("zlib"),
            _ => None,
        };
        Self {
            mode: Mode::Sniff,
            head: Vec::new(),
            named,
            read: 0,
            written: 0,
        }
    }

    /// The next piece of text in `chunk`, which is moved past it. `None`: all of `chunk` is taken in.
    ///
    /// A plain body comes out as it is, without a copy.
    ///
    /// # Errors
    /// See [`InflateError`].
    pub(crate) fn next<'s, 'i: 's>(
        &'s mut self,
        chunk: &mut &'i [u8],
    ) -> Result<Option<&'s [u8]>, InflateError> {
        if matches!(self.mode, Mode::Sniff) {
            let missing = 2usize.saturating_sub(self.head.len()).min(chunk.len());
            self.head.extend_from_slice(&chunk[..missing]);
            *chunk = &chunk[missing..];
            if self.head.len() < 2 {
                return Ok(None);
            }
            return self.decide().map(Some);
        }
        if chunk.is_empty() {
            return Ok(None);
        }
        match self.mode {
            Mode::Plain => Ok(Some(std::mem::take(chunk))),
            Mode::Ended => {
                *chunk = &[];
                Ok(None)
            }
            _ => {
                // The header goes alone, so that what is wrong with it is told from what is wrong later.
                let most = match GZIP_HEADER.saturating_sub(self.read) {
                    0 => STEP,
                    left => usize::try_from(left).unwrap_or(STEP),
                };
                let (step, rest) = chunk.split_at(chunk.len().min(most));
                *chunk = rest;
                self.step(step).map(Some)
            }
        }
    }

    /// The body has ended: what was held back, or that it is incomplete.
    ///
    /// # Errors
    /// A compressed body that ends before its end.
    pub(crate) fn finish(&mut self) -> Result<&[u8], InflateError> {
        match &mut self.mode {
            Mode::Sniff => match self.named {
                Some(name) if !self.head.is_empty() => Err(InflateError::Header(name)),
                _ => Ok(&self.head),
            },
            Mode::Plain | Mode::Ended => Ok(&[]),
            Mode::Gzip(decoder) => {
                decoder.get_mut().clear();
                let in_header = self.read < GZIP_HEADER;
                decoder.try_finish().map_err(|_| gzip_error(in_header))?;
                Ok(decoder.get_ref())
            }
            Mode::Zlib(decoder) => {
                decoder.get_mut().clear();
                decoder
                    .try_finish()
                    .map_err(|_| InflateError::Corrupt("zlib"))?;
                Ok(decoder.get_ref())
            }
        }
    }

    /// Chooses by what the header named, else by the first two bytes, and reads these.
    fn decide(&mut self) -> Result<&[u8], InflateError> {
        let head = [self.head[0], self.head[1]];
        let is_gzip = head == [0x1f, 0x8b];
        // RFC 1950: method 8 in the low nibble.
        let is_zlib = head[0] & 0x0f == 8;
        match self.named {
            Some("gzip") if !is_gzip => Err(InflateError::Header("gzip")),
            // Lines begin with `{`, which has another low nibble: no plain body of lines is taken for zlib.
            Some("zlib") | None if is_zlib && !is_zlib_header(head) => {
                Err(InflateError::Header("zlib"))
            }
            Some("zlib") if !is_zlib => Err(InflateError::Header("zlib")),
            Some("zlib") => self.begin(Mode::Zlib(Box::new(ZlibDecoder::new(Vec::new())))),
            Some(_) => self.begin(Mode::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
            None if is_gzip => self.begin(Mode::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))),
            None if is_zlib => self.begin(Mode::Zlib(Box::new(ZlibDecoder::new(Vec::new())))),
            None => {
                self.mode = Mode::Plain;
                Ok(&self.head)
            }
        }
    }

    fn begin(&mut self, mode: Mode) -> Result<&[u8], InflateError> {
        self.mode = mode;
        let head = [self.head[0], self.head[1]];
        self.step(&head)
    }

    /// Reads up to [`STEP`] compressed bytes.
    fn step(&mut self, mut step: &[u8]) -> Result<&[u8], InflateError> {
        self.read += step.len() as u64;
        let (text, name) = match &mut self.mode {
            Mode::Gzip(decoder) => {
                // The caller has read what the step before brought out.
                decoder.get_mut().clear();
                let in_header = self.read <= GZIP_HEADER;
                decoder
                    .write_all(step)
                    .and_then(|()| decoder.flush())
                    .map_err(|_| gzip_error(in_header))?;
                (decoder.get_ref(), "gzip")
            }
            Mode::Zlib(decoder) => {
                decoder.get_mut().clear();
                while !step.is_empty() {
                    match decoder.write(step) {
                        // The stream has ended, and bytes are left behind it.
                        Ok(0) => break,
                        Ok(taken) => step = &step[taken..],
                        Err(_) => return Err(InflateError::Corrupt("zlib")),
                    }
                }
                decoder.flush().map_err(|_| InflateError::Corrupt("zlib"))?;
                (decoder.get_ref(), "zlib")
            }
            Mode::Sniff | Mode::Plain | Mode::Ended => {
                unreachable!("only compressed bodies come in steps")
            }
        };
        self.written += text.len() as u64;
        if self.written > ALLOWANCE && self.written / RATIO > self.read {
            return Err(InflateError::Bomb(name));
        }
        if !step.is_empty() && name == "zlib" {
            // Borrowed from the decoder, which goes: this is the last piece, so a copy is cheap.
            let last = text.clone();
            self.mode = Mode::Ended;
            self.head = last;
            return Ok(&self.head);
        }
        match &self.mode {
            Mode::Gzip(decoder) => Ok(decoder.get_ref()),
            Mode::Zlib(decoder) => Ok(decoder.get_ref()),
            Mode::Sniff | Mode::Plain | Mode::Ended => Ok(&[]),
        }
    }
}

/// A window of at most 32 KiB, no dictionary (nobody could know it), and the two bytes a multiple of 31.
fn is_zlib_header(head: [u8; 2]) -> bool {
    head[0] >> 4 < 8 && head[1] & 0x20 == 0 && u16::from_be_bytes(head).is_multiple_of(31)
}

fn gzip_error(in_header: bool) -> InflateError {
    match in_header {
        true => InflateError::Header("gzip"),
        false => InflateError::Corrupt("gzip"),
    }
}

#[cfg(test)]
mod tests;
