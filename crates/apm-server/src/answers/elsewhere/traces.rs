//! Lists of traces of which some events are stored here and others on other servers.

mod any;

use std::cmp::Reverse;
use std::collections::HashSet;
use std::time::{Duration, Instant};

use apm_output::{Events, OfTraces, Output};
use diesel::SqliteConnection;
use serde_json::{Value, json};

use super::page::{self, LOOKED_AT, MOST, is_foreign, is_needed, range, remark, removed};
use super::{Elsewhere, Problem, Settings, join_groups, own_store};
use crate::analytics::discover::{Groups, Hit, MOST_HITS, Request};
use crate::analytics::engine_query::EngineQuery;
use crate::analytics::traces::grid::{self, COLUMNS, Counted};
use crate::analytics::traces::{self, Entry, Order, Question, Traces};
use crate::sort_rows::SortRows as _;

/// The traces of a range, here and on other servers. `field`: one whose values are counted later.
///
/// # Errors
/// Those of the store.
pub(crate) fn list(
    conn: &mut SqliteConnection,
    settings: &Settings,
    question: &Question,
    (field, now): (&str, i64),
) -> Result<(Traces, Elsewhere), Problem> {
    let Some(output) = needed(conn, settings, question, now)? else {
        return Ok((traces::list(conn, question, now)?, Elsewhere::default()));
    };
    if question.is_of_any() {
        return any::list(conn, output, question, field);
    }
    let mut found = traces::list(conn, question, now)?;
    let request = question.listed(now);
    let began = Instant::now();
    let mut elsewhere = match question.order {
        Order::Newest => newest(conn, settings, &request, &mut found)?,
        Order::Longest | Order::Shortest => ranked(conn, output, (question, &request), &mut found)?,
    };
    if elsewhere.trouble.is_none() && began.elapsed() <= PATIENCE {
        durations(output, &question.entries(now), &mut found, &mut elsewhere);
    }
    // Its groups are not asked for then.
    if elsewhere.trouble.is_none() && began.elapsed() > PATIENCE {
        elsewhere.trouble = Some(TOO_LONG.to_owned());
    }
    Ok((found, elsewhere))
}

/// The names that the traces begin with, or their values of another field.
///
/// # Errors
/// Those of the store.
pub(crate) fn names(
    conn: &mut SqliteConnection,
    settings: &Settings,
    (question, found): (&Question, &Traces),
    (field, now): (&str, i64),
    elsewhere: &mut Elsewhere,
) -> Result<Groups, Problem> {
    let mut names = traces::names(conn, (question, found), field, now)?;
    if found.looked_up.is_none() {
        let mut request = question.listed(now);
        request.after = None;
        join_groups(conn, settings, &request, &mut names, elsewhere)?;
    }
    Ok(names)
}

/// The output, if the engine may have traces of the range that are not stored here.
fn needed<'s>(
    conn: &mut SqliteConnection,
    settings: &'s Settings,
    question: &Question,
    now: i64,
) -> Result<Option<&'s Output>, Problem> {
    let Some(output) = settings.output.as_deref() else {
        return Ok(None);
    };
    let is_needed = is_needed(conn, output, &question.entries(now))?;
    Ok(is_needed.then_some(output))
}

/// Adds the newest entries.
fn newest(
    conn: &mut SqliteConnection,
    settings: &Settings,
    request: &Request,
    found: &mut Traces,
) -> Result<Elsewhere, Problem> {
    let Some(mut page) = found.page.take() else {
        return Ok(Elsewhere::default());
    };
    let here = page.hits.iter().map(|hit| hit.seq).collect();
    let interval = Some(page.axis.interval);
    // The last millisecond of what is read does not count, as it may have more of them.
    let more = Request {
        size: if request.size > 0 {
            request.size + SPARE
        } else {
            0
        },
        ..request.clone()
    };
    let Some(others) = page::others(conn, settings, &more, &here, interval)? else {
        return Ok(Elsewhere::default());
    };
    let elsewhere = others.join(&mut page, request.size.min(MOST_HITS));
    found.traces = page.hits.iter().map(Entry::from).collect();
    found.total = page.total;
    // The engine looked at all, if the search here did not.
    let has_told = elsewhere.trouble.is_none() && elsewhere.remark.is_none();
    found.complete = page.complete || has_told;
    found.next = page.next.map(|cursor| cursor.to_string());
    Ok(elsewhere)
}

