//! The statements of one trace, alike ones together, with what a repeat costs.

use std::collections::HashMap;

use apm_store::StoreError;
use diesel::SqliteConnection;
use schemars::JsonSchema;
use serde::Serialize;

use super::weights::{busy, each, is_sql, weight};
use crate::analytics::trace::Trace;
use crate::analytics::trace::item::Item;
use crate::analytics::trace::read;
use crate::csv::Table;
use crate::sort_rows::SortRows as _;

/// Letters of a statement; all of it is in its own answer.
const MOST_LETTERS: usize = 300;

/// Statements of one text and service in a trace.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct TraceStatement {
    /// `service.name`
    pub(crate) service: String,
    /// 16 hexadecimal digits; null where its text is not known.
    pub(crate) fingerprint: Option<String>,
    /// Its text, at most 300 letters; the name of the span where it is not known.
    pub(crate) statement: String,
    /// Number of calls.
    pub(crate) calls: i64,
    /// Their time, µs.
    pub(crate) total: i64,
    /// Their time / the time of all statements of the trace, 0 to 1.
    pub(crate) share: Option<f64>,
    /// Mean, µs.
    pub(crate) average: Option<f64>,
    /// Longest, µs. The calls of a composite span count with their mean.
    pub(crate) longest: i64,
    /// Number of calls that failed.
    pub(crate) failed: i64,
}

/// Calls of one statement.
struct Group<'a> {
    /// One of its calls.
    item: &'a Item,
    calls: i64,
    time: i64,
    longest: i64,
    failed: i64,
}

impl Group<'_> {
    fn row(&self, texts: &HashMap<i64, String>, all: i64) -> TraceStatement {
        let what = &self.item.what;
        let text = what.statement.and_then(|id| texts.get(&id));
        let text = text.map_or(&*what.name, String::as_str);
        TraceStatement {
            service: what.service.to_string(),
            fingerprint: what.fingerprint(),
            statement: text.chars().take(MOST_LETTERS).collect(),
            calls: self.calls,
            total: self.time,
            share: (all > 0).then(|| self.time as f64 / all as f64),
            average: (self.calls > 0).then(|| self.time as f64 / self.calls as f64),
            longest: self.longest,
            failed: self.failed,
        }
    }
}

/// Number of statements, and their time together, µs.
pub(crate) fn total(trace: &Trace) -> (u64, i64) {
    let all = trace.items.iter().filter(|item| is_sql(item));
    all.fold((0, 0), |(count, time), item| {
        (count + weight(item).unsigned_abs(), time + busy(item))
    })
}

/// The statements of a trace, those of one text and service together, most time first.
pub(super) struct Statements<'a> {
    groups: Vec<Group<'a>>,
    /// µs
    all: i64,
}

impl<'a> Statements<'a> {
    pub(super) fn from_trace(trace: &'a Trace) -> Self {
        let mut places: HashMap<(&str, Option<i64>, &str), usize> = HashMap::new();
        let mut groups: Vec<Group<'_>> = Vec::new();
        for item in trace.items.iter().filter(|item| is_sql(item)) {
            let what = &item.what;
            // Calls of one fingerprint may have spans of different names.
            let name = match what.fingerprint {
                Some(_) => "",
                None => &*what.name,
            };
            let place = *places
                .entry((&what.service, what.fingerprint, name))
                .or_insert_with(|| {
                    groups.push(Group {
                        item,
                        calls: 0,
                        time: 0,
                        longest: 0,
                        failed: 0,
                    });
                    groups.len() - 1
                });
            let group = &mut groups[place];
            group.calls = group.calls.saturating_add(weight(item));
            group.time = group.time.saturating_add(busy(item));
            group.longest = group.longest.max(each(item));
            group.failed += i64::from(item.failed());
        }
        groups.sort_rows_by_key(|group| std::cmp::Reverse(group.time));
        let times = groups.iter().map(|group| group.time);
        let all = times.fold(0i64, i64::saturating_add);
        Self { groups, all }
    }

    /// Places of all statements.
    pub(super) fn places(&self) -> Vec<usize> {
        (0..self.groups.len()).collect()
    }

    /// The statements at some places, with their texts.
    pub(super) fn rows(
        &self,
        conn: &mut SqliteConnection,
        places: &[usize],
    ) -> Result<Vec<TraceStatement>, StoreError> {
        let groups: Vec<&Group<'a>> = places.iter().map(|place| &self.groups[*place]).collect();
        let texts = read::statements(conn, groups.iter().map(|group| group.item))?;
        Ok(groups
            .iter()
            .map(|group| group.row(&texts, self.all))
            .collect())
    }
}

/// The table of statements.
pub(super) fn table(statements: &[TraceStatement]) -> Table {
    Table::from_rows(
        "statements",
        statements,
        &[
            ("service", |row| (&row.service).into()),
            ("fingerprint", |row| row.fingerprint.clone().into()),
            ("statement", |row| (&row.statement).into()),
            ("calls", |row| row.calls.into()),
            ("total_us", |row| row.total.into()),
            ("share", |row| row.share.into()),
            ("average_us", |row| row.average.into()),
            ("longest_us", |row| row.longest.into()),
            ("failed", |row| row.failed.into()),
        ],
    )
}
