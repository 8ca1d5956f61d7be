//! Statement fingerprints: which statements are the same but for their values.
//!
//! [`Fingerprint::of`] tokenizes any text that an agent may send as a statement (cut off, not SQLite's dialect, not SQL at
//! all) and never fails. Comments and white space are dropped, keywords are upper-cased, identifiers stay as written,
//! every literal and parameter becomes `?`, lists in `IN (…)` and rows after `VALUES` are folded to `…`; in those,
//! `NULL` and its like are values as others. The hash of that text (XXH64, seed 0) is stable: it stands in URLs and in
//! databases.
//!
//! SQLite reads `"…"` as a string where no such column exists, and people write it so. It becomes `?` where a value is
//! expected and it is not followed by `.` or `(`; in lists of columns and where a comparison begins it stays an
//! identifier.
//!
//! What it does not do: parse. Two texts that differ in more than values, spacing and the case of keywords differ.

mod keywords;
pub(crate) mod lexer;
mod place;
mod subject;

use std::fmt::Write as _;

use xxhash_rust::xxh64::xxh64;

use lexer::{Kind, Lexer, Token};
use place::Place;

/// Where the normalised text ends, in bytes, give or take a token: what follows does not count.
pub const MAX_NORMALIZED: usize = 16 * 1024;

/// What is known of a statement without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// XXH64 of `normalized`; 16 hex digits in URLs.
    pub hash: u64,
    /// The statement with `?` for values.
    pub normalized: String,
    /// `SELECT`, `INSERT`, …; the first word in capitals where it is none of SQL's; empty for an empty text.
    pub verb: String,
    /// The table that it reads first or writes, without quotes; empty where there is none.
    pub table: String,
}

impl Fingerprint {
    /// The fingerprint of a statement.
    pub fn of(sql: &str) -> Self {
        let lexer = Lexer::new(sql);
        let normalized = Normalizer::default().run(lexer.clone());
        let subject = subject::of(lexer);
        Self {
            hash: xxh64(normalized.as_bytes(), 0),
            normalized,
            verb: subject.verb,
            table: subject.table,
        }
    }
}

/// A parenthesis that is open.
#[derive(Debug)]
struct Open {
    /// Where it starts in the output, where it may be folded: after `IN` or in the rows after `VALUES`.
    list: Option<List>,
    /// The first row after a `VALUES` in it, when rows follow one another.
    first_row: Option<Row>,
}

/// Where a row starts and ends in the output.
type Row = (usize, usize);

/// A parenthesis that folds when it holds nothing but `?`.
#[derive(Clone, Copy, Debug)]
struct List {
    kind: ListKind,
    start: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListKind {
    In,
    Row,
}

#[derive(Debug, Default)]
struct Normalizer {
    out: String,
    place: Place,
    open: Vec<Open>,
    /// The last token written, as text; empty at the start.
    last: String,
    last_kind: Option<Kind>,
    /// The first row after a `VALUES` outside parentheses.
    first_row: Option<Row>,
}

impl Normalizer {
    fn run(mut self, mut lexer: Lexer<'_>) -> String {
        while let Some(token) = lexer.next() {
            if self.out.len() > MAX_NORMALIZED {
                break;
            }
            self.token(token, &lexer);
        }
        self.finish()
    }

    fn token(&mut self, token: Token<'_>, rest: &Lexer<'_>) {
        match token.kind {
            Kind::Value => self.value(),
            Kind::DoubleQuoted
                if self
                    .place
                    .is_value(token.text, &self.last, rest.clone().next()) =>
            {
                self.value();
            }
            Kind::Word if self.place.is_in_list() && is_constant(token.text, rest) => self.value(),
            Kind::Word => self.word(token.text),
            Kind::Punctuation => self.punctuation(token.text, rest),
            Kind::DoubleQuoted | Kind::Quoted => self.name(token.text, token.kind),
        }
    }

    fn value(&mut self) {
        // A sign belongs to the value unless something stands before it to subtract from.
        if matches!(self.last.as_str(), "-" | "+") && self.last_kind == Some(Kind::Punctuation) {
            let before = self.out[..self.out.len() - 1].trim_end();
            let operand = before.ends_with(|c: char| {
                c.is_alphanumeric() || matches!(c, '_' | '"' | '`' | ']' | ')' | '?' | '…')
            });
            let word = before
                .rsplit(|c: char| !(c.is_alphanumeric() || c == '_'))
                .next()
                .unwrap_or_default();
            if !operand || keywords::is_keyword(word) {
                self.out.truncate(before.len());
                self.last.clear();
                self.last_kind = None;
                if self.out.ends_with('(') {
                    "(".clone_into(&mut self.last);
                }
            }
        }
        self.write("?", Kind::Value);
        self.place.value();
    }

    fn name(&mut self, name: &str, kind: Kind) {
        self.write(name, kind);
        self.place.name(name);
    }

