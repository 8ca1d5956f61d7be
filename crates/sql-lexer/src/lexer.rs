//! Statement text → tokens. Whatever the text is, there is a next token or an end, and the tokens are the text.

mod comment;
mod quote;

use crate::is_keyword;
use crate::syntax::{Brackets, Syntax};
use crate::token::{Kind, Token};

/// Operators of more than one character; a longer one stands before those that it begins with.
const OPERATORS: &[&str] = &[
    "->>", "#>>", "<=>", "!~*", "<=", ">=", "<>", "!=", "==", "||", "::", ":=", "->", "#>", "@>",
    "<@", "&&", "<<", ">>", "~*", "!~",
];

const NAME: u8 = 1;
const SPACE: u8 = 2;

/// The classes of ASCII characters that come in runs.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            classes[byte as usize] = NAME;
        } else if matches!(byte, b' ' | b'\t'..=b'\r' | 0) {
            classes[byte as usize] = SPACE;
        }
        byte += 1;
    }
    classes
}

/// The tokens of a statement, white space and comments included.
///
/// It takes time linear in the text and never fails.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
    syntax: Syntax,
    /// The last token that is no trivia.
    last: Option<(Kind, &'a str)>,
    /// Brackets of arrays and their elements that are open: those in them quote no names.
    brackets: usize,
    /// Whether comments may still hold comments.
    nests: bool,
    /// Searches for the ends of `$tag$` that found none.
    lost_tags: u8,
}

/// A piece that was read: its kind, its length in bytes, and whether it is closed.
type Read = (Kind, usize, bool);

impl<'a> Lexer<'a> {
    /// Reads `text` as `syntax` says.
    #[must_use]
    pub fn new(text: &'a str, syntax: Syntax) -> Self {
        Self {
            text,
            at: 0,
            syntax,
            last: None,
            brackets: 0,
            nests: true,
            lost_tags: 0,
        }
    }

