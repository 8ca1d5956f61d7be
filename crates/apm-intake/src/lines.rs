//! Splits a stream of chunks at line feeds.
//!
//! A line that lies within one chunk is borrowed from it; only the piece that a chunk cuts off is copied,
//! and never more than the limit. Where the chunks are cut changes nothing. A `\r` stays in its line.

use memchr::memchr;

/// The text between two line feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// A line within the limit, without its terminator.
    Whole(&'a [u8]),
    /// The head of a longer one; the rest of it was skipped.
    TooLong(&'a [u8]),
}

/// Keeps the unfinished line between two chunks.
#[derive(Debug)]
pub(crate) struct Lines {
    limit: usize,
    partial: Vec<u8>,
    /// Whether `partial` is to be forgotten before the next line is read: it has been given out.
    given: bool,
    /// Whether the line in `partial` is over the limit already.
    skipping: bool,
}

impl Lines {
    /// `limit`: the longest line, bytes, its terminator included.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            partial: Vec::new(),
            given: false,
            skipping: false,
        }
    }

    /// The next line that ends within `input`, which is moved past it. `None`: all of `input` is taken in.
    pub(crate) fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Line<'s>> {
        self.forget();
        let chunk = *input;
        let end = memchr(b'\n', chunk);
        let piece = &chunk[..end.unwrap_or(chunk.len())];
        *input = end.map_or(&[], |end| &chunk[end + 1..]);
        if end.is_some() && self.partial.is_empty() {
            return Some(self.judge(piece));
        }
        self.append(piece);
        end.is_some().then(|| self.finish_partial())
    }

    /// The text that was left without a terminator when the stream ended.
    pub(crate) fn finish(&mut self) -> Option<Line<'_>> {
        self.forget();
        (!self.partial.is_empty()).then(|| self.finish_partial())
    }

    /// Whether a line has begun and not ended.
    pub(crate) fn is_within(&self) -> bool {
        !self.given && !self.partial.is_empty()
    }

    /// Memory that the unfinished line holds, bytes.
    pub(crate) fn held(&self) -> usize {
        self.partial.capacity()
    }

    fn forget(&mut self) {
        if std::mem::take(&mut self.given) {
            // A large line is rare; its buffer is not kept for a connection that may stay open for long.
            match self.partial.capacity() > 16 * 1024 {
                true => self.partial = Vec::new(),
                false => self.partial.clear(),
            }
            self.skipping = false;
        }
    }

    fn append(&mut self, piece: &[u8]) {
        let room = self.limit - self.partial.len();
        self.skipping |= piece.len() > room;
        self.partial
            .extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn finish_partial(&mut self) -> Line<'_> {
        self.given = true;
        match self.skipping {
            true => Line::TooLong(&self.partial),
            false => self.judge(&self.partial),
        }
    }

    fn judge<'a>(&self, line: &'a [u8]) -> Line<'a> {
        // The limit includes the line feed, which is not in the line.
        match line.len() < self.limit {
            true => Line::Whole(line),
            false => Line::TooLong(&line[..self.limit]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(limit: usize, chunks: &[&[u8]]) -> Vec<(bool, Vec<u8>)> {
        let mut lines = Lines::new(limit);
        let mut read = Vec::new();
        let own = |line: Line<'_>| match line {
            Line::Whole(line) => (true, line.to_vec()),
            Line::TooLong(head) => (false, head.to_vec()),
        };
        for mut chunk in chunks.iter().copied() {
            while let Some(line) = lines.next(&mut chunk).map(own) {
                read.push(line);
            }
        }
        read.extend(lines.finish().map(own));
        read
    }

    #[test]
    fn a_line_one_byte_below_the_limit_is_whole() {
        assert_eq!(
            read(4, &[b"abc\nabcd\n"]),
            [(true, b"abc".to_vec()), (false, b"abcd".to_vec())]
        );
        assert_eq!(
            read(4, &[b"abcdefgh", b"ij\nk"]),
            [(false, b"abcd".to_vec()), (true, b"k".to_vec())]
        );
    }

    #[test]
    fn a_carriage_return_stays_and_an_empty_line_is_one() {
        assert_eq!(
            read(9, &[b"a\r\n\nb"]),
            [
                (true, b"a\r".to_vec()),
                (true, b"".to_vec()),
                (true, b"b".to_vec())
            ]
        );
    }

    #[test]
    fn the_unfinished_line_never_holds_more_than_the_limit() {
        let mut lines = Lines::new(1000);
        for _ in 0..100 {
            assert_eq!(lines.next(&mut [b'x'; 999].as_slice()), None);
        }
        assert!(lines.held() <= 2 * 1000, "{}", lines.held());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn where_the_chunks_are_cut_changes_nothing(
            text in "[a-c\n]{0,60}",
            cuts in prop::collection::vec(0usize..60, 0..6),
            limit in 1usize..8,
        ) {
            let text = text.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(limit, &chunks), read(limit, &[text]));
        }
    }
}
