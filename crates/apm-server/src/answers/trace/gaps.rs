//! Time between the statements of a trace: stretches of its requests that no span covers, named by what
//! came before them.
//!
//! Agents often time the statement and not the fetching of its rows: a long stretch after a SELECT says so.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::weights::{busy, is_sql};
use crate::analytics::trace::Trace;
use crate::analytics::trace::cover::{Interval, uncovered};
use crate::analytics::trace::item::Item;
use crate::analytics::trace::tree::Children;
use crate::csv::Table;
use crate::sort_rows::SortRows as _;

/// A stretch this many times as long as the SELECT before it is where its rows were read.
const FETCHING: i64 = 5;

/// Shorter ones are within what clocks tell, µs.
const LEAST: i64 = 1_000;

/// Kinds of stretches of an answer.
const MOST: usize = 20;

/// Stretches that came after the same.
#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "UncoveredTime")]
pub(crate) struct Gap {
    /// The span before them.
    pub(crate) after: String,
    /// Number of them.
    pub(crate) count: u64,
    /// Their time, µs.
    pub(crate) time: i64,
    /// Their time / the time of all such stretches, 0 to 1.
    pub(crate) share: Option<f64>,
    /// True if rows of a SELECT were probably read in them.
    pub(crate) is_fetching: bool,
    /// The time of the spans before them, µs.
    #[serde(skip)]
    before: i64,
    #[serde(skip)]
    follows_select: bool,
}

fn interval(item: &Item) -> Interval {
    (item.at, item.end())
}

/// The stretches of each request that runs statements, longest first, at most twenty.
pub(super) fn gaps(trace: &Trace) -> Vec<Gap> {
    // The spans of each request.
    let spans = Children::by_parent(trace.items.len(), |index| {
        let item = &trace.items[index];
        item.transaction
            .filter(|_| !item.is_transaction && !item.is_far)
    });
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut gaps: Vec<Gap> = Vec::new();
    for (index, tx) in trace.items.iter().enumerate() {
        let own = spans.below(index).iter();
        let own: Vec<&Item> = own.map(|span| &trace.items[*span as usize]).collect();
        if !own.iter().any(|item| is_sql(item)) {
            continue;
        }
        // Of a span and its child that end together, the child is what ran.
        let mut ends: HashMap<i64, &Item> = HashMap::new();
        for item in &own {
            let last = ends.entry(item.end()).or_insert(item);
            if item.duration < last.duration {
                *last = item;
            }
        }
        let intervals = own.iter().map(|item| interval(item));
        for (from, to) in uncovered(interval(tx), intervals) {
            let before = ends.get(&from).copied();
            let after = match before {
                Some(item) => format!("after {}", super::named(&item.what.name)),
                None => "before the first span".to_owned(),
            };
            let place = *places.entry(after).or_insert_with_key(|after| {
                gaps.push(Gap {
                    after: after.clone(),
                    follows_select: before
                        .is_some_and(|item| is_sql(item) && item.what.name.starts_with("SELECT")),
                    ..Gap::default()
                });
                gaps.len() - 1
            });
            let gap = &mut gaps[place];
            gap.count += 1;
            gap.time += to - from;
            gap.before += before.map_or(0, busy);
        }
    }
    gaps.sort_rows_by_key(|gap| std::cmp::Reverse(gap.time));
    // Shares are of all stretches, also of those that are left out.
    let all: i64 = gaps.iter().map(|gap| gap.time).sum();
    gaps.truncate(MOST);
    for gap in &mut gaps {
        gap.share = (all > 0).then(|| gap.time as f64 / all as f64);
        gap.is_fetching =
            gap.follows_select && gap.time >= LEAST && gap.time > FETCHING * gap.before;
    }
    gaps
}

/// The table of stretches.
pub(crate) fn table(gaps: &[Gap]) -> Table {
    Table::from_rows(
        "gaps",
        gaps,
        &[
            ("where", |row| (&row.after).into()),
            ("times", |row| row.count.into()),
            ("total_us", |row| row.time.into()),
            ("share", |row| row.share.into()),
            ("is_fetching", |row| row.is_fetching.into()),
        ],
    )
}
