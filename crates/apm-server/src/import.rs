//! Sends recorded or made-up streams the way that an agent's go: through the intake, into a store of this process or to
//! a server that runs.
//!
//! A recorded stream is NDJSON as agents send it, plain or gzip (told by its first bytes): a metadata line and events,
//! and again. [`file()`] cuts it into request bodies of about `TOGETHER` bytes, each with its metadata, so that a file
//! of any size takes little memory. Events that the intake refuses are counted, and do not end the import.

mod target;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apm_store::StoreError;
use apm_store::event::Batch;
use flate2::bufread::MultiGzDecoder;

use crate::remote::RemoteError;
use apm_intake::Stream;
pub use target::{Refusal, Target};

/// Bytes per request body.
const TOGETHER: usize = 1 << 20;

/// Bytes of a line that are kept: more than the intake takes. The rest of a longer one is skipped, and the intake
/// refuses what is left.
const LONGEST: usize = target::MAX_EVENT_SIZE + 1024;

/// The events that were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events that are stored.
    pub accepted: u64,
    /// Lines that the intake refused.
    pub rejected: u64,
}

impl AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        // A server may answer with any numbers.
        self.accepted = self.accepted.saturating_add(other.accepted);
        self.rejected = self.rejected.saturating_add(other.rejected);
    }
}

/// Why an import ended early. Events that were sent before are stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be opened.
    #[error("cannot open {path}", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The stream cannot be read, or is damaged gzip.
    #[error("cannot read the stream after {lines} lines")]
    Read {
        /// Lines that were read before.
        lines: u64,
        /// Why.
        source: io::Error,
    },
    /// The stream does not begin with metadata.
    #[error("the stream does not begin with a metadata line; is it NDJSON as agents send it?")]
    NoMetadata,
    /// Nothing but metadata, or nothing at all.
    #[error("{}", nothing(*lines))]
    NoEvents {
        /// Lines that are not blank.
        lines: u64,
    },
    /// The events cannot be stored.
    #[error("cannot store the events")]
    Store(#[from] StoreError),
    /// The server cannot be reached, or does not take the events.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

fn nothing(lines: u64) -> &'static str {
    match lines {
        0 => "the stream is empty: there is nothing to import",
        _ => "the stream has metadata and no events: there is nothing to import",
    }
}

/// Sends a file. `progress` is called now and then with the number of bytes of the file that are read.
pub fn file(
    path: &Path,
    target: &mut Target,
    mut progress: impl FnMut(u64),
) -> Result<Summary, ImportError> {
    let open = |source| ImportError::Open {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(open)?;
    // A clone shares the place of reading.
    let position = file.try_clone().map_err(open)?;
    let input = BufReader::with_capacity(256 << 10, file);
    let tell = move || {
        let mut position = &position;
        progress(io::Seek::stream_position(&mut position).unwrap_or_default());
    };
    reader(input, target, tell)
}

/// Sends what can be read, plain or gzip. `tell` is called after each request body.
pub fn reader(
    mut input: impl BufRead,
    target: &mut Target,
    tell: impl FnMut(),
) -> Result<Summary, ImportError> {
    let start = input.fill_buf();
    let start = start.map_err(|source| ImportError::Read { lines: 0, source })?;
    if start.starts_with(&[0x1f, 0x8b]) {
        let input = BufReader::with_capacity(256 << 10, MultiGzDecoder::new(input));
        stream(input, target, tell)
    } else {
        stream(input, target, tell)
    }
}

/// Sends a stream. `tell` is called after each request body.
pub fn stream(
    input: impl BufRead,
    target: &mut Target,
    mut tell: impl FnMut(),
) -> Result<Summary, ImportError> {
    let sent = bodies(input, target, &mut tell);
    // Also where it ended early: what was sent until then is told.
    let settled = target.finish();
    let mut summary = sent?;
    summary += settled?;
    tell();
    Ok(summary)
}

fn bodies(
    mut input: impl BufRead,
    target: &mut Target,
    tell: &mut impl FnMut(),
) -> Result<Summary, ImportError> {
    let mut summary = Summary::default();
    let mut metadata = Vec::new();
    let mut body = Vec::new();
    let mut line = Vec::new();
    let mut lines = 0;
    let mut seen = 0;
    let mut events = 0_u64;
    loop {
        line.clear();
        let read = read_line(&mut input, &mut line);
        let read = read.map_err(|source| ImportError::Read { lines, source })?;
        lines += u64::from(read > 0);
        if read > 0 && line.trim_ascii().is_empty() {
            continue;
        }
        seen += u64::from(read > 0);
        if !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        let is_metadata = is_metadata(&line);
        if metadata.is_empty() && !is_metadata && read > 0 {
            return Err(ImportError::NoMetadata);
        }
        // Metadata must not be most of each body.
        let full = body.len() >= TOGETHER.max(2 * metadata.len());
        if (read == 0 || is_metadata || full) && body.len() > metadata.len() {
            summary += target.send(&body)?;
            tell();
            body.clone_from(&metadata);
        }
        if read == 0 {
            break;
        }
        events += u64::from(!is_metadata);
        if is_metadata {
            metadata.clone_from(&line);
            body.clone_from(&line);
        } else {
            body.extend_from_slice(&line);
        }
    }
    if events == 0 {
        return Err(ImportError::NoEvents { lines: seen });
    }
    Ok(summary)
}

/// Reads a line with its end, and keeps [`LONGEST`] bytes of it. Returns how many it had, 0 at the end of the stream.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<usize> {
    let mut length = 0;
    loop {
        let piece = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        let end = memchr::memchr(b'\n', piece);
        let taken = end.map_or(piece.len(), |end| end + 1);
        let room = LONGEST.saturating_sub(line.len());
        line.extend_from_slice(&piece[..taken.min(room)]);
        input.consume(taken);
        length += taken;
        if end.is_some() || taken == 0 {
            return Ok(length);
        }
    }
}

/// The batches that the intake makes of the events of several senders, each behind its metadata.
pub(crate) fn batches_of_senders(lines: &[u8]) -> Vec<Batch> {
    let mut all = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        // A request has one sender.
        if at > start && is_metadata(line) {
            all.extend(batches(&lines[start..at]));
            start = at;
        }
        at += line.len();
    }
    all.extend(batches(&lines[start..]));
    all
}

/// The batches that the intake makes of a request body, without storing them: what decoding is.
pub fn batches(body: &[u8]) -> Vec<Batch> {
    let mut stream = Stream::new(None, target::MAX_EVENT_SIZE, None, Arc::default());
    let mut body = body;
    let mut batches = Vec::new();
    while let Some(batch) = stream.advance(&mut body) {
        batches.push(batch);
    }
    stream.finish();
    batches.extend(stream.take());
    batches
}

/// Whether a line is metadata, by its first key.
fn is_metadata(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let Some(line) = line.strip_prefix(b"{") else {
        return false;
    };
    line.trim_ascii_start().starts_with(b"\"metadata\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_server_can_mean_are_added() {
        let most = Summary {
            accepted: u64::MAX,
            rejected: u64::MAX,
        };
        let mut sum = most;
        sum += most;
        assert_eq!((sum.accepted, sum.rejected), (u64::MAX, u64::MAX));
    }
}
