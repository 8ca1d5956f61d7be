//! The agent's configuration: where values come from, and which one counts.
//!
//! For each option the first valid value wins, in this order: central configuration, environment
//! (`ELASTIC_APM_<OPTION>`), code, configuration file, default. An invalid value is reported and skipped; it never
//! stops the agent, nor does it harm another option. Central configuration reaches only options that are marked
//! as dynamic, and takes effect for the transactions that begin after it arrived.
//!
//! Every option is one entry of the table in `options`; parser, start-up log and `docs/configuration.md` follow from
//! it.

mod guarded;
mod kind;
mod layers;
mod option;
mod options;
mod shown;
mod startup;
mod values;

#[cfg(test)]
mod docs;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};

use crate::util::{Mutex, lock};

pub(crate) use layers::LocalSources;
pub(crate) use options::{Settings, option_table};
#[cfg(any(feature = "postgres", feature = "mysql", test))]
pub(crate) use shown::Secret;
pub(crate) use shown::without_password;
pub(crate) use startup::StartupReport;
pub use values::{CaptureBody, CloudProvider, LogEcsReformatting, LogLevel};

use layers::{Layers, Origin, Source};
use options::OPTIONS;

/// All settings at one moment; never changes.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    settings: Settings,
    origins: Vec<Origin>,
    /// Differs between any two snapshots of the process, and is never 0: what is derived from settings can be cached by
    /// it.
    pub(crate) generation: u64,
}

impl Snapshot {
    /// The source of an option's value, such as `environment`.
    pub(crate) fn source_of(&self, key: &str) -> Source {
        let index = OPTIONS.iter().position(|option| option.key == key);
        index
            .and_then(|index| self.origins.get(index))
            .map_or(Source::Default, |origin| origin.source)
    }
}

impl Deref for Snapshot {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

/// The settings that a transaction keeps from its beginning to its end, whatever changes meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransactionSettings {
    pub(crate) max_spans: u32,
    pub(crate) compression: bool,
    pub(crate) exact_match_max_duration: Duration,
    pub(crate) same_kind_max_duration: Duration,
    pub(crate) exit_span_min_duration: Duration,
    /// Spans at least this long carry a stack trace; `None`: none does.
    pub(crate) stack_trace_min_duration: Option<Duration>,
}

impl Settings {
    pub(crate) fn for_transaction(&self) -> TransactionSettings {
        TransactionSettings {
            max_spans: self.transaction_max_spans,
            compression: self.span_compression_enabled,
            exact_match_max_duration: self.span_compression_exact_match_max_duration,
            same_kind_max_duration: self.span_compression_same_kind_max_duration,
            exit_span_min_duration: self.exit_span_min_duration,
            stack_trace_min_duration: self.span_stack_trace_min_duration,
        }
    }

    /// The servers to send to, in order of preference; at least one. Each path ends in `/`, ready for `Url::join`.
    pub(crate) fn servers(&self) -> &[reqwest::Url] {
        if self.server_urls.is_empty() {
            std::slice::from_ref(&self.server_url)
        } else {
            &self.server_urls
        }
    }
}

/// The live configuration: local sources, read once, and what central configuration says on top.
#[derive(Debug)]
pub(crate) struct Config {
    live: ArcSwap<Snapshot>,
    layers: Mutex<Layers>,
    /// The warnings about the last central configuration.
    told: Mutex<Vec<String>>,
}

/// The changes that a central configuration made.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CentralUpdate {
    /// Each option that has another value now: `transaction_sample_rate: 0.5 (central)`.
    pub(crate) changes: Vec<String>,
    /// One line per problem, for the log. What was said about the same configuration before is not repeated.
    pub(crate) warnings: Vec<String>,
    /// Whether nothing of it was refused. Otherwise the server must not be told that it is in force.
    pub(crate) complete: bool,
}

impl Config {
    /// Resolves the local sources; the second part is one warning per value that was skipped.
    pub(crate) fn resolve(sources: LocalSources) -> (Self, Vec<String>) {
        let (mut layers, mut warnings) = Layers::new(sources);
        let snapshot = layers.resolve(&mut warnings);
        layers.set_local(snapshot.settings.clone());
        (
            Self {
                live: ArcSwap::from_pointee(snapshot),
                layers: Mutex::new(layers),
                told: Mutex::default(),
            },
            warnings,
        )
    }

    /// The settings as they are now, without touching a reference count: load once per transaction.
    pub(crate) fn load(&self) -> Guard<Arc<Snapshot>> {
        self.live.load()
    }

    /// The settings as they are now, to keep.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.live.load_full()
    }

    /// Replaces what central configuration says; a key that is no longer there falls back to its local value.
    pub(crate) fn apply_central(&self, central: &BTreeMap<String, String>) -> CentralUpdate {
        let mut layers = lock(&self.layers);
        let mut update = CentralUpdate::default();
        layers.set_central(central, &mut update.warnings);
        let before = self.snapshot();
        // Local values were reported when they were first read.
        let mut repeated = Vec::new();
        let after = layers.resolve(&mut repeated);
        update.warnings.extend(
            repeated
                .into_iter()
                .filter(|warning| warning.starts_with(layers::CENTRAL_FAILURE)),
        );
        update.complete = !update
            .warnings
            .iter()
            .any(|warning| warning.starts_with(layers::REFUSED));
        let mut told = lock(&self.told);
        let before_that = std::mem::replace(&mut *told, update.warnings.clone());
        update
            .warnings
            .retain(|warning| !before_that.contains(warning));
        update.changes = startup::changes(&before, &after);
        // Caches go by the generation of the settings, so equal settings do not replace each other.
        if !update.changes.is_empty() {
            self.live.store(Arc::new(after));
        }
        update
    }
}
