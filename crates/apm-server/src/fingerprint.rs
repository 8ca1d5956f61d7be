//! Statement fingerprints: which statements are the same but for their values.
//!
//! [`Fingerprint::of`] tokenizes any text that an agent may send as a statement (cut off, not SQLite's dialect, not SQL at
//! all) and never fails. Comments and white space are dropped, keywords are upper-cased, identifiers stay as written,
//! every literal and parameter becomes `?`, lists in `IN (…)` and rows after `VALUES` are folded to `…`. The hash of
//! that text (XXH64, seed 0) is stable: it stands in URLs and in databases.
//!
//! SQLite reads `"…"` as a string where no such column exists, and people write it so. It becomes `?` where a value is
//! expected and it is not followed by `.` or `(`; in lists of columns it stays an identifier.
//!
//! What it does not do: parse. Two texts that differ in more than values, spacing and the case of keywords differ.

mod keywords;
pub(crate) mod lexer;
mod subject;

use std::fmt::Write as _;

use xxhash_rust::xxh64::xxh64;

use lexer::{Kind, Lexer, Token};

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

/// What may stand at a place of the statement, as far as it matters for `"…"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Clause {
    /// Lists of columns, tables, definitions: `"…"` names something.
    #[default]
    Names,
    /// Conditions, assignments, rows: `"…"` after an operator, a comma or a parenthesis is a value.
    Values,
}

/// A parenthesis that is open.
#[derive(Debug)]
struct Open {
    /// The clause around it.
    outer: Clause,
    /// Where it starts in the output, where it may be folded: after `IN` or in the rows after `VALUES`.
    list: Option<List>,
}

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
    clause: Clause,
    open: Vec<Open>,
    /// The last token written, as text; empty at the start.
    last: String,
    last_kind: Option<Kind>,
    /// The first row after `VALUES`, when rows follow one another.
    first_row: Option<(usize, usize)>,
    /// Whether the rows were folded already.
    rows_folded: bool,
}

impl Normalizer {
    fn run(mut self, sql: &str) -> String {
        let mut lexer = Lexer::new(sql);
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
            Kind::DoubleQuoted if self.is_value(rest) => self.value(),
            Kind::Word => self.word(token.text),
            Kind::Punctuation => self.punctuation(token.text, rest),
            Kind::DoubleQuoted | Kind::Quoted => self.write(token.text, token.kind),
        }
    }

    /// Whether a double-quoted text at this place is a value.
    fn is_value(&self, rest: &Lexer<'_>) -> bool {
        let after = rest.clone().next();
        let qualifies = after.is_some_and(|next| {
            // The second assignment of `SET a = 1, "b" = 2` names a column.
            matches!(next.text, "." | "(") || (next.text == "=" && self.last == ",")
        });
        let expected = matches!(
            self.last.as_str(),
            "(" | "," | "=" | "==" | "<" | ">" | "<=" | ">=" | "<>" | "!=" | "||" | "LIKE" | "IN"
        );
        self.clause == Clause::Values && expected && !qualifies
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
    }

    fn word(&mut self, word: &str) {
        if !keywords::is_keyword(word) || self.last == "." {
            return self.write(word, Kind::Quoted);
        }
        let upper = word.to_ascii_uppercase();
        match upper.as_str() {
            "WHERE" | "SET" | "VALUES" | "HAVING" | "ON" | "LIMIT" | "WHEN" | "THEN" | "ELSE"
            | "AND" | "OR" => self.clause = Clause::Values,
            "SELECT" | "FROM" | "INTO" | "BY" | "RETURNING" | "CREATE" | "ALTER" | "JOIN"
            | "USING" | "WITH" => self.clause = Clause::Names,
            _ => {}
        }
        if upper == "VALUES" {
            self.first_row = None;
            self.rows_folded = false;
        }
        self.write(&upper, Kind::Word);
    }

    fn punctuation(&mut self, text: &str, rest: &Lexer<'_>) {
        match text {
            "(" => self.open(),
            ")" => self.close(),
            ";" if rest.clone().next().is_none() => {}
            _ => self.write(text, Kind::Punctuation),
        }
    }

    fn open(&mut self) {
        let row = self.last == "VALUES" || (self.last == "," && self.first_row.is_some());
        let kind = if self.last == "IN" {
            Some(ListKind::In)
        } else if row && self.open.is_empty() {
            Some(ListKind::Row)
        } else {
            if self.open.is_empty() {
                self.first_row = None;
            }
            None
        };
        let outer = self.clause;
        if kind.is_some() {
            self.clause = Clause::Values;
        }
        self.write("(", Kind::Punctuation);
        let start = self.out.len() - 1;
        self.open.push(Open {
            outer,
            list: kind.map(|kind| List { kind, start }),
        });
    }

    fn close(&mut self) {
        let open = self.open.pop();
        self.write(")", Kind::Punctuation);
        let Some(open) = open else { return };
        self.clause = open.outer;
        if let Some(list) = open.list {
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
            ListKind::Row => match self.first_row {
                None => self.first_row = Some((list.start, self.out.len())),
                Some((start, end)) => {
                    // A row like the first one goes; one of another shape stays.
                    let same = self.out[list.start..] == self.out[start..end];
                    let adjacent = self.out[..list.start]
                        .trim_end_matches([',', ' ', '…'])
                        .len();
                    if same && adjacent == end {
                        self.out.truncate(end);
                        self.out.push('…');
                        self.rows_folded = true;
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
                ListKind::Row if self.first_row.is_some() && self.open.is_empty() => {
                    let end = self.first_row.map_or(list.start, |(_, end)| end);
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
    list.contains('?')
        && list
            .chars()
            .all(|c| matches!(c, '(' | ')' | '?' | ',' | ' ' | '…'))
}

#[cfg(test)]
mod tests;