/// Adds the entries that took longest, or the shortest time.
fn ranked(
    conn: &mut SqliteConnection,
    output: &Output,
    (question, request): (&Question, &Request),
    found: &mut Traces,
) -> Result<Elsewhere, Problem> {
    let mut elsewhere = Elsewhere::of_output(output);
    let translated = EngineQuery::new(&request.query);
    let size = request.size.min(MOST_HITS);
    let is_ascending = question.order == Order::Shortest;
    let answer = output.events(Events::OfTraces {
        query: all_of([range(request), translated.query]),
        what: OfTraces::Ranked {
            is_ascending,
            // Of an inexact query more are read, of which those that do not match are left out below.
            most: if translated.exact {
                size
            } else {
                size.max(LOOKED_AT)
            }
            .min(MOST),
        },
    });
    let answer = match answer {
        Ok(answer) => answer,
        Err(trouble) => {
            elsewhere.trouble = Some(trouble);
            return Ok(elsewhere);
        }
    };
    elsewhere.remark = remark(translated.exact, translated.by_words);
    if translated.exact {
        found.total = found.total.max(answer.total.unwrap_or_default());
    }
    found.complete = translated.exact;
    let own = own_store(conn)?;
    let last = answer.documents.last().filter(|_| answer.has_more);
    let last = last.and_then(|found| found.document["transaction"]["duration"]["us"].as_i64());
    let here: HashSet<i64> = found.traces.iter().map(|entry| entry.seq).collect();
    let hits = answer.documents.into_iter();
    let hits = hits.filter_map(|found| page::hit(found.origin, found.document, own.as_deref()));
    let hits = hits.filter(|hit| {
        (request.range.from..request.range.to).contains(&hit.timestamp)
            && !here.contains(&hit.seq)
            && (translated.exact || kql::matches(&request.query, &hit.document))
    });
    let (mut hits, of_here): (Vec<Hit>, Vec<Hit>) = hits.partition(|hit| is_foreign(hit.seq));
    hits.extend(removed(conn, of_here)?);
    if !translated.exact {
        found.total += hits.len() as u64;
    }
    found.traces.extend(hits.iter().map(Entry::from));
    if let Some(last) = last.filter(|_| translated.exact) {
        // Beyond the last one that was read there may be others, which come before those of here.
        found.traces.retain(|entry| match is_ascending {
            true => entry.duration.unwrap_or_default() <= last,
            false => entry.duration.unwrap_or_default() >= last,
        });
    }
    match is_ascending {
        true => found.traces.sort_rows_by_key(|of| (of.duration, of.seq)),
        false => found
            .traces
            .sort_rows_by_key(|of| (Reverse(of.duration), of.seq)),
    }
    found.traces.truncate(size);
    elsewhere.events = foreign_entries(found);
    Ok(elsewhere)
}

/// Raises the durations over time to those of the engine.
fn durations(output: &Output, request: &Request, found: &mut Traces, elsewhere: &mut Elsewhere) {
    let translated = EngineQuery::new(&request.query);
    let density = &mut found.density;
    let (from, to) = (density.from, density.to);
    let answer = translated.exact.then(|| {
        output.events(Events::OfTraces {
            query: all_of([range(request), translated.query]),
            what: OfTraces::Durations {
                range: (from, to),
                columns: COLUMNS,
                borders: grid::borders(),
            },
        })
    });
    match answer {
        Some(Ok(answer)) => {
            // The middle of a stretch of time is within it, however its start is rounded.
            let half = (to - from) as f64 / COLUMNS as f64 / 2.0;
            let counted = |of: &apm_output::FoundDurations| -> Counted {
                ((of.start + half) as i64, of.least, of.count, of.failed)
            };
            density.add_at_least(answer.durations.iter().map(counted));
            density.complete = true;
        }
        // It is not asked for the groups then, either.
        Some(Err(trouble)) => elsewhere.trouble = Some(trouble),
        None => elsewhere.leaves_out(ONLY_HERE),
    }
}

/// The time after which an engine is asked nothing more for a page.
const PATIENCE: Duration = Duration::from_secs(3);

const TOO_LONG: &str = "the engine takes too long";

/// Entries that are read from the engine beyond those of a page.
const SPARE: usize = 10;

const ONLY_HERE: &str =
    "Durations over time are of the traces that are stored here: the engine cannot tell them.";

fn all_of(filters: [Value; 2]) -> Value {
    json!({"bool": {"filter": filters}})
}

/// The number of entries that are listed, and not stored here.
fn foreign_entries(found: &Traces) -> usize {
    let entries = found.traces.iter();
    entries.filter(|entry| is_foreign(entry.seq)).count()
}
