//! Statements without their literals: `?` stands in the place of each.
//!
//! If a text can be read in two ways, the reading that sends less counts. A backslash before a quote ends a literal in
//! one dialect and belongs to it in another, so everything after it is left out.

use std::borrow::Cow;

use sql_lexer::{Dialect, Kind, Lexer, Syntax, Token};

use super::secrets::{is_key_pragma, is_one_of, names_secret};

/// A statement as it may be sent: without its literals if `all` is wanted or one of its words means a secret.
pub(crate) fn statement(sql: &str, dialect: Dialect, all: bool) -> Cow<'_, str> {
    if all || names_secret(sql) {
        Masker::new(sql, dialect).run().into()
    } else {
        sql.into()
    }
}

/// The last token that was read, as far as it tells what a double-quoted text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last<'s> {
    Word(&'s str),
    /// A name in quotes, a value, a closing bracket.
    Operand,
    /// `(` or `,`.
    Opening,
    Dot,
    Operator,
}

/// Words after which SQLite expects a value.
const BEFORE_VALUE: [&str; 17] = [
    "AND",
    "BETWEEN",
    "CREDENTIALS",
    "DEFAULT",
    "ELSE",
    "ESCAPE",
    "GLOB",
    "IS",
    "KEY",
    "LIKE",
    "LIMIT",
    "MATCH",
    "NOT",
    "OFFSET",
    "PASSWORD",
    "REGEXP",
    "THEN",
];
/// Words after which a list in parentheses may hold values, until one of `NAMES` comes.
const VALUES: [&str; 6] = ["CALL", "HAVING", "IN", "SET", "VALUES", "WHERE"];
const NAMES: [&str; 9] = [
    "BY",
    "CREATE",
    "FROM",
    "INTO",
    "JOIN",
    "ON",
    "RETURNING",
    "SELECT",
    "USING",
];

#[derive(Debug)]
struct Masker<'s> {
    tokens: Lexer<'s>,
    out: String,
    dialect: Dialect,
    last: Last<'s>,
    /// Whether lists hold values here.
    in_values: bool,
    /// Whether the statement is a PRAGMA and its name has not come yet.
    in_pragma: bool,
    /// Whether `IDENTIFIED` has come: Oracle's passwords after it need no quotes.
    identified: bool,
}

impl<'s> Masker<'s> {
    fn new(sql: &'s str, dialect: Dialect) -> Self {
        Self {
            tokens: Lexer::new(sql, Syntax::cautious(dialect)),
            out: String::with_capacity(sql.len()),
            dialect,
            last: Last::Operator,
            in_values: false,
            in_pragma: false,
            identified: false,
        }
    }

    fn run(mut self) -> String {
        while let Some(token) = self.tokens.next() {
            self.token(token);
        }
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        self.out
    }

    fn token(&mut self, token: Token<'s>) {
        match token.kind {
            Kind::Space | Kind::Cut => self.out.push_str(token.text),
            Kind::Comment => self.blank(),
            Kind::Word | Kind::Number if self.is_password(token.text) => self.password(),
            Kind::Number => self.number(),
            Kind::String => self.value(),
            Kind::DoubleQuoted if self.is_value() => self.value(),
            // A quoted word without its end may be a value: it is masked.
            Kind::DoubleQuoted | Kind::Quoted if !token.closed => self.value(),
            Kind::DoubleQuoted | Kind::Quoted | Kind::Parameter => {
                self.out.push_str(token.text);
                self.last = Last::Operand;
            }
            Kind::Word => self.word(token.text),
            Kind::Punctuation => self.punctuation(token.text),
        }
    }

    /// In the place of a comment: what stood on both sides must not become one word.
    fn blank(&mut self) {
        if !self.out.ends_with(char::is_whitespace) {
            self.out.push(' ');
        }
    }

    fn value(&mut self) {
        self.out.push('?');
        self.last = Last::Operand;
    }

