//! A page of documents of which some are stored here and others on other servers.

use std::collections::HashSet;

use apm_output::{Events, FoundDocument, Output};
use apm_store::kept;
use apm_time::SECOND;
use diesel::SqliteConnection;
use kql::Expr;
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::{Elsewhere, Problem, Settings, has_others, own_store};
use crate::analytics::discover::{Cursor, Found, Hit, Request};
use crate::analytics::engine_query::EngineQuery;
use crate::sort_rows::SortRows as _;

/// Documents that are read from the engine for a page, at most.
pub(super) const MOST: usize = 2_000;

/// Documents that are read where the engine cannot tell which of them match.
pub(super) const LOOKED_AT: usize = 1_000;

/// Numbers of documents that are not stored here begin with this one.
const FOREIGN: i64 = 1 << 62;

/// A page that is asked for.
pub(crate) struct Wanted<'a> {
    /// The search, which holds for the counts, too.
    pub(crate) request: &'a Request,
    /// One more condition for the documents.
    pub(crate) narrow: &'a Expr,
    /// Numbers of documents of the page that are stored here.
    pub(crate) here: &'a HashSet<i64>,
    /// Seconds of a bucket, where documents are to be counted.
    pub(crate) interval: Option<i64>,
    /// A field by whose values they are counted, too.
    pub(crate) by: Option<&'static str>,
}

/// The documents of the engine that are not stored here.
#[derive(Debug, Default)]
pub(crate) struct Others {
    /// Newest first.
    pub(crate) hits: Vec<Hit>,
    /// The newest and the oldest millisecond of those that were read, where there are older ones.
    reach: Option<(i64, i64)>,
    /// All that match, by the start of their bucket; none where the engine cannot tell.
    counts: Option<Vec<(i64, u64)>>,
    /// The same by the values of a field.
    pub(crate) values: Vec<(i64, String, u64)>,
    pub(crate) elsewhere: Elsewhere,
}

/// The number of a document that is not stored here any more.
pub(super) fn foreign(seq: i64) -> i64 {
    seq | FOREIGN
}

/// Whether a document is not stored here, by its number.
pub(crate) fn is_foreign(seq: i64) -> bool {
    seq >= FOREIGN
}

/// Asks the engine what other servers have of a page; nothing where there are none. `here`: numbers of documents of the
/// page that are stored here. `interval`: seconds of a bucket, where documents are to be counted.
///
/// # Errors
/// Those of the store.
pub(crate) fn others(
    conn: &mut SqliteConnection,
    settings: &Settings,
    request: &Request,
    here: &HashSet<i64>,
    interval: Option<i64>,
) -> Result<Option<Others>, Problem> {
    let wanted = Wanted {
        request,
        narrow: &Expr::All,
        here,
        interval,
        by: None,
    };
    others_of(conn, settings, &wanted)
}

/// The same of a page whose documents and counts differ.
///
/// # Errors
/// Those of the store.
pub(crate) fn others_of(
    conn: &mut SqliteConnection,
    settings: &Settings,
    wanted: &Wanted<'_>,
) -> Result<Option<Others>, Problem> {
    let Wanted { request, here, .. } = wanted;
    let Some(output) = &settings.output else {
        return Ok(None);
    };
    if !is_needed(conn, output, request)? {
        return Ok(None);
    }
    let counted = EngineQuery::new(&request.query);
    let narrowed = EngineQuery::new(wanted.narrow);
    let is_exact = counted.exact && narrowed.exact;
    let is_page = request.size > 0;
    // The engine finds too much for an inexact query. So more are read than a page has, and matched here.
    let most = match is_exact {
        true => request.size.min(MOST),
        false if is_page => request.size.clamp(LOOKED_AT, MOST),
        false => 0,
    };
    let found = output.events(Events::Page {
        query: json!({"bool": {"filter": [range(request), counted.query]}}),
        narrow: (*wanted.narrow != Expr::All).then_some(narrowed.query),
        until: request.after.map(until),
        most,
        interval: wanted.interval.filter(|_| counted.exact),
        by: wanted.by,
    });
    let mut others = Others {
        elsewhere: Elsewhere::of_output(output),
        ..Others::default()
    };
    let found = match found {
        Ok(found) => found,
        Err(trouble) => {
            others.elsewhere.trouble = Some(trouble);
            return Ok(Some(others));
        }
    };
    others.elsewhere.remark = remark(is_exact, counted.by_words || narrowed.by_words);
    others.counts = counted.exact.then_some(found.counts);
    others.values = found.values;
    let millis = |found: Option<&FoundDocument>| Some(time(&found?.document)?.div_euclid(1000));
    let ends = millis(found.documents.first()).zip(millis(found.documents.last()));
    others.reach = ends.filter(|_| found.has_more && is_page);
    let own = own_store(conn)?;
    let mut of_here = Vec::new();
    for found in found.documents {
        let Some(hit) = hit(found.origin, found.document, own.as_deref()) else {
            continue;
        };
        let is_in_range = (request.range.from..request.range.to).contains(&hit.timestamp);
        let is_older = request
            .after
            .is_none_or(|after| (hit.timestamp, hit.seq) < (after.timestamp, after.seq));
        if !is_in_range
            || !is_older
            || !(counted.exact || kql::matches(&request.query, &hit.document))
            || !(narrowed.exact || kql::matches(wanted.narrow, &hit.document))
        {
            continue;
        }
        match is_foreign(hit.seq) {
            true => others.hits.push(hit),
            // Sent from here, and not on the page: it may be gone from the store.
            false if !here.contains(&hit.seq) => of_here.push(hit),
            false => {}
        }
    }
    others.hits.extend(removed(conn, of_here)?);
    sort(&mut others.hits);
    Ok(Some(others))
}

