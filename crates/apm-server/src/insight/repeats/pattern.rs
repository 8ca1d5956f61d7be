//! Kinds of repetitions: by what the statement does, by its values, and by what came before it.

use schemars::JsonSchema;
use serde::Serialize;
use sql_lexer::{Kind as TokenKind, Lexer};

/// Whether the calls of a repeated statement were told apart by their values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// All the same.
    Same,
    /// Not all the same.
    Different,
    /// The agent does not say: the text has placeholders and there is no hash of the values.
    #[default]
    Unknown,
}

impl Values {
    /// From what distinguishes each call: its text with literals, and the hash of its bind values where one was sent. A
    /// text with placeholders and no hash says nothing. Agents may hash a statement's values only from its second run
    /// in a transaction on, so calls that say nothing are passed over, as long as the others are two or more, and no
    /// fewer.
    pub fn from_calls<'a>(calls: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut first = None;
        let mut same = true;
        let (mut told, mut silent) = (0_usize, 0_usize);
        for call in calls {
            if call.1.is_none() && has_placeholder(call.0) {
                silent += 1;
                continue;
            }
            told += 1;
            same &= *first.get_or_insert(call) == call;
        }
        let enough = silent == 0 || (told >= 2 && told >= silent);
        match (first, same) {
            (Some(_), true) if enough => Self::Same,
            (Some(_), false) if enough => Self::Different,
            _ => Self::Unknown,
        }
    }
}

/// Whether values are kept from the text. A text without them that takes no values at all always is the same call.
fn has_placeholder(text: &str) -> bool {
    text.contains(['?', ':', '@', '$', '%'])
        && Lexer::guess(text).any(|token| token.kind == TokenKind::Parameter)
}

/// The kind of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Rows written one by one.
    Batch,
    /// A query for each row of an earlier one.
    NPlusOne,
    /// The same question, the same answer.
    Cache,
    /// A query repeated for a reason that the trace does not show.
    Repeated,
}

impl Pattern {
    /// The remedy.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Batch => {
                "Write the rows with one statement (several rows after VALUES, or executemany) in one transaction."
            }
            Self::NPlusOne => {
                "Read them with one statement: a JOIN, or WHERE … IN (…) with the keys of the earlier query."
            }
            Self::Cache => "Ask once per request and keep the answer.",
            Self::Repeated => "See whether one statement can ask for all of it.",
        }
    }
}

/// The text of a statement, as far as it tells what a repetition is.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// `SELECT`, `INSERT`, …
    pub verb: &'a str,
    /// The table, may be empty.
    pub table: &'a str,
    /// Without its values.
    pub normalized: &'a str,
}

impl Shape<'_> {
    /// `SELECT 1`, `SELECT version()`: asks the connection, not the data.
    fn is_ping(self) -> bool {
        self.verb == "SELECT" && self.table.is_empty()
    }

    /// Reads a large result in pages: each call goes on where the last one ended.
    fn is_page(self) -> bool {
        let text = self.normalized.to_ascii_uppercase();
        let is_cut = text.contains(" LIMIT ")
            || text.contains(" FETCH NEXT ")
            || text.contains(" FETCH FIRST ");
        let goes_on = text.contains(" OFFSET ")
            || ["> ?", ">= ?", "< ?", "<= ?", "> (?", "< (?"]
                .iter()
                .any(|than| text.contains(than));
        self.verb == "SELECT" && is_cut && text.contains(" ORDER BY ") && goes_on
    }
}

/// The kind of a repetition, by what the statement does, what came before it, and its values.
#[must_use]
pub fn classify(shape: Shape<'_>, follows_a_query: bool, values: Values) -> Option<Pattern> {
    if shape.is_ping() || shape.is_page() {
        return None;
    }
    match shape.verb {
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "MERGE" => Some(Pattern::Batch),
        "SELECT" if values == Values::Same => Some(Pattern::Cache),
        "SELECT" if follows_a_query => Some(Pattern::NPlusOne),
        "SELECT" => Some(Pattern::Repeated),
        // BEGIN, COMMIT, PRAGMA: how a connection is used, not a question asked twice.
        _ => None,
    }
}

#[cfg(test)]
mod tests;