    fn word(&mut self, word: &str) {
        if !keywords::is_keyword(word) || self.last == "." {
            return self.name(word, Kind::Quoted);
        }
        let upper = word.to_ascii_uppercase();
        self.place.keyword(&upper, &self.last);
        if upper == "VALUES" {
            *self.first_row() = None;
        }
        self.write(&upper, Kind::Word);
    }

    fn punctuation(&mut self, text: &str, rest: &Lexer<'_>) {
        match text {
            "(" => self.open(),
            ")" => self.close(),
            ";" if rest.clone().next().is_none() => {}
            _ => {
                self.write(text, Kind::Punctuation);
                self.place.punctuation(text);
            }
        }
    }

    /// The first row at this depth.
    fn first_row(&mut self) -> &mut Option<Row> {
        match self.open.last_mut() {
            Some(open) => &mut open.first_row,
            None => &mut self.first_row,
        }
    }

    fn open(&mut self) {
        let follows_row = self.last == "," && self.first_row().is_some();
        let kind = if self.last == "IN" {
            Some(ListKind::In)
        } else if self.last == "VALUES" || follows_row {
            Some(ListKind::Row)
        } else {
            *self.first_row() = None;
            None
        };
        let is_call = matches!(self.last_kind, Some(Kind::Quoted | Kind::DoubleQuoted));
        self.place.open(kind.is_some(), is_call, &self.last);
        self.write("(", Kind::Punctuation);
        let start = self.out.len() - 1;
        self.open.push(Open {
            list: kind.map(|kind| List { kind, start }),
            first_row: None,
        });
    }

    fn close(&mut self) {
        let open = self.open.pop();
        self.write(")", Kind::Punctuation);
        self.place.close();
        if let Some(list) = open.and_then(|open| open.list) {
            self.fold(list);
        }
    }

    /// Folds a list that ends where the output ends.
    fn fold(&mut self, list: List) {
        match list.kind {
            ListKind::In => {
                if is_all_values(&self.out[list.start..]) {
                    self.out.truncate(list.start);
                    self.out.push_str("(?…)");
                }
            }
            ListKind::Row => match *self.first_row() {
                None => *self.first_row() = Some((list.start, self.out.len())),
                Some((start, end)) => {
                    // A row like the first one goes; one of another shape stays.
                    let same = self.out[list.start..] == self.out[start..end];
                    let adjacent = self.out[..list.start]
                        .trim_end_matches([',', ' ', '…'])
                        .len();
                    if same && adjacent == end {
                        self.out.truncate(end);
                        self.out.push('…');
                    }
                }
            },
        }
    }

    /// Folds what the end of a cut text left open, so that where it was cut does not count.
    fn finish(mut self) -> String {
        if let Some(Open {
            list: Some(list), ..
        }) = self.open.pop()
        {
            let inside = self.out[list.start..].trim_end_matches([',', ' ']).len();
            match list.kind {
                ListKind::In if is_all_values(&self.out[list.start..]) => {
                    self.out.truncate(list.start);
                    self.out.push_str("(?…)");
                }
                ListKind::Row if self.first_row().is_some() => {
                    let end = self.first_row().map_or(list.start, |(_, end)| end);
                    self.out.truncate(end);
                    self.out.push('…');
                }
                _ => self.out.truncate(list.start + inside),
            }
        }
        let end = self.out.trim_end_matches([' ', ';']).len();
        self.out.truncate(end);
        self.out
    }

    fn write(&mut self, text: &str, kind: Kind) {
        if self.needs_space(text, kind) {
            self.out.push(' ');
        }
        let _ = self.out.write_str(text);
        text.clone_into(&mut self.last);
        self.last_kind = Some(kind);
    }

    fn needs_space(&self, text: &str, kind: Kind) -> bool {
        if self.out.is_empty() || matches!(text, "," | ")" | "." | ";" | "::" | "[" | "]") {
            return false;
        }
        if matches!(self.last.as_str(), "(" | "." | "::" | "[") {
            return false;
        }
        // A call or a table with its columns: `count(*)`, `people(name)`; but `IN (…)`.
        !(text == "("
            && kind == Kind::Punctuation
            && matches!(self.last_kind, Some(Kind::Quoted | Kind::DoubleQuoted)))
    }
}

/// Whether a parenthesis holds nothing but values.
fn is_all_values(list: &str) -> bool {
    let is_plain = |c| matches!(c, '(' | ')' | '?' | ',' | ' ' | '…');
    list.chars().all(is_plain) && list.contains('?')
}

/// Whether a word is a value although it has no quotes; a function or a column of its name is none.
fn is_constant(word: &str, rest: &Lexer<'_>) -> bool {
    const CONSTANTS: [&str; 7] = [
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "DEFAULT",
        "FALSE",
        "NULL",
        "TRUE",
    ];
    let after = || rest.clone().next().map_or("", |next| next.text);
    CONSTANTS
        .iter()
        .any(|constant| constant.eq_ignore_ascii_case(word))
        && !matches!(after(), "." | "(")
}

#[cfg(test)]
mod tests;
