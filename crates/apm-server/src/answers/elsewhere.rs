//! Events that are not stored here: other servers before the same engine have them, or retention has removed them.
//!
//! They are read from the engine, and put together with those of here in a database in memory, so that the questions
//! about them are the same.

pub(crate) mod correlations;
mod groups;
mod lines;
mod page;
pub(crate) mod traces;

use std::collections::HashSet;

use apm_output::{Events, Found, Output};
use apm_store::event::StoredEvent;
use apm_store::{output, scratch};
use diesel::SqliteConnection;
use kql::pasted::{Part, readings};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Problem;
use super::tools::Settings;
use crate::analytics::Scope;
use crate::analytics::instances::Servers;
use crate::export;
use crate::import;
use crate::sort_rows::SortRows as _;
pub(crate) use groups::join_groups;
pub(crate) use lines::join_lines;
pub(crate) use page::{is_foreign, others};

/// Events of a trace that are stored here, at most, for it to be put together in memory.
const MOST: usize = 50_000;

/// Transactions that are read from the engine where no sample is stored here.
const SAMPLES: usize = 200;

/// The words for a table of instances or versions that a filter narrows.
const UNDER_A_FILTER: &str = "Under a filter, this page is made of the events that this server got. Other servers have \
     events, too: Discover finds those of all.";

/// The share of the engine in an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Elsewhere {
    /// Events that are not stored here, and were read from the engine.
    pub(crate) events: usize,
    /// True if the engine has more of them than are read.
    pub(crate) has_more: bool,
    /// The reason why the engine was not read, and others may have events of this.
    pub(crate) trouble: Option<String>,
    /// The part of the question that the engine did not answer, where there is one.
    pub(crate) remark: Option<String>,
    /// True if there are other servers, of which the engine was asked.
    #[serde(skip)]
    is_asked: bool,
}

impl Elsewhere {
    /// That of a question of which nothing is left out yet.
    pub(crate) fn of(settings: &Settings) -> Self {
        settings
            .output
            .as_deref()
            .map(Self::of_output)
            .unwrap_or_default()
    }

    /// The same before an engine.
    fn of_output(output: &Output) -> Self {
        Self {
            is_asked: has_others(output),
            ..Self::default()
        }
    }

    /// That of a question about instances, which has those of some servers.
    pub(crate) fn of_instances(settings: &Settings, servers: Servers) -> Self {
        let mut elsewhere = Self::of(settings);
        if servers == Servers::This {
            elsewhere.leaves_out(UNDER_A_FILTER);
        }
        elsewhere
    }

    /// Whether there are other servers, of which the engine was asked.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Says of what the answer has the part of here only, where there are other servers.
    pub(crate) fn leaves_out(&mut self, words: &str) {
        if self.is_asked {
            let before = self.remark.take().map(|before| before + " ");
            self.remark = Some(before.unwrap_or_default() + words);
        }
    }

    /// The words for a page; none where everything is stored here.
    pub(crate) fn words(&self) -> Option<String> {
        let mut words = Vec::new();
        match (&self.trouble, self.events) {
            (Some(trouble), _) => words.push(format!(
                "Events that other servers have are missing here, because the engine was not read: {trouble}"
            )),
            (None, 0) => {}
            (None, events) => {
                words.push(format!(
                    "{events} of these events are stored on other servers, or no longer here: they were read from the \
                     engine."
                ));
                if self.has_more {
                    words.push("The engine has more of them.".to_owned());
                }
            }
        }
        words.extend(self.remark.clone());
        (!words.is_empty()).then(|| words.join(" "))
    }
}

/// Whether there are other servers before one engine.
pub(crate) fn are_others(settings: &Settings) -> bool {
    settings.output.as_deref().is_some_and(has_others)
}

/// The servers whose instances a question is answered with: all of them, unless a filter needs the events themselves.
pub(crate) fn servers_of(settings: &Settings, scope: &Scope) -> Servers {
    match scope.query {
        None if are_others(settings) => Servers::All,
        _ => Servers::This,
    }
}

/// Whether other servers share the engine.
fn has_others(output: &Output) -> bool {
    output.coverage().servers() > 1
}

/// The name of this server's store, by which the engine's documents tell whose they are.
fn own_store(conn: &mut SqliteConnection) -> Result<Option<String>, Problem> {
    Ok(output::state(conn)?.map(|state| state.store))
}

