//! Log lines: the search of Discover, of lines alone, and counted by severity.

use std::collections::HashSet;

use apm_store::StoreError;
use apm_store::event::Kind;
use apm_time::{Range, SECOND};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use kql::Expr;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::blocks::runs;
use super::hits::Place;
use super::walk::{Search, bound};
use super::{Cursor, Hit, MOST_HITS, Request, all_of, axis};
use crate::analytics::deadline::Deadline;
use crate::analytics::series::Axis;
use crate::analytics::sql::Sql;

/// Blocks whose rows are counted before the clock is looked at.
const BLOCKS: usize = 128;

/// The meaning of a level, whatever a library calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Errors, and what is worse.
    Error,
    /// Warnings.
    Warn,
    /// News without trouble.
    Info,
    /// For developers.
    Debug,
    /// No level, or an unknown one.
    Other,
}

impl Severity {
    /// All of them, the worst first.
    pub(crate) const ALL: [Self; 5] = [
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Other,
    ];

    /// Starts of the levels that mean it.
    const fn starts(self) -> &'static [&'static str] {
        match self {
            Self::Error => &[
                "err", "fatal", "crit", "alert", "emerg", "panic", "severe", "fail",
            ],
            Self::Warn => &["warn"],
            Self::Info => &["info", "notice"],
            Self::Debug => &["debug", "trace", "verbose", "fine"],
            Self::Other => &[],
        }
    }

    /// The name in addresses.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Other => "other",
        }
    }

    /// The severity of an address.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|severity| severity.as_str() == text)
    }

    /// The severity of a level: `ERROR`, `Error` and `error` are one.
    #[must_use]
    pub(crate) fn from_level(level: &str) -> Self {
        let means = |severity: &Self| {
            let mut starts = severity.starts().iter().flat_map(|start| spellings(start));
            starts.any(|start| level.starts_with(&start))
        };
        Self::ALL.into_iter().find(means).unwrap_or(Self::Other)
    }

    /// Lines of this severity, as a query.
    pub(crate) fn query(self) -> Expr {
        let named = |severity: Self| {
            let starts = severity.starts().iter().flat_map(|start| spellings(start));
            let starts: Vec<String> = starts.map(|start| format!("{start}*")).collect();
            format!("log.level: ({})", starts.join(" or "))
        };
        let text = match self {
            Self::Other => {
                let known = Self::ALL.into_iter().filter(|known| *known != Self::Other);
                let known: Vec<String> = known.map(named).collect();
                format!("not ({})", known.join(" or "))
            }
            severity => named(severity),
        };
        // Our own text: it always parses, and names no time.
        kql::parse(&text, 0).unwrap_or(Expr::All)
    }
}

/// A start of a level as libraries spell it.
fn spellings(start: &str) -> [String; 3] {
    let (first, rest) = start.split_at(1);
    [
        start.to_owned(),
        start.to_uppercase(),
        first.to_uppercase() + rest,
    ]
}

/// Lines of one severity.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub(crate) struct Lines {
    /// Their severity.
    pub(crate) severity: Severity,
    /// Number of lines in the range.
    pub(crate) count: u64,
    /// Number in each of the axis's buckets.
    pub(crate) histogram: Vec<u64>,
}

/// The result of a search for log lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Logs {
    /// Matching lines by severity, also of severities that were not asked for; the worst first.
    pub(crate) levels: Vec<Lines>,
    /// Whether all lines were looked at: false where the deadline ended the search.
    pub(crate) complete: bool,
    /// Newest first.
    pub(crate) hits: Vec<Hit>,
    /// The event after which the next page goes on.
    pub(crate) next: Option<Cursor>,
    /// The buckets of the histograms.
    pub(crate) axis: Axis,
}

impl Logs {
    /// Raises the counts to those of the engine, by the start of their bucket and their level. It has what is stored
    /// here, too, but for the last seconds.
    pub(crate) fn add_at_least(&mut self, counts: Vec<(i64, String, u64)>) {
        let mut tally = Tally::of(self.axis.clone());
        for (start, level, count) in counts {
            tally.add(start, &level, count);
        }
        for (lines, engine) in self.levels.iter_mut().zip(tally.levels) {
            for (here, there) in lines.histogram.iter_mut().zip(engine.histogram) {
                *here = (*here).max(there);
            }
            lines.count = lines.count.max(lines.histogram.iter().sum());
        }
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Text)]
    level: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Counts by severity and bucket.
struct Tally {
    axis: Axis,
    levels: Vec<Lines>,
}

impl Tally {
    fn new(range: Range) -> Self {
        Self::of(axis(range))
    }

