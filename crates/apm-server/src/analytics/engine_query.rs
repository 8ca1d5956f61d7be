//! Queries in the language of Elasticsearch and OpenSearch, as far as their indices can tell.
//!
//! As with a condition in SQL, a part that an index cannot decide becomes “anything”, and a negation of that becomes
//! “anything” as well; [`kql::matches()`] decides about the documents that come. Texts are an exception: an index knows
//! words and not all of their parts, so a search for several words finds them as whole words
//! ([`EngineQuery::by_words`]).

use kql::{Bound, Expr, Field, Order, Pattern, Value, is_full_text};
use serde_json::{Value as Json, json};

/// A translated query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EngineQuery {
    /// The query.
    pub(crate) query: Json,
    /// Whether the engine finds the same documents as [`kql::matches()`].
    pub(crate) exact: bool,
    /// Whether texts are found by whole words.
    pub(crate) by_words: bool,
}

/// A part of a query: nothing where it is true of everything; and whether it alone decides.
type Part = (Option<Json>, bool);

const UNKNOWN: Part = (None, false);

impl EngineQuery {
    /// Translates a query.
    pub(crate) fn new(expr: &Expr) -> Self {
        let mut translator = Translator { by_words: false };
        let (query, exact) = translator.expr(expr);
        Self {
            query: query.unwrap_or_else(|| json!({"match_all": {}})),
            exact,
            by_words: translator.by_words,
        }
    }
}

struct Translator {
    by_words: bool,
}

impl Translator {
    fn expr(&mut self, expr: &Expr) -> Part {
        match expr {
            Expr::All => (None, true),
            Expr::And(items) => self.and(items),
            Expr::Or(items) => self.or(items),
            Expr::Not(inner) => {
                // Documents that are found by words are not left out here: the documents decide.
                let by_words = self.by_words;
                let part = self.expr(inner);
                self.by_words = by_words;
                match part {
                    (Some(query), true) => (Some(json!({"bool": {"must_not": [query]}})), true),
                    (None, true) => (Some(json!({"match_none": {}})), true),
                    _ => UNKNOWN,
                }
            }
            Expr::Exists(field) => match is_known(field) {
                true => (Some(json!({"exists": {"field": field.name}})), true),
                false => UNKNOWN,
            },
            Expr::Is(field, value) if is_known(field) => self.is(&field.name, value),
            Expr::Range(field, order, bound) if is_known(field) => {
                range(&field.name, *order, bound)
            }
            Expr::Text(Value::Exact(text)) => {
                self.by_words = true;
                let anywhere = json!({"query": text, "type": "phrase", "lenient": true});
                (Some(json!({"multi_match": anywhere})), false)
            }
            Expr::Is(..) | Expr::Range(..) | Expr::Text(_) => UNKNOWN,
        }
    }

    fn and(&mut self, items: &[Expr]) -> Part {
        let mut filters = Vec::new();
        let mut exact = true;
        for item in items {
            let (query, is_exact) = self.expr(item);
            filters.extend(query);
            exact &= is_exact;
        }
        match filters.is_empty() {
            true => (None, exact),
            false => (Some(json!({"bool": {"filter": filters}})), exact),
        }
    }

    fn or(&mut self, items: &[Expr]) -> Part {
        let mut choices = Vec::new();
        let mut exact = true;
        for item in items {
            match self.expr(item) {
                (None, exact) => return (None, exact),
                (Some(query), is_exact) => {
                    choices.push(query);
                    exact &= is_exact;
                }
            }
        }
        (Some(any(choices)), exact)
    }

    fn is(&mut self, field: &str, value: &Value) -> Part {
        match value {
            Value::Exact(text) if is_full_text(field) => {
                let is_word = !text.is_empty() && text.chars().all(char::is_alphanumeric);
                let within = format!("*{}*", escaped(text));
                let within = json!({"value": within, "case_insensitive": true});
                let within = json!({"wildcard": {field: within}});
                if is_word {
                    // A part of one word is found within the words of an index, and within whole texts.
                    return (Some(within), true);
                }
                self.by_words = true;
                let words = json!({"match_phrase": {field: text}});
                (Some(any(vec![within, words])), false)
            }
            // Parts of several words cannot be told from the words of an index.
            Value::Wildcard(_) if is_full_text(field) || apm_output::is_number(field) => UNKNOWN,
            Value::Exact(text) => {
                let wanted = json!({"query": text, "lenient": true});
                (Some(json!({"match": {field: wanted}})), true)
            }
            Value::Wildcard(pattern) => {
                let wanted = json!({"value": wildcard(pattern)});
                (Some(json!({"wildcard": {field: wanted}})), true)
            }
        }
    }
}

fn any(choices: Vec<Json>) -> Json {
    json!({"bool": {"should": choices, "minimum_should_match": 1}})
}

/// `field < bound`
fn range(field: &str, order: Order, bound: &Bound) -> Part {
    let (operator, bound, format) = match bound {
        Bound::Time(micros) => {
            // Documents hold milliseconds.
            let (operator, millis) = millis(order, *micros);
            (operator, json!(millis), Some("epoch_millis"))
        }
        Bound::Number(number) if number.is_finite() => (operator(order), json!(number), None),
        Bound::Number(_) => return UNKNOWN,
        Bound::Address(address) => (operator(order), json!(address.to_string()), None),
        // A number is never beside a text.
        Bound::Text(_) if apm_output::is_number(field) => {
            return (Some(json!({"match_none": {}})), true);
        }
        Bound::Text(text) => (operator(order), json!(text), None),
    };
    let mut bounds = json!({operator: bound});
    if let Some(format) = format {
        bounds["format"] = json!(format);
    }
    (Some(json!({"range": {field: bounds}})), true)
}

