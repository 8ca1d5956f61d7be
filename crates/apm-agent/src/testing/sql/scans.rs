//! Scans of tables and indexes, told from what SQLite counts alike: pages in the order of a key, and results that live
//! for a statement alone (ADR 510).

use sqlite_meter::{Extent, Finished, Scan};

/// The tables and indexes that a run has scanned, each in words.
pub(super) fn of(finished: &Finished<'_>) -> Vec<String> {
    let counters = finished.counters();
    if counters.fullscan_steps == 0 && counters.autoindex_steps == 0 {
        return Vec::new();
    }
    let Some(scans) = finished.scans() else {
        return vec![
            "rows are read one after the other; SQLite does not tell of which table".to_owned(),
        ];
    };
    // SQLite's own tables have no indexes. Each row that is read takes a step, but for the first.
    let rows = counters.rows_returned.max(counters.rows_changed);
    let is_page = counters.fullscan_steps < rows.unwrap_or(0);
    let is_scan = |scan: &&Scan| {
        let is_bounded = scan.extent != Extent::All || !finished.is_complete();
        let is_own = scan.table.starts_with("sqlite_");
        !is_own && (scan.automatic || scan.filtered || !(is_bounded && is_page))
    };
    scans.iter().filter(is_scan).map(words).collect()
}

fn words(scan: &Scan) -> String {
    let table = &scan.table;
    let what = match &scan.index {
        None => table.clone(),
        Some(index) => format!("the index {index} of {table}"),
    };
    if scan.automatic {
        return format!(
            "{what} is read to make an index for this call alone; an index that stays may end that"
        );
    }
    let how_far = match scan.extent {
        Extent::UntilEnough => "until enough rows are found",
        Extent::AsAskedFor => "as far as its rows are asked for",
        _ => "without a limit",
    };
    let remedy = match scan.filtered && scan.index.is_none() {
        true => "; an index on what it looks for may end that",
        false => "",
    };
    format!("{what} is read row by row, {how_far}{remedy}")
}
