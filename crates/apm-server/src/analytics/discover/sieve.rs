//! Texts that the stored text of an event must hold for a query to match it.
//!
//! Some fields show their values as they were sent ([`is_verbatim`]). Where a query wants such a value, an event in
//! whose stored text the value does not stand can't match. Most events are ruled out so, at the speed of a search for
//! bytes, before documents are made of them. What passes is still decided by [`kql::matches()`].

use apm_store::document::is_verbatim;
use kql::{Expr, Value};
use memchr::memmem::{self, Finder};

/// A condition on the stored text of an event.
#[derive(Debug)]
pub(super) enum Sieve {
    /// Anything: every event passes.
    Open,
    /// This text.
    Text(Box<Finder<'static>>),
    /// All of these hold.
    All(Vec<Self>),
    /// One of these holds.
    Any(Vec<Self>),
}

impl Sieve {
    /// The sieve of a query.
    pub(super) fn for_query(query: &Expr) -> Self {
        match query {
            Expr::And(items) => {
                let wanted = items
                    .iter()
                    .map(Self::for_query)
                    .filter(|item| !item.is_open());
                match wanted.collect::<Vec<_>>() {
                    wanted if wanted.is_empty() => Self::Open,
                    wanted => Self::All(wanted),
                }
            }
            Expr::Or(items) => {
                let wanted: Vec<Self> = items.iter().map(Self::for_query).collect();
                match wanted.iter().any(Self::is_open) {
                    true => Self::Open,
                    false => Self::Any(wanted),
                }
            }
            Expr::Is(field, value) if field.pattern.is_none() && is_verbatim(&field.name) => {
                let text = match value {
                    Value::Exact(text) => text.as_str(),
                    Value::Wildcard(pattern) => pattern.longest_piece(),
                };
                match stands_as_it_is(text) {
                    true => Self::Text(Box::new(Finder::new(text).into_owned())),
                    false => Self::Open,
                }
            }
            _ => Self::Open,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether an event may match of which these are the texts: JSON of the event and of its sender.
    pub(super) fn passes(&self, texts: &[&str]) -> bool {
        match self {
            Self::Open => true,
            Self::Text(wanted) => {
                let holds = |text: &&str| wanted.find(text.as_bytes()).is_some();
                texts.iter().any(holds) || texts.iter().any(|text| has_escapes(text))
            }
            Self::All(items) => items.iter().all(|item| item.passes(texts)),
            Self::Any(items) => items.iter().any(|item| item.passes(texts)),
        }
    }
}

/// Any character may be sent as `\u0061`.
fn has_escapes(json: &str) -> bool {
    memmem::find(json.as_bytes(), b"\\u").is_some()
}

/// Whether a text stands in JSON as it is: nothing in it has a short escape, and it is neither a number nor a boolean,
/// which are spelled in several ways.
fn stands_as_it_is(text: &str) -> bool {
    let is_plain = |char: char| !char.is_control() && !matches!(char, '"' | '\\' | '/');
    let is_of_number = |char: char| matches!(char, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
    let is_word = |word: &str| text.eq_ignore_ascii_case(word);
    text.chars().all(is_plain)
        && !text.chars().all(is_of_number)
        && !is_word("true")
        && !is_word("false")
}

#[cfg(test)]
mod tests;
