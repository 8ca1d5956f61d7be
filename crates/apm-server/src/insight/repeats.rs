//! The same statement again and again in one request, and what would help.
//!
//! Counts are of calls, so a span into which the agent folded several counts as many. There is no gate by duration: four
//! INSERTs into SQLite take less than a millisecond and still are a loop. How much it matters is told by the time that one call
//! instead of all would save (see [`super::severity`]).
//!
//! Not every repetition is a loop. A worker that polls waits between its calls, a retry follows a failure, a page of rows continues
//! where the last one ended, and a ping asks no table.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

/// From this many calls a statement is marked as repeated.
pub const BADGE: f64 = 2.0;

/// From this many calls it is a finding; the article's `/sql-write` repeats its INSERT five times.
pub const FINDING: f64 = 5.0;

/// Calls are polls where they wait longer than this for each other on average, µs …
const PAUSE: f64 = 50_000.0;

/// … and take less than this share of the time from the first to the last.
const BUSY: f64 = 0.1;

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
    /// From what distinguishes each call: its text with literals, and the hash of its bind values where one was sent.
    /// A text with placeholders and no hash says nothing. Agents may hash a statement's values only from its second run in a transaction on,
    /// so calls that say nothing are passed over, as long as the others are two or more, and no fewer.
    pub fn of<'a>(calls: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
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

/// What a repeated statement is, by what it does, what came before it, and its values.
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
    /// Whether all calls folded into it are of this statement.
    pub alike: bool,
    /// Whether it failed.
    pub failed: bool,
}

/// A statement that one request made several times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Repeat {
    /// Which.
    pub statement: i64,
    /// Calls that a loop made; at most one where none did.
    pub looped: f64,
    /// Whether a SELECT of another statement came before it.
    pub follows_a_query: bool,
}

