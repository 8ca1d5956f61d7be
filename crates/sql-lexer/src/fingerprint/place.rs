//! The place in a statement, as far as it matters for `"…"`: the name of a column, or a string as SQLite and MySQL
//! have it. Where both may stand, what looks like a name and stands where a comparison begins is one.

use super::language::Quotes;
use crate::{Kind, Token};

/// Things that may stand in a clause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Clause {
    /// Lists of columns, tables, definitions: `"…"` names something, but beside a comparison.
    #[default]
    Names,
    /// Conditions, assignments, rows: `"…"` after an operator, a comma or a parenthesis may be a value.
    Values,
}

/// The side of a comparison or an assignment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Side {
    #[default]
    Left,
    Right,
}

/// The meaning of `"…"` if it comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Name,
    Value,
    /// A value in conditions: there is an operator before it.
    Operand,
    /// It depends: there is a parenthesis or a comma before it.
    Argument,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    clause: Clause,
    side: Side,
    /// Whether the next `AND` is that of a `BETWEEN`.
    between: bool,
    /// Whether a definition is given: `ON` is followed by a table and its columns.
    defines: bool,
    /// Whether no column can stand here: in rows, in lists, in what is searched for.
    values_only: bool,
    /// Whether what is selected is listed.
    selects: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Group,
    Call,
    /// `concat(…)`: what is put together is most often a text.
    Concat,
    /// `CASE … END`; whether it compares with what follows `CASE`, once that is known.
    Case {
        operand: Option<bool>,
    },
}

/// A part that is open, and the state around it.
#[derive(Debug)]
struct Frame {
    inside: Inside,
    outer: State,
}

/// Follows a statement token by token.
#[derive(Debug, Default)]
pub(super) struct Place {
    state: State,
    next: Next,
    frames: Vec<Frame>,
    /// Number of frames that are parentheses.
    parentheses: usize,
    quotes: Quotes,
}

impl Place {
    pub(super) fn new(quotes: Quotes) -> Self {
        Self {
            quotes,
            ..Self::default()
        }
    }

    /// After a keyword, in capitals; `last` is the token before it.
    pub(super) fn keyword(&mut self, word: &str, last: &str) {
        self.next = Next::Name;
        match word {
            // `a IS DISTINCT FROM "b"`
            "FROM" if last == "DISTINCT" => self.value_follows(),
            "ON" if self.state.defines => self.begin(Clause::Names),
            "WHERE" | "SET" | "HAVING" | "ON" => self.begin(Clause::Values),
            "SELECT" | "FROM" | "INTO" | "INSERT" | "BY" | "RETURNING" | "CREATE" | "ALTER"
            | "JOIN" | "USING" | "WITH" | "CONFLICT" => {
                self.begin(Clause::Names);
                self.state.values_only = false;
                self.state.selects = word == "SELECT";
                self.state.defines = matches!(word, "CREATE" | "ALTER");
            }
            "VALUES" | "CALL" => {
                self.begin(Clause::Values);
                self.state.side = Side::Right;
            }
            "LIMIT" | "THEN" | "ELSE" => {
                self.state.clause = Clause::Values;
                self.value_follows();
            }
            "LIKE" | "ILIKE" | "GLOB" | "REGEXP" | "ESCAPE" | "OFFSET" | "DEFAULT" | "IS" => {
                self.value_follows();
            }
            "NOT" if last == "IS" => self.value_follows(),
            "IN" => {
                self.state.side = Side::Right;
                self.next = Next::Operand;
            }
            "BETWEEN" => {
                self.state.between = true;
                self.value_follows();
            }
            "AND" if self.state.between => {
                self.state.between = false;
                self.value_follows();
            }
            "AND" | "OR" => self.begin(self.state.clause),
            "CASE" => {
                self.push(Inside::Case { operand: None });
                self.begin(self.state.clause);
            }
            "WHEN" => self.when(last == "CASE"),
            // Only the `END` of a `CASE` returns to the state around it: others end blocks.
            "END" => {
                if let Some(Frame {
                    inside: Inside::Case { .. },
                    outer,
                }) = self.frames.last()
                {
                    self.state = *outer;
                    self.frames.pop();
                }
            }
            _ => {}
        }
    }

    /// After a name or a word that may be one.
    pub(super) fn name(&mut self, word: &str) {
        const SEARCH: [&str; 2] = ["MATCH", "RLIKE"];
        const TYPES: [&str; 5] = ["BINARY", "DATE", "INTERVAL", "TIME", "TIMESTAMP"];
        let is_of = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        self.next = Next::Name;
        if self.state.clause == Clause::Values {
            if is_of(&SEARCH) {
                self.value_follows();
            // A literal with its type: `DATE "2026-01-31"`.
            } else if is_of(&TYPES) {
                self.next = Next::Value;
            }
        }
    }

    /// After a value.
    pub(super) fn value(&mut self) {
        self.next = Next::Name;
    }

    /// After an operator, a comma; not after a parenthesis.
    pub(super) fn punctuation(&mut self, text: &str) {
        match text {
            "," => self.next = Next::Argument,
            "+" | "-" | "*" | "/" | "%" | "||" | "[" => self.next = Next::Operand,
            // A path into a document follows: `data->"$.name"`.
            "->" | "->>" | "#>" | "#>>" => self.next = Next::Value,
            ";" if self.frames.is_empty() => *self = Self::new(self.quotes),
            text if compares(text) => self.value_follows(),
            _ => self.next = Next::Name,
        }
    }

