//! The end of a chunked body.

/// The place in a chunked body (RFC 9112, section 7.1). Bytes that are no such body are refused by actix, so here it
/// may end anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// The line with the size of a chunk. `is_told`: its digits have ended.
    Size { size: u64, is_told: bool },
    /// So many bytes of a chunk, with the end of its line.
    Data(u64),
    /// The lines behind the last chunk, the last of which is empty.
    Trailer(Line),
    /// It has ended.
    Done,
}

/// The place in the current line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Nothing,
    Return,
    Text,
}

impl Default for Chunks {
    fn default() -> Self {
        Self::Size {
            size: 0,
            is_told: false,
        }
    }
}

impl Chunks {
    /// Number of these bytes that belong to the body, and whether it ends with them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut taken = 0;
        while let Some(&byte) = bytes.get(taken) {
            if let Self::Data(left) = *self {
                let part = usize::try_from(left).unwrap_or(usize::MAX);
                let part = part.min(bytes.len() - taken);
                taken += part;
                *self = match left - part as u64 {
                    0 => Self::default(),
                    left => Self::Data(left),
                };
                continue;
            }
            taken += 1;
            *self = self.next(byte);
            if *self == Self::Done {
                return (taken, true);
            }
        }
        (taken, false)
    }

    fn next(self, byte: u8) -> Self {
        match self {
            Self::Size { size: 0, .. } if byte == b'\n' => Self::Trailer(Line::Nothing),
            // Two more for the end of the line behind it.
            Self::Size { size, .. } if byte == b'\n' => Self::Data(size.saturating_add(2)),
            Self::Size {
                size,
                is_told: false,
            } => match char::from(byte).to_digit(16) {
                Some(digit) => Self::Size {
                    size: size.saturating_mul(16).saturating_add(digit.into()),
                    is_told: false,
                },
                None => Self::Size {
                    size,
                    is_told: true,
                },
            },
            Self::Trailer(line) => match (line, byte) {
                (Line::Return, b'\n') => Self::Done,
                (Line::Text, b'\n') => Self::Trailer(Line::Nothing),
                (Line::Nothing, b'\r') => Self::Trailer(Line::Return),
                _ => Self::Trailer(Line::Text),
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::pieces::ends;

    #[test]
    fn a_chunked_body_ends_behind_its_last_chunk_wherever_the_pieces_are_cut() {
        for (text, end) in [
            ("0\r\n\r\nGET", Some(5)),
            ("3\r\nabc\r\n0\r\n\r\nGET", Some(13)),
            ("3\r\n\r\n0\r\n0\r\n\r\nGET", Some(13)),
            ("B;name=0\r\nabcdefghijk\r\n0\r\n\r\nGET", Some(28)),
            ("1 \r\na\r\n00\r\nTrailer: 0\r\n\r\nGET", Some(25)),
            ("0\r\nA: b\r\nC: d\r\n\r\nGET", Some(17)),
            ("0\r\n\nA\r\n\r\nGET", Some(9)),
            ("fffffffffffffffff\r\n0\r\n\r\n", None),
            ("3\r\nabc\r\n", None),
        ] {
            for (size, found) in ends(text, Chunks::take) {
                assert_eq!(found, end, "{text:?} in pieces of {size}");
            }
        }
    }
}
