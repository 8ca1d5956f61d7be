//! Text to [`Expr`]: recursive descent with one character of look-ahead.

use jiff::tz::TimeZone;

use super::escape::{self, is_special};
use super::expr::{Expr, Field, Order, Value, is_full_text};
use super::field;
use super::wildcard::Pattern;

/// Longer queries are refused: nobody writes them, and each condition costs a column comparison.
const MAX_LENGTH: usize = 4096;
/// Deeper parentheses are refused: they would eat the stack.
const MAX_DEPTH: usize = 64;

/// A mistake in a query, and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("q: {expected} at character {}, found {found}", .position + 1)]
pub struct KqlError {
    /// Characters (not bytes) before the place.
    pub position: usize,
    /// The text that should have stood there: `expected a value after "name:"`.
    pub expected: String,
    /// The text that stands there, cut.
    pub found: String,
}

/// Reads a query. `now` is the time, in microseconds since the epoch, that `now-15m` in a
/// condition on `@timestamp` refers to; dates are those of UTC.
pub fn parse(text: &str, now: i64) -> Result<Expr, KqlError> {
    parse_in(text, now, &TimeZone::UTC)
}

/// The same for a reader in `zone`, whose days the dates are.
pub fn parse_in(text: &str, now: i64, zone: &TimeZone) -> Result<Expr, KqlError> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
        now,
        zone,
    };
    if text.len() > MAX_LENGTH {
        parser.at = (0..=MAX_LENGTH)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        return Err(parser.error(format!("expected at most {MAX_LENGTH} bytes, ending")));
    }
    parser.space();
    if parser.rest().is_empty() {
        return Ok(Expr::All);
    }
    let expr = parser.or()?;
    if parser.rest().is_empty() {
        Ok(expr)
    } else {
        Err(parser.error("expected `and`, `or` or the end".to_owned()))
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    now: i64,
    zone: &'a TimeZone,
}

/// A word or quoted text before it is known whether it is a field or a value.
struct Literal {
    /// Pieces between unescaped, unquoted stars; one piece if there are none.
    pieces: Vec<String>,
    start: usize,
    /// Its end, before the space after it.
    end: usize,
}

impl Literal {
    fn text(&self) -> String {
        self.pieces.join("*")
    }

    fn into_field(self) -> Field {
        Field {
            name: self.text(),
            pattern: (self.pieces.len() > 1).then(|| Pattern::new(self.pieces)),
        }
    }

    fn into_value(self) -> Value {
        if self.pieces.len() > 1 {
            Value::Wildcard(Pattern::new(self.pieces))
        } else {
            Value::Exact(self.text())
        }
    }
}

impl<'a> Parser<'a> {
    fn or(&mut self) -> Result<Expr, KqlError> {
        self.list("or", Self::and, Expr::Or)
    }

    fn and(&mut self) -> Result<Expr, KqlError> {
        self.list("and", Self::not, Expr::And)
    }