/// Answers a question about a trace where all of its events are: here, or in memory.
///
/// # Errors
/// Those of the question, and of the store.
pub(crate) fn of_trace<T>(
    conn: &mut SqliteConnection,
    settings: &Settings,
    id: &str,
    question: impl FnOnce(&mut SqliteConnection) -> Result<T, Problem>,
) -> Result<(T, Elsewhere), Problem> {
    let Some(output) = &settings.output else {
        return Ok((question(conn)?, Elsewhere::default()));
    };
    let ids: Vec<String> = readings(id, Part::Trace)
        .into_iter()
        .map(|id| id.to_string())
        .collect();
    let mut here = None;
    for id in &ids {
        let blocks = apm_store::trace_blocks(conn, id)?;
        if !blocks.is_empty() {
            here = Some((id.clone(), blocks));
            break;
        }
    }
    let is_large = here
        .as_ref()
        .is_some_and(|(_, blocks)| blocks.len() > MOST / 128);
    if (here.is_some() && !has_others(output)) || is_large {
        return Ok((question(conn)?, Elsewhere::default()));
    }
    let wanted = match (&here, ids.into_iter().next()) {
        (Some((id, _)), _) => id.clone(),
        (None, Some(id)) => id,
        (None, None) => return Ok((question(conn)?, Elsewhere::default())),
    };
    let stored = apm_store::trace(conn, &wanted)?;
    let found = output.events(Events::Trace(wanted));
    together(conn, &stored, found, question)
}

/// Answers a question about samples of transactions that the engine has.
///
/// # Errors
/// As [`of_trace`].
pub(crate) fn of_samples<T>(
    conn: &mut SqliteConnection,
    settings: &Settings,
    filters: Vec<Value>,
    sample: Option<&str>,
    question: impl FnOnce(&mut SqliteConnection) -> Result<T, Problem>,
) -> Result<Option<(T, Elsewhere)>, Problem> {
    let Some(output) = &settings.output else {
        return Ok(None);
    };
    let query = json!({"bool": {"filter": filters}});
    let found = output.events(Events::Query {
        query,
        most: SAMPLES,
    });
    let mut found = match found {
        Ok(found) if found.documents.is_empty() => return Ok(None),
        Ok(found) => found,
        Err(trouble) => {
            let elsewhere = Elsewhere {
                trouble: Some(trouble),
                ..Elsewhere::default()
            };
            return Ok(Some((question(conn)?, elsewhere)));
        }
    };
    // The sample that is shown, with all of its trace.
    let of = |document: &Value| sample.is_some_and(|id| document["transaction"]["id"] == *id);
    let shown = found.documents.iter().find(|found| of(&found.document));
    let shown = shown.or_else(|| found.documents.first());
    if let Some(id) = shown.and_then(|found| found.document["trace"]["id"].as_str())
        && let Ok(trace) = output.events(Events::Trace(id.to_owned()))
    {
        let id = Value::from(id);
        found
            .documents
            .retain(|found| found.document["trace"]["id"] != id);
        found.documents.extend(trace.documents);
    }
    together(conn, &[], Ok(found), question).map(Some)
}

/// Puts events of here and of the engine together, if the engine has some that are not here.
fn together<T>(
    conn: &mut SqliteConnection,
    stored: &[StoredEvent],
    found: Result<Found, String>,
    question: impl FnOnce(&mut SqliteConnection) -> Result<T, Problem>,
) -> Result<(T, Elsewhere), Problem> {
    let mut elsewhere = Elsewhere::default();
    let mut found = match found {
        Ok(found) => found,
        Err(trouble) => {
            elsewhere.trouble = Some(trouble);
            return Ok((question(conn)?, elsewhere));
        }
    };
    elsewhere.has_more = found.has_more;
    let own = own_store(conn)?;
    let numbers: HashSet<i64> = stored.iter().map(|event| event.seq).collect();
    found.documents.retain(|found| match &found.origin {
        Some((store, number)) => Some(store) != own.as_ref() || !numbers.contains(number),
        None => true,
    });
    // The numbers in memory are the same each time.
    found.documents.sort_rows_by(|a, b| {
        let key = |found: &apm_output::FoundDocument| {
            let time = found.document["timestamp"]["us"].as_i64();
            (time, found.origin.clone())
        };
        key(a).cmp(&key(b))
    });
    let mut body = export::lines(stored);
    for found in &found.documents {
        if let Some(sent) = apm_store::document::sent(&found.document) {
            elsewhere.events += 1;
            for line in [&sent.metadata, &sent.event] {
                body += &line.to_string();
                body.push('\n');
            }
        }
    }
    if elsewhere.events == 0 {
        return Ok((question(conn)?, elsewhere));
    }
    let batches = import::batches_of_senders(body.as_bytes());
    drop(body);
    let mut memory = scratch(&batches).map_err(Problem::Store)?;
    Ok((question(&mut memory)?, elsewhere))
}
