//! Comments: which signs begin one, and where it ends.

use super::{Lexer, Read, is_name};
use crate::syntax::{Comments, Hash};
use crate::token::Kind;

/// Longest indentation that is looked through for the beginning of a line.
const MAX_INDENT: usize = 256;

impl Lexer<'_> {
    /// The comment that begins here, if one does.
    pub(super) fn comment(&mut self, first: u8, next: u8) -> Option<Read> {
        let is_conditional = self.syntax.comments == Comments::Conditional;
        match (first, next) {
            (b'-', b'-') => Some(self.line()),
            (b'/', b'/') if self.syntax.slash_comments => Some(self.line()),
            // Only the sign and the version are a comment: MySQL runs the rest.
            (b'/', b'*') if is_conditional && self.byte(2) == b'!' => {
                Some((Kind::Comment, self.run(3, |c| c.is_ascii_digit()), true))
            }
            (b'/', b'*') => {
                let end = self.block_end();
                let len = end.unwrap_or(self.rest().len());
                Some((Kind::Comment, len, end.is_some()))
            }
            // The end of a conditional comment, whose content is read.
            (b'*', b'/') if is_conditional => Some((Kind::Comment, 2, true)),
            (b'#', _) if self.is_hash_comment(next) => Some(self.line()),
            _ => None,
        }
    }

    /// A comment to the end of the line; the line break is white space.
    fn line(&self) -> Read {
        let rest = self.rest();
        let len = rest.find('\n').unwrap_or(rest.len());
        (Kind::Comment, len, true)
    }

    /// Length of the comment in `/* … */` here; nothing where it does not end.
    fn block_end(&mut self) -> Option<usize> {
        let rest = self.rest();
        if self.nests {
            let end = nested_end(rest.as_bytes());
            if end.is_some() || self.syntax.comments != Comments::NestedIfClosed {
                return end;
            }
            // Looked for again at each comment, the end of the text would be read each time.
            self.nests = false;
        }
        rest[2..].find("*/").map(|end| end + 4)
    }

    fn is_hash_comment(&self, next: u8) -> bool {
        match (self.syntax.hash, next) {
            (Hash::Operator, _) => false,
            (Hash::Comment, _) => true,
            // PostgreSQL has operators that begin so.
            (Hash::Guess | Hash::GuessNames, b'>' | b'-' | b'=' | b'#') => self.begins_line(),
            (Hash::Guess, _) => true,
            (Hash::GuessNames, next) => !is_name(char::from(next)),
        }
    }

    /// Whether only white space stands before in this line.
    fn begins_line(&self) -> bool {
        // Without a bound a long line of such signs would be read again for each of them.
        let start = self
            .text
            .floor_char_boundary(self.at.saturating_sub(MAX_INDENT));
        let before = &self.text[start..self.at];
        match before.rfind('\n') {
            Some(end) => before[end..].trim().is_empty(),
            None => start == 0 && before.trim().is_empty(),
        }
    }
}

/// Length of a comment with those in it; nothing where it does not end.
fn nested_end(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match bytes.get(at..)? {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                // The text begins with `/*`, so that there is one to close.
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            [] => return None,
            _ => at += 1,
        }
    }
}