    /// `item (keyword item)*`
    fn list(
        &mut self,
        keyword: &str,
        item: impl Fn(&mut Self) -> Result<Expr, KqlError>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, KqlError> {
        let mut items = vec![item(self)?];
        while self.keyword(keyword) {
            items.push(item(self)?);
        }
        // One item alone is itself: a node with one part would have to be handled everywhere.
        match items.pop() {
            Some(only) if items.is_empty() => Ok(only),
            Some(last) => {
                items.push(last);
                Ok(join(items))
            }
            None => Ok(Expr::All),
        }
    }

    fn not(&mut self) -> Result<Expr, KqlError> {
        if self.keyword("not") {
            // `not not not …` takes as much of the stack as parentheses do.
            let inner = self.nested(Self::not)?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr, KqlError> {
        if self.char('(') {
            let inner = self.nested(Self::or)?;
            self.close()?;
            return Ok(inner);
        }
        // Only what follows says whether this is a field or a value.
        let first = self.literal("expected a field or a value")?;
        if self.char(':') {
            return self.values(first.into_field());
        }
        if let Some(order) = self.order() {
            let field = first.into_field();
            let wanted = format!("expected a value after `{}`", order.as_str());
            let start = self.at;
            let value = self.literal(&wanted)?;
            let text = value.text();
            let range = field::range(field, order, text.clone(), self.now, self.zone);
            return range.map_err(|expected| self.error_at(start, expected, &text));
        }
        Ok(field::text(self.words(first, true)?.into_value()))
    }

    /// Reads what follows `field:`.
    fn values(&mut self, field: Field) -> Result<Expr, KqlError> {
        if self.char('(') {
            let inner = self.nested(|parser| parser.value_list(&field, "or"))?;
            self.close()?;
            return Ok(inner);
        }
        if self.rest().starts_with('{') {
            return Err(
                self.error("expected a value, nested fields `{}` are not supported,".to_owned())
            );
        }
        self.value(&field)
    }

    /// `(a or b and not c)` after a field.
    fn value_list(&mut self, field: &Field, keyword: &'static str) -> Result<Expr, KqlError> {
        match keyword {
            "or" => self.list("or", |parser| parser.value_list(field, "and"), Expr::Or),
            "and" => self.list("and", |parser| parser.value_list(field, "not"), Expr::And),
            _ if self.keyword("not") => {
                let inner = self.nested(|parser| parser.value_list(field, "not"))?;
                Ok(Expr::Not(Box::new(inner)))
            }
            _ if self.char('(') => {
                let inner = self.nested(|parser| parser.value_list(field, "or"))?;
                self.close()?;
                Ok(inner)
            }
            _ => self.value(field),
        }
    }

    fn value(&mut self, field: &Field) -> Result<Expr, KqlError> {
        let first = self.literal(&format!("expected a value after \"{}:\"", field.name))?;
        let start = first.start;
        let value = self.words(first, is_full_text(&field.name))?;
        let text = value.text();
        match value.into_value() {
            Value::Wildcard(pattern) if pattern.is_any() => Ok(Expr::Exists(field.clone())),
            value => field::is(field.clone(), value, self.now, self.zone)
                .map_err(|expected| self.error_at(start, expected, &text)),
        }
    }

    /// Further bare words belong to the same value: `message: could not connect`. The blanks between them count, but
    /// where words are looked for.
    fn words(&mut self, mut first: Literal, in_text: bool) -> Result<Literal, KqlError> {
        let quoted = self.text[first.start..].starts_with('"');
        loop {
            let rest = self.rest();
            if rest.is_empty() || rest.starts_with(')') || self.at_keyword() {
                return Ok(first);
            }
            let before = self.at;
            if quoted || rest.starts_with(is_special) && !rest.starts_with('\\') {
                return Err(self.error("expected `and` or `or`".to_owned()));
            }
            let next = self.literal("expected a value")?;
            if self.rest().starts_with([':', '<', '>']) {
                // The mistake is before the next field, not behind it.
                self.at = before;
                return Err(
                    self.error("expected `and` or `or` before the next condition".to_owned())
                );
            }
            let blanks = match in_text {
                true => " ",
                false => &self.text[first.end..next.start],
            };
            first.end = next.end;
            let mut pieces = next.pieces.into_iter();
            if let (Some(last), Some(piece)) = (first.pieces.last_mut(), pieces.next()) {
                last.push_str(blanks);
                last.push_str(&piece);
            }
            first.pieces.extend(pieces);
        }
    }

    /// One word or quoted text, and the space after it.
    fn literal(&mut self, wanted: &str) -> Result<Literal, KqlError> {
        let start = self.at;
        if self.at_keyword() {
            return Err(self.error(wanted.to_owned()));
        }
        let mut chars = self.rest().char_indices().peekable();
        if self.rest().starts_with('"') {
            chars.next();
            let mut text = String::new();
            while let Some((at, char)) = chars.next() {
                match char {
                    '"' => {
                        self.at = start + at + 1;
                        self.space();
                        return Ok(Literal {
                            pieces: vec![text],
                            start,
                            end: start + at + 1,
                        });
                    }
                    '\\' => escape::within_quotes(&mut chars, &mut text),
                    _ => text.push(char),
                }
            }
            self.at = self.text.len();
            return Err(self.error("expected the closing quote".to_owned()));
        }
        // The texts between asterisks: one piece has none.
        let mut pieces = vec![String::new()];
        let mut end = self.text.len();
        while let Some((at, char)) = chars.next() {
            match (char, pieces.last_mut()) {
                ('*', _) | (_, None) => pieces.push(String::new()),
                ('\\', Some(last)) => escape::outside_quotes(&mut chars, last),
                (char, _) if is_special(char) || char.is_whitespace() => {
                    end = start + at;
                    break;
                }
                (char, Some(last)) => last.push(char),
            }
        }
        if end == start {
            return Err(self.error(wanted.to_owned()));
        }
        self.at = end;
        self.space();
        Ok(Literal { pieces, start, end })
    }

    fn order(&mut self) -> Option<Order> {
        let (order, length) = match self.rest().as_bytes() {
            [b'<', b'=', ..] => (Order::AtMost, 2),
            [b'>', b'=', ..] => (Order::AtLeast, 2),
            [b'<', ..] => (Order::Less, 1),
            [b'>', ..] => (Order::Greater, 1),
            _ => return None,
        };
        self.at += length;
        self.space();
        Some(order)
    }

    fn close(&mut self) -> Result<(), KqlError> {
        if self.char(')') {
            return Ok(());
        }
        Err(self.error("expected `and`, `or` or the closing parenthesis".to_owned()))
    }

    fn nested(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<Expr, KqlError>,
    ) -> Result<Expr, KqlError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(format!("expected at most {MAX_DEPTH} levels of nesting")));
        }
        self.depth += 1;
        let expr = inner(self);
        self.depth -= 1;
        expr
    }

    fn char(&mut self, char: char) -> bool {
        let found = self.rest().starts_with(char);
        if found {
            self.at += char.len_utf8();
            self.space();
        }
        found
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.starts_with_keyword(keyword);
        if found {
            self.at += keyword.len();
            self.space();
        }
        found
    }

    fn at_keyword(&self) -> bool {
        ["and", "or", "not"]
            .iter()
            .any(|keyword| self.starts_with_keyword(keyword))
    }

    /// `or` as a word of its own: not `order`, not `or:` (a field).
    fn starts_with_keyword(&self, keyword: &str) -> bool {
        let rest = self.rest();
        rest.get(..keyword.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(keyword))
            && rest[keyword.len()..]
                .chars()
                .next()
                .is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')' | '"'))
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// An error about a value that was read from `start` on.
    fn error_at(&self, start: usize, expected: &str, value: &str) -> KqlError {
        KqlError {
            position: self.text[..start].chars().count(),
            expected: expected.to_owned(),
            found: next_word(value),
        }
    }

    fn error(&self, expected: String) -> KqlError {
        KqlError {
            position: self.text[..self.at].chars().count(),
            expected,
            found: next_word(self.rest()),
        }
    }
}

fn next_word(rest: &str) -> String {
    let word: String = rest.chars().take(20).collect();
    match word.split_whitespace().next() {
        None => "the end".to_owned(),
        Some(word) => format!("`{word}`"),
    }
}