    /// A number with what is written to it: `0b101`, `10ms`.
    fn number(&mut self) {
        let belongs = |token: &Token<'_>| {
            matches!(token.kind, Kind::Word | Kind::Number) || token.text == "."
        };
        let may_belong =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | 0x80..);
        while self
            .tokens
            .rest()
            .as_bytes()
            .first()
            .is_some_and(may_belong)
            && self.tokens.next_if(belongs).is_some()
        {}
        self.value();
    }

    /// Whether a password stands here, in quotes or not: `IDENTIFIED BY tiger REPLACE lion`.
    fn is_password(&self, text: &str) -> bool {
        self.identified
            && matches!(self.last, Last::Word(last) if is_one_of(last, &["BY", "REPLACE"]))
            && !is_one_of(text, &["PASSWORD", "RANDOM", "VALUES"])
    }

    /// A password without quotes, with all signs in it.
    fn password(&mut self) {
        let belongs =
            |token: &Token<'_>| !token.kind.is_trivia() && !matches!(token.text, ";" | "," | ")");
        while self.tokens.next_if(belongs).is_some() {}
        self.value();
    }

    /// Whether the double-quoted text that was just read is a literal. SQLite takes it for one where no column has such
    /// a name.
    fn is_value(&self) -> bool {
        let after = self.tokens.rest().trim_start();
        // A dot or a bracket beside it makes it a name.
        if self.last == Last::Dot || after.starts_with(['.', '(']) {
            return false;
        }
        if self.is_password("") {
            return true;
        }
        match self.dialect {
            Dialect::Postgresql => false,
            // It may be a name in some of them: the reading that sends less counts.
            Dialect::Mysql | Dialect::Standard | Dialect::Unknown => true,
            Dialect::Sqlite => match self.last {
                Last::Operator => true,
                Last::Word(word) => is_one_of(word, &BEFORE_VALUE),
                Last::Opening => {
                    self.in_values && (after.is_empty() || after.starts_with([',', ')']))
                }
                Last::Operand | Last::Dot => false,
            },
        }
    }

    fn word(&mut self, word: &'s str) {
        self.out.push_str(word);
        self.last = Last::Word(word);
        if is_one_of(word, &VALUES) {
            self.in_values = true;
        } else if is_one_of(word, &NAMES) {
            self.in_values = false;
        }
        if word.eq_ignore_ascii_case("PRAGMA") {
            self.in_pragma = true;
        } else if word.eq_ignore_ascii_case("IDENTIFIED") {
            self.identified = true;
        } else if self.in_pragma && is_key_pragma(word) {
            self.pragma_value();
        }
    }

    /// Masks the value of a pragma: also a word without quotes, to the end of the statement.
    fn pragma_value(&mut self) {
        self.in_pragma = false;
        let mut ahead = self.tokens.clone();
        let Some(sign) = ahead
            .find(|token| !is_blank(token))
            .filter(|token| token.text.starts_with(['=', '(']))
        else {
            return;
        };
        self.trivia();
        self.tokens = ahead;
        self.out.push_str(&sign.text[..1]);
        self.trivia();
        let mut is_set = false;
        while self.tokens.next_if(|token| token.text != ";").is_some() {
            is_set = true;
        }
        if is_set {
            let is_call = sign.text == "(";
            self.out.push_str(if is_call { "?)" } else { "?" });
        }
        self.last = Last::Operand;
    }

    /// White space and comments up to the next token.
    fn trivia(&mut self) {
        while let Some(token) = self.tokens.next_if(is_blank) {
            self.token(token);
        }
    }

    fn punctuation(&mut self, sign: &str) {
        self.out.push_str(sign);
        self.last = match sign {
            "(" | "," => Last::Opening,
            "." => Last::Dot,
            ")" | "]" => Last::Operand,
            ";" => {
                (self.in_pragma, self.in_values) = (false, false);
                Last::Operator
            }
            _ => Last::Operator,
        };
    }
}

fn is_blank(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Space | Kind::Comment)
}

#[cfg(test)]
mod tests;
