//! The state of the output to Elasticsearch or OpenSearch.

use apm_store::output;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::{Problem, Source};

/// The output to Elasticsearch or OpenSearch.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Output")]
pub(crate) struct Output {
    /// Name and version of the engine; null before it has answered.
    pub(crate) engine: Option<String>,
    /// Its addresses.
    pub(crate) hosts: Vec<String>,
    /// The last part of the names of data streams.
    pub(crate) namespace: String,
    /// Documents that it took, since the output was first switched on.
    pub(crate) documents: u64,
    /// Documents per second, over half a minute.
    pub(crate) documents_per_second: f64,
    /// Events that wait, at most.
    pub(crate) lag_events: u64,
    /// The time for which the first of them has waited, seconds.
    pub(crate) lag_seconds: f64,
    /// Events that were deleted before they were sent, or could not be read.
    pub(crate) lost: u64,
    /// Why nothing can be sent now; null where it can.
    pub(crate) trouble: Option<String>,
    /// Documents that the engine refused for good, by the type of its error.
    pub(crate) refused: Vec<Refused>,
    /// The last of them, newest first.
    pub(crate) refusals: Vec<Refusal>,
}

/// Documents that were refused for one reason.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OutputRefused")]
pub(crate) struct Refused {
    /// The type of the error.
    pub(crate) reason: String,
    /// Their number.
    pub(crate) count: i64,
}

/// A document that was refused.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OutputRefusal")]
pub(crate) struct Refusal {
    /// Seconds since 1970.
    pub(crate) at: i64,
    /// The words of the engine.
    pub(crate) error: String,
    /// The beginning of the document.
    pub(crate) document: String,
}

/// Looks at the output, where there is one.
pub(super) fn output(source: &mut Source<'_>) -> Result<Option<Output>, Problem> {
    let Some(running) = &source.settings.output else {
        return Ok(None);
    };
    let stats = running.stats();
    let refused = output::refused(source.conn)?
        .into_iter()
        .map(|(reason, count)| Refused { reason, count });
    let refusals = output::refusals(source.conn)?
        .into_iter()
        .map(|refusal| Refusal {
            at: refusal.at,
            error: refusal.error,
            document: refusal.document,
        });
    Ok(Some(Output {
        engine: stats.engine,
        hosts: stats.hosts,
        namespace: stats.namespace,
        documents: stats.documents,
        documents_per_second: stats.per_second,
        lag_events: stats.lag.events,
        lag_seconds: stats.lag.time.as_secs_f64(),
        lost: stats.lost,
        trouble: stats.trouble,
        refused: refused.collect(),
        refusals: refusals.collect(),
    }))
}
