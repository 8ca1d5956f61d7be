//! Advice for a terminal.

use apm_server::terminal::plain;
use sql_advisor::{Advice, Cost, Measured, Recommended, figure};

use super::not_judged;
use super::workload::Replay;
use crate::terminal::words::duration;

/// Statements in the table.
const STATEMENTS: usize = 30;

/// Refused changes that are listed.
const REFUSED: usize = 40;

/// A report on advice.
pub(super) fn advice(replay: &Replay, advice: &Advice) -> String {
    let mut out = format!(
        "{}: statements measured on a copy of {}\n\n",
        replay.service,
        replay.file.display()
    );
    out.push_str(&table(replay, &advice.statements));
    if advice.recommended.is_empty() {
        out.push_str(
            "\nNothing is recommended: no change that was tried helps the whole workload.\n",
        );
    } else {
        let share = 100.0 * (1.0 - advice.work_after / advice.work_before.max(1.0));
        out.push_str(&format!(
            "\nRecommended: they save {share:.0} % of the work of all recorded calls\n"
        ));
        for recommended in &advice.recommended {
            out.push_str(&recommendation(replay, recommended));
        }
    }
    out.push_str(&plans(replay, &advice.statements));
    if !advice.refused.is_empty() {
        out.push_str("\nTried and refused\n");
        for refused in advice.refused.iter().take(REFUSED) {
            out.push_str(&format!("  {}\n      {}\n", refused.change, refused.why));
        }
        if advice.refused.len() > REFUSED {
            out.push_str(&format!(
                "  … and {} more; --json lists all\n",
                advice.refused.len() - REFUSED
            ));
        }
    }
    out.push('\n');
    out.push_str(&not_judged(&advice.not_judged));
    for sentence in &advice.assumed {
        out.push_str(&format!("{sentence}\n"));
    }
    out
}

/// Calls, steps, time and text of each statement.
fn table(replay: &Replay, statements: &[Measured]) -> String {
    let mut out = format!(
        "{:>9}  {:>23}  {:>23}  statement\n",
        "calls", "steps per call", "time per call"
    );
    for statement in statements.iter().take(STATEMENTS) {
        let (before, after) = (&statement.before, &statement.after);
        out.push_str(&format!(
            "{:>9}  {:>23}  {:>23}  {}\n",
            figure(statement.calls),
            change(before.steps, after.steps, figure),
            change_of_time(before, after),
            short(replay.shown(&statement.id), 80),
        ));
        if let Some(note) = &statement.note {
            out.push_str(&format!("{:>9}  {:>23}  {:>23}    {note}\n", "", "", ""));
        }
    }
    if statements.len() > STATEMENTS {
        out.push_str(&format!(
            "… and {} more; --json lists all\n",
            statements.len() - STATEMENTS
        ));
    }
    out
}

/// A recommendation with what it costs.
fn recommendation(replay: &Replay, recommended: &Recommended) -> String {
    let mut out = format!("  {};\n", recommended.change);
    out.push_str(&format!(
        "      saves {:.0} %; adds {}; made in {}\n",
        recommended.saves * 100.0,
        bytes(recommended.bytes),
        duration(recommended.build_ms * 1e3),
    ));
    for write in &recommended.writes {
        out.push_str(&format!(
            "      writing: {} steps, {}, {}: {}\n",
            change(write.before.steps, write.after.steps, figure),
            change_of_time(&write.before, &write.after),
            entries(&write.before, &write.after)
                .unwrap_or_else(|| "no index entry more".to_owned()),
            short(replay.shown(&write.id), 80),
        ));
    }
    if recommended.writes.is_empty() {
        out.push_str("      no statement that was recorded writes it\n");
    }
    out
}

/// The entries of indexes that a call writes more or fewer than before: `1 more index entry per call`.
pub(super) fn entries(before: &Cost, after: &Cost) -> Option<String> {
    let difference = after.entries - before.entries;
    // A partial index has only some of the rows.
    let number = format!("{:.2}", difference.abs());
    let number = number.trim_end_matches('0').trim_end_matches('.');
    let noun = match number {
        "0" => return None,
        "1" => "entry",
        _ => "entries",
    };
    let word = if difference > 0.0 { "more" } else { "fewer" };
    Some(format!("{number} {word} index {noun} per call"))
}

/// Plans that change.
fn plans(replay: &Replay, statements: &[Measured]) -> String {
    let mut out = String::new();
    for statement in statements
        .iter()
        .filter(|one| one.before.plan != one.after.plan)
        .take(STATEMENTS)
    {
        if out.is_empty() {
            out.push_str("\nPlans that change\n");
        }
        out.push_str(&format!("  {}\n", short(replay.shown(&statement.id), 110)));
        out.push_str(&plan(&statement.before, &statement.after));
    }
    out
}

/// Two plans, one below the other.
pub(super) fn plan(before: &Cost, after: &Cost) -> String {
    let lines = |sign: char, cost: &Cost| -> String {
        cost.plan
            .iter()
            .map(|line| format!("      {sign} {line}\n"))
            .collect()
    };
    lines('-', before) + &lines('+', after)
}

/// `12 046 → 9`, or one figure where nothing changes.
pub(super) fn change(before: f64, after: f64, write: fn(f64) -> String) -> String {
    let (old, new) = (write(before), write(after));
    if old == new {
        old
    } else {
        format!("{old} → {new}")
    }
}

/// Times differ from run to run: where the steps are equal, so are they.
pub(super) fn change_of_time(before: &Cost, after: &Cost) -> String {
    let is_same = before.plan == after.plan && (before.steps - after.steps).abs() < 0.5;
    let after = if is_same { before } else { after };
    change(before.micros, after.micros, duration)
}

/// A size.
pub(super) fn bytes(bytes: u64) -> String {
    bytesize::ByteSize(bytes).display().iec().to_string()
}

/// A text in one line, cut at so many characters. Telemetry may hold characters that move a terminal's cursor.
pub(super) fn short(text: &str, most: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let safe = plain(&line);
    match safe.char_indices().nth(most) {
        None => safe,
        Some((end, _)) => format!("{}…", &safe[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(change(12_046.0, 9.4, figure), "12 046 → 9");
        assert_eq!(change(9.1, 9.4, figure), "9");
        assert_eq!(figure(1_234_567.0), "1 234 567");
        assert_eq!(figure(-0.5), "0");
        assert_eq!(bytes(24 << 10), "24.0 KiB");
    }

    #[test]
    fn text_of_telemetry_stays_in_one_line_and_moves_no_cursor() {
        assert_eq!(
            short("SELECT\n  1\u{1b}[2J\u{202e}", 100),
            "SELECT 1\u{fffd}[2J\u{fffd}"
        );
        assert_eq!(short("SELECT something", 6), "SELECT…");
    }
}
