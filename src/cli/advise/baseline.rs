//! The options of `pocket-apm check` that compare with a baseline.

use std::path::PathBuf;

use clap::Args;

/// The options of `pocket-apm check` that compare a run with a baseline.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Baseline")]
pub struct BaselineOptions {
    /// Most steps of SQLite's virtual machine that any call of a statement may take. Calls that were folded into one
    /// span count with their mean.
    #[arg(long, value_name = "N")]
    pub max_steps: Option<u64>,
    /// Most rows that any call of a statement may read in full scans of tables; 0 allows none.
    #[arg(long, value_name = "N")]
    pub max_rows_scanned: Option<u64>,
    /// A file with statements, their callers, calls, steps and plans, to compare with; --update writes it. Without one
    /// of the next three options, all three hold, with 10%.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the baseline anew from what was seen, instead of comparing with it.
    #[arg(long, requires = "baseline")]
    pub update: bool,
    /// By how much a request's steps of a statement, and its calls, may grow. Steps are those of the middle call
    /// (median) of each caller.
    #[arg(long, value_name = "PERCENT", requires = "baseline", value_parser = percent)]
    pub max_more_steps: Option<f64>,
    /// No statement that the baseline does not have.
    #[arg(long, requires = "baseline")]
    pub no_new_statements: bool,
    /// No plan that differs. Plans come from the service's file, where it is given with --explain, else from its agent,
    /// which has to send them after --since.
    #[arg(long, requires = "baseline")]
    pub no_plan_change: bool,
    /// Measure steps and plans on a copy of the service's file in which a table was filled up to so many rows, instead
    /// of taking what agents counted; may be given several times. The service is that of --only-service, its file that
    /// of --explain.
    #[arg(long, value_name = "TABLE=ROWS", value_parser = table_rows)]
    pub at_rows: Vec<(String, u64)>,
}

/// `10%` as 0.1.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim();
    match number.parse::<f64>() {
        Ok(percent) if percent >= 0.0 && percent.is_finite() => Ok(percent / 100.0),
        _ => Err("write a share of at least 0, as 10%".to_owned()),
    }
}

fn table_rows(text: &str) -> Result<(String, u64), String> {
    let wrong = || "write TABLE=ROWS, as people=1000000".to_owned();
    let (table, rows) = text.split_once('=').ok_or_else(wrong)?;
    let rows: u64 = rows.replace('_', "").parse().map_err(|_| wrong())?;
    if table.is_empty() || rows == 0 {
        return Err(wrong());
    }
    Ok((table.to_owned(), rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_rows_are_read_with_their_signs() {
        assert_eq!(percent("10%"), Ok(0.1));
        assert_eq!(percent("2.5 %"), Ok(0.025));
        assert!(percent("-1%").is_err() && percent("much").is_err());
        assert_eq!(
            table_rows("people=1_000_000"),
            Ok(("people".to_owned(), 1_000_000))
        );
        assert!(
            table_rows("people").is_err()
                && table_rows("=1").is_err()
                && table_rows("people=0").is_err()
        );
    }
}
