//! The end of the head of a request.

/// The place in a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Whether a line of it has come: empty ones before it are no end.
    has_lines: bool,
    line: Line,
}

/// The place in the current line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Nothing,
    Return,
    Text,
}

impl Head {
    /// Number of these bytes that belong to the head, and whether it ends with them.
    ///
    /// A line ends with a line feed, with or without a carriage return before it, as it does for actix.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut from = 0;
        while let Some(length) = memchr::memchr(b'\n', &bytes[from..]) {
            self.add(&bytes[from..from + length]);
            from += length + 1;
            let is_empty = self.line != Line::Text;
            if is_empty && self.has_lines {
                return (from, true);
            }
            self.has_lines |= !is_empty;
            self.line = Line::Nothing;
        }
        self.add(&bytes[from..]);
        (bytes.len(), false)
    }

    fn add(&mut self, part: &[u8]) {
        self.line = match (self.line, part) {
            (line, []) => line,
            (Line::Nothing, [b'\r']) => Line::Return,
            _ => Line::Text,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::pieces::ends;

    #[test]
    fn a_head_ends_with_an_empty_line_wherever_the_pieces_are_cut() {
        for (text, end) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET", Some(27)),
            ("GET / HTTP/1.1\nHost: a\n\nGET", Some(24)),
            ("GET / HTTP/1.1\nHost: a\n\r\nGET", Some(25)),
            ("\r\n\n\r\nGET / HTTP/1.1\r\n\r\n", Some(23)),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r", None),
            ("GET / HTTP/1.1\r\n\r\r\n", None),
            ("\r\n\r\n", None),
        ] {
            for (size, found) in ends(text, Head::take) {
                assert_eq!(found, end, "{text:?} in pieces of {size}");
            }
        }
    }
}
