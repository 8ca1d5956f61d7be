//! Traces of which any event matches, here or on other servers.

use std::collections::HashSet;
use std::time::Instant;

use apm_output::{Events, Found, FoundDocument, OfTraces, Output};
use apm_store::id::StoredId;
use diesel::SqliteConnection;
use kql::Expr;
use serde_json::{Value, json};

use super::super::own_store;
use super::{PATIENCE, TOO_LONG, foreign_entries};
use crate::analytics::discover::{Cursor, Hit, Request};
use crate::analytics::engine_query::EngineQuery;
use crate::analytics::traces::any::{self, LOOKED_UP, Matching};
use crate::analytics::traces::{Order, Question, Traces};
use crate::answers::Problem;
use crate::answers::elsewhere::Elsewhere;
use crate::answers::elsewhere::page::{self, LOOKED_AT, foreign, is_foreign, range, remark, until};

/// Documents that are parts of traces. Those of log lines that tell of an error have no id.
const PARTS: &str = "processor.event: transaction or processor.event: span or (processor.event: error and error.id: *)";

/// Fields of entries that are read.
const FIELDS: [&str; 12] = [
    "@timestamp",
    "event.outcome",
    "overflow",
    "parent.id",
    "service.name",
    "timestamp",
    "trace.id",
    "transaction.duration.us",
    "transaction.id",
    "transaction.name",
    "transaction.result",
    "transaction.span_count.started",
];

/// The question to the engine.
struct Engine<'a> {
    output: &'a Output,
    request: Request,
    translated: EngineQuery,
    own: Option<String>,
    fields: Vec<String>,
    began: Instant,
}

/// The findings of the engine.
struct Read {
    /// Matching events with their traces, the newest first.
    hits: Vec<(StoredId, Hit)>,
    /// Number of traces, where the engine can tell.
    total: Option<u64>,
    /// Older ones were not read; µs since the epoch.
    reach: Option<i64>,
}

/// The traces that match.
///
/// # Errors
/// Those of the store.
pub(super) fn list(
    conn: &mut SqliteConnection,
    output: &Output,
    question: &Question,
    field: &str,
) -> Result<(Traces, Elsewhere), Problem> {
    let here = any::matching(conn, question)?;
    let mut elsewhere = Elsewhere::of_output(output);
    let engine = Engine::new(conn, output, question, field)?;
    let mut matching = here.clone();
    match engine.join(question, &mut matching) {
        Ok(()) => {
            let EngineQuery {
                exact, by_words, ..
            } = engine.translated;
            elsewhere.remark = remark(exact, by_words);
        }
        Err(trouble) => {
            elsewhere.trouble = Some(trouble);
            matching = here;
        }
    }
    let traces = any::list(conn, question, matching)?;
    elsewhere.events = foreign_entries(&traces);
    Ok((traces, elsewhere))
}

impl<'a> Engine<'a> {
    fn new(
        conn: &mut SqliteConnection,
        output: &'a Output,
        question: &Question,
        field: &str,
    ) -> Result<Self, Problem> {
        // Our own text always parses.
        let request = question.request(kql::parse(PARTS, 0).unwrap_or(Expr::All));
        let fields = FIELDS.into_iter().chain([field]);
        Ok(Self {
            output,
            translated: EngineQuery::new(&request.query),
            request,
            own: own_store(conn)?,
            fields: fields.map(str::to_owned).collect(),
            began: Instant::now(),
        })
    }

    /// Asks, unless the questions before took too long.
    fn ask(&self, events: Events) -> Result<Found, String> {
        match self.began.elapsed() > PATIENCE {
            true => Err(TOO_LONG.to_owned()),
            false => self.output.events(events),
        }
    }