    /// The text that has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The tokens without white space and comments.
    #[must_use]
    pub fn significant(self) -> Significant<'a> {
        Significant(self)
    }

    /// Takes the next token if `is` holds for it.
    pub fn next_if(&mut self, is: impl FnOnce(&Token<'a>) -> bool) -> Option<Token<'a>> {
        let mut ahead = self.clone();
        let token = ahead.next().filter(is)?;
        *self = ahead;
        Some(token)
    }

    fn byte(&self, offset: usize) -> u8 {
        *self.text.as_bytes().get(self.at + offset).unwrap_or(&0)
    }

    /// Length of the run of characters that satisfy `is`, from `skip` on.
    fn run(&self, skip: usize, is: impl Fn(char) -> bool) -> usize {
        let rest = &self.rest()[skip..];
        skip + rest.find(|c| !is(c)).unwrap_or(rest.len())
    }

    /// Length of the run of characters of names, from `skip` on.
    fn name(&self, skip: usize) -> usize {
        let len = self.class(skip, NAME);
        // Characters are decoded only where a run goes on beyond ASCII.
        match self.byte(len).is_ascii() {
            true => len,
            false => self.run(len, is_name),
        }
    }

    /// Length of the run of white space, from `skip` on.
    fn space(&self, skip: usize) -> usize {
        let len = self.class(skip, SPACE);
        match self.byte(len).is_ascii() {
            true => len,
            false => self.run(len, is_space),
        }
    }

    /// Length of the run of ASCII characters of a class, from `skip` on.
    fn class(&self, skip: usize, class: u8) -> usize {
        let bytes = &self.text.as_bytes()[self.at + skip..];
        let is_other = |byte: &u8| CLASSES[usize::from(*byte)] != class;
        skip + bytes.iter().position(is_other).unwrap_or(bytes.len())
    }

    /// Whether what comes last can be an operand: then `%` and `[` are operators.
    fn after_operand(&self) -> bool {
        self.last.is_some_and(|(kind, text)| match kind {
            Kind::Punctuation => matches!(text, ")" | "]"),
            Kind::Word => !is_keyword(text),
            _ => true,
        })
    }

    #[inline]
    fn read(&mut self, first: u8) -> Read {
        let next = self.byte(1);
        let (kind, len) = match first {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => return self.word(first, next),
            b' ' | b'\t'..=b'\r' | 0 => (Kind::Space, self.space(1)),
            b'(' | b')' | b',' | b';' => (Kind::Punctuation, 1),
            // `t.1` is a column, and `.5` a number.
            b'.' if next.is_ascii_digit() && !self.after_operand() => (Kind::Number, self.number()),
            b'.' if self.rest().starts_with("...") => (Kind::Cut, self.run(3, |c| c == '.')),
            b'\'' => return self.string(0, self.syntax.backslash),
            b'"' => return self.double_quoted(),
            b'`' => return self.backquoted(),
            b'[' if self.begins_name() => return self.bracketed(),
            b'0'..=b'9' => (Kind::Number, self.number()),
            b'?' => (Kind::Parameter, self.run(1, |c| c.is_ascii_digit())),
            b'$' => return self.dollar(),
            b':' | b'@' if is_name(char::from(next)) => (Kind::Parameter, self.name(1)),
            b'%' => self.percent(next),
            b'-' | b'/' | b'#' | b'*' => match self.comment(first, next) {
                Some(comment) => return comment,
                None => self.operator(),
            },
            0x80.. => self.beyond_ascii(),
            _ => self.operator(),
        };
        (kind, len, true)
    }

    fn word(&mut self, first: u8, next: u8) -> Read {
        if next == b'\'' {
            // This bit makes a letter small.
            match first | 0x20 {
                b'x' | b'n' | b'b' => return self.string(1, self.syntax.backslash),
                b'e' => return self.string(1, crate::Backslash::Escapes),
                b'q' => return self.chosen_quote(1),
                _ => {}
            }
        } else if first | 0x20 == b'n' && next | 0x20 == b'q' && self.byte(2) == b'\'' {
            return self.chosen_quote(2);
        }
        let mut len = self.name(1);
        while self.syntax.dollar_names && self.byte(len) == b'$' {
            len = self.name(len + 1);
        }
        (Kind::Word, len, true)
    }

    fn number(&self) -> usize {
        let digits = |skip: usize| self.run(skip, |c| c.is_ascii_digit());
        let mut end = if !self.syntax.loose_numbers {
            let whole = digits(0);
            match self.byte(whole) {
                b'.' => digits(whole + 1),
                _ => whole,
            }
        } else if self.byte(0) == b'0' && matches!(self.byte(1), b'x' | b'X') {
            return self.run(2, |c| c.is_ascii_hexdigit());
        } else {
            self.run(0, |c| c.is_ascii_digit() || matches!(c, '_' | '.'))
        };
        // Without digits behind it an `e` begins the next word.
        if matches!(self.byte(end), b'e' | b'E') {
            let sign = usize::from(matches!(self.byte(end + 1), b'+' | b'-'));
            if self.byte(end + 1 + sign).is_ascii_digit() {
                end = digits(end + 1 + sign);
            }
        }
        end
    }

    /// Parameters as Python's drivers write them, or an operator.
    fn percent(&self, next: u8) -> (Kind, usize) {
        if next == b's' && !is_name(char::from(self.byte(2))) {
            return (Kind::Parameter, 2);
        }
        if next == b'(' && !self.after_operand() {
            // Only a name: what is looked for to the end is looked for at each such sign.
            let end = self.name(2);
            if self.rest()[end..].starts_with(")s") {
                return (Kind::Parameter, end + 2);
            }
        }
        (Kind::Punctuation, 1)
    }

    /// Whether the `[` here begins a name.
    fn begins_name(&self) -> bool {
        match self.syntax.brackets {
            Brackets::Names => true,
            Brackets::Operators => false,
            Brackets::Guess => self.brackets == 0 && !self.after_operand(),
        }
    }

    fn beyond_ascii(&self) -> (Kind, usize) {
        match self.rest().chars().next() {
            Some('…') => (Kind::Cut, '…'.len_utf8()),
            Some(c) if c.is_whitespace() => (Kind::Space, self.space(0)),
            Some(c) if is_name(c) => (Kind::Word, self.unicode_word()),
            first => (Kind::Punctuation, first.map_or(1, char::len_utf8)),
        }
    }

    fn unicode_word(&self) -> usize {
        self.run(0, |c| is_name(c) || (self.syntax.dollar_names && c == '$'))
    }

    fn operator(&self) -> (Kind, usize) {
        let rest = self.rest();
        let operator = OPERATORS
            .iter()
            .find(|operator| rest.starts_with(**operator));
        (
            Kind::Punctuation,
            operator.map_or(1, |operator| operator.len()),
        )
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = *self.text.as_bytes().get(self.at)?;
        let (kind, len, closed) = self.read(first);
        let (text, _) = self.rest().split_at(len);
        self.at += len;
        let token = Token { kind, text, closed };
        if !kind.is_trivia() {
            match first {
                b'[' if kind == Kind::Punctuation => self.brackets += 1,
                b']' => self.brackets = self.brackets.saturating_sub(1),
                _ => {}
            }
            self.last = Some((kind, text));
        }
        Some(token)
    }
}

/// The tokens of a statement without white space, comments and the signs of a cut.
#[derive(Clone, Debug)]
pub struct Significant<'a>(Lexer<'a>);

impl<'a> Significant<'a> {
    /// The text that has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a str {
        self.0.rest()
    }
}

impl<'a> Iterator for Significant<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.0.by_ref().find(|token| !token.kind.is_trivia())
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\0'
}

/// Whether a character belongs to a name without quotes.
pub(crate) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
