//! SQL cut into tokens: any text, cut anywhere, in any dialect. It never fails and loses nothing.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Space(&'a str),
    Word(&'a str),
    Quoted(&'a str),
    Number(&'a str),
    Placeholder(&'a str),
    Comment(&'a str),
    Sign(&'a str),
}

impl<'a> Token<'a> {
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::Space(text)
            | Self::Word(text)
            | Self::Quoted(text)
            | Self::Number(text)
            | Self::Placeholder(text)
            | Self::Comment(text)
            | Self::Sign(text) => text,
        }
    }
}

pub(super) const KEYWORDS: &[&str] = &[
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "AS",
    "ASC",
    "AUTOMATIC",
    "BEGIN",
    "BETWEEN",
    "BY",
    "CASE",
    "COMMIT",
    "CONFLICT",
    "COVERING",
    "CREATE",
    "CROSS",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DO",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXCLUSIVE",
    "EXISTS",
    "EXPLAIN",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "IF",
    "IMMEDIATE",
    "IN",
    "INDEX",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "KEY",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PLAN",
    "PRAGMA",
    "PRIMARY",
    "QUERY",
    "RECURSIVE",
    "RELEASE",
    "REPLACE",
    "RETURNING",
    "RIGHT",
    "ROLLBACK",
    "SAVEPOINT",
    "SCAN",
    "SEARCH",
    "SELECT",
    "SET",
    "TABLE",
    "TEMP",
    "THEN",
    "TO",
    "TRANSACTION",
    "TRIGGER",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USE",
    "USING",
    "VACUUM",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

pub(super) fn is_keyword(word: &str) -> bool {
    word.len() <= 11
        && KEYWORDS
            .binary_search(&word.to_ascii_uppercase().as_str())
            .is_ok()
}

pub(super) fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let (token, len) = next(rest)?;
        rest = &rest[len..];
        Some(token)
    })
}

fn next<'a>(text: &'a str) -> Option<(Token<'a>, usize)> {
    let first = text.chars().next()?;
    let bytes = text.as_bytes();
    let while_ = |from: usize, of: fn(char) -> bool| {
        from + text[from..].find(|c| !of(c)).unwrap_or(text.len() - from)
    };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (len, token): (usize, fn(&'a str) -> Token<'a>) = match first {
        c if c.is_whitespace() => (while_(0, char::is_whitespace), Token::Space),
        '\'' | '"' | '`' => (quoted(bytes), Token::Quoted),
        '[' => (
            text.find(']').map_or(text.len(), |end| end + 1),
            Token::Quoted,
        ),
        '-' if text.starts_with("--") => (text.find('\n').unwrap_or(text.len()), Token::Comment),
        '/' if text.starts_with("/*") => (
            text.find("*/").map_or(text.len(), |end| end + 2),
            Token::Comment,
        ),
        '?' => (while_(1, |c| c.is_ascii_digit()), Token::Placeholder),
        ':' | '$' | '@' if text[1..].starts_with(is_word) => (
            while_(1, |c| c.is_alphanumeric() || c == '_'),
            Token::Placeholder,
        ),
        '0'..='9' => (
            while_(1, |c| c.is_ascii_alphanumeric() || c == '.'),
            Token::Number,
        ),
        c if c.is_alphabetic() || c == '_' => (
            while_(0, |c| c.is_alphanumeric() || c == '_' || c == '$'),
            Token::Word,
        ),
        c => (c.len_utf8(), Token::Sign),
    };
    Some((token(&text[..len]), len))
}

/// Length of the quoted text at the start, with doubled quotes inside; an unclosed one runs to the end.
fn quoted(bytes: &[u8]) -> usize {
    let quote = bytes[0];
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] == quote {
            if bytes.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    bytes.len()
}
