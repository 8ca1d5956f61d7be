//! Counts of the values of all fields, request by request.
//!
//! A request is kept as the numbers of its values, so that the set can be chosen when all are read.

use std::collections::{HashMap, HashSet};

use kql::{for_each_leaf, text_of};
use serde_json::Value as Json;

/// Different values of a field that are told apart: of one with more, almost every request has another.
const MOST_VALUES: usize = 1_000;
/// Fields that are compared.
const MOST_FIELDS: usize = 1_000;
/// Bytes of a value; longer ones are not compared.
pub(crate) const LONGEST: usize = 256;
/// Values of one request.
const OF_REQUEST: usize = 400;

/// Fields that say which request it is, when it was, and how long it took.
const APART: [&str; 7] = [
    "@timestamp",
    "timestamp.us",
    "transaction.duration.us",
    "transaction.name",
    "transaction.type",
    "transaction.representative_count",
    "processor.event",
];

/// Fields that say how a request went: of requests that failed they are what the set is made of.
pub(super) const OUTCOMES: [&str; 4] = [
    "event.success_count",
    "transaction.result",
    "event.outcome",
    "http.response.status_code",
];

/// Values of all requests together.
const MOST_LISTED: usize = 8 << 20;

/// A request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// µs
    pub(super) duration: i64,
    pub(super) failed: bool,
    /// The end of its values in the list of all.
    end: usize,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Counts {
    fields: HashMap<String, u32>,
    /// Values of each field, by their text.
    values: Vec<HashMap<String, u32>>,
    /// The field of each value.
    field_of: Vec<u32>,
    requests: Vec<Seen>,
    /// Values of all requests, one after the other.
    list: Vec<u32>,
    /// Fields with too many values.
    varied: HashSet<u32>,
    beyond: usize,
}

/// A value and the requests that have it.
#[derive(Debug, PartialEq)]
pub(crate) struct Of {
    pub(crate) field: String,
    pub(crate) value: String,
    /// Other values of exactly the same requests.
    pub(crate) same: Vec<String>,
    /// Requests of the set.
    pub(crate) inside: u64,
    /// Other requests.
    pub(crate) outside: u64,
}

/// The result of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) values: Vec<Of>,
    pub(crate) selected: u64,
    pub(crate) fields: usize,
    pub(crate) varied: Vec<String>,
}

impl Counts {
    /// Takes a request in, unless there are `most` already.
    pub(super) fn add(&mut self, document: &Json, most: usize) {
        if self.requests.len() >= most || self.list.len() >= MOST_LISTED {
            self.beyond += 1;
            return;
        }
        let first = self.list.len();
        for_each_leaf(document, &mut |name, leaf| {
            if self.list.len() - first < OF_REQUEST && !is_apart(name) {
                self.value(first, name, &text_of(leaf));
            }
        });
        let duration = document.pointer("/transaction/duration/us");
        let outcome = document.pointer("/event/outcome").and_then(Json::as_str);
        self.requests.push(Seen {
            duration: duration.and_then(Json::as_i64).unwrap_or(0),
            failed: outcome == Some("failure"),
            end: self.list.len(),
        });
    }

    /// Takes a value of a request in, whose values begin at `first`.
    fn value(&mut self, first: usize, name: &str, text: &str) {
        if text.is_empty() || text.len() > LONGEST {
            return;
        }
        let field = match self.fields.get(name) {
            Some(field) => *field,
            None if self.fields.len() >= MOST_FIELDS => return,
            None => {
                let field = self.values.len() as u32;
                self.fields.insert(name.to_owned(), field);
                self.values.push(HashMap::new());
                field
            }
        };
        if self.varied.contains(&field) {
            return;
        }
        let values = &mut self.values[field as usize];
        let value = match values.get(text) {
            Some(value) => *value,
            None if values.len() >= MOST_VALUES => {
                self.varied.insert(field);
                // Its memory is given back, as the field is not compared.
                *values = HashMap::new();
                return;
            }
            None => {
                let value = self.field_of.len() as u32;
                values.insert(text.to_owned(), value);
                self.field_of.push(field);
                value
            }
        };
        // A list may have a value several times.
        if !self.list[first..].contains(&value) {
            self.list.push(value);
        }
    }

    pub(super) fn requests(&self) -> impl Iterator<Item = &Seen> {
        self.requests.iter()
    }

    /// Requests that were left out.
    pub(super) fn beyond(&self) -> usize {
        self.beyond
    }

    /// Counts every value within a set of requests and outside of it. What all requests have in common tells nothing
    /// and is left out; values of the same requests are one. `without`: fields that are not compared.
    pub(super) fn compare(&self, without: &[&str], is_in: impl Fn(&Seen) -> bool) -> Found {
        let mut counts = vec![(0u64, 0u64, 0u64); self.field_of.len()];
        let (mut selected, mut start) = (0, 0);
        for (number, request) in self.requests.iter().enumerate() {
            let inside = is_in(request);
            selected += u64::from(inside);
            // A sum over the requests tells sets of them apart.
            let mark = foldhash::quality::FixedState::default();
            let mark = std::hash::BuildHasher::hash_one(&mark, number as u64);
            for value in &self.list[start..request.end] {
                let count = &mut counts[*value as usize];
                match inside {
                    true => count.0 += 1,
                    false => count.1 += 1,
                }
                count.2 = count.2.wrapping_add(mark);
            }
            start = request.end;
        }
        let all = self.requests.len() as u64;
        let mut names: Vec<(&String, u32)> = self.fields.iter().map(|(n, f)| (n, *f)).collect();
        names.sort_unstable();
        let mut values: Vec<Of> = Vec::new();
        let mut known: HashMap<(u64, u64, u64), usize> = HashMap::new();
        let mut fields = 0;
        for (name, field) in &names {
            if self.varied.contains(field) || without.contains(&name.as_str()) {
                continue;
            }
            fields += 1;
            let mut own: Vec<(&String, u32)> = self.values[*field as usize]
                .iter()
                .map(|(text, value)| (text, *value))
                .collect();
            own.sort_unstable();
            for (text, value) in own {
                let (inside, outside, mark) = counts[value as usize];
                if inside + outside == all || inside + outside == 0 {
                    continue;
                }
                if let Some(place) = known.get(&(inside, outside, mark)) {
                    values[*place].same.push(format!("{name}: {text}"));
                    continue;
                }
                known.insert((inside, outside, mark), values.len());
                values.push(Of {
                    field: (*name).clone(),
                    value: text.clone(),
                    same: Vec::new(),
                    inside,
                    outside,
                });
            }
        }
        let varied = names.into_iter();
        let varied = varied.filter(|(_, field)| self.varied.contains(field));
        Found {
            values,
            selected,
            fields,
            varied: varied.map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// Whether a field is no attribute that requests could have in common.
pub(crate) fn is_apart(name: &str) -> bool {
    APART.contains(&name)
        || name.ends_with("trace.id")
        || name.ends_with("transaction.id")
        || name.ends_with("span.id")
        || name.ends_with("parent.id")
        || name.starts_with("transaction.span_count")
}

#[cfg(test)]
mod tests;
