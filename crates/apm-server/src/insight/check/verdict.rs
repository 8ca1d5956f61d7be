//! Verdicts on bounds: passed, failed, or not judged. A bound that was not judged has not passed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The verdict on one bound, or on all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was judged, and nothing broke it.
    Passed,
    /// Something broke it.
    Failed,
    /// There was too little to judge by.
    NotJudged,
}

/// One bound, and how it was kept.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Outcome {
    /// The option, such as `no-repeats`.
    pub check: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Violations, a sentence each.
    pub failures: Vec<String>,
    /// Things that could not be judged and why, a sentence each. A bound is judged only where all of it was.
    pub not_judged: Vec<String>,
}

impl Outcome {
    /// The verdict where all has to be judged. `judged`: of how many requests or statements the bound was judged.
    pub(super) fn new(
        check: &str,
        judged: usize,
        failures: Vec<String>,
        not_judged: Vec<String>,
    ) -> Self {
        let judged = if not_judged.is_empty() { judged } else { 0 };
        Self::of_some(check, judged, failures, not_judged)
    }

    /// The verdict where it suffices that one request or statement was judged.
    pub(super) fn of_some(
        check: &str,
        judged: usize,
        failures: Vec<String>,
        not_judged: Vec<String>,
    ) -> Self {
        let verdict = match (failures.is_empty(), judged) {
            (false, _) => Verdict::Failed,
            (true, 0) => Verdict::NotJudged,
            (true, _) => Verdict::Passed,
        };
        Self {
            check: check.to_owned(),
            verdict,
            failures,
            not_judged,
        }
    }
}

/// The verdicts on all bounds.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Report {
    /// Whether every bound was judged and kept.
    pub passed: bool,
    /// Failed where one bound failed, else not judged where one was not judged.
    pub verdict: Verdict,
    /// Start of what was looked at, RFC 3339.
    pub since: String,
    /// Requests that were looked at.
    pub requests: i64,
    /// In the order of the options.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    pub(super) fn new(since: String, requests: i64, outcomes: Vec<Outcome>) -> Self {
        let any = |verdict| outcomes.iter().any(|outcome| outcome.verdict == verdict);
        let verdict = if any(Verdict::Failed) {
            Verdict::Failed
        } else if any(Verdict::NotJudged) {
            Verdict::NotJudged
        } else {
            Verdict::Passed
        };
        Self {
            passed: verdict == Verdict::Passed,
            verdict,
            since,
            requests,
            outcomes,
        }
    }

    /// Both reports, of the same requests, as one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut outcomes = self.outcomes;
        // Both may say that there was no request.
        let is_new = |outcome: &Outcome| !outcomes.contains(outcome);
        let new: Vec<Outcome> = other.outcomes.into_iter().filter(is_new).collect();
        outcomes.extend(new);
        Self::new(self.since, self.requests, outcomes)
    }
}
