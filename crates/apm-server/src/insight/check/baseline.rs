//! Baselines: the work of a service's requests in its database at a time that was good, in a file beside the code:
//! statements with their callers, calls, steps and plans. A later run is compared with it.

mod compare;
mod seen;

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Gate, Outcome, Replayed};
use crate::sort_rows::SortRows as _;
pub use compare::Allowed;
pub(super) use seen::seen;

/// The version of the file's form.
const FORM: u32 = 1;

/// Most entries of a file, and of what is compared with it.
const MOST: usize = 20_000;

/// A statement of a caller.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[schemars(rename = "BaselineEntry")]
pub struct Entry {
    /// `service.name`
    pub service: String,
    /// `transaction.name` of the requests that run it.
    pub caller: String,
    /// With `?` for its literals.
    pub statement: String,
    /// Calls per request that runs it, a mean.
    pub calls_per_request: f64,
    /// Steps of SQLite's virtual machine of the middle call (median), where it runs in several databases of that with
    /// the most; none where no agent counted them.
    pub steps_per_call: Option<f64>,
    /// Rows that a call reads in full scans of tables, in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_scanned_per_call: Option<f64>,
    /// The lines of its plan, with a line `or` between those of several databases; none where no agent sent it in this
    /// time and the service's file was not at hand.
    pub plan: Option<Vec<String>>,
    /// The dearest call; none where no agent counted it, and in files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Most>,
}

/// The most that a call of a statement took.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[schemars(rename = "BaselineMost")]
pub struct Most {
    /// Steps of SQLite's virtual machine.
    pub steps: f64,
    /// The trace of that call, may be empty.
    pub steps_trace: String,
    /// Rows read in full scans of tables.
    pub rows_scanned: f64,
    /// The trace of that call, may be empty.
    pub rows_scanned_trace: String,
    /// Calls of which none of this is known.
    pub not_measured: f64,
}

/// A file of entries, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The form of this file.
    pub form: u32,
    /// Rows that tables were filled up to before the statements ran.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub at_rows: BTreeMap<String, u64>,
    /// By service, caller and statement.
    pub statements: Vec<Entry>,
}

/// The work of requests since a time.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[schemars(rename = "BaselineSeen")]
pub struct Seen {
    /// Start of what was looked at, RFC 3339.
    pub since: String,
    /// Requests that were looked at.
    pub requests: i64,
    /// By service, caller and statement.
    pub statements: Vec<Entry>,
    /// Requests of which not all statements are known and why, a sentence each.
    #[serde(default)]
    pub incomplete: Vec<String>,
    /// Statements of callers that are not in the list, as it is full.
    #[serde(default)]
    pub left_out: u64,
}

impl Seen {
    /// The gaps in it, a sentence each.
    pub fn not_judged(&self) -> impl Iterator<Item = String> {
        self.incomplete.iter().cloned().chain(self.beyond())
    }

    /// A sentence about statements that found no place.
    fn beyond(&self) -> Option<String> {
        let left_out = self.left_out;
        (left_out > 0).then(|| {
            format!(
                "{left_out} statements of callers are beyond the {MOST} that are looked at: give --only-service, or a \
                 later --since"
            )
        })
    }

    /// Replaces what agents counted by costs on a copy, by the text of the statement. Those without one are not known.
    pub fn replay(&mut self, replayed: &HashMap<String, Replayed>) {
        for entry in &mut self.statements {
            let found = replayed.get(&entry.statement);
            entry.steps_per_call = found.map(|found| found.steps.round());
            entry.rows_scanned_per_call = found.map(|found| found.rows_scanned.round());
            entry.plan = found.map(|found| found.plan.clone());
            entry.most = found.map(Most::from);
        }
    }

    /// Makes a file of it, to compare with.
    #[must_use]
    pub fn into_baseline(self) -> Baseline {
        Baseline::from_entries(self.statements)
    }
}

impl From<&Replayed> for Most {
    fn from(replayed: &Replayed) -> Self {
        Self {
            steps: replayed.steps,
            rows_scanned: replayed.rows_scanned,
            ..Self::default()
        }
    }
}

/// The verdicts of a gate on what each statement of each caller did.
pub(super) fn outcomes(gate: &Gate, seen: &Seen) -> Vec<Outcome> {
    let steps = gate.max_steps.map(|most| compare::steps_bound(seen, most));
    let scans = gate.max_rows_scanned;
    let scans = scans.map(|most| compare::scans_bound(seen, most));
    let mut outcomes: Vec<Outcome> = steps.into_iter().chain(scans).collect();
    if let Some((known, allowed)) = &gate.baseline {
        outcomes.extend(compare::compare(known, seen, *allowed));
    }
    outcomes
}

/// Why a baseline cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// It is not the JSON that `--update` writes.
    #[error("the baseline is not what --update writes: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of another version.
    #[error(
        "the baseline has form {0}, and this version knows form {FORM}: write it anew with --update"
    )]
    Form(u32),
    /// It has too many entries.
    #[error("the baseline has more than {MOST} statements")]
    Large,
}

impl Baseline {
    /// A file of entries. The dearest call is not in it: the bounds on it need no file.
    pub(super) fn from_entries(statements: Vec<Entry>) -> Self {
        let mut statements = in_order(statements);
        for entry in &mut statements {
            entry.most = None;
        }
        Self {
            form: FORM,
            at_rows: BTreeMap::new(),
            statements,
        }
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// See [`BaselineError`].
    pub fn read(text: &str) -> Result<Self, BaselineError> {
        let baseline: Self = serde_json::from_str(text)?;
        if baseline.form != FORM {
            return Err(BaselineError::Form(baseline.form));
        }
        if baseline.statements.len() > MOST {
            return Err(BaselineError::Large);
        }
        Ok(baseline)
    }

    /// The file's text: a line for each figure, so that a diff shows what changed.
    #[must_use]
    pub fn text(&self) -> String {
        // Numbers, texts and lists of them always have a form in JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// Entries in the order of the file. Figures are rounded, so that noise does not change the file.
fn in_order(mut statements: Vec<Entry>) -> Vec<Entry> {
    for entry in &mut statements {
        entry.calls_per_request = (entry.calls_per_request * 100.0).round() / 100.0;
        entry.steps_per_call = entry.steps_per_call.map(f64::round);
        entry.rows_scanned_per_call = entry.rows_scanned_per_call.map(f64::round);
    }
    statements.sort_rows_by(|a, b| a.key().cmp(&b.key()));
    statements
}

impl Entry {
    fn key(&self) -> (&str, &str, &str) {
        (&self.service, &self.caller, &self.statement)
    }

    /// `GET /people: SELECT …`
    fn words(&self) -> String {
        format!("{}: {}", self.caller, self.statement)
    }
}
