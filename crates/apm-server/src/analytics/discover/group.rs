//! Matching events by the values of any field, such as `http.request.headers.Host`: counted from rows where their
//! columns tell the field, else from documents.

pub(super) mod rows;

use std::collections::HashMap;

use apm_store::StoreError;
use apm_store::document::Documents;
use diesel::prelude::*;
use kql::{for_each_leaf, text_of};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::Request;
use super::walk::Search;
use crate::analytics::deadline::Deadline;
use rows::{Part, Row};

/// Groups shown; the rest is counted together.
pub(crate) const MOST: usize = 100;
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
    /// False if they may change while nothing arrives here.
    #[serde(skip)]
    pub is_settled: bool,
}

impl Groups {
    /// Raises the counts to those of an engine, which has what is stored here, too, but for the last seconds. `other`:
    /// its events with other values.
    pub(crate) fn add_at_least(&mut self, groups: Vec<Group>, other: u64) {
        let mut by_value: HashMap<Option<String>, Group> = HashMap::new();
        let own = std::mem::take(&mut self.groups);
        let sum = |groups: &[Group]| groups.iter().map(|group| group.count).sum::<u64>();
        let all = sum(&groups);
        // An event with several values is in several groups, but counted once in all.
        let repeated = (sum(&own) + self.other).saturating_sub(self.total);
        for group in own.into_iter().chain(groups) {
            let known = by_value.get(&group.value);
            if known.is_none_or(|known| known.count < group.count) {
                by_value.insert(group.value.clone(), group);
            }
        }
        self.groups = by_value.into_values().collect();
        sort(&mut self.groups);
        let beyond = self.groups.iter().skip(MOST).map(|group| group.count);
        self.other = self.other.max(other) + beyond.sum::<u64>();
        self.groups.truncate(MOST);
        let told = sum(&self.groups) + self.other;
        self.total = self
            .total
            .max(all + other)
            .max(told.saturating_sub(repeated));
    }
}

/// Most first.
pub(super) fn sort(groups: &mut [Group]) {
    groups.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
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
    let mut search = Search::new(request);
    let parts = std::mem::take(&mut search.parts);
    let mut counted = Vec::new();
    for (kind, condition) in &parts {
        match Part::new(*kind, condition, field) {
            Some(part) => counted.push(part),
            None => search.parts.push((*kind, condition.clone())),
        }
    }
    if search.parts.is_empty() {
        let complete = rows::count(conn, request, (&counted, u64::MAX), &deadline, &mut tally)?;
        return Ok(tally.finish(complete));
    }
    // Rows take little of the time. Were they too many, documents would still have a part of it.
    let complete = rows::count(
        conn,
        request,
        (&counted, u64::MAX),
        &deadline.part(0.5),
        &mut tally,
    )?;
    let read = search.read_all(conn, 0, &deadline, &mut |_, document| {
        tally.add(document);
    })?;
    Ok(tally.finish(complete && read.complete))
}

/// The same of some events by their numbers, for as long as there is time, and of some documents. `complete` says
/// whether these were all.
///
/// # Errors
/// As [`group`].
pub(crate) fn group_of(
    conn: &mut SqliteConnection,
    seqs: &[i64],
    documents: &[Json],
    field: &str,
    deadline: &Deadline,
) -> Result<Groups, StoreError> {
    let mut tally = Tally::new(field);
    for document in documents {
        tally.add(document);
    }
    let mut stored = Documents::default();
    for (chunk, some) in seqs.chunks(64).enumerate() {
        if !deadline.allows_more(chunk, 1) {
            return Ok(tally.finish(false));
        }
        for event in apm_store::events(conn, some)? {
            tally.add(&stored.document(&event));
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
            self.add_sum(
                value,
                &Sum {
                    count: 1,
                    timed: u64::from(duration.is_some()),
                    duration: duration.unwrap_or(0.0),
                    longest: duration.unwrap_or(0.0),
                },
            );
        }
    }

    /// Adds events that have no other value.
    fn add_row(&mut self, row: Row) {
        let count = row.count.unsigned_abs();
        self.total += count;
        let sum = Sum {
            count,
            timed: if row.sum.is_some() { count } else { 0 },
            duration: row.sum.unwrap_or(0.0),
            longest: row.longest.unwrap_or(0.0),
        };
        // An empty text stands for a field that is absent.
        self.add_sum(row.value.filter(|value| !value.is_empty()), &sum);
    }

    fn add_sum(&mut self, value: Option<String>, more: &Sum) {
        if self.sums.len() >= MOST_DISTINCT && !self.sums.contains_key(&value) {
            self.beyond += more.count;
            return;
        }
        let sum = self.sums.entry(value).or_default();
        sum.count += more.count;
        sum.timed += more.timed;
        sum.duration += more.duration;
        sum.longest = sum.longest.max(more.longest);
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
        sort(&mut groups);
        let rest: u64 = groups.iter().skip(MOST).map(|group| group.count).sum();
        groups.truncate(MOST);
        Groups {
            field: self.field.to_owned(),
            groups,
            other: rest + self.beyond,
            total: self.total,
            complete,
            is_settled: complete,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str, count: u64) -> Group {
        Group {
            value: Some(value.to_owned()),
            count,
            duration_avg: None,
            duration_max: None,
        }
    }

    #[test]
    fn of_each_value_the_larger_count_of_here_and_of_the_engine_holds() {
        let mut groups = Tally::new("service.name").finish(true);
        groups.groups = vec![of("here", 5), of("both", 3)];
        (groups.total, groups.other) = (10, 2);
        groups.add_at_least(vec![of("both", 7), of("there", 6), of("here", 4)], 3);
        assert_eq!(
            groups.groups,
            [of("both", 7), of("there", 6), of("here", 5)]
        );
        assert_eq!((groups.total, groups.other), (21, 3));
        let many = (0..150).map(|n| of(&format!("{n:03}"), 1)).collect();
        groups.add_at_least(many, 0);
        assert_eq!((groups.groups.len(), groups.other), (MOST, 3 + 53));
    }

    #[test]
    fn groups_are_no_more_than_all_events_but_for_those_with_several_values() {
        let joined = |own: Vec<Group>, total, more: Vec<Group>| {
            let mut groups = Tally::new("service.name").finish(true);
            (groups.groups, groups.total) = (own, total);
            groups.add_at_least(more, 0);
            groups.total
        };
        let more = || vec![of("b", 8), of("a", 5)];
        assert_eq!(joined(vec![of("a", 10)], 10, more()), 18);
        // Each of the ten here has both values.
        let own = vec![of("a", 10), of("b", 10)];
        assert_eq!(joined(own, 10, vec![of("c", 3)]), 13);
    }
}
