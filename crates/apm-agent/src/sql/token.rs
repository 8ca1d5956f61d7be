//! Splits SQL of any dialect into tokens that borrow from the text.

/// What a token is; each keyword that a signature looks for is a kind of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ident,
    Period,
    LeftParen,
    RightParen,
    Comment,
    String,
    Number,
    Other,
    Alter,
    As,
    Call,
    Delete,
    From,
    Insert,
    Into,
    Or,
    Replace,
    Select,
    Set,
    Table,
    Truncate,
    Update,
}

const KEYWORDS: [(&str, Kind); 14] = [
    ("ALTER", Kind::Alter),
    ("AS", Kind::As),
    ("CALL", Kind::Call),
    ("DELETE", Kind::Delete),
    ("FROM", Kind::From),
    ("INSERT", Kind::Insert),
    ("INTO", Kind::Into),
    ("OR", Kind::Or),
    ("REPLACE", Kind::Replace),
    ("SELECT", Kind::Select),
    ("SET", Kind::Set),
    ("TABLE", Kind::Table),
    ("TRUNCATE", Kind::Truncate),
    ("UPDATE", Kind::Update),
];

fn word_kind(word: &str) -> Kind {
    KEYWORDS
        .iter()
        .find(|(keyword, _)| keyword.eq_ignore_ascii_case(word))
        .map_or(Kind::Ident, |&(_, kind)| kind)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    /// Without the quotes of a quoted identifier, verbatim otherwise.
    pub(super) text: &'s str,
}

/// The tokens of a statement, comments included.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'s> {
    rest: &'s str,
}

impl<'s> Tokens<'s> {
    pub(super) fn new(sql: &'s str) -> Self {
        Self { rest: sql }
    }

    /// What has not been split yet.
    pub(super) fn rest(&self) -> &'s str {
        self.rest
    }

    /// Takes the next `len` bytes as a token.
    fn take(&mut self, kind: Kind, len: usize) -> Token<'s> {
        let (text, rest) = self.rest.split_at(len);
        self.rest = rest;
        Token { kind, text }
    }

    /// Takes an identifier in quotes that are one byte each.
    fn take_quoted(&mut self, len: usize) -> Token<'s> {
        let mut token = self.take(Kind::Ident, len);
        token.text = &token.text[1..len - 1];
        token
    }
}

impl<'s> Iterator for Tokens<'s> {
    type Item = Token<'s>;

    fn next(&mut self) -> Option<Token<'s>> {
        self.rest = self.rest.trim_start();
        let text = self.rest;
        let first = text.chars().next()?;
        let bytes = text.as_bytes();
        let all = text.len();
        Some(match first {
            '_' => self.take_word(),
            letter if letter.is_alphabetic() => self.take_word(),
            digit if digit.is_ascii_digit() => self.take(Kind::Number, number_len(bytes)),
            '(' => self.take(Kind::LeftParen, 1),
            ')' => self.take(Kind::RightParen, 1),
            '.' => self.take(Kind::Period, 1),
            '`' => match text[1..].find('`') {
                Some(end) => self.take_quoted(end + 2),
                None => self.take(Kind::Other, all),
            },
            '[' => match text[1..].find(']') {
                Some(end) => self.take_quoted(end + 2),
                None => self.take(Kind::Other, all),
            },
            '"' => match doubled_quote_end(bytes, b'"', false) {
                Some(end) => self.take_quoted(end),
                None => self.take(Kind::Other, all),
            },
            '\'' => match doubled_quote_end(bytes, b'\'', true) {
                Some(end) => self.take(Kind::String, end),
                None => self.take(Kind::Other, all),
            },
            '-' if text.starts_with("--") => {
                self.take(Kind::Comment, text.find('\n').unwrap_or(all))
            }
            '/' if text.starts_with("//") => {
                self.take(Kind::Comment, text.find('\n').unwrap_or(all))
            }
            '/' if text.starts_with("/*") => match nested_comment_end(bytes) {
                Some(end) => self.take(Kind::Comment, end),
                None => self.take(Kind::Other, all),
            },
            '$' => {
                let (kind, len) = dollar(text);
                self.take(kind, len)
            }
            other => self.take(Kind::Other, other.len_utf8()),
        })
    }
}

