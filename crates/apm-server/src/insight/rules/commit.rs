//! Commits that take longer than what they commit.
//!
//! A BEGIN that takes the write lock waits for the commits of others: its time is not that of statements.

use super::{Look, figures};
use crate::insight::finding::{Draft, Kind, Says, duration_words};
use crate::insight::severity::Severity;

/// Share of the request's SQL, but for its BEGINs, from which commits take most of it.
const SHARE: f64 = 0.5;

/// A commit that is faster than this waits for nothing, µs.
const LEAST: f64 = 100.0;

/// Requests that must show it.
const FEWEST: i64 = 3;

pub(super) fn apply(look: &Look<'_>) -> Vec<Draft> {
    let commits = look.callers.iter().filter_map(|caller| {
        let statement = look
            .statement(caller.statement_id)
            .filter(|statement| statement.verb == "COMMIT")?;
        let all = look.all(caller.tx_group_id)?;
        let mean = caller.sum / caller.calls.max(1.0);
        let begins = look.time_of(caller.tx_group_id, "BEGIN");
        let work = all.sum - begins;
        let share = caller.sum / work.max(1.0);
        // Fewer commits of more rows would save about half of their time.
        let saving = caller.sum * 60.0 / super::RECENT as f64 * 0.5;
        (caller.requests >= FEWEST && mean >= LEAST && share >= SHARE)
            .then_some((caller, statement, work, mean, share, saving))
    });
    commits
        .map(|(caller, statement, work, mean, share, saving)| Draft {
            kind: Kind::Commit,
            service: caller.service.clone(),
            environment: caller.environment.clone(),
            subject: caller.name.clone(),
            severity: Severity::of_saving(saving),
            saving,
            says: Says {
                title: format!("Commits take most of the SQL of {}: {:.0} %.", caller.name, share * 100.0),
                cause: format!(
                    "A COMMIT takes {} on average, all its other statements together {} per request. A commit waits \
                     for the disk (fsync), however little was written.",
                    duration_words(mean),
                    duration_words((work - caller.sum) / caller.requests.max(1) as f64),
                ),
                remedy: "Commit more rows at once, or use journal_mode = WAL with synchronous = NORMAL, which syncs \
                         at checkpoints only (a power loss may then cost the last commits, a crash of the process \
                         does not)."
                    .to_owned(),
                evidence: statement.evidence(Some(caller)),
                figures: figures(&[("avg", mean), ("share", share)]),
            },
        })
        .collect()
}
