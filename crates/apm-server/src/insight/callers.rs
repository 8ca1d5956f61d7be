//! Callers of statements, and the statements that requests of a transaction group run.

mod usages;

use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::Hash;

use apm_time::{Range, SECOND};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use foldhash::HashMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analytics::sql::Sql;
use crate::analytics::window::Window;
use crate::analytics::{Scope, cache, minutes};
use crate::sort_rows::SortRows as _;
use usages::{About, Usage, Usages};

/// Requests of one transaction group that ran a statement.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize)]
pub struct Caller {
    /// `service.name`
    pub service: String,
    /// `transaction.type`
    #[serde(rename = "type")]
    pub kind: String,
    /// `transaction.name`
    pub transaction: String,
    /// The statement, 16 hex digits; empty for all statements together.
    pub fingerprint: String,
    /// Requests that were looked at.
    pub requests: i64,
    /// Mean calls per request.
    pub calls: f64,
    /// Most calls in one request.
    pub most: f64,
    /// Mean time of the calls in one request, µs.
    pub time: f64,
    /// Their time / the time of the requests, 0 to 1.
    pub share: Option<f64>,
    /// `trace.id` of a request with the most calls.
    pub trace: String,
}

/// Callers of an answer; those beyond have the least time.
const MOST: usize = 1_000;

/// Rows that say what an id is.
#[derive(QueryableByName)]
struct Group {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    service: String,
    #[diesel(sql_type = Text, column_name = "type")]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Statement {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    fingerprint: i64,
    #[diesel(sql_type = Text)]
    instance: String,
}

/// An hour, seconds.
const HOUR: i64 = 3_600;

/// The first buckets that were counted.
#[derive(QueryableByName)]
struct First {
    #[diesel(sql_type = Nullable<BigInt>)]
    minute: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    hour: Option<i64>,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// The time for which all callers of all statements are added up, µs.
pub const LATELY: i64 = 6 * 3_600 * SECOND;

/// The statements or callers that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Each statement of each transaction group, in the last [`LATELY`] of the window: over days these are very many
    /// rows.
    Each,
    /// The callers of one statement.
    Statement(u64),
    /// All statements of each transaction group together.
    All,
}

/// The last [`LATELY`] of a window.
fn lately(window: &Window) -> Window {
    let Range { from, to } = window.asked;
    let range = Range {
        from: from.max(to - LATELY),
        to,
    };
    Window::new(range, window.now)
}

/// The use of statements by the requests of a scope, from which callers are chosen: most time first.
pub(crate) struct Used(Vec<Usage>);

impl Used {
    /// Reads it. `window`: already widened where its minutes are gone.
    ///
    /// # Errors
    /// Those of SQLite.
    pub(crate) fn read(
        conn: &mut SqliteConnection,
        scope: &Scope,
        wanted: Wanted,
        window: &Window,
    ) -> QueryResult<Self> {
        let mut all = Self::in_any_order(conn, scope, wanted, window)?;
        all.sort_unstable_by(most_time);
        Ok(Self(all))
    }

    fn in_any_order(
        conn: &mut SqliteConnection,
        scope: &Scope,
        wanted: Wanted,
        window: &Window,
    ) -> QueryResult<Vec<Usage>> {
        // Of all statements, the last hours; of one there are few rows, however long the window.
        let (about, slices) = match wanted {
            Wanted::Each => {
                let last = lately(window);
                // A window that is not cut came here with its minutes looked for.
                let slices = match last.asked == window.asked {
                    true => window.slices(),
                    false => minutes::widened(conn, &last)?.slices(),
                };
                (vec![About::Each], slices)
            }
            Wanted::All => (vec![About::Statement(0)], window.slices()),
            Wanted::Statement(fingerprint) => {
                (statements(conn, scope, fingerprint)?, window.slices())
            }
        };
        let groups = Sql::new(include_str!("callers/groups.sql"));
        let groups: Vec<Id> = scope.bind(groups).load(conn)?;
        let groups: foldhash::HashSet<i64> = groups.iter().map(|group| group.id).collect();
        let mut sums: HashMap<(i64, i64), Usage> = HashMap::default();
        for about in about {
            for (_, part) in cache::read::<Usages>(conn, about, &slices, None)? {
                for usage in part.iter().filter(|usage| groups.contains(&usage.group)) {
                    sums.entry((usage.statement, usage.group))
                        .and_modify(|sum| sum.add(usage))
                        .or_insert_with(|| usage.clone());
                }
            }
        }
        Ok(sums.into_values().collect())
    }