    /// Adds the matching events that the engine has, and the entries of the traces of a page.
    fn join(&self, question: &Question, matching: &mut Matching) -> Result<(), String> {
        let after = question.after.filter(|_| question.order == Order::Newest);
        let read = self.matching(None, after.map(until))?;
        matching.reach = read.reach;
        for (trace, mut hit) in read.hits {
            if !matching.has(&trace) && !is_foreign(hit.seq) {
                // It was sent from here, and retention has removed it since.
                hit.seq = foreign(hit.seq);
            }
            matching.add(trace, place(&hit));
            if is_foreign(hit.seq) {
                matching.events.insert(hit.seq, hit);
            }
        }
        match read.total {
            Some(total) => {
                matching.total = matching.total.max(total);
                // The engine looked at all, if the search here did not.
                matching.complete = true;
            }
            None => {
                matching.total = matching.len() as u64;
                matching.complete = false;
            }
        }
        let traces: Vec<StoredId> = matching
            .newest_first(question)
            .into_iter()
            .take(LOOKED_UP)
            .map(|(trace, _)| trace)
            .collect();
        if traces.is_empty() {
            return Ok(());
        }
        if let Some(after) = after {
            // Traces of which a newer event matches are on an earlier page.
            let since = json!({"range": {"@timestamp": {
                "gte": after.timestamp.div_euclid(1000), "format": "epoch_millis"}}});
            let newer = self.matching(Some([of(&traces), since]), None)?;
            for (trace, hit) in newer.hits {
                if place(&hit) >= after {
                    matching.remove(&trace);
                }
            }
        }
        self.entries(traces, matching)
    }

    /// The newest matching event of each trace; where the documents decide, the newest that the engine cannot rule out.
    fn matching(&self, narrow: Option<[Value; 2]>, until: Option<i64>) -> Result<Read, String> {
        let mut filters = vec![range(&self.request), self.translated.query.clone()];
        filters.extend(narrow.into_iter().flatten());
        let query = json!({"bool": {"filter": filters}});
        let is_exact = self.translated.exact;
        let found = self.ask(match is_exact {
            true => Events::OfTraces {
                query,
                what: OfTraces::Newest {
                    until,
                    most: LOOKED_UP,
                    fields: self.fields.clone(),
                },
            },
            false => Events::Page {
                query,
                narrow: None,
                until,
                most: LOOKED_AT,
                interval: None,
                by: None,
            },
        })?;
        let millis = |found: &FoundDocument| Some(page::time(&found.document)?.div_euclid(1000));
        let ends = found.documents.first().and_then(millis);
        let ends = ends.zip(found.documents.last().and_then(millis));
        // The last millisecond may have more of them, unless all are of that millisecond.
        let reach = ends.filter(|_| found.has_more).map(|(newest, oldest)| {
            let from = if newest > oldest { oldest + 1 } else { oldest };
            from * 1000
        });
        let asked = self.request.range;
        let matches = |hit: &Hit| {
            (asked.from..asked.to).contains(&hit.timestamp)
                && (is_exact || kql::matches(&self.request.query, &hit.document))
        };
        let hits = found.documents.into_iter();
        let hits = hits.filter_map(|found| self.hit(found));
        Ok(Read {
            hits: hits.filter(|(_, hit)| matches(hit)).collect(),
            total: found.total.filter(|_| is_exact),
            reach,
        })
    }

    /// Reads the entries of some traces, whenever they began.
    fn entries(&self, mut traces: Vec<StoredId>, matching: &mut Matching) -> Result<(), String> {
        let transactions = json!({"term": {"processor.event": "transaction"}});
        let without_parent = json!({"bool": {"must_not": [{"exists": {"field": "parent.id"}}]}});
        // Of a trace whose beginning was not recorded the first transaction of all.
        for narrow in [Some(without_parent), None] {
            if traces.is_empty() {
                break;
            }
            let mut filters = vec![of(&traces), transactions.clone()];
            filters.extend(narrow);
            let found = self.ask(Events::OfTraces {
                query: json!({"bool": {"filter": filters}}),
                what: OfTraces::Oldest {
                    most: traces.len(),
                    fields: self.fields.clone(),
                },
            })?;
            for found in found.documents {
                if let Some((trace, mut hit)) = self.hit(found) {
                    // If it is stored here, it is taken from here.
                    hit.seq = foreign(hit.seq);
                    matching.entries.insert(trace, hit);
                }
            }
            traces.retain(|trace| !matching.entries.contains_key(trace));
        }
        Ok(())
    }

    /// A document with its trace.
    fn hit(&self, found: FoundDocument) -> Option<(StoredId, Hit)> {
        let hit = page::hit(found.origin, found.document, self.own.as_deref())?;
        let trace = hit.document.pointer("/trace/id")?.as_str()?;
        Some((StoredId::from(trace), hit))
    }
}

fn place(hit: &Hit) -> Cursor {
    Cursor {
        timestamp: hit.timestamp,
        seq: hit.seq,
    }
}

/// Documents of some traces.
fn of(traces: &[StoredId]) -> Value {
    let ids: HashSet<String> = traces.iter().map(ToString::to_string).collect();
    json!({"terms": {"trace.id": ids}})
}
