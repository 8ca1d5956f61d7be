//! Queries in the language of Elasticsearch and OpenSearch, as far as their indices can tell.
//!
//! As with a condition in SQL, a part that an index cannot decide becomes “anything”, and a negation of that becomes
//! “anything” as well; [`kql::matches()`] decides about the documents that come. Texts are an exception: an index knows
//! words and not all of their parts, so a search for several words finds them as whole words
//! ([`EngineQuery::by_words`]).
//!
//! An engine refuses a whole question where a part of it is for fields of another type. `types` tells what type a field
//! has there.

mod types;

use kql::{Bound, Expr, Field, Order, Pattern, Value};
use serde_json::{Value as Json, json};

use types::Type;

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
                    (None, true) => nothing(),
                    _ => UNKNOWN,
                }
            }
            Expr::Exists(field) => match is_known(field) {
                true => exists(&field.name),
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
        let kind = Type::of(field);
        match (kind, value) {
            (Type::Words | Type::LongWords, Value::Exact(text)) => self.words(field, kind, text),
            (_, Value::Exact(text)) => equal(field, kind, text),
            (Type::Keyword | Type::Long, Value::Wildcard(pattern)) => {
                let wanted = json!({"value": wildcard(pattern)});
                let found = json!({"wildcard": {field: wanted}});
                or_long(field, kind, vec![found])
            }
            // Parts of several words cannot be told from the words of an index, and parts of numbers, times, addresses
            // and flags from theirs. An engine refuses to look for the latter.
            (_, Value::Wildcard(_)) => UNKNOWN,
        }
    }

    /// A text within others.
    fn words(&mut self, field: &str, kind: Type, text: &str) -> Part {
        let is_word = types::is_word(text);
        // Signs beyond ASCII are compared as they are: in small letters, where an index has words.
        let within = match is_word && kind == Type::Words && !text.is_ascii() {
            true => text.to_lowercase(),
            false => text.to_owned(),
        };
        let within = json!({"value": format!("*{}*", escaped(&within)), "case_insensitive": true});
        let is_by_words = !is_word || kind != Type::Words && !text.is_ascii();
        self.by_words |= is_by_words;
        // An error has its message twice, and one of them of any length.
        let second = types::is_also_message(field).then_some("message");
        let mut choices = Vec::new();
        for field in std::iter::once(field).chain(second) {
            // A part of one word is found within the words of an index, and within whole texts.
            choices.push(json!({"wildcard": {field: within}}));
            if is_by_words {
                choices.push(json!({"match_phrase": {field: text}}));
            }
        }
        let (found, is_exact) = or_long(field, kind, choices);
        (found, is_exact && !is_by_words)
    }
}

/// `field: text`, of a field that is compared as a whole.
fn equal(field: &str, kind: Type, text: &str) -> Part {
    let wanted = match kind {
        // A longer one is in no index.
        Type::Keyword | Type::Long if text.len() > types::LONGEST => return UNKNOWN,
        Type::Flag => match text.to_ascii_lowercase() {
            flag if flag == "true" || flag == "false" => flag,
            _ => return nothing(),
        },
        // Engines read more texts as numbers: `5d` is 5 for them.
        Type::Number if text.parse::<f64>().is_err() => return nothing(),
        _ => text.to_owned(),
    };
    let wanted = json!({"query": wanted, "lenient": true});
    (Some(json!({"match": {field: wanted}})), true)
}

/// One of these, or a text that the index does not have for its length: the documents decide about that. Elasticsearch
/// tells which documents have one, and OpenSearch does not.
fn or_long(field: &str, kind: Type, mut choices: Vec<Json>) -> Part {
    let is_cut = kind.is_cut();
    if is_cut {
        choices.push(json!({"term": {"_ignored": field}}));
    }
    match choices.len() {
        1 => (choices.pop(), !is_cut),
        _ => (Some(any(choices)), !is_cut),
    }
}

/// `field: *`
fn exists(field: &str) -> Part {
    let mut choices = vec![json!({"exists": {"field": field}})];
    if types::is_also_message(field) {
        // Each error has a group.
        choices.push(json!({"exists": {"field": "error.grouping_key"}}));
    }
    or_long(field, Type::of(field), choices)
}

/// No document.
fn nothing() -> Part {
    (Some(json!({"match_none": {}})), true)
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
        Bound::Address(address) => (operator(order), json!(address.to_string()), None),
        Bound::Number(number) => match Type::of(field) {
            Type::Number | Type::Unknown if number.is_finite() => {
                (operator(order), json!(number), None)
            }
            Type::Flag => return nothing(),
            // An index compares texts sign by sign, in which 10 is before 5.
            _ => return UNKNOWN,
        },
        Bound::Text(text) => match Type::of(field) {
            Type::Keyword => (operator(order), json!(text), None),
            // These are never beside a text.
            Type::Number | Type::Flag => return nothing(),
            _ => return UNKNOWN,
        },
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
