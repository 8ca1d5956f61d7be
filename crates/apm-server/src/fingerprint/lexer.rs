//! Statement text → tokens. Tolerant: whatever the text, there is a next token or an end.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A literal or a parameter.
    Value,
    /// A keyword or an identifier without quotes.
    Word,
    /// `"…"`: an identifier, or in SQLite a string.
    DoubleQuoted,
    /// `` `…` `` or `[…]`: an identifier.
    Quoted,
    /// An operator, a parenthesis, a comma.
    Punctuation,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
}

#[derive(Clone, Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Whether what came last can be an operand: then `%` and `[` are operators.
    after_operand: bool,
    /// Whether a backslash escapes a quote, as MySQL has it.
    escapes: bool,
    /// Whether the text ended within quotes.
    is_cut: bool,
    /// Brackets of arrays and their elements that are open: those in them quote no names.
    brackets: usize,
    /// Whether comments may hold comments, as PostgreSQL has it: until one is found that then would not end.
    nests: bool,
    /// Whether `#` begins a name, as SQL Server has it, and no comment, as MySQL has it.
    hash_names: bool,
}

const OPERATORS: &[&str] = &[
    "->>", "#>>", "<=>", "!~*", "<=", ">=", "<>", "!=", "==", "||", "::", ":=", "->", "#>", "@>",
    "<@", "&&", "<<", ">>", "~*", "!~",
];

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        // The dialect is not known. Read as the other one, quotes begin and end within words; where both fit, the
        // escape is one: then more is within quotes, and nothing of a literal is kept.
        let is_doubtful = ["\\'", "\\\""].iter().any(|escape| text.contains(escape));
        let escapes = is_doubtful && Self::doubts(text, true) <= Self::doubts(text, false);
        Self::with(text, escapes)
    }

    fn with(text: &'a str, escapes: bool) -> Self {
        Self {
            text,
            at: 0,
            after_operand: false,
            escapes,
            is_cut: false,
            brackets: 0,
            nests: true,
            hash_names: has_hash_names(text),
        }
    }

    /// How little a text looks as if backslashes did or did not escape quotes in it. That it ends within quotes says
    /// less: it may be cut.
    fn doubts(text: &'a str, escapes: bool) -> usize {
        let mut lexer = Self::with(text, escapes);
        let mut doubts = 0;
        while let Some(token) = lexer.next() {
            let start = lexer.at - token.text.len();
            if !token.text.chars().take(2).any(|c| matches!(c, '\'' | '"')) {
                continue;
            }
            let is_odd = |c: char| is_name(c) || c == '\\';
            let begins_oddly = text[..start].ends_with('\\');
            let ends_oddly = lexer.rest().starts_with(is_odd)
                || (token.text.ends_with(r"\'") && lexer.clone().next().is_some_and(is_plain));
            doubts += 2 * (usize::from(begins_oddly) + usize::from(ends_oddly));
            doubts += usize::from(lexer.is_cut);
        }
        doubts
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn byte(&self, offset: usize) -> u8 {
        *self.text.as_bytes().get(self.at + offset).unwrap_or(&0)
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\0');
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("--") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += self.comment(trimmed);
            } else if trimmed.starts_with('#') && self.is_hash_comment() {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("...") {
                // Where an agent has cut the text.
                self.at += trimmed.len() - trimmed.trim_start_matches('.').len();
            } else if trimmed.starts_with('…') {
                self.at += '…'.len_utf8();
            } else {
                return;
            }
        }
    }

    /// Length of the comment that `text` begins with; to the end where it is cut.
    fn comment(&mut self, text: &str) -> usize {
        if self.nests {
            match nested_comment(text) {
                Some(end) => return end,
                // Looked for again at each comment, the end of the text would be read each time.
                None => self.nests = false,
            }
        }
        text[2..].find("*/").map_or(text.len(), |end| end + 4)
    }

    /// Whether the `#` here begins a comment. PostgreSQL has operators that begin with it.
    fn is_hash_comment(&self) -> bool {
        let begins_line = || {
            let start = self
                .text
                .floor_char_boundary(self.at.saturating_sub(MAX_INDENT));
            let before = &self.text[start..self.at];
            match before.rfind('\n') {
                Some(end) => before[end..].trim().is_empty(),
                None => start == 0 && before.trim().is_empty(),
            }
        };
        match self.byte(1) {
            b'>' | b'-' | b'=' | b'#' => begins_line(),
            byte => !(self.hash_names && is_name(char::from(byte))),
        }
    }

    /// Oracle's `q'[…]'` after a prefix of `skip` bytes: the writer chooses the quote. To the end where it is cut.
    fn chosen_quote(&mut self, skip: usize) -> usize {
        let rest = &self.rest()[skip + 1..];
        let Some(open) = rest.chars().next() else {
            return self.rest().len();
        };
        let close = match open {
            '[' => ']',
            '{' => '}',
            '(' => ')',
            '<' => '>',
            other => other,
        };
        let body = &rest[open.len_utf8()..];
        match body.find(&format!("{close}'")) {
            Some(end) => skip + 1 + open.len_utf8() + end + close.len_utf8() + 1,
            None => {
                self.is_cut = true;
                self.rest().len()
            }
        }
    }

    /// Length of a text in `quote`, its doubled quotes included; to the end where it is cut.
    fn quoted(&mut self, skip: usize, quote: char, backslash: bool) -> usize {
        let rest = &self.rest()[skip + quote.len_utf8()..];
        let mut chars = rest.char_indices().peekable();
        while let Some((index, char)) = chars.next() {
            if backslash && char == '\\' {
                chars.next();
            } else if char == quote {
                if chars.peek().is_some_and(|(_, next)| *next == quote) {
                    chars.next();
                } else {
                    return skip + quote.len_utf8() + index + char.len_utf8();
                }
            }
        }
        self.is_cut = true;
        self.rest().len()
    }

    /// Length of the run of characters that satisfy `is`, from `skip` on.
    fn run(&self, skip: usize, is: impl Fn(char) -> bool) -> usize {
        let rest = &self.rest()[skip..];
        skip + rest.find(|c| !is(c)).unwrap_or(rest.len())
    }

    fn number(&self) -> usize {
        if self.byte(0) == b'0' && matches!(self.byte(1), b'x' | b'X') {
            return self.run(2, |c| c.is_ascii_hexdigit());
        }
        let digits = |c: char| c.is_ascii_digit() || c == '_' || c == '.';
        let mut end = self.run(0, digits);
        if matches!(self.byte(end), b'e' | b'E') {
            let sign = usize::from(matches!(self.byte(end + 1), b'+' | b'-'));
            if self.byte(end + 1 + sign).is_ascii_digit() {
                end = self.run(end + 1 + sign, |c| c.is_ascii_digit());
            }
        }
        end
    }

    /// `$tag$ … $tag$`, as PostgreSQL has it.
    fn dollar_quoted(&self) -> Option<usize> {
        let tag_end = self.run(1, is_name);
        if self.byte(tag_end) != b'$' {
            return None;
        }
        let (tag, body) = self.rest().split_at(tag_end + 1);
        Some(
            body.find(tag)
                .map_or(self.rest().len(), |end| end + 2 * tag.len()),
        )
    }

    /// The next token and its length.
    fn lex(&mut self) -> Option<(Kind, usize)> {
        let first = self.rest().chars().next()?;
        let next = char::from(self.byte(first.len_utf8()));
        Some(match first {
            '\'' => (Kind::Value, self.quoted(0, '\'', self.escapes)),
            'x' | 'X' | 'n' | 'N' | 'b' | 'B' if next == '\'' => {
                (Kind::Value, self.quoted(1, '\'', self.escapes))
            }
            'q' | 'Q' if next == '\'' => (Kind::Value, self.chosen_quote(1)),
            'n' | 'N' if matches!(next, 'q' | 'Q') && self.byte(2) == b'\'' => {
                (Kind::Value, self.chosen_quote(2))
            }
            'e' | 'E' if next == '\'' => (Kind::Value, self.quoted(1, '\'', true)),
            '"' => (Kind::DoubleQuoted, self.quoted(0, '"', self.escapes)),
            '`' => (Kind::Quoted, self.quoted(0, '`', false)),
            '[' if !self.after_operand && self.brackets == 0 => (
                Kind::Quoted,
                self.rest()
                    .find(']')
                    .map_or(self.rest().len(), |end| end + 1),
            ),
            '0'..='9' => (Kind::Value, self.number()),
            '.' if next.is_ascii_digit() && !self.after_operand => (Kind::Value, self.number()),
            '?' => (Kind::Value, self.run(1, |c| c.is_ascii_digit())),
            '$' => match self.dollar_quoted() {
                Some(end) => (Kind::Value, end),
                None => (Kind::Value, self.run(1, is_name)),
            },
            ':' if is_name(next) => (Kind::Value, self.run(1, is_name)),
            '@' if is_name(next) => (Kind::Value, self.run(1, is_name)),
            '%' if next == 's' && !is_name(char::from(self.byte(2))) => (Kind::Value, 2),
            '%' if next == '(' && !self.after_operand => {
                // Only a name: what is looked for to the end is looked for at each such sign.
                let end = self.run(2, is_name);
                match self.rest()[end..].starts_with(")s") {
                    true => (Kind::Value, end + 2),
                    false => (Kind::Punctuation, 1),
                }
            }
            c if is_name(c) => (Kind::Word, self.run(0, is_name)),
            c => {
                let operator = OPERATORS.iter().find(|op| self.rest().starts_with(**op));
                (
                    Kind::Punctuation,
                    operator.map_or(c.len_utf8(), |op| op.len()),
                )
            }
        })
    }
}

/// Whether a token is a word that is none of SQL's: after a value there is an operator or a keyword.
fn is_plain(token: Token<'_>) -> bool {
    token.kind == Kind::Word && !super::keywords::is_keyword(token.text)
}

/// Longest indentation that is looked through for the beginning of a line.
const MAX_INDENT: usize = 256;

/// Length of a comment with those in it; nothing where it does not end.
fn nested_comment(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0);
    loop {
        match bytes.get(at..)? {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
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

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip();
        let (kind, len) = self.lex()?;
        let text = &self.rest()[..len];
        self.at += len;
        if kind == Kind::Punctuation {
            match text {
                "[" => self.brackets += 1,
                "]" => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
        }
        self.after_operand = match kind {
            Kind::Punctuation => matches!(text, ")" | "]"),
            Kind::Word => !super::keywords::is_keyword(text),
            _ => true,
        };
        Some(Token { kind, text })
    }
}
