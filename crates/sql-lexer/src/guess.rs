//! The syntax of a statement of which only the text is known.

use crate::keywords::is_keyword;
use crate::lexer::{Lexer, is_name};
use crate::syntax::{Backslash, Brackets, Comments, Dollars, Hash, Syntax};
use crate::token::{Kind, Token};

impl<'a> Lexer<'a> {
    /// Reads `text` of which nothing else is known.
    #[must_use]
    pub fn guess(text: &'a str) -> Self {
        Self::new(text, Syntax::guess(text))
    }
}

impl Syntax {
    /// A reading of a statement of which only the text is known.
    ///
    /// If a text reads well with backslashes that escape and without, they escape: more is within quotes then, and
    /// nothing of a literal is taken for SQL.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        let plain = Self {
            backslash: Backslash::Plain,
            brackets: Brackets::Guess,
            comments: Comments::NestedIfClosed,
            slash_comments: false,
            hash: match has_hash_names(text) {
                true => Hash::GuessNames,
                false => Hash::Guess,
            },
            dollars: Dollars::ToEndAnyTag,
            dollar_names: false,
            loose_numbers: true,
        };
        let is_doubtful = ["\\'", "\\\""].iter().any(|escape| text.contains(escape));
        let escapes = Self {
            backslash: Backslash::Escapes,
            ..plain
        };
        match is_doubtful && escapes.doubts(text) <= plain.doubts(text) {
            true => escapes,
            false => plain,
        }
    }

    /// Counts signs in the text that speak against this syntax, by what stands around its quotes. That it ends within
    /// quotes says less: it may be cut.
    fn doubts(self, text: &str) -> usize {
        let mut tokens = Lexer::new(text, self).significant();
        let mut doubts = 0;
        while let Some(token) = tokens.next() {
            if !token.text.chars().take(2).any(|c| matches!(c, '\'' | '"')) {
                continue;
            }
            let rest = tokens.rest();
            let start = text.len() - rest.len() - token.text.len();
            let is_odd = |c: char| is_name(c) || c == '\\';
            // A quote after a backslash was escaped there, and began nothing.
            let begins_oddly = text[..start].ends_with('\\');
            // After a value there is an operator or a keyword.
            let is_plain = |next: Token<'_>| next.kind == Kind::Word && !is_keyword(next.text);
            let ends_oddly = rest.starts_with(is_odd)
                || (token.text.ends_with(r"\'") && tokens.clone().next().is_some_and(is_plain));
            doubts += 2 * (usize::from(begins_oddly) + usize::from(ends_oddly));
            doubts += usize::from(!token.closed && !token.text.starts_with('['));
        }
        doubts
    }
}

/// Whether a table of SQL Server's with a `#` before its name occurs.
fn has_hash_names(text: &str) -> bool {
    const BEFORE: [&str; 6] = ["FROM", "INTO", "JOIN", "ON", "TABLE", "UPDATE"];
    text.match_indices('#').any(|(at, _)| {
        let before = &text[..at];
        // Of `##name` the first sign is looked at.
        if before.ends_with('#') {
            return false;
        }
        let blank = before.trim_end();
        // Bytes are compared, as a character may begin before and end within.
        let is_after = |word: &&str| {
            blank.len() >= word.len()
                && blank.as_bytes()[blank.len() - word.len()..]
                    .eq_ignore_ascii_case(word.as_bytes())
        };
        blank.len() < before.len()
            && text[at..]
                .trim_start_matches('#')
                .starts_with(|c: char| c.is_alphabetic() || c == '_')
            && BEFORE.iter().any(is_after)
    })
}
