//! How to read what dialects write differently.

use crate::lexer::{Lexer, is_name};
use crate::token::Kind;
use crate::{Dialect, is_keyword};

/// What a backslash in quotes does to the character after it. In `E'…'` it always escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backslash {
    /// Nothing, as the standard has it.
    Plain,
    /// It escapes in `'…'`.
    InStrings,
    /// It escapes in `'…'` and `"…"`, as MySQL has it.
    Escapes,
    /// Nobody knows: where it stands before a quote, all that follows belongs to the token.
    Doubtful,
}

/// What `[` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brackets {
    /// A name, as SQL Server and SQLite have it.
    Names,
    /// An operator, as PostgreSQL has it.
    Operators,
    /// An operator after an operand and within brackets, else a name.
    Guess,
}

/// Comments within `/* … */`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comments {
    /// Comments hold comments, as PostgreSQL has it.
    Nested,
    /// Comments hold comments until one is found that then would not end.
    NestedIfClosed,
    /// As `Nested`, but what stands in `/*!50000 … */` is read, as MySQL runs it.
    Conditional,
}

/// What `$tag$` without an end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dollars {
    /// A string up to the end of the text. A tag may begin with a digit.
    ToEndAnyTag,
    /// A string up to the end of the text.
    ToEnd,
    /// A sign up to the next blank.
    ToBlank,
}

/// What `#` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// An operator, as PostgreSQL has it.
    Operator,
    /// A comment, as MySQL has it.
    Comment,
    /// A comment, unless it looks like one of PostgreSQL's operators within a line.
    Guess,
    /// As `Guess`, but a name may begin with it, as SQL Server has it.
    GuessNames,
}

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// What a backslash does.
    pub backslash: Backslash,
    /// What `[` begins.
    pub brackets: Brackets,
    /// Comments within comments.
    pub comments: Comments,
    /// Whether `//` begins a comment, as CQL has it.
    pub slash_comments: bool,
    /// What `#` begins.
    pub hash: Hash,
    /// What `$tag$` without an end is.
    pub dollars: Dollars,
    /// Whether names hold `$`.
    pub dollar_names: bool,
    /// Whether a number may have several points and underscores: `1.2.3`, `1_000`.
    pub loose_numbers: bool,
}

impl Syntax {
    /// As Elastic's agents read a statement to name it.
    pub const SIGNATURE: Self = Self {
        backslash: Backslash::InStrings,
        brackets: Brackets::Names,
        comments: Comments::Nested,
        slash_comments: true,
        hash: Hash::Operator,
        dollars: Dollars::ToBlank,
        dollar_names: true,
        loose_numbers: false,
    };

    /// A reading of a statement of which only the text is known.
    ///
    /// Where a text reads well with backslashes that escape and without, they escape: more is within quotes then, and
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

    /// A reading that takes for a literal or a comment whatever may be one.
    #[must_use]
    pub fn cautious(dialect: Dialect) -> Self {
        Self {
            backslash: Backslash::Doubtful,
            brackets: match dialect {
                Dialect::Sqlite => Brackets::Names,
                _ => Brackets::Operators,
            },
            comments: Comments::Conditional,
            slash_comments: false,
            hash: match dialect {
                Dialect::Mysql => Hash::Comment,
                Dialect::Postgresql => Hash::Operator,
                _ => Hash::Guess,
            },
            dollars: Dollars::ToEnd,
            dollar_names: false,
            loose_numbers: true,
        }
    }

    /// How little a text looks as if it was written so, by what stands around its quotes. That it ends within quotes says
    /// less: it may be cut.
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
            let begins_oddly = text[..start].ends_with('\\');
            // After a value there is an operator or a keyword.
            let is_plain =
                |next: crate::Token<'_>| next.kind == Kind::Word && !is_keyword(next.text);
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
        if before.ends_with('#') {
            return false;
        }
        let blank = before.trim_end();
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