impl Others {
    /// Adds the documents to a page of those that are stored here.
    pub(crate) fn join(self, found: &mut Found, size: usize) -> Elsewhere {
        let mut elsewhere = self.elsewhere;
        match &self.counts {
            Some(counts) => {
                // The engine has what is stored here, too, but for the last seconds.
                let first = found.axis.buckets.first().map_or(0, |bucket| bucket.start);
                for (start, count) in counts {
                    let place =
                        usize::try_from(start.saturating_sub(first) / found.axis.interval).ok();
                    if let Some(slot) = place.and_then(|place| found.histogram.get_mut(place)) {
                        *slot = (*slot).max(*count);
                    }
                }
                found.total = found.total.max(found.histogram.iter().sum());
            }
            None => found.complete = false,
        }
        let before = found.hits.len();
        found.hits.extend(self.hits);
        sort(&mut found.hits);
        if self.counts.is_none() {
            found.total += (found.hits.len() - before) as u64;
        }
        let mut has_more = found.next.is_some();
        // Behind the end of either page there may be documents that were not read.
        if let Some(next) = found.next {
            found
                .hits
                .retain(|hit| (hit.timestamp, hit.seq) >= (next.timestamp, next.seq));
        }
        let mut end = found.next;
        if let Some((newest, oldest)) = self.reach {
            has_more = true;
            // The last millisecond may have more of them, unless the whole page is that millisecond.
            let from = if newest > oldest { oldest + 1 } else { oldest } * 1000;
            found.hits.retain(|hit| hit.timestamp >= from);
            let reached = Cursor {
                timestamp: from,
                seq: 0,
            };
            end = end.max(Some(reached));
        }
        if found.hits.len() > size {
            found.hits.truncate(size);
            has_more = true;
        }
        let last = found.hits.last().map(|hit| Cursor {
            timestamp: hit.timestamp,
            seq: hit.seq,
        });
        let is_full = found.hits.len() == size;
        found.next = match is_full {
            true => last,
            false => end,
        }
        .filter(|_| has_more && size > 0);
        elsewhere.events = found.hits.iter().filter(|hit| is_foreign(hit.seq)).count();
        elsewhere
    }
}

/// Those of the documents that were sent from here, and that retention has removed since.
///
/// # Errors
/// Those of the store.
pub(super) fn removed(
    conn: &mut SqliteConnection,
    mut of_here: Vec<Hit>,
) -> Result<Vec<Hit>, Problem> {
    let numbers: Vec<i64> = of_here.iter().map(|hit| hit.seq).collect();
    let stored = apm_store::events(conn, &numbers)?;
    let stored: HashSet<i64> = stored.iter().map(|event| event.seq).collect();
    of_here.retain(|hit| !stored.contains(&hit.seq));
    for hit in &mut of_here {
        hit.seq = foreign(hit.seq);
    }
    Ok(of_here)
}

/// The last millisecond of a page: none is older than the event of number 0.
pub(super) fn until(after: Cursor) -> i64 {
    let micros = after.timestamp - i64::from(after.seq == 0);
    micros.div_euclid(1000)
}

/// Whether the engine may have events of a search that are not stored here: there are other servers, or it reaches back
/// to events that retention or tail sampling has removed.
///
/// # Errors
/// Those of the store.
pub(super) fn is_needed(
    conn: &mut SqliteConnection,
    output: &Output,
    request: &Request,
) -> Result<bool, Problem> {
    if has_others(output) {
        return Ok(true);
    }
    let whole_since = kept::whole_since(conn)?;
    Ok(whole_since.is_some_and(|since| request.range.from < since.saturating_mul(SECOND)))
}

/// The range of a search as a query.
pub(super) fn range(request: &Request) -> Value {
    let (from, to) = (request.range.from, request.range.to - 1);
    json!({"range": {"@timestamp": {
        "gte": from.div_euclid(1000), "lte": to.div_euclid(1000), "format": "epoch_millis"}}})
}

/// The words for what the engine cannot tell of a query.
pub(super) fn remark(is_exact: bool, by_words: bool) -> Option<String> {
    let words = match (is_exact, by_words) {
        (true, _) => return None,
        (false, true) => {
            "On other servers, several words are found as whole words only, and not all of them are counted."
        }
        (false, false) => {
            "The index of the engine cannot tell a part of this query: of other servers, the newest 1,000 documents \
             that pass the rest were looked at, and not all are counted."
        }
    };
    Some(words.to_owned())
}

fn sort(hits: &mut [Hit]) {
    hits.sort_rows_by_key(|hit| std::cmp::Reverse((hit.timestamp, hit.seq)));
}

/// A document with its time and number; those of here have their own number.
pub(super) fn hit(
    origin: Option<(String, i64)>,
    document: Value,
    own: Option<&str>,
) -> Option<Hit> {
    let timestamp = time(&document)?;
    let seq = match &origin {
        Some((store, number)) if Some(store.as_str()) == own => *number,
        Some((store, number)) => {
            // Numbers of two stores differ in some bits of the store's name.
            let store = (xxh3_64(store.as_bytes()) & 0xf_ffff).cast_signed();
            FOREIGN | store << 42 | number & ((1 << 42) - 1)
        }
        None => {
            let hash = xxh3_64(document.to_string().as_bytes());
            FOREIGN | (hash >> 2).cast_signed()
        }
    };
    Some(Hit {
        seq,
        timestamp,
        document,
    })
}

/// µs since the epoch.
pub(super) fn time(document: &Value) -> Option<i64> {
    let micros = document["timestamp"]["us"].as_i64();
    micros.or_else(|| {
        let time = document["@timestamp"].as_str()?;
        let time: jiff::Timestamp = time.parse().ok()?;
        Some(time.as_microsecond())
    })
}

#[cfg(test)]
mod tests;
