//! The state of the output to Elasticsearch or OpenSearch.

use apm_output::Coverage;
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
    /// The words for the age at which the engine deletes documents; null where that was not asked for.
    pub(crate) retention: Option<String>,
    /// The servers whose counts the pages have.
    pub(crate) covers: Covers,
    /// Documents that the engine refused for good, by the type of its error.
    pub(crate) refused: Vec<Refused>,
    /// The last of them, newest first.
    pub(crate) refusals: Vec<Refusal>,
}

/// The servers before the engine whose counts the pages here have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Coverage")]
pub(crate) struct Covers {
    /// Their number, this one among them.
    pub(crate) servers: usize,
    /// The age of the newest counts of the server that is furthest behind, of those that are heard of, seconds.
    pub(crate) behind_seconds: f64,
    /// Why counts are not shared now; null where they are.
    pub(crate) trouble: Option<String>,
    /// Counts of this server that wait to be sent: their number as documents.
    pub(crate) waiting: i64,
    /// The same that were deleted before they were sent, or refused.
    pub(crate) lost: i64,
    /// The other servers.
    pub(crate) others: Vec<CoveredServer>,
    /// Settings, markers and decisions of other servers that were not taken since the start, by reason.
    pub(crate) refused: Vec<Refused>,
}

/// Another server before the engine.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "CoveredServer")]
pub(crate) struct CoveredServer {
    /// Its host and port.
    pub(crate) name: String,
    /// The first part of the ids of its documents.
    pub(crate) store: String,
    /// The age of its newest counts that are here, seconds.
    pub(crate) behind_seconds: f64,
    /// True if nothing was heard of it for a minute.
    pub(crate) is_silent: bool,
    /// Documents of its counts that are not here yet.
    pub(crate) waiting: i64,
    /// Those that never came.
    pub(crate) skipped: i64,
    /// Rows of them that could not be added.
    pub(crate) dropped: i64,
}

impl Covers {
    pub(crate) fn new(coverage: &Coverage) -> Self {
        let own = coverage.own.unwrap_or_default();
        let others = coverage.peers.iter().map(|peer| CoveredServer {
            name: peer.name.clone(),
            store: peer.store.clone(),
            behind_seconds: peer.behind.as_secs_f64(),
            is_silent: peer.is_silent,
            waiting: peer.waiting,
            skipped: peer.skipped,
            dropped: peer.dropped,
        });
        let refused = coverage.refused.iter().filter(|(_, count)| *count > 0);
        let refused = refused.map(|(reason, count)| Refused {
            reason: (*reason).to_owned(),
            count: i64::try_from(*count).unwrap_or(i64::MAX),
        });
        Self {
            servers: coverage.servers(),
            behind_seconds: coverage.behind().as_secs_f64(),
            trouble: coverage.trouble.clone(),
            waiting: own.waiting,
            lost: own.lost + own.refused,
            others: others.collect(),
            refused: refused.collect(),
        }
    }

    /// The words for every page; none where there is one server, whose counts are all here.
    pub(crate) fn words(&self) -> Option<String> {
        if self.others.is_empty() {
            return None;
        }
        let mut words = format!("{} servers", self.servers);
        match &self.trouble {
            Some(_) => words += ", counts are not shared now",
            None => words += &format!(", {:.0} s behind", self.behind_seconds.ceil()),
        }
        let silent: Vec<&str> = self
            .others
            .iter()
            .filter(|one| one.is_silent)
            .map(|one| one.name.as_str())
            .collect();
        match silent.as_slice() {
            [] => {}
            [one] => words += &format!("; {one} is silent"),
            several => words += &format!("; {} are silent", several.len()),
        }
        Some(words)
    }
}

/// Documents that were refused for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "OutputRefused")]
pub(crate) struct Refused {
    /// The reason, such as the type of the error.
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
        retention: stats.retention,
        covers: Covers::new(&running.coverage()),
        refused: refused.collect(),
        refusals: refusals.collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str, is_silent: bool) -> CoveredServer {
        CoveredServer {
            name: name.to_owned(),
            store: String::new(),
            behind_seconds: 0.0,
            is_silent,
            waiting: 0,
            skipped: 0,
            dropped: 0,
        }
    }

    #[test]
    fn a_page_says_how_many_servers_it_covers_and_which_of_them_is_silent() {
        let mut covers = Covers {
            servers: 1,
            ..Covers::default()
        };
        assert_eq!(covers.words(), None);
        covers.servers = 3;
        covers.behind_seconds = 1.2;
        covers.others = vec![server("a:1", false), server("b:1", false)];
        assert_eq!(covers.words().as_deref(), Some("3 servers, 2 s behind"));
        covers.others[1].is_silent = true;
        assert_eq!(
            covers.words().as_deref(),
            Some("3 servers, 2 s behind; b:1 is silent")
        );
        covers.trouble = Some("no".to_owned());
        covers.others[0].is_silent = true;
        let words = covers.words();
        assert_eq!(
            words.as_deref(),
            Some("3 servers, counts are not shared now; 2 are silent")
        );
    }
}
