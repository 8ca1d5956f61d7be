use super::*;
use crate::insight::growth::{Source, StepPoint, Steps};
use crate::insight::plan::tests::of_details as plan;
use crate::insight::tables::tables;

const JOIN: &str = "SELECT * FROM people p JOIN visit v ON v.person = p.id";

/// The growth by a table that had `rows` when a call took `steps`.
fn by(table: &str, rows: &[f64], steps: &[f64]) -> Growth {
    let points: Vec<StepPoint> = rows
        .iter()
        .zip(steps)
        .zip(0..)
        .map(|((&rows, &steps), at)| StepPoint {
            at: f64::from(at),
            rows,
            steps,
        })
        .collect();
    Growth {
        table: table.to_owned(),
        source: Source::Gauge,
        rows_unknown: rows.is_empty(),
        points: Vec::new(),
        regimes: Vec::new(),
        steps: Steps::from_points(points, &[], None),
        sql: String::new(),
    }
}

#[test]
fn the_table_that_grows_drives_a_join_whichever_is_named_first() {
    let steps: Vec<f64> = (1..=8).map(|n| 10_000.0 * f64::from(n)).collect();
    let grows: Vec<f64> = (1..=8).map(|n| 1_000.0 * f64::from(n)).collect();
    // It grows as well, but the work follows it less closely.
    let jumps = [
        1_000.0, 1_300.0, 3_600.0, 3_700.0, 5_500.0, 5_600.0, 7_500.0, 7_700.0,
    ];
    let same = [50.0; 8];
    let none = plan(&[]);
    let scans_people = plan(&["SCAN p", "SEARCH v USING INDEX visit_person (person=?)"]);
    let scans_visit = plan(&["SCAN v", "SEARCH p USING INTEGER PRIMARY KEY (rowid=?)"]);
    for (name, people, visit, plan, expected) in [
        ("people", &grows[..], &same[..], &none, "people"),
        ("visits", &same, &grows, &none, "visit"),
        (
            "visits found by index",
            &same,
            &grows,
            &scans_people,
            "visit",
        ),
        ("both, one closely", &jumps, &grows, &none, "visit"),
        (
            "both, one is scanned",
            &jumps,
            &grows,
            &scans_people,
            "people",
        ),
        ("both alike", &grows, &grows, &none, "people"),
        (
            "both alike, one scanned",
            &grows,
            &grows,
            &scans_visit,
            "visit",
        ),
        ("neither", &same, &same, &none, "people"),
        ("rows of one unknown", &[], &grows, &none, "visit"),
        (
            "the scanned one unknown",
            &[],
            &grows,
            &scans_people,
            "people",
        ),
        ("the other unknown", &[], &grows, &scans_visit, "visit"),
    ] {
        let found = vec![by("people", people, &steps), by("visit", visit, &steps)];
        let driver = driver(found, plan, &tables(JOIN)).unwrap();
        assert_eq!(driver.table, expected, "{name}");
    }
    let unknown = vec![by("people", &[], &steps), by("visit", &grows, &steps)];
    let unknown = driver(unknown, &scans_people, &tables(JOIN)).unwrap();
    assert!(unknown.rows_unknown, "nothing is said of it");
}

#[test]
fn few_tables_are_candidates_each_once_and_the_first_is_the_one_that_is_known() {
    assert_eq!(candidates("people", &tables(JOIN)), ["people", "visit"]);
    assert_eq!(
        candidates("city", &tables("SELECT 1 FROM a, b, c, d, e")),
        ["city", "a", "b", "c"]
    );
    assert!(candidates("", &tables("SELECT 1")).is_empty());
}

#[test]
fn rows_that_a_statement_makes_itself_are_no_scanned_table_whose_rows_are_unknown() {
    let steps: Vec<f64> = (1..=8).map(|n| 10_000.0 * f64::from(n)).collect();
    let grows: Vec<f64> = (1..=8).map(|n| 1_000.0 * f64::from(n)).collect();
    let sql = "WITH recent AS (SELECT person FROM visit) SELECT * FROM recent r";
    let plan = plan(&[
        "MATERIALIZE recent",
        "SEARCH visit USING INDEX visit_at (at>?)",
        "SCAN r",
    ]);
    let found = vec![by("recent", &[], &steps), by("visit", &grows, &steps)];
    assert_eq!(driver(found, &plan, &tables(sql)).unwrap().table, "visit");
}
