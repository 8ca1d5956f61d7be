//! Plans of statements, asked of the services' files and remembered for a minute: the rules ask every few seconds, and
//! to judge an index takes a look at many rows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Files;
use super::proofs::{Proofs, Verdict};
use crate::insight::plan::history::Sent;
use crate::insight::plan::{self, Explained, Plan, WhatIf};

/// The time for which a plan is remembered. An index that was made meanwhile is seen after that.
const FRESH: Duration = Duration::from_secs(60);

/// The plan of a statement, and where it is from.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// From the service's file, on a copy of which indexes were tried.
    File(Explained),
    /// As its agent sent it.
    Agent(Sent),
}

impl Known {
    pub(super) fn plan(&self) -> &Plan {
        match self {
            Self::File(explained) => &explained.plan,
            Self::Agent(sent) => &sent.plan,
        }
    }

    /// The plan of the statement in a sentence.
    pub(super) fn summary(&self, sql: &str) -> String {
        match self {
            Self::File(explained) => explained.summary.clone(),
            Self::Agent(sent) => sent.plan.summary(sql),
        }
    }

    /// An index that would make it cheaper.
    pub(super) fn proposal(&self) -> Option<&WhatIf> {
        match self {
            Self::File(explained) => explained.proposal.as_ref(),
            Self::Agent(_) => None,
        }
    }
}

/// Asks for plans.
#[derive(Debug)]
pub(in crate::insight) struct Plans {
    files: Files,
    /// By service and text.
    known: HashMap<(String, String), (Instant, Option<Explained>)>,
    proofs: Proofs,
}

impl Plans {
    pub(in crate::insight) fn new(files: Files) -> Self {
        Self {
            files,
            known: HashMap::new(),
            proofs: Proofs::default(),
        }
    }

    /// Forgets what is old.
    pub(super) fn sweep(&mut self) {
        self.known.retain(|_, (asked, _)| asked.elapsed() < FRESH);
    }

    /// The effect of an index on a statement on a copy of the service's file.
    pub(super) fn proof(&mut self, service: &str, sql: &str, index: &str) -> Option<Verdict> {
        let file = self.files.get(service)?;
        Some(self.proofs.verdict(service, file, sql, index))
    }

    /// The plan of a service's statement, where its file may be asked.
    pub(super) fn explain(&mut self, service: &str, sql: &str) -> Option<Explained> {
        let file = self.files.get(service)?;
        let (_, found) = self
            .known
            .entry((service.to_owned(), sql.to_owned()))
            .or_insert_with(|| {
                let explained = plan::explain(file, sql);
                if let Err(error) = &explained {
                    log::debug!("no plan from {}: {error}", file.display());
                }
                (Instant::now(), explained.ok())
            });
        found.clone()
    }
}
