//! The work of SQLite for a span, as its agent measured it: a sentence, and all counts with their units.

use maud::{Markup, html};
use serde_json::Value;

use super::super::document::field;
use crate::ui::components::flyout;
use crate::ui::components::panel::pairs;
use crate::ui::number::grouped;
use crate::ui::words::count;

/// The label that every measured span has.
const STEPS: &str = "sqlite_steps";

/// The counts that are listed: label, name, and what is counted, of one and of several.
const COUNTS: [(&str, &str, &str, &str); 8] = [
    (STEPS, "Steps", "instruction", "instructions"),
    ("sqlite_scan_steps", "Rows scanned", "row", "rows"),
    ("sqlite_sorts", "Sorts", "sort", "sorts"),
    (
        "sqlite_autoindex_steps",
        "Into automatic indexes",
        "row",
        "rows",
    ),
    ("sqlite_reprepares", "Prepared again", "time", "times"),
    ("sqlite_rows_returned", "Rows returned", "row", "rows"),
    ("sqlite_pages_read", "Read from the file", "page", "pages"),
    (
        "sqlite_pages_written",
        "Written to the file",
        "page",
        "pages",
    ),
];

/// The section of the details; empty where nothing was measured.
pub(super) fn section(document: &Value) -> Markup {
    if label(document, STEPS).is_none() {
        return html! {};
    }
    let listed = COUNTS.into_iter().filter_map(|(name, title, one, many)| {
        Some((title, count(label(document, name)?, one, many)))
    });
    let changed = changed(document).map(|rows| ("Rows changed", count(rows, "row", "rows")));
    let rows = listed.chain(changed);
    let body = html! {
        p { (sentence(document)) }
        (pairs(rows.map(|(title, count)| (title, html! { (count) }))))
    };
    flyout::section("What SQLite did", html! {}, body)
}

/// `Scanned 99,999 rows to return 9; 1 sort.`
fn sentence(document: &Value) -> String {
    let of = |name: &str| label(document, name).unwrap_or(0);
    let returned = of("sqlite_rows_returned");
    let outcome = match (returned, changed(document)) {
        (0, Some(changed)) => format!("change {}", grouped(changed)),
        _ => format!("return {}", grouped(returned)),
    };
    let work = match of("sqlite_scan_steps") {
        0 => format!("Took {}", count(of(STEPS), "step", "steps")),
        rows => format!("Scanned {}", count(rows, "row", "rows")),
    };
    let sorts = match of("sqlite_sorts") {
        0 => String::new(),
        sorts => format!("; {}", count(sorts, "sort", "sorts")),
    };
    format!("{work} to {outcome}{sorts}.")
}

fn label(document: &Value, name: &str) -> Option<u64> {
    let value = field(document, &format!("numeric_labels.{name}"))?;
    // Elastic's documents have all numbers of labels as floating-point numbers.
    value
        .as_u64()
        .or_else(|| Some(value.as_f64()?.max(0.0) as u64))
}

fn changed(document: &Value) -> Option<u64> {
    field(document, "span.db.rows_affected")?.as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_sentence_names_what_was_scanned_sorted_returned_and_changed() {
        let of = |labels: Value, changed: Option<u64>| {
            let mut document = json!({"numeric_labels": labels});
            if let Some(changed) = changed {
                document["span"] = json!({"db": {"rows_affected": changed}});
            }
            sentence(&document)
        };
        let scan = json!({
            "sqlite_steps": 1_200_046.0,
            "sqlite_scan_steps": 100_000.0,
            "sqlite_sorts": 1.0,
            "sqlite_rows_returned": 9.0,
        });
        assert_eq!(of(scan, None), "Scanned 100,000 rows to return 9; 1 sort.");
        let by_id = json!({"sqlite_steps": 9, "sqlite_rows_returned": 1});
        assert_eq!(of(by_id, None), "Took 9 steps to return 1.");
        let update =
            json!({"sqlite_steps": 3_262, "sqlite_scan_steps": 1_000, "sqlite_rows_returned": 0});
        assert_eq!(of(update, Some(500)), "Scanned 1,000 rows to change 500.");
    }

    #[test]
    fn a_span_that_was_not_measured_has_no_section_and_one_that_was_has_all_its_counts() {
        let section = |document: &Value| section(document).into_string();
        assert_eq!(section(&json!({"numeric_labels": {"sqlite_sorts": 1}})), "");
        assert_eq!(section(&json!({})), "");
        let shown = section(
            &json!({"numeric_labels": {"sqlite_steps": 17, "sqlite_rows_returned": 0, "sqlite_pages_written": 2}}),
        );
        for words in ["17 instructions", "0 rows", "2 pages"] {
            assert!(shown.contains(words), "no {words}: {shown}");
        }
        for words in ["Sorts", "Rows scanned", "Rows changed"] {
            assert!(!shown.contains(words), "{words} was not measured: {shown}");
        }
    }
}