/// The statements of one transaction, most calls of a loop first.
#[must_use]
pub fn repeats(spans: &[DbSpan<'_>]) -> Vec<Repeat> {
    let mut of: HashMap<i64, Vec<&DbSpan<'_>>> = HashMap::new();
    for span in spans {
        of.entry(span.statement).or_default().push(span);
    }
    let first_query = |other_than: i64| {
        spans
            .iter()
            .filter(|span| span.verb == "SELECT" && span.statement != other_than)
            .map(|span| span.start)
            .min()
    };
    let mut found: Vec<Repeat> = of
        .into_iter()
        .map(|(statement, own)| {
            let start = own.iter().map(|span| span.start).min();
            Repeat {
                statement,
                looped: looped(own),
                follows_a_query: first_query(statement).is_some_and(|query| Some(query) <= start),
            }
        })
        .collect();
    found.sort_by(|a, b| {
        b.looped
            .total_cmp(&a.looped)
            .then(a.statement.cmp(&b.statement))
    });
    found
}

/// How many of a statement's calls in one request a loop made.
fn looped(mut spans: Vec<&DbSpan<'_>>) -> f64 {
    // What failed was tried again, not repeated.
    spans.retain(|span| !span.failed);
    spans.sort_by_key(|span| span.start);
    let calls = |span: &DbSpan<'_>| if span.alike { span.calls } else { 1.0 };
    let all: f64 = spans.iter().map(|span| calls(span)).sum();
    if waits(&spans) { all.min(1.0) } else { all }
}

/// Whether the calls wait for each other, as those of a worker that polls: `spans` in the order of their start.
fn waits(spans: &[&DbSpan<'_>]) -> bool {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
        return false;
    };
    let gaps = spans.len() - 1;
    let busy: f64 = spans.iter().map(|span| span.total).sum();
    let elapsed = (last.start - first.start) as f64 + last.total;
    gaps > 0 && (elapsed - busy) / gaps as f64 >= PAUSE && busy < BUSY * elapsed
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
            alike: true,
            failed: false,
        }
    }

    /// Calls of a loop of statement 2, and whether a query came before it.
    fn of_two(spans: &[DbSpan<'_>]) -> (f64, bool) {
        let found = repeats(spans);
        let repeat = found.iter().find(|repeat| repeat.statement == 2);
        repeat.map_or((0.0, false), |repeat| {
            (repeat.looped, repeat.follows_a_query)
        })
    }

    #[test]
    fn a_loop_counts_alike_whether_the_agent_folds_it_or_not() {
        let single: Vec<_> = (0..5)
            .map(|i| span(2, "INSERT", 10 + 200 * i, 1.0))
            .collect();
        let folded = [span(2, "INSERT", 10, 4.0), span(2, "INSERT", 900, 1.0)];
        for spans in [&single[..], &folded[..]] {
            let mut spans = spans.to_vec();
            spans.insert(0, span(1, "BEGIN", 0, 1.0));
            spans.push(span(3, "COMMIT", 9_900, 1.0));
            assert_eq!(of_two(&spans), (5.0, false));
        }
    }

    #[test]
    fn a_query_before_the_loop_is_told() {
        let mut spans = vec![span(1, "SELECT", 0, 1.0)];
        spans.extend((1..8).map(|i| span(2, "SELECT", 200 * i, 1.0)));
        assert_eq!(of_two(&spans), (7.0, true));
        assert_eq!(of_two(&spans[1..]), (7.0, false));
    }

    #[test]
    fn polls_retries_and_calls_of_other_statements_are_no_loop() {
        const SECOND: i64 = 1_000_000;
        let polls: Vec<_> = (0..60)
            .map(|i| span(2, "SELECT", i * SECOND, 1.0))
            .collect();
        assert_eq!(of_two(&polls).0, 1.0);
        // A loop that does something else for each row is one.
        let busy: Vec<_> = (0..60)
            .map(|i| span(2, "SELECT", i * 20_000, 1.0))
            .collect();
        assert_eq!(of_two(&busy).0, 60.0);
        // Slow calls a second apart are no polls: they take the time.
        let slow: Vec<_> = (0..10)
            .map(|i| DbSpan {
                total: 900_000.0,
                ..span(2, "SELECT", i * SECOND, 1.0)
            })
            .collect();
        assert_eq!(of_two(&slow).0, 10.0);

        let mut retries: Vec<_> = (0..5)
            .map(|i| DbSpan {
                failed: true,
                ..span(2, "UPDATE", i * 200, 1.0)
            })
            .collect();
        assert_eq!(of_two(&retries).0, 0.0);
        retries.push(span(2, "UPDATE", 1_000, 1.0));
        assert_eq!(of_two(&retries).0, 1.0);

        let unequal = DbSpan {
            alike: false,
            ..span(2, "SELECT", 0, 12.0)
        };
        assert_eq!(of_two(&[unequal]).0, 1.0);
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
            // The first call of a transaction has no hash.
            (
                vec![
                    ("… id = ?", None),
                    ("… id = ?", Some("a")),
                    ("… id = ?", Some("a")),
                ],
                Values::Same,
            ),
            (
                vec![
                    ("… id = ?", None),
                    ("… id = ?", Some("a")),
                    ("… id = ?", Some("b")),
                ],
                Values::Different,
            ),
            // Too little is known.
            (
                vec![
                    ("… id = ?", None),
                    ("… id = ?", None),
                    ("… id = ?", None),
                    ("… id = ?", Some("a")),
                    ("… id = ?", Some("a")),
                ],
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
        for (normalized, table, follows, values, expected) in [
            (
                "SELECT a FROM t WHERE id = ?",
                "t",
                true,
                Values::Same,
                Some(Pattern::Cache),
            ),
            (
                "SELECT a FROM t WHERE id = ?",
                "t",
                true,
                Values::Different,
                Some(Pattern::NPlusOne),
            ),
            (
                "SELECT a FROM t WHERE id = ?",
                "t",
                false,
                Values::Different,
                Some(Pattern::Repeated),
            ),
            (
                "UPDATE t SET a = ? WHERE id = ?",
                "t",
                false,
                Values::Same,
                Some(Pattern::Batch),
            ),
            ("COMMIT", "", true, Values::Same, None),
            ("PRAGMA foreign_keys", "", true, Values::Unknown, None),
            // A ping of a pool.
            ("SELECT ?", "", true, Values::Same, None),
            ("SELECT version()", "", false, Values::Same, None),
            // Pages of an export, by key and by offset.
            (
                "SELECT * FROM t WHERE id > ? ORDER BY id LIMIT ?",
                "t",
                true,
                Values::Different,
                None,
            ),
            (
                "select * from t where (a, b) > (?, ?) order by a, b limit ?",
                "t",
                false,
                Values::Unknown,
                None,
            ),
            (
                "SELECT * FROM t ORDER BY id LIMIT ? OFFSET ?",
                "t",
                true,
                Values::Unknown,
                None,
            ),
            // The newest row of each parent is N+1.
            (
                "SELECT * FROM t WHERE parent = ? ORDER BY at DESC LIMIT ?",
                "t",
                true,
                Values::Different,
                Some(Pattern::NPlusOne),
            ),
        ] {
            let verb = normalized
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            let shape = Shape {
                verb: &verb,
                table,
                normalized,
            };
            assert_eq!(
                classify(shape, follows, values),
                expected,
                "{normalized} {follows} {values:?}"
            );
        }
    }
}
