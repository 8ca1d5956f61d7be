//! Matching events by the values of any field, such as `http.request.headers.Host`.

use std::collections::HashMap;

use apm_store::StoreError;
use diesel::prelude::*;
use kql::{for_each_leaf, text_of};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::Request;
use super::walk::Search;
use crate::analytics::deadline::Deadline;

/// Groups shown; the rest is counted together.
const MOST: usize = 100;
/// Different values told apart while counting: bounds memory where the field is an id.
const MOST_DISTINCT: usize = 100_000;

/// The events with one value.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Group {
    /// The value as text; nothing for events without the field.
    pub value: Option<String>,
    /// Number of events.
    pub count: u64,
    /// Mean duration of the transactions and spans among them, µs.
    pub duration_avg: Option<f64>,
    /// Longest, µs.
    pub duration_max: Option<f64>,
}

/// Matching events by the values of a field, most first.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Groups {
    /// The field.
    pub field: String,
    /// At most 100.
    pub groups: Vec<Group>,
    /// Events whose value is in none of the groups.
    pub other: u64,
    /// Events counted.
    pub total: u64,
    /// Whether these are all: false where the deadline ended the search.
    pub complete: bool,
}

#[derive(Default)]
struct Sum {
    count: u64,
    timed: u64,
    duration: f64,
    longest: f64,
}

/// Groups by a field. An event with several values is in several groups.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub fn group(
    conn: &mut SqliteConnection,
    request: &Request,
    field: &str,
) -> Result<Groups, StoreError> {
    let deadline = request.limits.begin();
    let mut tally = Tally::new(field);
    let read = Search::new(request).read_all(conn, 0, &deadline, &mut |_, document| {
        tally.add(document);
    })?;
    Ok(tally.finish(read.complete))
}

/// The same of some events by their numbers, for as long as there is time. `complete` says whether these were all.
///
/// # Errors
/// As [`group`].
pub(crate) fn group_of(
    conn: &mut SqliteConnection,
    seqs: &[i64],
    field: &str,
    deadline: &Deadline,
) -> Result<Groups, StoreError> {
    let mut tally = Tally::new(field);
    for (chunk, some) in seqs.chunks(64).enumerate() {
        if !deadline.allows_more(chunk, 1) {
            return Ok(tally.finish(false));
        }
        for event in apm_store::events(conn, some)? {
            tally.add(&apm_store::document::document(&event));
        }
    }
    Ok(tally.finish(true))
}

/// Groups that are counted.
pub(super) struct Tally<'a> {
    field: &'a str,
    sums: HashMap<Option<String>, Sum>,
    total: u64,
    beyond: u64,
}

impl<'a> Tally<'a> {
    pub(super) fn new(field: &'a str) -> Self {
        Self {
            field,
            sums: HashMap::new(),
            total: 0,
            beyond: 0,
        }
    }

    pub(super) fn add(&mut self, document: &Json) {
        self.total += 1;
        let duration = duration(document);
        for value in values(document, self.field) {
            if self.sums.len() >= MOST_DISTINCT && !self.sums.contains_key(&value) {
                self.beyond += 1;
                continue;
            }
            let sum = self.sums.entry(value).or_default();
            sum.count += 1;
            if let Some(duration) = duration {
                sum.timed += 1;
                sum.duration += duration;
                sum.longest = sum.longest.max(duration);
            }
        }
    }

    pub(super) fn finish(self, complete: bool) -> Groups {
        let mut groups: Vec<Group> = self
            .sums
            .into_iter()
            .map(|(value, sum)| Group {
                value,
                count: sum.count,
                duration_avg: (sum.timed > 0).then(|| sum.duration / sum.timed as f64),
                duration_max: (sum.timed > 0).then_some(sum.longest),
            })
            .collect();
        groups.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        let rest: u64 = groups.iter().skip(MOST).map(|group| group.count).sum();
        groups.truncate(MOST);
        Groups {
            field: self.field.to_owned(),
            groups,
            other: rest + self.beyond,
            total: self.total,
            complete,
        }
    }
}

/// The different values of a field; `None` alone where there is none.
fn values(document: &Json, field: &str) -> Vec<Option<String>> {
    let mut found = Vec::new();
    for_each_leaf(document, &mut |name, leaf| {
        if name == field {
            let value = Some(text_of(leaf).into_owned());
            if !found.contains(&value) {
                found.push(value);
            }
        }
    });
    if found.is_empty() {
        found.push(None);
    }
    found
}

fn duration(document: &Json) -> Option<f64> {
    ["/transaction/duration/us", "/span/duration/us"]
        .into_iter()
        .find_map(|path| document.pointer(path)?.as_f64())
}
