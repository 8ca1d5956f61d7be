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
mod tests;
