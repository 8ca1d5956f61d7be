//! Tokens, which a lexer returns.

/// Kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// White space, and bytes of zero.
    Space,
    /// A comment with the signs around it.
    Comment,
    /// `...` or `…`: where somebody has cut the text.
    Cut,
    /// A keyword or a name without quotes.
    Word,
    /// `"…"`: a name, or in MySQL and SQLite a string.
    DoubleQuoted,
    /// `` `…` `` or `[…]`: a name.
    Quoted,
    /// A number.
    Number,
    /// A string with its quotes and its prefix: `'…'`, `E'…'`, `q'[…]'`, `$tag$…$tag$`.
    String,
    /// `?`, `?1`, `$1`, `:name`, `@name`, `%s`, `%(name)s`.
    Parameter,
    /// An operator, a parenthesis, a comma; any other character.
    Punctuation,
}

impl Kind {
    /// Whether it separates tokens and means nothing by itself.
    #[must_use]
    pub fn is_trivia(self) -> bool {
        matches!(self, Self::Space | Self::Comment | Self::Cut)
    }

    /// Whether it is a literal or a parameter.
    #[must_use]
    pub fn is_value(self) -> bool {
        matches!(self, Self::Number | Self::String | Self::Parameter)
    }
}

/// A piece of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The piece as it stands in the statement, never empty.
    pub text: &'a str,
    /// Whether what it opens is closed in it. A string, a name or a comment that is not runs to the end of the text.
    pub closed: bool,
}

impl<'a> Token<'a> {
    /// A name as it is stored: without quotes, doubled quotes within them once. `None` for what is no name.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let close = match self.kind {
            Kind::Word => return Some(self.text.to_owned()),
            Kind::DoubleQuoted | Kind::Quoted => match self.text.as_bytes()[0] {
                b'[' => "]",
                b'"' => "\"",
                _ => "`",
            },
            _ => return None,
        };
        Some(self.inner().replace(&close.repeat(2), close))
    }

    /// The text of a name in quotes, without the quotes; all of the text of any other token.
    pub(crate) fn inner(&self) -> &'a str {
        match self.kind {
            Kind::DoubleQuoted | Kind::Quoted => {
                let end = self.text.len() - usize::from(self.closed);
                &self.text[1..end]
            }
            _ => self.text,
        }
    }

    /// Whether it is the word `other`, in any case.
    #[inline]
    pub(crate) fn is_word(&self, other: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(other)
    }
}
