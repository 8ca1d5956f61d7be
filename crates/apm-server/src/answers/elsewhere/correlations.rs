//! The values that slow or failed requests have in common, counted by the engine where other servers have some.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use apm_output::{Events, FoundValues, OfValues, Output};
use diesel::SqliteConnection;
use kql::{Expr, for_each_leaf, is_full_text};
use serde_json::{Value, json};

use super::page::{is_needed, range};
use super::{Elsewhere, Problem, Settings};
use crate::analytics::Scope;
use crate::analytics::correlations::count::{self, LONGEST, Of, is_apart};
use crate::analytics::correlations::{self, Correlations, Set, may_stand_out};
use crate::analytics::engine_query::EngineQuery;
use crate::analytics::samples::Durations;
use crate::analytics::window::Window;

/// Requests of all, and of the set, whose fields are compared: the newest.
const LOOKED_AT: usize = 500;

/// Fields that are compared, and those of one search.
const MOST_FIELDS: usize = 240;
const AT_ONCE: usize = 40;

/// Different values of a field; of one with more, almost every request has another.
const MOST_VALUES: usize = 500;

/// Values that are compared with others for whether the same requests have both.
const MOST_PAIRS: usize = 200;

/// The time after which no further search begins.
const DEADLINE: Duration = Duration::from_secs(5);

const ONLY_HERE: &str =
    "Values are of the requests that this server got: the engine cannot tell which ones match.";

const NOT_ALL_FIELDS: &str =
    "Not all fields were compared: there are too many, or the engine took too long.";

/// The transactions that are compared, as the engine takes them.
struct Compared<'a> {
    output: &'a Output,
    query: Value,
    set: Value,
}

/// Compares a set of requests with the others of a scope, of all servers where there are some.
///
/// # Errors
/// Those of the store.
pub(crate) fn read(
    conn: &mut SqliteConnection,
    settings: &Settings,
    (scope, window): (&Scope, &Window),
    set: Set,
) -> Result<(Correlations, Elsewhere), Problem> {
    let request = correlations::request(scope, window);
    let mut elsewhere = Elsewhere::default();
    if let Some(output) = settings.output.as_deref()
        && is_needed(conn, output, &request)?
    {
        elsewhere = Elsewhere::of_output(output);
        let translated = EngineQuery::new(&request.query);
        if translated.exact {
            let transactions = json!({"term": {"processor.event": "transaction"}});
            let query =
                json!({"bool": {"filter": [range(&request), transactions, translated.query]}});
            match of_engine(output, query, set) {
                Ok((found, is_whole)) => {
                    elsewhere.remark = (!is_whole).then(|| NOT_ALL_FIELDS.to_owned());
                    return Ok((found, elsewhere));
                }
                Err(trouble) => elsewhere.trouble = Some(trouble),
            }
        } else {
            elsewhere.leaves_out(ONLY_HERE);
        }
    }
    Ok((correlations::read(conn, scope, window, set)?, elsewhere))
}

/// The values that stand out, and whether all fields were compared.
fn of_engine(output: &Output, query: Value, set: Set) -> Result<(Correlations, bool), String> {
    let durations = match set {
        Set::Selected(durations) => durations,
        Set::Slow => slow(output, query.clone())?,
        Set::Failed => Durations::default(),
    };
    let compared = Compared {
        output,
        query,
        set: match set {
            Set::Failed => json!({"term": {"event.outcome": "failure"}}),
            _ => json!({"range": {"transaction.duration.us": {
                "gte": durations.min, "lt": durations.max}}}),
        },
    };
    let began = Instant::now();
    let fields = compared.fields(set)?;
    let mut is_whole = fields.len() <= MOST_FIELDS;
    let fields: Vec<String> = fields.into_iter().take(MOST_FIELDS).collect();
    let (mut found, mut all) = (count::Found::default(), 0);
    for fields in fields.chunks(AT_ONCE) {
        if began.elapsed() > DEADLINE {
            is_whole = false;
            break;
        }
        let counted = compared.ask(OfValues::Shares {
            set: compared.set.clone(),
            fields: fields.to_vec(),
            most: MOST_VALUES,
        })?;
        // Requests that arrive meanwhile are in the later answers only.
        if all == 0 {
            (all, found.selected) = (counted.all, counted.selected);
        }
        add(&mut found, all, fields, counted);
    }
    compared.join_equal(&mut found, all)?;
    let found = correlations::answer(found, all, (set, durations), true);
    Ok((found, is_whole))
}

