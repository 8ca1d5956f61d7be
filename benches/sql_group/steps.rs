//! SQLite's own numbers of one query for the counts: the same on any machine and under any load.
#![expect(
    clippy::print_stdout,
    reason = "the numbers are what the bench is run for"
)]

use rusqlite::StatementStatus;

use crate::table::{Table, counts};

/// Prints steps, steps of full scans and sorts of one query on each table.
pub(crate) fn print(tables: &[Table]) {
    println!(
        "\n{:<12} {:>10} {:>14} {:>14} {:>6}",
        "strategy", "rows", "steps", "scan steps", "sorts"
    );
    for table in tables {
        let sqlite = table.sqlite();
        let mut statement = sqlite.prepare(table.sql()).expect("the counts' SQL");
        counts(&mut statement);
        let [steps, scanned, sorts] = [
            StatementStatus::VmStep,
            StatementStatus::FullscanStep,
            StatementStatus::Sort,
        ]
        .map(|status| statement.get_status(status));
        println!(
            "{:<12} {:>10} {steps:>14} {scanned:>14} {sorts:>6}",
            table.name(),
            table.rows
        );
    }
}