    /// The callers of some statements, by their ids: those with most time, and of each statement one with most calls.
    /// `most`: the answer of [`Self::calls_per_request`].
    ///
    /// # Errors
    /// Those of SQLite.
    pub(crate) fn of_statements(
        &self,
        conn: &mut SqliteConnection,
        ids: &HashSet<i64>,
        most: &std::collections::HashMap<i64, f64>,
    ) -> QueryResult<Vec<Caller>> {
        let mut told = HashSet::new();
        let own = self.0.iter().filter(|usage| ids.contains(&usage.statement));
        let chosen = own.enumerate().filter(|(place, usage)| {
            let has_most = most.get(&usage.statement) == Some(&usage.calls_per_request());
            let is_first = has_most && told.insert(usage.statement);
            is_first || *place < MOST
        });
        named(conn, chosen.map(|(_, usage)| usage.clone()).collect())
    }

    /// Those among some transaction groups, by their ids.
    ///
    /// # Errors
    /// Those of SQLite.
    pub(crate) fn of_groups(
        &self,
        conn: &mut SqliteConnection,
        ids: &HashSet<i64>,
    ) -> QueryResult<Vec<Caller>> {
        let own = self.0.iter().filter(|usage| ids.contains(&usage.group));
        named(conn, own.take(MOST).cloned().collect())
    }

    /// The most calls that requests of one group make on average, by the ids of statements.
    pub(crate) fn calls_per_request(&self) -> std::collections::HashMap<i64, f64> {
        let mut most = std::collections::HashMap::new();
        for usage in &self.0 {
            let calls = usage.calls_per_request();
            let known = most.entry(usage.statement).or_insert(calls);
            *known = calls.max(*known);
        }
        most
    }

    /// The time of the statements of each transaction group.
    pub(crate) fn times(&self) -> Times {
        let mut times = HashMap::default();
        for usage in &self.0 {
            let sum: &mut Time = times.entry(usage.group).or_default();
            sum.requests += usage.requests;
            sum.calls += usage.calls;
            sum.time += usage.sum;
        }
        Times(times)
    }
}

/// The order of [`Used`].
fn most_time(a: &Usage, b: &Usage) -> Ordering {
    let ids = |usage: &Usage| (usage.statement, usage.group);
    (b.sum.total_cmp(&a.sum)).then_with(|| ids(a).cmp(&ids(b)))
}

#[derive(Debug, Default)]
struct Time {
    requests: i64,
    calls: f64,
    time: f64,
}

/// The time of the statements of transaction groups, by their ids.
pub(crate) struct Times(HashMap<i64, Time>);

impl Times {
    /// The mean time of the statements of a request, µs, of a group that has an id for each environment; nothing where
    /// it runs none.
    pub(crate) fn per_request(&self, ids: &[i64]) -> Option<f64> {
        let mut all = Time::default();
        for own in ids.iter().filter_map(|id| self.0.get(id)) {
            all.requests += own.requests;
            all.calls += own.calls;
            all.time += own.time;
        }
        (all.calls > 0.0).then(|| all.time / all.requests.max(1) as f64)
    }
}

/// Callers, most time first; at most a thousand. `window`: already widened where its minutes are gone.
///
/// # Errors
/// Those of SQLite.
pub fn list(
    conn: &mut SqliteConnection,
    scope: &Scope,
    wanted: Wanted,
    window: &Window,
) -> QueryResult<Vec<Caller>> {
    let all = Used::in_any_order(conn, scope, wanted, window)?;
    named(conn, with_most_time(all))
}

/// The thousand with most time, in their order. Of many thousands, those that are left out are not sorted.
fn with_most_time(mut all: Vec<Usage>) -> Vec<Usage> {
    if all.len() > MOST {
        all.select_nth_unstable_by(MOST, most_time);
        all.truncate(MOST);
    }
    all.sort_unstable_by(most_time);
    all
}

