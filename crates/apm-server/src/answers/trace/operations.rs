//! A trace by operation, so that many short spans are seen as one cost.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::weights::{busy, each, weight};
use crate::analytics::trace::Trace;
use crate::answers::listing::Sort;
use crate::csv::Table;
use crate::sort_rows::SortRows as _;

/// The columns that operations can be sorted by.
pub(super) const SORTS: [&str; 7] = ["name", "service", "count", "total", "self", "avg", "max"];

/// Letters of a name.
const MOST_LETTERS: usize = 200;

/// Items of one service, type and name.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Operation {
    /// Their name, at most 200 letters.
    pub(crate) name: String,
    /// `service.name`
    pub(crate) service: String,
    /// `span.type`, or `transaction.type`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// True if they are transactions, else spans.
    pub(crate) is_transaction: bool,
    /// Number of calls.
    pub(crate) count: i64,
    /// Their time, µs.
    pub(crate) total: i64,
    /// Their time without that of their children, µs.
    pub(crate) self_time: i64,
    /// Mean, µs.
    pub(crate) average: f64,
    /// Longest, µs. The calls of a composite span count with their mean.
    pub(crate) longest: i64,
}

/// The operations of a trace.
pub(super) fn operations(trace: &Trace, sort: &Sort) -> Vec<Operation> {
    let mut list: Vec<Operation> = Vec::new();
    let mut places: HashMap<(&str, &str, &str), usize> = HashMap::new();
    for item in &trace.items {
        let what = &item.what;
        let place = *places
            .entry((&what.service, &what.kind, &what.name))
            .or_insert_with(|| {
                list.push(Operation {
                    name: super::named(&what.name)
                        .chars()
                        .take(MOST_LETTERS)
                        .collect(),
                    service: what.service.to_string(),
                    kind: what.kind.to_string(),
                    is_transaction: item.is_transaction,
                    count: 0,
                    total: 0,
                    self_time: 0,
                    average: 0.0,
                    longest: 0,
                });
                list.len() - 1
            });
        let operation = &mut list[place];
        operation.count = operation.count.saturating_add(weight(item));
        operation.total = operation.total.saturating_add(busy(item));
        // A composite's own time is that of its calls: the pauses between them are its parent's.
        operation.self_time += item.composite().map_or(item.self_time, |composite| {
            composite.sum.min(item.self_time)
        });
        operation.longest = operation.longest.max(each(item));
    }
    for one in &mut list {
        one.average = one.total as f64 / one.count.max(1) as f64;
    }
    let number = |value: i64| Some(value as f64);
    list.sort_rows_by(|a, b| match sort.key {
        "name" => sort.compare_text(&a.name, &b.name),
        "service" => sort.compare_text(&a.service, &b.service),
        "count" => sort.compare(number(a.count), number(b.count)),
        "total" => sort.compare(number(a.total), number(b.total)),
        "avg" => sort.compare(Some(a.average), Some(b.average)),
        "max" => sort.compare(number(a.longest), number(b.longest)),
        _ => sort.compare(number(a.self_time), number(b.self_time)),
    });
    list
}

/// The table of operations.
pub(super) fn table(operations: &[Operation]) -> Table {
    Table::from_rows(
        "operations",
        operations,
        &[
            ("operation", |row| (&row.name).into()),
            ("service", |row| (&row.service).into()),
            ("type", |row| (&row.kind).into()),
            ("count", |row| row.count.into()),
            ("total_us", |row| row.total.into()),
            ("self_time_us", |row| row.self_time.into()),
            ("average_us", |row| row.average.into()),
            ("longest_us", |row| row.longest.into()),
        ],
    )
}