    /// After an opening parenthesis: of a list of values, of a call, of anything else. `last` is the token before it.
    pub(super) fn open(&mut self, is_list: bool, is_call: bool, last: &str) {
        self.push(match is_call && !is_list {
            true if is_concat(last) => Inside::Concat,
            true => Inside::Call,
            false => Inside::Group,
        });
        self.parentheses += 1;
        self.state.between = false;
        // MySQL: `MATCH (title) AGAINST ('words')`.
        if is_list || last.eq_ignore_ascii_case("AGAINST") {
            self.state = State {
                clause: Clause::Values,
                side: Side::Right,
                values_only: true,
                ..State::default()
            };
        }
        self.next = Next::Argument;
    }

    /// After a closing parenthesis, which ends every `CASE` within.
    pub(super) fn close(&mut self) {
        self.next = Next::Name;
        if self.parentheses == 0 {
            return;
        }
        self.parentheses -= 1;
        while let Some(frame) = self.frames.pop() {
            self.state = frame.outer;
            if !matches!(frame.inside, Inside::Case { .. }) {
                return;
            }
        }
    }

    /// Whether a double-quoted text at this place is a value.
    pub(super) fn is_value(&self, text: &str, last: &str, next: Option<Token<'_>>) -> bool {
        let follows = next.map_or("", |next| next.text);
        if matches!(follows, "." | "(") {
            return false;
        }
        let in_values = self.state.clause == Clause::Values;
        if self.is_text(last) {
            return true;
        }
        match self.next {
            Next::Name => false,
            Next::Value => true,
            Next::Operand => in_values,
            Next::Argument => in_values && !self.is_column(text, last, next),
        }
    }

    /// Whether MySQL reads what is double-quoted here as a text, and nothing speaks for a name.
    fn is_text(&self, last: &str) -> bool {
        let inside = self.frames.last().map(|frame| frame.inside);
        let is_argument = matches!(last, "(" | ",");
        match self.quotes {
            Quotes::Name => false,
            Quotes::Unknown => inside == Some(Inside::Concat) && is_argument,
            Quotes::Text => {
                let is_call = matches!(inside, Some(Inside::Call | Inside::Concat));
                let is_selected =
                    matches!(last, "SELECT" | "DISTINCT" | "ALL") || is_argument || compares(last);
                (is_call
                    && is_argument
                    && (self.state.selects || self.state.clause == Clause::Values))
                    || (self.state.selects && self.state.clause == Clause::Names && is_selected)
            }
        }
    }

    /// Whether a double-quoted text after a parenthesis or a comma names a column.
    fn is_column(&self, text: &str, last: &str, next: Option<Token<'_>>) -> bool {
        let inside = self.frames.last().map(|frame| frame.inside);
        if self.state.values_only {
            return false;
        }
        // The second assignment of `SET a = 1, "b" = 2`.
        if inside.is_none() && next.is_some_and(|next| next.text == "=") {
            return true;
        }
        // The first argument of a function is most often a column, and those after it are values.
        let is_later_argument =
            matches!(inside, Some(Inside::Call | Inside::Concat)) && last == ",";
        looks_like_a_name(text)
            && (next.is_some_and(is_comparison)
                || (self.state.side == Side::Left && !is_later_argument))
    }

    /// Whether a constant at this place is one of the values of a row or a list.
    pub(super) fn is_in_list(&self) -> bool {
        let is_call = |frame: &Frame| matches!(frame.inside, Inside::Call | Inside::Concat);
        self.next == Next::Argument
            && self.state.values_only
            && !self.frames.last().is_some_and(is_call)
    }

    fn push(&mut self, inside: Inside) {
        self.frames.push(Frame {
            inside,
            outer: self.state,
        });
    }

    fn begin(&mut self, clause: Clause) {
        self.state.clause = clause;
        self.state.side = Side::Left;
        self.state.between = false;
    }

    fn value_follows(&mut self) {
        self.state.side = Side::Right;
        self.next = Next::Value;
    }

    fn when(&mut self, is_first: bool) {
        self.begin(Clause::Values);
        // The first `WHEN` decides for all: `CASE a WHEN` compares, `CASE WHEN` has conditions.
        if let Some(Frame {
            inside: Inside::Case { operand },
            ..
        }) = self.frames.last_mut()
            && *operand.get_or_insert(!is_first)
        {
            self.value_follows();
        }
    }
}

fn is_concat(function: &str) -> bool {
    ["concat", "concat_ws"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(function))
}

/// Whether an operator compares or assigns.
fn compares(operator: &str) -> bool {
    matches!(
        operator,
        "=" | "=="
            | "<"
            | ">"
            | "<="
            | ">="
            | "<>"
            | "!="
            | "<=>"
            | ":="
            | "~"
            | "~*"
            | "!~"
            | "!~*"
    )
}

/// Whether a token can follow a column that is compared.
fn is_comparison(token: Token<'_>) -> bool {
    const WORDS: [&str; 12] = [
        "IS", "IN", "NOT", "LIKE", "ILIKE", "BETWEEN", "GLOB", "MATCH", "REGEXP", "RLIKE",
        "ISNULL", "NOTNULL",
    ];
    match token.kind {
        Kind::Punctuation => compares(token.text),
        Kind::Word => WORDS
            .iter()
            .any(|word| word.eq_ignore_ascii_case(token.text)),
        _ => false,
    }
}

fn looks_like_a_name(quoted: &str) -> bool {
    let inner = quoted.trim_matches('"');
    !inner.starts_with(|c: char| c.is_ascii_digit())
        && inner
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
}
