//! The same statement again and again in one request, and what would help (reference/ui.md 6.2).
//!
//! Counts are of calls, so a span into which the agent folded several counts as many. There is no gate by duration: four
//! INSERTs into SQLite take less than a millisecond and still are a loop. What matters by its share or its number is
//! graver ([`Repeat::severity`]).

use std::collections::HashMap;

use serde::Serialize;

/// From this many calls a statement is marked as repeated.
pub const BADGE: f64 = 2.0;

/// From this many calls it is a finding; the article's `/sql-write` repeats its INSERT five times.
pub const FINDING: f64 = 5.0;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth to know.
    Notice,
    /// Costs time.
    Cost,
    /// Costs much, or fails.
    Grave,
}

impl Severity {
    /// The word of the protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Cost => "cost",
            Self::Grave => "grave",
        }
    }

    /// The word of the protocol, read.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Notice, Self::Cost, Self::Grave]
            .into_iter()
            .find(|severity| severity.as_str() == word)
    }
}

/// Whether the calls of a repeated statement were told apart by their values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
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
    /// From what distinguishes each call: its text with literals, and the hash of its bind values where one was sent.
    /// A text with placeholders and no hash says nothing.
    pub fn of<'a>(calls: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut first = None;
        let mut same = true;
        for call in calls {
            if call.1.is_none() && has_placeholder(call.0) {
                return Self::Unknown;
            }
            same &= *first.get_or_insert(call) == call;
        }
        match (first, same) {
            (None, _) => Self::Unknown,
            (Some(_), true) => Self::Same,
            (Some(_), false) => Self::Different,
        }
    }
}

/// Whether values are kept from the text. A text without them that takes no values at all always is the same call.
fn has_placeholder(text: &str) -> bool {
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '?') => return true,
            (None, ':' | '@' | '$') if chars.peek().is_some_and(|next| next.is_alphanumeric()) => {
                return true;
            }
            (None, '%') if matches!(chars.peek(), Some('s' | '(')) => return true,
            (None, _) => {}
        }
    }
    false
}

/// What kind of loop it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
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
    /// What would help.
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

/// What a repeated statement is, by what it does, what came before it, and its values.
#[must_use]
pub fn classify(verb: &str, follows_a_query: bool, values: Values) -> Option<Pattern> {
    match verb {
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "MERGE" => Some(Pattern::Batch),
        "SELECT" if values == Values::Same => Some(Pattern::Cache),
        "SELECT" if follows_a_query => Some(Pattern::NPlusOne),
        "SELECT" => Some(Pattern::Repeated),
        // BEGIN, COMMIT, PRAGMA: how a connection is used, not a question asked twice.
        _ => None,
    }
}

/// A database span of one transaction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DbSpan<'a> {
    /// Which statement: its row in the dictionary.
    pub statement: i64,
    /// `SELECT`, `INSERT`, …
    pub verb: &'a str,
    /// Start, µs.
    pub start: i64,
    /// Calls folded into it, 1 where it is one.
    pub calls: f64,
    /// Their time, µs.
    pub total: f64,
}

/// A statement that one request made several times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Repeat {
    /// Which.
    pub statement: i64,
    /// Calls in the request.
    pub calls: f64,
    /// Their time, µs.
    pub total: f64,
    /// Whether a SELECT of another statement came before it.
    pub follows_a_query: bool,
    /// What it is if nothing is known of its values.
    pub pattern: Pattern,
}

impl Repeat {
    /// What one call instead of all would save, µs.
    #[must_use]
    pub fn saving(&self) -> f64 {
        self.total * (1.0 - 1.0 / self.calls.max(1.0))
    }

    /// By the request's duration (µs): time, share and number count alike, two of them together are grave.
    #[must_use]
    pub fn severity(&self, request: f64) -> Severity {
        severity(self.calls, self.total, request)
    }
}

/// How much a repeat matters: at least 50 ms, 20 % of the request, or 20 calls (reference/ui.md 6.2).
#[must_use]
pub fn severity(calls: f64, total: f64, request: f64) -> Severity {
    let share = if request > 0.0 { total / request } else { 0.0 };
    let marks = [total >= 50_000.0, share >= 0.2, calls >= 20.0];
    match marks.iter().filter(|mark| **mark).count() {
        0 => Severity::Notice,
        1 => Severity::Cost,
        _ => Severity::Grave,
    }
}