/// From when on callers were counted, seconds since the epoch, where that is later than the start of a window. Nothing
/// where all of the window was counted.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn counted_since(
    conn: &mut SqliteConnection,
    window: &Window,
) -> QueryResult<Option<i64>> {
    let first: First = Sql::new(include_str!("callers/since.sql")).first(conn)?;
    // Minutes go before hours do: an hour that none of the minutes lies in was counted whole.
    let since = match (first.minute, first.hour) {
        (Some(minute), Some(hour)) if hour + HOUR > minute => minute,
        (minute, hour) => hour.or(minute).unwrap_or(i64::MAX),
    };
    Ok((since > window.range.from / SECOND).then_some(since))
}

/// The statements of a fingerprint.
fn statements(
    conn: &mut SqliteConnection,
    scope: &Scope,
    fingerprint: u64,
) -> QueryResult<Vec<About>> {
    let sql = Sql::new(include_str!("callers/statements.sql"));
    let rows: Vec<Id> = scope
        .bind(sql)
        .bind("fingerprint", fingerprint.cast_signed())
        .load(conn)?;
    Ok(rows.iter().map(|row| About::Statement(row.id)).collect())
}

/// Names for the ids; those that are gone meanwhile are left out. Rows of one name in several environments are one.
fn named(conn: &mut SqliteConnection, usages: Vec<Usage>) -> QueryResult<Vec<Caller>> {
    let among = |text: &'static str, id: fn(&Usage) -> i64| {
        let mut ids: Vec<i64> = usages.iter().map(id).collect();
        ids.sort_unstable();
        ids.dedup();
        let ids = serde_json::to_string(&ids).unwrap_or_default();
        Sql::new(text).bind("ids", ids)
    };
    let groups: Vec<Group> =
        among(include_str!("callers/names.sql"), |usage| usage.group).load(conn)?;
    let groups: HashMap<i64, Group> = groups.into_iter().map(|row| (row.id, row)).collect();
    let statements: Vec<Statement> = among(
        "SELECT q.id, q.fingerprint, q.instance FROM json_each(:ids) i CROSS JOIN statement q ON q.id = i.value",
        |usage| usage.statement,
    )
    .load(conn)?;
    let mut statements: HashMap<i64, (String, String)> = statements
        .into_iter()
        .map(|row| (row.id, (format!("{:016x}", row.fingerprint), row.instance)))
        .collect();
    // The statement 0 stands for all of them together, and has no fingerprint.
    statements.insert(0, (String::new(), String::new()));
    // Ids of the same names have one of them for all, so that rows are told apart by numbers.
    let names = groups.values().map(|group| {
        let names = (&group.service, &group.kind, &group.name);
        (group.id, names)
    });
    let group_of = first_of_same(names);
    let statement_of = first_of_same(statements.iter().map(|(id, texts)| (*id, texts)));
    let mut together: Vec<(&Group, &str, Usage)> = Vec::new();
    let mut places: HashMap<(i64, i64), usize> = HashMap::default();
    for usage in usages {
        let (Some(group), Some((fingerprint, _))) =
            (groups.get(&usage.group), statements.get(&usage.statement))
        else {
            continue;
        };
        let key = (group_of[&usage.group], statement_of[&usage.statement]);
        match places.get(&key) {
            Some(place) => together[*place].2.add(&usage),
            None => {
                places.insert(key, together.len());
                together.push((group, fingerprint, usage));
            }
        }
    }
    together.sort_rows_by(|a, b| b.2.sum.total_cmp(&a.2.sum));
    let caller = |(group, fingerprint, usage): (&Group, &str, Usage)| {
        let requests = usage.requests.max(1) as f64;
        Caller {
            service: group.service.clone(),
            kind: group.kind.clone(),
            transaction: group.name.clone(),
            fingerprint: fingerprint.to_owned(),
            requests: usage.requests,
            calls: usage.calls / requests,
            most: usage.most,
            time: usage.sum / requests,
            share: (usage.tx_sum > 0.0).then(|| usage.sum / usage.tx_sum),
            trace: usage.trace.to_string(),
        }
    };
    Ok(together.into_iter().map(caller).collect())
}

/// The id that stands for each id: the first that has the same key.
fn first_of_same<K: Eq + Hash>(keys: impl Iterator<Item = (i64, K)>) -> HashMap<i64, i64> {
    let mut first: HashMap<K, i64> = HashMap::default();
    keys.map(|(id, key)| (id, *first.entry(key).or_insert(id)))
        .collect()
}

#[cfg(test)]
mod tests;
