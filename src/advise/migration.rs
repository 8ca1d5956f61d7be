//! A migration: read, and what it does to a workload, for a terminal.

use std::path::Path;

use anyhow::{Context as _, ensure};
use apm_server::insight::check::Verdict;
use apm_store::text_file;
use sql_advisor::{Fate, Migration, figure};

use super::not_judged;
use super::text::{bytes, change, change_of_time, entries, plan, short};
use super::workload::Replay;
use crate::terminal::words::duration;

/// Longest migration, bytes.
const LONGEST: u64 = 16 << 20;

/// Statements that are listed.
const STATEMENTS: usize = 50;

/// The text of a migration; `-` is the standard input.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let text = if path == Path::new("-") {
        text_file::from(std::io::stdin(), LONGEST).context("cannot read the standard input")?
    } else {
        text_file::read(path, LONGEST)
            .with_context(|| format!("cannot read the migration {}", path.display()))?
    };
    ensure!(
        !text.trim().is_empty(),
        "the migration {} is empty",
        path.display()
    );
    Ok(text)
}

/// A report on a migration.
pub(super) fn text(replay: &Replay, migration: &Migration, verdict: Verdict) -> String {
    let has = |fate: Fate| migration.statements.iter().any(|one| one.fate == fate);
    let mut out = format!(
        "{}: the migration ran on a copy of {}\n",
        replay.service,
        replay.file.display()
    );
    let size = match migration.grows {
        grows if grows >= 0 => format!("grows by {}", bytes(grows.unsigned_abs())),
        grows => format!("shrinks by {}", bytes(grows.unsigned_abs())),
    };
    out.push_str(&format!(
        "write lock held for {} on this machine; the file {size}; work of all recorded calls: {} steps\n\n",
        duration(migration.lock_ms * 1e3),
        change(migration.work_before, migration.work_after, figure),
    ));
    for replayed in migration.statements.iter().take(STATEMENTS) {
        let word = match replayed.fate {
            Fate::Breaks => "BREAKS",
            Fate::Loses => "loses",
            Fate::Gains => "gains",
            Fate::Pays => "pays",
            _ => "same",
        };
        let after = replayed.after.as_ref().unwrap_or(&replayed.before);
        out.push_str(&format!(
            "{word:<7}{:>9} calls  {:>21} steps  {:>19}  {}\n",
            figure(replayed.calls),
            change(replayed.before.steps, after.steps, figure),
            change_of_time(&replayed.before, after),
            short(replay.shown(&replayed.id), 80),
        ));
        if let Some(entries) = entries(&replayed.before, after) {
            out.push_str(&format!("      {entries}\n"));
        }
        if let Some(why) = &replayed.why {
            out.push_str(&format!("      {}\n", short(why, 200)));
        }
        if replayed.replanned {
            out.push_str(&plan(&replayed.before, after));
        }
    }
    if migration.statements.len() > STATEMENTS {
        out.push_str(&format!(
            "… and {} more; --json lists all\n",
            migration.statements.len() - STATEMENTS
        ));
    }
    out.push('\n');
    out.push_str(&not_judged(&migration.not_judged));
    out.push_str(match verdict {
        Verdict::Passed if has(Fate::Pays) => {
            "ok: no statement loses, and indexes save more than they cost\n"
        }
        Verdict::Passed => "ok: no statement loses\n",
        Verdict::Failed if has(Fate::Loses) || has(Fate::Breaks) => {
            "FAILED: a statement loses or fails\n"
        }
        Verdict::Failed => "FAILED: the entries of indexes cost more than the indexes save\n",
        Verdict::NotJudged => {
            "NOT JUDGED: a statement could not be run, and none that was run loses\n"
        }
    });
    out
}
