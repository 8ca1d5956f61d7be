//! The sentences of the report.

use super::trial::{Trial, leaves_most};
use super::{LEAST_HELP, LEAST_SAVED, Search};
use crate::report::{Cost, ENTRY_STEPS, figure};
use crate::statement::{Bound, Reading, Role};
use crate::statistics::Statistics;

/// A statement with fewer steps than this is not worth an index.
const CHEAP: f64 = 100.0;

/// Why a change is not recommended.
pub(super) fn refusal(trial: &Trial, search: &Search) -> String {
    if trial.change.is_analyze() && trial.replanned.is_empty() {
        return "no statement has another plan with the statistics".to_owned();
    }
    if trial.replanned.is_empty() && trial.writing <= 0.0 {
        return "SQLite does not use it".to_owned();
    }
    if trial.replanned.is_empty() {
        return "SQLite does not use it, and writing costs more with it".to_owned();
    }
    if trial.reading > 0.0 && trial.writing >= trial.reading {
        return format!(
            "over the workload it saves {} steps of reading and costs {} of writing",
            figure(trial.reading),
            figure(trial.writing)
        );
    }
    let dearest = trial.replanned.iter().filter_map(|at| {
        let (_, cost) = trial.costs.iter().find(|(other, _)| other == at)?;
        Some((search.now[*at].steps, cost.steps))
    });
    let (before, after) = dearest.fold((0.0, 0.0), |(a, b), (before, after)| {
        (a + before, b + after)
    });
    if trial.change.is_analyze() {
        return format!(
            "with the statistics plans are others, and save too little: {} steps become {}",
            figure(before),
            figure(after)
        );
    }
    let is_idle = trial.replanned.iter().all(|at| {
        let after = trial.costs.iter().find(|(other, _)| other == at);
        after.is_some_and(|(_, after)| leaves_most(&search.now[*at], after))
    });
    if is_idle {
        return "most of the rows are returned all the same: reading the table is as good"
            .to_owned();
    }
    if trial.help < LEAST_HELP {
        return format!(
            "SQLite uses it, and saves too little by it: {} steps become {}",
            figure(before),
            figure(after)
        );
    }
    format!(
        "it saves {:.1} % of the workload's work, less than {:.0} %",
        trial.share * 100.0,
        LEAST_SAVED * 100.0
    )
}

/// Why nothing is recommended for a statement.
pub(super) fn note(cost: &Cost, reading: &Reading, tried: usize) -> String {
    if reading.uses.is_empty() {
        "it reads no table".to_owned()
    } else if cost.steps <= CHEAP {
        format!("it is cheap already: {} steps", figure(cost.steps))
    } else if tried == 0 {
        "it has no condition, group or order that a new index could serve".to_owned()
    } else {
        "no index that was tried for it helps enough".to_owned()
    }
}

/// Assumptions behind the figures.
pub(super) fn assumed(search: &Search) -> Vec<String> {
    let mut out = Vec::new();
    let options = &search.lab.options;
    out.push(match options.schema_only {
        true => "Rows were made up from a sample of each table: the figures are those of the made-up rows.".to_owned(),
        false => "The figures are those of a whole copy of the database.".to_owned(),
    });
    let has = |wanted: fn(&Role) -> bool| {
        search
            .ready
            .iter()
            .flat_map(|ready| &ready.reading.parameters)
            .any(|(_, role)| wanted(role))
    };
    if has(|role| matches!(role, Role::Of { .. } | Role::New { .. })) {
        out.push(format!(
            "Parameters have values of rows at even distances, {} for each statement; no value comes from the \
            telemetry.",
            options.runs
        ));
    }
    if has(|role| {
        matches!(
            role,
            Role::Of {
                bound: Bound::Low | Bound::High,
                ..
            }
        )
    }) {
        out.push(
            "A range between two parameters has about a twentieth of the rows; one open at an end, about a \
            tenth.".to_owned(),
        );
    }
    if has(|role| {
        matches!(
            role,
            Role::Of {
                bound: Bound::Like | Bound::Glob,
                ..
            }
        )
    }) {
        out.push("A pattern has text of the column with anything before and after it.".to_owned());
    }
    if has(|role| matches!(role, Role::Number(_))) {
        out.push("LIMIT is 20 and OFFSET 0, where they are parameters.".to_owned());
    }
    let writes = search
        .ready
        .iter()
        .any(|ready| ready.reading.writes.is_some());
    out.push(match writes {
        true => format!("An entry that is written to a new index counts as {ENTRY_STEPS:.0} steps."),
        false => "No statement that writes was recorded: what an index costs there is not in the figures.".to_owned(),
    });
    if Statistics::read(&search.lab.copy.conn, 1).is_ok_and(|found| found.is_empty()) {
        out.push(
            "ANALYZE never ran on this database: SQLite guesses how many rows a condition leaves."
                .to_owned(),
        );
    }
    out
}
