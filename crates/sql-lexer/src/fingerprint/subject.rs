//! The verb of a statement, and its table.

use super::temporary::without_numbers;
use crate::{Kind, Significant};

/// The verb in capitals and the first table without quotes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) verb: String,
    pub(super) table: String,
}

/// Tokens looked at: the table of a statement stands near its beginning, and after long lists of columns at worst.
const LOOK_AT: usize = 4096;

pub(super) fn find(mut tokens: Significant<'_>) -> Subject {
    let Some(verb) = verb(&mut tokens) else {
        return Subject::default();
    };
    let table = match verb.as_str() {
        "SELECT" | "DELETE" => after(tokens, &["FROM"]),
        "INSERT" | "REPLACE" | "MERGE" => after(tokens, &["INTO"]),
        "UPDATE" | "CALL" => name(&mut tokens),
        "CREATE" | "DROP" | "ALTER" | "TRUNCATE" => definition(tokens),
        _ => None,
    };
    Subject {
        verb,
        table: table.unwrap_or_default(),
    }
}

/// The first word; of a statement that begins with `WITH` or `EXPLAIN`, the word that says what it does.
fn verb(tokens: &mut Significant<'_>) -> Option<String> {
    let mut depth = 0usize;
    let mut first = None;
    for token in tokens.by_ref().take(LOOK_AT) {
        match (token.kind, token.text) {
            (Kind::Punctuation, "(") if first.is_some() => depth += 1,
            (Kind::Punctuation, ")") => depth = depth.saturating_sub(1),
            (Kind::Word, word) => {
                let word = word.to_ascii_uppercase();
                let says = matches!(
                    word.as_str(),
                    "SELECT" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "MERGE"
                );
                match &first {
                    None if matches!(word.as_str(), "WITH" | "EXPLAIN") => first = Some(word),
                    None => return Some(word),
                    Some(_) if says && depth == 0 => return Some(word),
                    Some(_) => {}
                }
            }
            (Kind::Punctuation, _) => {}
            // Not SQL: a value or a quoted text before any word.
            _ if first.is_none() => return Some(String::new()),
            _ => {}
        }
    }
    first
}

/// The name after one of `words`: at the statement's own level if there is one, else anywhere (a subquery).
fn after(tokens: Significant<'_>, words: &[&str]) -> Option<String> {
    let mut depth = 0usize;
    let mut nested = None;
    let mut tokens = tokens;
    for _ in 0..LOOK_AT {
        let Some(token) = tokens.next() else { break };
        match token.text {
            "(" if token.kind == Kind::Punctuation => depth += 1,
            ")" if token.kind == Kind::Punctuation => depth = depth.saturating_sub(1),
            word if token.kind == Kind::Word
                && words.iter().any(|w| w.eq_ignore_ascii_case(word)) =>
            {
                match name(&mut tokens.clone()) {
                    Some(name) if depth == 0 => return Some(name),
                    name => nested = nested.or(name),
                }
            }
            _ => {}
        }
    }
    nested
}

/// The table of `CREATE|DROP|ALTER TABLE|VIEW t`, `CREATE INDEX i ON t`.
fn definition(tokens: Significant<'_>) -> Option<String> {
    let mut index = false;
    let mut tokens = tokens;
    for _ in 0..LOOK_AT {
        let token = tokens.next()?;
        let is = |word: &str| token.kind == Kind::Word && token.text.eq_ignore_ascii_case(word);
        if is("INDEX") || is("TRIGGER") {
            index = true;
        } else if is("ON") || (!index && (is("TABLE") || is("VIEW"))) {
            return name(&mut tokens);
        }
    }
    None
}

/// A name with its qualifiers, after words that may stand before it.
fn name(tokens: &mut Significant<'_>) -> Option<String> {
    const BEFORE: &[&str] = &[
        "OR", "REPLACE", "IGNORE", "ROLLBACK", "ABORT", "FAIL", "ONLY", "IF", "NOT", "EXISTS",
        "LATERAL",
    ];
    let mut token = tokens.next()?;
    while token.kind == Kind::Word
        && BEFORE
            .iter()
            .any(|word| word.eq_ignore_ascii_case(token.text))
    {
        token = tokens.next()?;
    }
    let mut name = token.name()?;
    while tokens.clone().next().is_some_and(|next| next.text == ".") {
        tokens.next();
        let Some(next) = tokens.next().and_then(|token| token.name()) else {
            break;
        };
        name.push('.');
        name.push_str(&next);
    }
    Some(without_numbers(&name, || true).into_owned())
}
