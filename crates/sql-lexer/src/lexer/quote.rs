//! Texts in quotes of all kinds, and where they end.

use super::{Lexer, Read};
use crate::syntax::{Backslash, Dollars};
use crate::token::Kind;

/// Searches for the end of a `$tag$` that may fail: each of them reads the text to its end.
const LOST_TAGS: u8 = 16;

impl Lexer<'_> {
    /// `'…'` after a prefix of `prefix` bytes.
    pub(super) fn string(&self, prefix: usize, backslash: Backslash) -> Read {
        let backslash = match backslash {
            Backslash::InStrings => Backslash::Escapes,
            other => other,
        };
        self.quoted(Kind::String, prefix, b'\'', backslash)
    }

    pub(super) fn double_quoted(&self) -> Read {
        let backslash = match self.syntax.backslash {
            Backslash::InStrings => Backslash::Plain,
            other => other,
        };
        self.quoted(Kind::DoubleQuoted, 0, b'"', backslash)
    }

    pub(super) fn backquoted(&self) -> Read {
        self.quoted(Kind::Quoted, 0, b'`', Backslash::Plain)
    }

    /// `[…]`
    pub(super) fn bracketed(&self) -> Read {
        let rest = self.rest();
        let end = rest.find(']');
        let len = end.map_or(rest.len(), |end| end + 1);
        (Kind::Quoted, len, end.is_some())
    }

    /// A text in `quote`, its doubled quotes included; to the end where it is not closed.
    fn quoted(&self, kind: Kind, prefix: usize, quote: u8, backslash: Backslash) -> Read {
        let bytes = self.rest().as_bytes();
        let mut at = prefix + 1;
        while let Some(&byte) = bytes.get(at) {
            let next = bytes.get(at + 1).copied();
            if byte == quote {
                if next != Some(quote) {
                    return (kind, at + 1, true);
                }
                at += 2;
            } else if byte == b'\\' {
                at += match backslash {
                    Backslash::Escapes | Backslash::InStrings => 2,
                    Backslash::Doubtful if next == Some(quote) => break,
                    Backslash::Doubtful if next == Some(b'\\') => 2,
                    Backslash::Plain | Backslash::Doubtful => 1,
                };
            } else {
                at += 1;
            }
        }
        // A backslash at the end has led past it.
        (kind, bytes.len(), false)
    }

    /// Oracle's `q'[…]'` after a prefix of `prefix` bytes: the writer chooses the quote. To the end where it is not
    /// closed.
    pub(super) fn chosen_quote(&self, prefix: usize) -> Read {
        let all = self.rest().len();
        let rest = &self.rest()[prefix + 1..];
        let Some(open) = rest.chars().next() else {
            return (Kind::String, all, true);
        };
        let close = match open {
            '[' => ']',
            '{' => '}',
            '(' => ')',
            '<' => '>',
            other => other,
        };
        let body = &rest[open.len_utf8()..];
        // The sign that was chosen ends the text only before a quote.
        let ends = |at: &usize| body[at + close.len_utf8()..].starts_with('\'');
        let end = body.match_indices(close).map(|(at, _)| at).find(ends);
        let start = prefix + 1 + open.len_utf8();
        match end {
            Some(end) => (Kind::String, start + end + close.len_utf8() + 1, true),
            None => (Kind::String, all, false),
        }
    }

    /// `$tag$ … $tag$`, as PostgreSQL has it, or a parameter.
    pub(super) fn dollar(&mut self) -> Read {
        let rest = self.rest();
        let tag_end = self.name(1);
        // PostgreSQL's tags begin with no digit: `$1` is a parameter.
        let may_be_tag =
            self.syntax.dollars == Dollars::ToEndAnyTag || !self.byte(1).is_ascii_digit();
        if self.byte(tag_end) != b'$' || !may_be_tag {
            return (Kind::Parameter, tag_end, true);
        }
        let (tag, body) = rest.split_at(tag_end + 1);
        let end = match self.lost_tags < LOST_TAGS {
            true => body.find(tag),
            false => None,
        };
        match (end, self.syntax.dollars) {
            (Some(end), _) => (Kind::String, end + 2 * tag.len(), true),
            (None, Dollars::ToEnd | Dollars::ToEndAnyTag) => (Kind::String, rest.len(), false),
            (None, Dollars::ToBlank) => {
                self.lost_tags = self.lost_tags.saturating_add(1);
                let len = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (Kind::Parameter, len, true)
            }
        }
    }
}