impl<'s> Tokens<'s> {
    fn take_word(&mut self) -> Token<'s> {
        let end = self
            .rest
            .find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '$')));
        let mut token = self.take(Kind::Ident, end.unwrap_or(self.rest.len()));
        token.kind = word_kind(token.text);
        token
    }
}

/// Digits, at most one `.digits`, at most one exponent.
fn number_len(bytes: &[u8]) -> usize {
    let digits_from = |at: usize| {
        bytes[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut len = digits_from(0);
    if bytes.get(len) == Some(&b'.') {
        len += 1 + digits_from(len + 1);
    }
    if matches!(bytes.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        let digits = digits_from((len + 1 + sign).min(bytes.len()));
        if digits > 0 {
            len += 1 + sign + digits;
        }
    }
    len
}

/// Where a text ends that starts with a quote and may hold it doubled (and, if `escapes`, after a backslash).
fn doubled_quote_end(bytes: &[u8], quote: u8, escapes: bool) -> Option<usize> {
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        if escapes && byte == b'\\' {
            at += 2;
        } else if byte != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return Some(at + 1);
        }
    }
    None
}

fn nested_comment_end(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// A `$1` variable, a `$tag$…$tag$` string, or, where that does not end, the text up to the next blank.
fn dollar(text: &str) -> (Kind, usize) {
    let after = &text[1..];
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        return (Kind::Other, 1 + digits);
    }
    let tag_end = after
        .find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
        .unwrap_or(after.len());
    if after[tag_end..].starts_with('$') {
        let tag = &text[..tag_end + 2];
        if let Some(end) = text[tag.len()..].find(tag) {
            return (Kind::String, 2 * tag.len() + end);
        }
    }
    (
        Kind::Other,
        text.find(char::is_whitespace).unwrap_or(text.len()),
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::fixtures;

    #[derive(Deserialize)]
    struct Case {
        name: String,
        input: String,
        #[serde(default)]
        tokens: Vec<Expected>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Expected {
        kind: String,
        text: String,
    }

    fn published_name(kind: Kind) -> String {
        match kind {
            Kind::LeftParen => "LPAREN".to_owned(),
            Kind::RightParen => "RPAREN".to_owned(),
            other => format!("{other:?}").to_uppercase(),
        }
    }

    #[test]
    fn elastics_shared_cases_are_split_as_published() {
        let Some(cases) = fixtures::json::<Vec<Case>>("json-specs/sql_token_examples.json") else {
            return;
        };
        assert_eq!(cases.len(), 14);
        for case in cases {
            let tokens: Vec<Expected> = Tokens::new(&case.input)
                .map(|token| Expected {
                    kind: published_name(token.kind),
                    text: token.text.to_owned(),
                })
                .collect();
            assert_eq!(tokens, case.tokens, "{}", case.name);
        }
    }

    #[test]
    fn broken_and_foreign_text_is_split_without_a_panic_and_to_its_end() {
        let pieces = [
            "'", "\"", "`", "[", "]", "$", "$a$", "/*", "*/", "--", "//", "\\", "é", "名", "1.",
            "1e", "1e+", ".", "\n", "x", "(", "\0",
        ];
        fastrand::seed(11);
        for _ in 0..20_000 {
            let sql: String = (0..8)
                .map(|_| pieces[fastrand::usize(..pieces.len())])
                .collect();
            let mut tokens = Tokens::new(&sql);
            while tokens.next().is_some() {}
            assert!(tokens.rest.is_empty(), "{sql:?}");
        }
    }
}