/// The statements that the spans of one transaction repeat, most calls first.
#[must_use]
pub fn repeats(spans: &[DbSpan<'_>]) -> Vec<Repeat> {
    let mut sums: HashMap<i64, (f64, f64, i64, &str)> = HashMap::new();
    for span in spans {
        let sum = sums
            .entry(span.statement)
            .or_insert((0.0, 0.0, span.start, span.verb));
        sum.0 += span.calls;
        sum.1 += span.total;
        sum.2 = sum.2.min(span.start);
    }
    let first_query = |other_than: i64| {
        spans
            .iter()
            .filter(|span| span.verb == "SELECT" && span.statement != other_than)
            .map(|span| span.start)
            .min()
    };
    let mut found: Vec<Repeat> = sums
        .into_iter()
        .filter(|(_, (calls, ..))| *calls >= BADGE)
        .filter_map(|(statement, (calls, total, start, verb))| {
            let follows_a_query = first_query(statement).is_some_and(|query| query <= start);
            Some(Repeat {
                statement,
                calls,
                total,
                follows_a_query,
                pattern: classify(verb, follows_a_query, Values::Unknown)?,
            })
        })
        .collect();
    found.sort_by(|a, b| {
        b.calls
            .total_cmp(&a.calls)
            .then(a.statement.cmp(&b.statement))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(statement: i64, verb: &str, start: i64, calls: f64) -> DbSpan<'_> {
        DbSpan {
            statement,
            verb,
            start,
            calls,
            total: 100.0 * calls,
        }
    }

    #[test]
    fn a_loop_of_inserts_is_to_be_batched_whether_the_agent_folds_it_or_not() {
        let single: Vec<_> = (0..5).map(|i| span(2, "INSERT", 10 + i, 1.0)).collect();
        let folded = [span(2, "INSERT", 10, 4.0), span(2, "INSERT", 20, 1.0)];
        for spans in [&single[..], &folded[..]] {
            let mut spans = spans.to_vec();
            spans.insert(0, span(1, "BEGIN", 0, 1.0));
            spans.push(span(3, "COMMIT", 99, 1.0));
            let found = repeats(&spans);
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].statement, found[0].calls, found[0].pattern),
                (2, 5.0, Pattern::Batch)
            );
            assert!((found[0].saving() - 400.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_query_per_row_of_an_earlier_one_is_n_plus_one() {
        let mut spans = vec![span(1, "SELECT", 0, 1.0)];
        spans.extend((1..8).map(|i| span(2, "SELECT", i, 1.0)));
        let found = repeats(&spans);
        assert_eq!(
            (found[0].statement, found[0].pattern),
            (2, Pattern::NPlusOne)
        );
        let without = repeats(&spans[1..]);
        assert_eq!(without[0].pattern, Pattern::Repeated);
    }

    #[test]
    fn values_tell_a_cacheable_repeat_from_n_plus_one() {
        let table = [
            (vec![("SELECT 1", None), ("SELECT 1", None)], Values::Same),
            (
                vec![("… id = 1", None), ("… id = 2", None)],
                Values::Different,
            ),
            (
                vec![("… id = ?", None), ("… id = ?", None)],
                Values::Unknown,
            ),
            (
                vec![("… id = ?", Some("a")), ("… id = ?", Some("a"))],
                Values::Same,
            ),
            (
                vec![("… id = ?", Some("a")), ("… id = ?", Some("b"))],
                Values::Different,
            ),
            (
                vec![("… id = ?", Some("a")), ("… id = ?", None)],
                Values::Unknown,
            ),
            (vec![("… = '?'", None), ("… = '?'", None)], Values::Same),
            (vec![("… = :id", None)], Values::Unknown),
            (vec![("… = %s", None)], Values::Unknown),
            (vec![], Values::Unknown),
        ];
        for (calls, expected) in table {
            assert_eq!(Values::of(calls.iter().copied()), expected, "{calls:?}");
        }
        for (verb, follows, values, expected) in [
            ("SELECT", true, Values::Same, Some(Pattern::Cache)),
            ("SELECT", true, Values::Different, Some(Pattern::NPlusOne)),
            ("SELECT", false, Values::Different, Some(Pattern::Repeated)),
            ("UPDATE", false, Values::Same, Some(Pattern::Batch)),
            ("COMMIT", true, Values::Same, None),
            ("PRAGMA", true, Values::Unknown, None),
        ] {
            assert_eq!(
                classify(verb, follows, values),
                expected,
                "{verb} {follows} {values:?}"
            );
        }
    }

    #[test]
    fn severity_goes_by_time_share_and_number() {
        for (calls, total, request, expected) in [
            (5.0, 700.0, 10_000.0, Severity::Notice),
            (5.0, 2_100.0, 10_000.0, Severity::Cost),
            (25.0, 700.0, 10_000.0, Severity::Cost),
            (5.0, 60_000.0, 1_000_000.0, Severity::Cost),
            (25.0, 5_000.0, 10_000.0, Severity::Grave),
            (5.0, 60_000.0, 100_000.0, Severity::Grave),
            (5.0, 700.0, 0.0, Severity::Notice),
        ] {
            assert_eq!(
                severity(calls, total, request),
                expected,
                "{calls} {total} {request}"
            );
        }
        assert!(Severity::Grave > Severity::Cost && Severity::Cost > Severity::Notice);
    }
}
