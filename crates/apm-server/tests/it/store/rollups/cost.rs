//! The cost of statements on SQLite, added up.

use apm_store::Store;
use apm_store::event::Cost;

use super::{add, varied};
use crate::store::{number, open};
use crate::support::events::batch;

/// Counts that can be told from the steps.
pub(super) fn of_steps(steps: i64) -> Cost {
    Cost {
        steps,
        scan_steps: steps / 2,
        sorts: steps % 3,
        autoindex_steps: steps / 4,
        reprepares: steps % 5,
        rows_returned: steps % 7,
        pages_read: steps % 11,
        pages_written: steps % 13,
        rows_changed: (steps % 2 == 0).then_some(steps % 17),
    }
}

/// The cost tables hold what the rows of the spans say, level by level.
pub(super) fn check(store: &Store) {
    let cost = include_str!("cost.sql");
    let columns = [
        "measured",
        "steps",
        "steps_max",
        "scan_steps",
        "sorts",
        "autoindex_steps",
        "reprepares",
        "rows_returned",
        "changing",
        "rows_changed",
        "pages_read",
        "pages_written",
    ];
    let differs: Vec<String> = columns
        .iter()
        .map(|column| format!("abs(e.{column} - r.{column}) > 1e-9 * abs(e.{column})"))
        .collect();
    let wrong = format!(
        "{cost} SELECT count(*) AS n FROM expected e \
         LEFT JOIN roll_statement_cost r USING (level, statement_id, bucket) WHERE r.measured IS NULL OR {}",
        differs.join(" OR ")
    );
    assert_eq!(number(store, &wrong), 0, "sums");
    let more = format!(
        "{cost} SELECT (SELECT count(*) FROM roll_statement_cost) - (SELECT count(*) FROM expected) AS n"
    );
    assert_eq!(number(store, &more), 0, "rows");
    // All calls of a bucket are in its histogram.
    let calls = "SELECT count(*) AS n FROM roll_statement_cost c WHERE abs(c.measured - ( \
            SELECT sum(count) FROM roll_statement_steps h \
            WHERE h.level = c.level AND h.statement_id = c.statement_id AND h.bucket = c.bucket)) > 1e-9 * c.measured";
    assert_eq!(number(store, calls), 0, "histograms");
}

#[test]
fn what_was_not_measured_is_counted_nowhere() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    let mut events = batch("shop");
    for number in 0..20_u64 {
        let mut sent = varied(number, 0, 100);
        (sent.kind, sent.steps) = (2, None);
        add(&mut events, number, &sent);
    }
    store.submit(events).expect("room").wait().expect("stored");
    for table in ["roll_statement_cost", "roll_statement_steps"] {
        let rows = format!("SELECT count(*) AS n FROM {table}");
        assert_eq!(number(&store, &rows), 0, "{table}");
    }
    assert_eq!(
        number(
            &store,
            "SELECT count(*) AS n FROM span WHERE steps IS NULL AND sorts IS NULL"
        ),
        20
    );
}
