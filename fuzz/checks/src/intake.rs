//! Bodies of events.

use std::sync::Arc;

use apm_intake::{Counters, Stream};

/// Longest line, bytes.
const LONGEST_LINE: usize = 8 * 1024;

/// A body is read to its end whatever it holds. One that is not compressed comes to the same however the network cuts
/// it: of a damaged compressed one, what is read before the damage shows depends on the pieces.
pub fn intake(body: &[u8]) {
    let is_plain = !matches!(body, [0x1f | 0x78, ..]);
    for encoding in [None, Some("gzip"), Some("deflate")] {
        let whole = read(body, encoding, body.len().max(1));
        for size in [1, 7, 1500] {
            let pieces = read(body, encoding, size);
            assert!(
                encoding.is_some() || !is_plain || pieces == whole,
                "in pieces of {size}: {pieces:?}, not {whole:?}"
            );
        }
    }
}

/// Reads a body that arrives in pieces of `size` bytes: its events, the lines that were refused by reason, and
/// those of unknown kinds.
fn read(
    body: &[u8],
    encoding: Option<&str>,
    size: usize,
) -> (usize, Vec<(&'static str, u64)>, u64) {
    let counters = Arc::new(Counters::default());
    let mut stream = Stream::new(encoding, LONGEST_LINE, None, Arc::clone(&counters));
    let mut events = 0;
    for mut piece in body.chunks(size) {
        while let Some(batch) = stream.advance(&mut piece) {
            events += batch.events.len();
        }
    }
    stream.finish();
    events += stream.take().map_or(0, |batch| batch.events.len());
    let look = counters.look();
    (events, look.rejected.to_vec(), look.ignored)
}