/// The durations of the slowest twentieth.
fn slow(output: &Output, query: Value) -> Result<Durations, String> {
    let what = OfValues::Percentile(95.0);
    let found = output.events(Events::OfValues { query, what })?;
    // An engine estimates between the durations that there are.
    let least = |us: f64| (us + 1e-3).floor() as i64;
    Ok(Durations {
        min: found.transactions.percentile.map_or(i64::MAX, least),
        max: i64::MAX,
    })
}

/// Adds what the engine counted of some fields.
///
/// `all`: the requests of its first answer. Those that arrived since are in the counts of later ones, of which no more
/// is taken than there was.
fn add(found: &mut count::Found, all: u64, fields: &[String], counted: FoundValues) {
    for (field, values) in fields.iter().zip(counted.fields) {
        if values.has_more {
            found.varied.push(field.clone());
            continue;
        }
        found.fields += 1;
        let mut values = values.values;
        values.sort_unstable();
        for (value, count, inside) in values {
            // A value that all requests have tells nothing.
            if value.is_empty() || value.len() > LONGEST || count >= counted.all {
                continue;
            }
            found.values.push(Of {
                field: field.clone(),
                value,
                same: Vec::new(),
                inside: inside.min(found.selected),
                outside: count
                    .saturating_sub(inside)
                    .min(all.saturating_sub(found.selected)),
            });
        }
    }
}

impl Compared<'_> {
    fn ask(&self, what: OfValues) -> Result<FoundValues, String> {
        let query = self.query.clone();
        let found = self.output.events(Events::OfValues { query, what })?;
        Ok(found.transactions)
    }

    /// The fields of the newest requests, and of the newest of the set, by name.
    fn fields(&self, set: Set) -> Result<BTreeSet<String>, String> {
        let mut fields = BTreeSet::new();
        for narrow in [None, Some(self.set.clone())] {
            let found = self.output.events(Events::Page {
                query: self.query.clone(),
                narrow,
                until: None,
                most: LOOKED_AT,
                interval: None,
                by: None,
            })?;
            for found in &found.documents {
                for_each_leaf(&found.document, &mut |name, _| {
                    let is_compared = !is_apart(name)
                        && !set.without().contains(&name)
                        && apm_output::is_indexed(name)
                        && !is_full_text(name);
                    if is_compared && !fields.contains(name) {
                        fields.insert(name.to_owned());
                    }
                });
            }
        }
        Ok(fields)
    }

    /// Makes one of values that exactly the same requests have.
    fn join_equal(&self, found: &mut count::Found, all: u64) -> Result<(), String> {
        let mut first = HashMap::new();
        // The value that may be the same as an earlier one, and that one.
        let mut pairs = Vec::new();
        for (at, of) in found.values.iter().enumerate() {
            if !may_stand_out(of, found.selected, all) {
                continue;
            }
            let known = *first.entry((of.inside, of.outside)).or_insert(at);
            if known != at && pairs.len() < MOST_PAIRS {
                pairs.push((at, known));
            }
        }
        if pairs.is_empty() {
            return Ok(());
        }
        let both = |(at, known): &(usize, usize)| {
            let filters = [*at, *known].map(|at| has(&found.values[at]));
            json!({"bool": {"filter": filters}})
        };
        let counts = self.ask(OfValues::Counts(pairs.iter().map(both).collect()))?;
        let mut gone = BTreeSet::new();
        for ((at, known), count) in pairs.into_iter().zip(counts.counts) {
            let of = &found.values[at];
            if count >= of.inside + of.outside {
                let name = format!("{}: {}", of.field, of.value);
                found.values[known].same.push(name);
                gone.insert(at);
            }
        }
        let mut at = 0;
        found.values.retain(|_| {
            at += 1;
            !gone.contains(&(at - 1))
        });
        Ok(())
    }
}

/// The requests that have a value.
fn has(of: &Of) -> Value {
    // Our own text, with a value that is escaped: it always parses, and names no time.
    let expr = kql::parse(&kql::filter(&of.field, &of.value), 0).unwrap_or(Expr::All);
    EngineQuery::new(&expr).query
}

#[cfg(test)]
mod tests;
