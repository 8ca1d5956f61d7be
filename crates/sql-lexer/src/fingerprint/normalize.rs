//! Tokens → text, with `?` for values and `…` for more of the same.

use std::fmt::Write as _;

use super::MAX_NORMALIZED;
use super::fold::{folded, folded_cut};
use super::language::Quotes;
use super::made_up::MadeUp;
use super::place::Place;
use super::temporary::without_numbers;
use crate::{Kind, Significant, Token, is_keyword};

/// Words that a table follows.
const TABLE_FOLLOWS: [&str; 7] = ["EXISTS", "FROM", "INTO", "JOIN", "ONLY", "TABLE", "UPDATE"];

/// A parenthesis or bracket that is open.
#[derive(Debug)]
struct Open {
    is_bracket: bool,
    /// The list's start in the output, if it may be folded: after `IN` or `ARRAY`, or in the rows after `VALUES`.
    list: Option<List>,
    /// The first row after a `VALUES` in it, when rows follow one another.
    first_row: Option<Row>,
}

/// Start and end of a row in the output.
type Row = (usize, usize);

/// A list that folds when it holds nothing but values.
#[derive(Clone, Copy, Debug)]
struct List {
    kind: ListKind,
    start: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListKind {
    In,
    Array,
    Row,
}

impl ListKind {
    /// The characters around it.
    fn signs(self) -> (char, char) {
        match self {
            Self::In | Self::Row => ('(', ')'),
            Self::Array => ('[', ']'),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Normalizer {
    out: String,
    place: Place,
    made_up: MadeUp,
    open: Vec<Open>,
    /// The last token written, as text; empty at the start.
    last: String,
    last_kind: Option<Kind>,
    /// The first row after a `VALUES` outside parentheses.
    first_row: Option<Row>,
}

impl Normalizer {
    pub(super) fn new(quotes: Quotes) -> Self {
        Self {
            place: Place::new(quotes),
            ..Self::default()
        }
    }

    pub(super) fn run(mut self, mut tokens: Significant<'_>) -> String {
        while let Some(token) = tokens.next() {
            if self.out.len() > MAX_NORMALIZED {
                break;
            }
            // Further values of a setting add nothing to the first one.
            if token.text == "," && self.made_up.continues(&tokens) {
                tokens.next();
                continue;
            }
            self.token(token, &tokens);
        }
        self.finish()
    }

    fn token(&mut self, token: Token<'_>, rest: &Significant<'_>) {
        let is_name = matches!(token.kind, Kind::Word | Kind::Quoted | Kind::DoubleQuoted);
        if is_name && self.made_up.is(token, &self.last, rest) {
            return self.value();
        }
        match token.kind {
            Kind::Number | Kind::String | Kind::Parameter => {
                self.made_up.value();
                self.value();
            }
            Kind::DoubleQuoted
                if self
                    .place
                    .is_value(token.text, &self.last, rest.clone().next()) =>
            {
                self.value();
            }
            Kind::Word if self.place.is_in_list() && is_constant(token.text, rest) => self.value(),
            Kind::Word => self.word(token.text, rest),
            Kind::Punctuation => self.punctuation(token.text, rest),
            Kind::DoubleQuoted | Kind::Quoted => self.name(token.text, token.kind, rest),
            Kind::Space | Kind::Comment | Kind::Cut => {}
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
            if !operand || is_keyword(word) {
                self.out.truncate(before.len());
                self.last.clear();
                self.last_kind = None;
                // The sign is gone, and no blank comes between the parenthesis and the value.
                if self.out.ends_with('(') {
                    "(".clone_into(&mut self.last);
                }
            }
        }
        self.write("?", Kind::Parameter);
        self.place.value();
    }

    fn name(&mut self, name: &str, kind: Kind, rest: &Significant<'_>) {
        let is_table = || {
            TABLE_FOLLOWS.contains(&self.last.as_str())
                || rest
                    .clone()
                    .next()
                    .is_some_and(|next| next.text == "." || (next.text == "(" && self.last == "ON"))
        };
        self.write(&without_numbers(name, is_table), kind);
        self.place.name(name);
    }

    fn word(&mut self, word: &str, rest: &Significant<'_>) {
        if (!is_keyword(word) || self.last == ".") && !self.made_up.is_verb {
            return self.name(word, Kind::Quoted, rest);
        }
        let upper = word.to_ascii_uppercase();
        self.place.keyword(&upper, &self.last);
        if upper == "VALUES" {
            *self.first_row() = None;
        }
        self.write(&upper, Kind::Word);
    }

    fn punctuation(&mut self, text: &str, rest: &Significant<'_>) {
        self.made_up.punctuation(text, self.open.len());
        match text {
            "(" => self.open(),
            ")" => self.close(),
            "[" => self.open_bracket(),
            "]" => self.close_bracket(),
            // A semicolon at the end makes no other statement.
            ";" if rest.clone().next().is_none() => {}
            _ => {
                self.write(text, Kind::Punctuation);
                self.place.punctuation(text);
            }
        }
    }

    /// The first row at this depth.
    fn first_row(&mut self) -> &mut Option<Row> {
        self.first_row_at(self.open.len())
    }

    fn first_row_at(&mut self, depth: usize) -> &mut Option<Row> {
        match depth
            .checked_sub(1)
            .and_then(|outer| self.open.get_mut(outer))
        {
            Some(open) => &mut open.first_row,
            None => &mut self.first_row,
        }
    }

    fn open(&mut self) {
        let follows_row = self.last == "," && self.first_row().is_some();
        let kind = if self.last == "IN" {
            Some(ListKind::In)
        } else if self.last == "VALUES" || follows_row || self.is_row_word() {
            Some(ListKind::Row)
        } else {
            // Anything else in parentheses ends the rows.
            *self.first_row() = None;
            None
        };
        let is_call = matches!(self.last_kind, Some(Kind::Quoted | Kind::DoubleQuoted));
        self.place.open(kind.is_some(), is_call, &self.last);
        self.write("(", Kind::Punctuation);
        let start = self.out.len() - 1;
        self.open.push(Open {
            is_bracket: false,
            list: kind.map(|kind| List { kind, start }),
            first_row: None,
        });
    }

    /// MySQL: `VALUES ROW(1, 2), ROW(3, 4)`.
    fn is_row_word(&mut self) -> bool {
        if !self.last.eq_ignore_ascii_case("ROW") {
            return false;
        }
        let before = self.out[..self.out.len() - self.last.len()].trim_end();
        before.ends_with("VALUES") || (before.ends_with([',', '…']) && self.first_row().is_some())
    }

    fn close(&mut self) {
        // Brackets that nobody closed end with the parenthesis.
        while self.open.last().is_some_and(|open| open.is_bracket) {
            self.open.pop();
        }
        let open = self.open.pop();
        self.write(")", Kind::Punctuation);
        self.place.close();
        if let Some(list) = open.and_then(|open| open.list) {
            self.fold(list);
        }
    }

    fn open_bracket(&mut self) {
        let is_array = self.last.eq_ignore_ascii_case("ARRAY");
        self.write("[", Kind::Punctuation);
        self.place.punctuation("[");
        let start = self.out.len() - 1;
        let kind = ListKind::Array;
        self.open.push(Open {
            is_bracket: true,
            list: is_array.then_some(List { kind, start }),
            first_row: None,
        });
    }

    fn close_bracket(&mut self) {
        self.write("]", Kind::Punctuation);
        self.place.punctuation("]");
        if self.open.last().is_some_and(|open| open.is_bracket)
            && let Some(list) = self.open.pop().and_then(|open| open.list)
        {
            self.fold(list);
        }
    }

    /// Folds a list that ends where the output ends.
    fn fold(&mut self, list: List) {
        let (open, close) = list.kind.signs();
        if list.kind != ListKind::Row {
            if let Some(left) = folded(&self.out[list.start..], open, close) {
                self.out.truncate(list.start);
                self.out.push_str(&left);
            }
            return;
        }
        match *self.first_row() {
            None => *self.first_row() = Some((list.start, self.out.len())),
            Some((_, end)) => {
                // A computed value may differ from row to row, so the row is folded. A row with a question in it stays.
                let row = &self.out[list.start..];
                let between = self.out[end..list.start].trim_matches([',', ' ', '…']);
                if (between.is_empty() || between.eq_ignore_ascii_case("ROW"))
                    && !row.contains("SELECT ")
                {
                    self.out.truncate(end);
                    self.out.push('…');
                }
            }
        }
    }

    /// Folds what the end of a cut text left open, so that where it was cut does not count.
    fn finish(mut self) -> String {
        let lists: Vec<(usize, List)> = (self.open.iter().enumerate())
            .filter_map(|(depth, open)| Some((depth, open.list?)))
            .collect();
        for (depth, list) in lists {
            let (open, close) = list.kind.signs();
            let end = self.first_row_at(depth).map(|(_, end)| end);
            match (list.kind, end) {
                (ListKind::Row, Some(end)) => {
                    // The row that was cut is one more of those before it.
                    self.out.truncate(end);
                    self.out.push('…');
                    break;
                }
                // The first row stays as far as it goes.
                (ListKind::Row, None) => {}
                (ListKind::In | ListKind::Array, _) => {
                    if let Some(left) = folded_cut(&self.out[list.start..], open, close) {
                        self.out.truncate(list.start);
                        self.out.push_str(&left);
                        break;
                    }
                }
            }
        }
        let end = self.out.trim_end_matches([' ', ';', ',']).len();
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

/// Whether a word is a value although it has no quotes. A function or a column of that name is not a value.
fn is_constant(word: &str, rest: &Significant<'_>) -> bool {
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