    fn of(axis: Axis) -> Self {
        let lines = |severity| Lines {
            severity,
            count: 0,
            histogram: vec![0; axis.buckets.len()],
        };
        Self {
            levels: Severity::ALL.map(lines).to_vec(),
            axis,
        }
    }

    /// Counts lines of a bucket, whose start is in seconds.
    fn add(&mut self, bucket: i64, level: &str, count: u64) {
        let severity = Severity::from_level(level);
        let first = self.axis.buckets.first().map_or(0, |bucket| bucket.start);
        let place = usize::try_from((bucket - first) / self.axis.interval).ok();
        let lines = self.levels.iter_mut();
        for lines in lines.filter(|lines| lines.severity == severity) {
            lines.count += count;
            if let Some(slot) = place.and_then(|place| lines.histogram.get_mut(place)) {
                *slot += count;
            }
        }
    }
}

/// Searches for log lines. `only`: the severity of the hits; the counts are of all.
///
/// # Errors
/// Those of SQLite, and of documents that cannot be read.
pub(crate) fn logs(
    conn: &mut SqliteConnection,
    request: &Request,
    only: Option<Severity>,
) -> Result<Logs, StoreError> {
    let deadline = request.limits.begin();
    let size = request.size.min(MOST_HITS);
    let narrowed = Request {
        query: all_of([
            only.map_or(Expr::All, Severity::query),
            request.query.clone(),
        ]),
        ..request.clone()
    };
    let (search, chosen) = (
        Search::for_kinds(request, &[Kind::Log]),
        Search::for_kinds(&narrowed, &[Kind::Log]),
    );
    let mut tally = Tally::new(request.range);
    let (complete, hits, next) = if search.is_exact() {
        // The counts first: where nothing matches, no hits are looked for. They leave some time for the page.
        let (counted, empty) = search.levels(conn, &mut tally, &deadline.part(0.75))?;
        let newest = chosen.newest(conn, size, &deadline, &empty)?;
        let page = newest.page;
        (counted && newest.complete, page.hits, page.next)
    } else {
        // Two readings where only one severity is asked for: its page, and the numbers of the others.
        let interval = tally.axis.interval;
        let mut count = |(timestamp, _): Place, document: &Json| {
            let bucket = timestamp.div_euclid(SECOND * interval) * interval;
            let level = document.pointer("/log/level").and_then(Json::as_str);
            tally.add(bucket, level.unwrap_or_default(), 1);
        };
        match only {
            None => {
                let read = search.read_all(conn, size, &deadline, &mut count)?;
                (read.complete, read.hits, read.next)
            }
            Some(_) => {
                let read = chosen.read_all(conn, size, &deadline.part(0.5), &mut |_, _| {})?;
                let counted = search.read_all(conn, 0, &deadline, &mut count)?;
                (read.complete && counted.complete, read.hits, read.next)
            }
        }
    };
    Ok(Logs {
        levels: tally.levels,
        complete,
        hits,
        next,
        axis: tally.axis,
    })
}

impl Search<'_> {
    /// Counts lines by level, the newest first, until the deadline; whether that was all, and the blocks without any.
    fn levels(
        &self,
        conn: &mut SqliteConnection,
        tally: &mut Tally,
        deadline: &Deadline,
    ) -> Result<(bool, HashSet<i64>), StoreError> {
        let range = self.request.range;
        let mut empty = HashSet::new();
        let blocks = self.blocks(conn, range)?.all(conn)?;
        for (place, blocks) in blocks.chunks(BLOCKS).enumerate() {
            if !deadline.allows_more(place, 1) {
                return Ok((false, empty));
            }
            let mut found = 0;
            for (_, condition) in &self.parts {
                let text = format!(
                    "SELECT r.ts / 1000000 / :interval * :interval AS bucket, r.level, count(*) AS count\n\
                     FROM json_each(:runs) run\n\
                     CROSS JOIN log r NOT INDEXED\n    \
                     ON r.seq >= (run.value ->> 0) * 128 AND r.seq < (run.value ->> 1) * 128\n\
                     WHERE r.ts >= :from AND r.ts < :to\n  AND {}\nGROUP BY 1, 2",
                    condition.sql(),
                );
                let sql = bound(Sql::new(text), range, condition)
                    .bind("interval", tally.axis.interval)
                    .bind("runs", runs(blocks));
                let counts: Vec<Count> = sql.load(conn)?;
                found += counts.len();
                for row in counts {
                    tally.add(row.bucket, &row.level, row.count.unsigned_abs());
                }
            }
            if found == 0 {
                empty.extend(blocks.iter().map(|block| block.id));
            }
        }
        Ok((true, empty))
    }
}

#[cfg(test)]
mod tests;
