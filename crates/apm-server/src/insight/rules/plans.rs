//! Plans of statements, asked of the services' files and remembered for a minute: the rules ask every few seconds, and
//! to judge an index takes a look at many rows.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::Files;
use super::proofs::Proofs;
use crate::insight::plan::{self, Explained};

/// The time for which a plan is remembered. An index that was made meanwhile is seen after that.
const FRESH: Duration = Duration::from_secs(60);

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

    /// The effect of an index on a statement on a copy of the service's file, in a sentence.
    pub(super) fn proof(&mut self, service: &str, sql: &str, index: &str) -> Option<String> {
        let file = self.files.get(service)?;
        Some(self.proofs.sentence(service, file, sql, index))
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