fn operator(order: Order) -> &'static str {
    match order {
        Order::Less => "lt",
        Order::AtMost => "lte",
        Order::Greater => "gt",
        Order::AtLeast => "gte",
    }
}

/// A bound of a time that is cut to milliseconds.
fn millis(order: Order, micros: i64) -> (&'static str, i64) {
    let (floor, is_whole) = (micros.div_euclid(1000), micros.rem_euclid(1000) == 0);
    match order {
        Order::Less if is_whole => ("lt", floor),
        Order::AtLeast if is_whole => ("gte", floor),
        Order::Less | Order::AtMost => ("lte", floor),
        Order::Greater | Order::AtLeast => ("gt", floor),
    }
}

/// Whether a field is one, and an index knows it.
fn is_known(field: &Field) -> bool {
    field.pattern.is_none() && apm_output::is_indexed(&field.name)
}

fn wildcard(pattern: &Pattern) -> String {
    let pieces: Vec<String> = pattern.pieces().iter().map(|text| escaped(text)).collect();
    pieces.join("*")
}

/// A text in which no sign stands for others.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        if matches!(char, '*' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(text: &str) -> EngineQuery {
        EngineQuery::new(&kql::parse(text, 0).expect(text))
    }

    #[test]
    fn a_query_is_asked_as_it_is_where_the_index_can_tell() {
        for (text, query) in [
            ("", json!({"match_all": {}})),
            (
                "service.name: shop",
                json!({"match": {"service.name": {"query": "shop", "lenient": true}}}),
            ),
            (
                "service.name: a*b?",
                json!({"wildcard": {"service.name": {"value": "a*b\\?"}}}),
            ),
            (
                "not error.id: *",
                json!({"bool": {"must_not": [{"exists": {"field": "error.id"}}]}}),
            ),
            (
                "transaction.duration.us > 5ms",
                json!({"range": {"transaction.duration.us": {"gt": 5000.0}}}),
            ),
            (
                "message: Time",
                json!({"wildcard": {"message": {"value": "*Time*", "case_insensitive": true}}}),
            ),
            (
                "client.ip >= 10.0.0.1",
                json!({"range": {"client.ip": {"gte": "10.0.0.1"}}}),
            ),
            (
                "(service.name: a or url.port < 9) and not span.id: *",
                json!({"bool": {"filter": [
                    {"bool": {"should": [
                        {"match": {"service.name": {"query": "a", "lenient": true}}},
                        {"range": {"url.port": {"lt": 9.0}}},
                    ], "minimum_should_match": 1}},
                    {"bool": {"must_not": [{"exists": {"field": "span.id"}}]}},
                ]}}),
            ),
        ] {
            let found = translated(text);
            assert_eq!(found.query, query, "{text}");
            assert!(found.exact && !found.by_words, "{text}: {found:?}");
        }
    }

    #[test]
    fn a_time_is_cut_to_milliseconds_as_documents_have_it() {
        for (order, micros, wanted) in [
            (Order::Less, 5000, ("lt", 5)),
            (Order::Less, 5001, ("lte", 5)),
            (Order::AtMost, 5000, ("lte", 5)),
            (Order::AtMost, 5999, ("lte", 5)),
            (Order::AtLeast, 5000, ("gte", 5)),
            (Order::AtLeast, 5001, ("gt", 5)),
            (Order::Greater, 5000, ("gt", 5)),
            (Order::Greater, 5999, ("gt", 5)),
        ] {
            assert_eq!(millis(order, micros), wanted, "{order:?} {micros}");
            // The same of each millisecond nearby.
            for at in 3..8_i64 {
                let holds = order.holds((at * 1000).cmp(&micros));
                let is_found = match wanted.0 {
                    "lt" => at < wanted.1,
                    "lte" => at <= wanted.1,
                    "gt" => at > wanted.1,
                    _ => at >= wanted.1,
                };
                assert_eq!(holds, is_found, "{order:?} {micros} {at}");
            }
        }
    }

    #[test]
    fn what_the_index_cannot_tell_is_left_to_the_documents() {
        for (text, query, by_words) in [
            (
                "http.request.headers.host: a",
                json!({"match_all": {}}),
                false,
            ),
            ("http.*: a", json!({"match_all": {}}), false),
            ("message: a*b", json!({"match_all": {}}), false),
            (
                "http.response.status_code: 5*",
                json!({"match_all": {}}),
                false,
            ),
            (
                "not message: \"two words\"",
                json!({"match_all": {}}),
                false,
            ),
            (
                "error.culprit: f and error.custom.a: 1",
                json!({"bool": {"filter": [{"match": {"error.culprit": {"query": "f", "lenient": true}}}]}}),
                false,
            ),
            (
                "error.culprit: f or error.custom.a: 1",
                json!({"match_all": {}}),
                false,
            ),
            (
                "\"two words\"",
                json!({"multi_match": {"query": "two words", "type": "phrase", "lenient": true}}),
                true,
            ),
        ] {
            let found = translated(text);
            assert!(!found.exact, "{text}");
            assert_eq!((found.query, found.by_words), (query, by_words), "{text}");
        }
    }
}
