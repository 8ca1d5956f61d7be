//! Statements without their literals: `?` stands in the place of each.
//!
//! Where a text can be read in two ways, the reading that sends less counts. A backslash before a quote ends a literal in one
//! dialect and belongs to it in another, so everything after it is left out.

use std::borrow::Cow;

use super::secrets::{is_key_pragma, is_one_of, is_word, names_secret};

/// What decides how a statement is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgresql,
    Mysql,
    /// SQL in a message: no one says whose.
    Unknown,
}

impl Dialect {
    /// Of a span's subtype.
    #[cfg(feature = "diesel")]
    pub(crate) fn of(subtype: Option<&str>) -> Self {
        match subtype {
            Some("sqlite") => Self::Sqlite,
            Some("postgresql") => Self::Postgresql,
            Some("mysql") => Self::Mysql,
            _ => Self::Unknown,
        }
    }
}

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
    sql: &'s str,
    at: usize,
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
            sql,
            at: 0,
            out: String::with_capacity(sql.len()),
            dialect,
            last: Last::Operator,
            in_values: false,
            in_pragma: false,
            identified: false,
        }
    }

    fn run(mut self) -> String {
        while let Some(first) = self.rest().chars().next() {
            self.token(first);
        }
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        self.out
    }

    fn rest(&self) -> &'s str {
        &self.sql[self.at..]
    }

    fn byte(&self, offset: usize) -> u8 {
        *self.sql.as_bytes().get(self.at + offset).unwrap_or(&0)
    }

    fn token(&mut self, first: char) {
        let rest = self.rest();
        match first {
            c if c.is_whitespace() => self.copy(c.len_utf8()),
            '-' if rest.starts_with("--") => self.skip_line(),
            '#' if self.begins_comment() => self.skip_line(),
            // MySQL runs what stands in such a comment.
            '/' if rest.starts_with("/*!") => {
                self.skip(3 + run(&rest[3..], |b| b.is_ascii_digit()))
            }
            '/' if rest.starts_with("/*") => self.skip(comment_len(rest)),
            '*' if rest.starts_with("*/") => self.skip(2),
            '\'' => self.quoted(0, '\''),
            '"' if self.is_value() => self.quoted(0, '"'),
            '"' | '`' => self.name(first),
            '[' if self.dialect == Dialect::Sqlite => self.name(']'),
            '$' => self.dollar(),
            ':' | '?' | '@' if is_word(self.byte(1)) => {
                self.copy(1 + run(&rest[1..], is_word));
                self.last = Last::Operand;
            }
            '0'..='9' => self.value(number_len(rest)),
            '.' if self.byte(1).is_ascii_digit() && self.last != Last::Operand => {
                self.value(number_len(rest));
            }
            _ if is_word(rest.as_bytes()[0]) => self.word(),
            c => self.punctuation(c),
        }
    }

    fn copy(&mut self, len: usize) {
        self.out.push_str(&self.rest()[..len]);
        self.at += len;
    }

    fn skip(&mut self, len: usize) {
        self.at += len.min(self.rest().len());
        // What stood on both sides must not become one word.
        if !self.out.ends_with(char::is_whitespace) {
            self.out.push(' ');
        }
    }

    fn skip_line(&mut self) {
        let rest = self.rest();
        self.skip(rest.find('\n').unwrap_or(rest.len()));
    }

    /// PostgreSQL has operators that begin with `#`.
    fn begins_comment(&self) -> bool {
        match self.dialect {
            Dialect::Mysql => true,
            Dialect::Postgresql => false,
            Dialect::Sqlite | Dialect::Unknown => {
                !matches!(self.byte(1), b'>' | b'-' | b'=' | b'#')
            }
        }
    }

    fn value(&mut self, len: usize) {
        self.at += len;
        self.out.push('?');
        self.last = Last::Operand;
    }

    /// Leaves out what follows: nobody can tell which of it is a literal.
    fn give_up(&mut self) {
        self.value(self.rest().len());
    }

    /// A literal whose quote comes after a prefix of `skip` bytes.
    fn quoted(&mut self, skip: usize, quote: char) {
        let escapes = skip > 0 && matches!(self.byte(0), b'e' | b'E');
        let body = &self.rest()[skip + 1..];
        let mut chars = body.char_indices().peekable();
        while let Some((index, char)) = chars.next() {
            match char {
                '\\' => match chars.peek() {
                    Some((_, next)) if *next == quote && !escapes => return self.give_up(),
                    Some((_, next)) if escapes || *next == '\\' => drop(chars.next()),
                    _ => {}
                },
                c if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() => {
                    return self.value(skip + 1 + index + 1);
                }
                _ => {}
            }
        }
        self.give_up();
    }

    /// A name in quotes, to its end.
    fn name(&mut self, close: char) {
        let rest = self.rest();
        match rest[1..].find(close) {
            Some(end) => self.copy(1 + end + 1),
            None => self.give_up(),
        }
        self.last = Last::Operand;
    }

    /// Whether a double-quoted text here is a literal. SQLite takes it for one where no column has such a name.
    fn is_value(&self) -> bool {
        let inner = &self.rest()[1..];
        let after = inner
            .find('"')
            .map_or("", |end| inner[end + 1..].trim_start());
        if self.last == Last::Dot || after.starts_with(['.', '(']) {
            return false;
        }
        if self.is_password() {
            return true;
        }
        match self.dialect {
            Dialect::Postgresql => false,
            Dialect::Mysql | Dialect::Unknown => true,
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

    /// Whether a password stands here, in quotes or not: `IDENTIFIED BY tiger REPLACE lion`.
    fn is_password(&self) -> bool {
        self.identified
            && matches!(self.last, Last::Word(last) if is_one_of(last, &["BY", "REPLACE"]))
    }

    /// `$tag$…$tag$`, or a parameter.
    fn dollar(&mut self) {
        let rest = self.rest();
        let tag = 1 + run(&rest[1..], is_word);
        if self.byte(tag) == b'$' && !rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            let (tag, body) = rest.split_at(tag + 1);
            match body.find(tag) {
                Some(end) => self.value(end + 2 * tag.len()),
                None => self.give_up(),
            }
        } else {
            self.copy(tag);
            self.last = Last::Operand;
        }
    }

    fn word(&mut self) {
        let rest = self.rest();
        let len = run(rest, is_word);
        let word = &rest[..len];
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if self.byte(len) == b'\'' {
            if is("q") || is("nq") {
                return self.oracle_quoted(len);
            }
            if len == 1 && matches!(word.as_bytes()[0] | 0x20, b'b' | b'e' | b'n' | b'x') {
                return self.quoted(len, '\'');
            }
        }
        if self.is_password() && !is_one_of(word, &["PASSWORD", "RANDOM", "VALUES"]) {
            return self.value(len);
        }
        self.copy(len);
        self.last = Last::Word(word);
        if is_one_of(word, &VALUES) {
            self.in_values = true;
        } else if is_one_of(word, &NAMES) {
            self.in_values = false;
        }
        if is("PRAGMA") {
            self.in_pragma = true;
        } else if is("IDENTIFIED") {
            self.identified = true;
        } else if self.in_pragma && is_key_pragma(word) {
            self.pragma_value();
        }
    }

    /// Oracle's `q'[…]'`: the quote is chosen by the writer.
    fn oracle_quoted(&mut self, prefix: usize) {
        let body = &self.rest()[prefix + 1..];
        let Some(open) = body.chars().next() else {
            return self.give_up();
        };
        let close = match open {
            '[' => ']',
            '{' => '}',
            '(' => ')',
            '<' => '>',
            other => other,
        };
        match body[open.len_utf8()..].find(&format!("{close}'")) {
            Some(end) => self.value(prefix + 1 + open.len_utf8() + end + close.len_utf8() + 1),
            None => self.give_up(),
        }
    }

    /// What a pragma is set to: also a word without quotes, to the end of the statement.
    fn pragma_value(&mut self) {
        self.in_pragma = false;
        let rest = self.rest();
        let sign = run(rest, |b| b.is_ascii_whitespace());
        if !rest[sign..].starts_with(['=', '(']) {
            return;
        }
        self.copy(sign + 1);
        let blanks = run(self.rest(), |b| b.is_ascii_whitespace());
        self.copy(blanks);
        let is_call = rest[sign..].starts_with('(');
        let (kept, start) = (self.out.len(), self.at);
        while let Some(first) = self.rest().chars().next().filter(|first| *first != ';') {
            self.token(first);
        }
        self.out.truncate(kept);
        if self.at > start {
            self.out.push_str(if is_call { "?)" } else { "?" });
        }
    }

    fn punctuation(&mut self, char: char) {
        self.copy(char.len_utf8());
        self.last = match char {
            '(' | ',' => Last::Opening,
            '.' => Last::Dot,
            ')' | ']' => Last::Operand,
            ';' => {
                (self.in_pragma, self.in_values) = (false, false);
                Last::Operator
            }
            _ => Last::Operator,
        };
    }
}

/// The bytes at the beginning of a text that satisfy `is`.
fn run(text: &str, is: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| is(*byte)).count()
}

/// Digits and what may belong to them: `1.5e-3`, `0xFF`, `1_000`.
fn number_len(text: &str) -> usize {
    let part = |byte: u8| byte == b'.' || is_word(byte);
    let mut len = run(text, part);
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    if !is_hex && text[..len].ends_with(['e', 'E']) && text[len..].starts_with(['+', '-']) {
        len += 1 + run(&text[len + 1..], |byte| byte.is_ascii_digit());
    }
    len
}

/// A comment, with those in it, as PostgreSQL nests them. Where it does not end, all of the text is one.
fn comment_len(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
