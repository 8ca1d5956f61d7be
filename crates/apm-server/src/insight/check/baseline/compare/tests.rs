use super::super::super::Verdict;
use super::*;

fn entry(caller: &str, calls: f64, steps: Option<f64>, plan: &str) -> Entry {
    Entry {
        service: "shop".to_owned(),
        caller: caller.to_owned(),
        statement: "SELECT ?".to_owned(),
        calls_per_request: calls,
        steps_per_call: steps,
        rows_scanned_per_call: steps.map(|steps| steps / 10.0),
        plan: (!plan.is_empty()).then(|| vec![plan.to_owned()]),
        most: steps.map(|steps| Most {
            steps,
            rows_scanned: steps / 10.0,
            ..Most::default()
        }),
    }
}

fn seen(statements: Vec<Entry>) -> Seen {
    Seen {
        since: String::new(),
        requests: 1,
        statements,
        incomplete: Vec::new(),
        left_out: 0,
    }
}

const ALL: Allowed = Allowed {
    more_steps: Some(0.1),
    new_statements: false,
    other_plans: false,
};

#[test]
fn a_regression_fails_noise_passes_and_what_was_not_seen_is_not_judged() {
    use Verdict::{Failed, NotJudged, Passed};
    let old = entry("GET /a", 2.0, Some(1_000.0), "SEARCH t");
    for (name, now, expected) in [
        ("the same", vec![old.clone()], [Passed, Passed, Passed]),
        (
            "a little more",
            vec![entry("GET /a", 2.0, Some(1_090.0), "SEARCH t")],
            [Passed, Passed, Passed],
        ),
        (
            "fewer",
            vec![entry("GET /a", 1.0, Some(10.0), "SEARCH t")],
            [Passed, Passed, Passed],
        ),
        (
            "more steps",
            vec![entry("GET /a", 2.0, Some(1_200.0), "SEARCH t")],
            [Failed, Passed, Passed],
        ),
        (
            "more calls",
            vec![entry("GET /a", 5.0, Some(1_000.0), "SEARCH t")],
            [Failed, Passed, Passed],
        ),
        (
            "more calls without steps",
            vec![entry("GET /a", 5.0, None, "SEARCH t")],
            [Failed, Passed, Passed],
        ),
        (
            "another plan",
            vec![entry("GET /a", 2.0, Some(1_000.0), "SCAN t")],
            [Passed, Passed, Failed],
        ),
        (
            "no steps",
            vec![entry("GET /a", 2.0, None, "SEARCH t")],
            [NotJudged, Passed, Passed],
        ),
        (
            "no plan",
            vec![entry("GET /a", 2.0, Some(1_000.0), "")],
            [Passed, Passed, NotJudged],
        ),
        (
            "a new one",
            vec![old.clone(), entry("GET /b", 1.0, Some(9.0), "SCAN t")],
            [Passed, Failed, Passed],
        ),
        ("not seen", vec![], [NotJudged, NotJudged, NotJudged]),
    ] {
        let baseline = Baseline::from_entries(vec![old.clone()]);
        let found = compare(&baseline, &seen(now), ALL);
        let verdicts: Vec<Verdict> = found.iter().map(|outcome| outcome.verdict).collect();
        assert_eq!(verdicts, expected, "{name}: {found:#?}");
    }
}

#[test]
fn an_empty_baseline_and_an_empty_run_are_not_judged() {
    for outcome in compare(&Baseline::from_entries(Vec::new()), &seen(Vec::new()), ALL) {
        assert_eq!(outcome.verdict, Verdict::NotJudged, "{outcome:?}");
    }
}

#[test]
fn steps_are_bound_where_they_are_known() {
    let verdict = |steps| steps_bound(&seen(vec![entry("GET /a", 1.0, steps, "")]), 100.0).verdict;
    assert_eq!(verdict(Some(100.0)), Verdict::Passed);
    assert_eq!(verdict(Some(101.0)), Verdict::Failed);
    assert_eq!(verdict(None), Verdict::NotJudged);
}

#[test]
fn rows_that_are_scanned_are_bound_and_none_is_a_bound_too() {
    let found = |steps, most| scans_bound(&seen(vec![entry("GET /a", 1.0, steps, "")]), most);
    let broken = found(Some(20_000.0), 1_999.0);
    assert_eq!(
        broken.failures,
        ["GET /a: SELECT ? scanned 2,000 rows in one call, more than 1,999"]
    );
    assert_eq!(found(Some(20_000.0), 2_000.0).verdict, Verdict::Passed);
    assert_eq!(found(Some(0.0), 0.0).verdict, Verdict::Passed);
    assert_eq!(found(Some(10.0), 0.0).verdict, Verdict::Failed);
    assert_eq!(found(None, 0.0).verdict, Verdict::NotJudged);
    // A bound on nothing has not passed.
    assert_eq!(
        scans_bound(&seen(Vec::new()), 0.0).verdict,
        Verdict::NotJudged
    );
}

#[test]
fn the_file_is_in_order_and_read_as_it_was_written() {
    let statements = vec![
        entry("GET /b", 1.0 / 3.0, Some(9.6), ""),
        entry("GET /a", 2.0, None, "SCAN t"),
    ];
    let baseline = Baseline::from_entries(statements);
    assert_eq!(baseline.statements[0].caller, "GET /a");
    assert_eq!(baseline.statements[1].calls_per_request, 0.33);
    assert_eq!(Baseline::read(&baseline.text()).unwrap(), baseline);
    assert!(!baseline.text().contains("most"), "{}", baseline.text());
    // A file from a time when scans were not in it.
    let mut old: serde_json::Value = serde_json::from_str(&baseline.text()).unwrap();
    for entry in old["statements"].as_array_mut().unwrap() {
        entry
            .as_object_mut()
            .unwrap()
            .remove("rows_scanned_per_call");
    }
    let old = Baseline::read(&old.to_string()).unwrap();
    assert_eq!(old.statements[1].steps_per_call, Some(10.0));
    assert_eq!(old.statements[1].rows_scanned_per_call, None);
    let other = baseline.text().replace("\"form\": 1", "\"form\": 9");
    assert!(
        Baseline::read(&other)
            .unwrap_err()
            .to_string()
            .contains("--update")
    );
    assert!(
        Baseline::read("[]")
            .unwrap_err()
            .to_string()
            .contains("--update")
    );
}

#[test]
fn what_is_missing_in_a_run_is_not_judged() {
    use Verdict::{NotJudged, Passed};
    let old = entry("GET /a", 2.0, Some(1_000.0), "SEARCH t");
    let baseline = Baseline::from_entries(vec![old.clone()]);
    let verdicts = |run: &Seen| {
        let mut outcomes = vec![steps_bound(run, 5_000.0), scans_bound(run, 5_000.0)];
        outcomes.extend(compare(&baseline, run, ALL));
        let verdicts = outcomes.iter().map(|outcome| outcome.verdict);
        verdicts.collect::<Vec<_>>()
    };
    let whole = seen(vec![old.clone()]);
    assert_eq!(verdicts(&whole), [Passed; 5]);
    // A request that ran more than is known has the plans that are known.
    let mut dropped = whole.clone();
    dropped.incomplete = vec!["GET /a: not all".to_owned()];
    let expected = [NotJudged, NotJudged, NotJudged, NotJudged, Passed];
    assert_eq!(verdicts(&dropped), expected);
    let mut full = whole.clone();
    full.left_out = 7;
    assert_eq!(verdicts(&full), [NotJudged; 5]);
    let words = steps_bound(&full, 5_000.0).not_judged;
    assert!(
        words[0].starts_with("7 statements of callers are beyond"),
        "{words:?}"
    );
    // Some of its calls were not measured.
    let mut some = whole;
    some.statements[0].most.as_mut().unwrap().not_measured = 3.0;
    let expected = [NotJudged, NotJudged, Passed, Passed, Passed];
    assert_eq!(verdicts(&some), expected);
    assert_eq!(
        steps_bound(&some, 500.0).failures,
        ["GET /a: SELECT ? took 1,000 steps in one call, more than 500"]
    );
}

#[test]
fn a_file_of_before_is_compared_as_ever() {
    let text = r#"{
  "form": 1,
  "statements": [
    {
      "service": "shop",
      "caller": "GET /a",
      "statement": "SELECT ?",
      "calls_per_request": 1.0,
      "steps_per_call": 100.0,
      "rows_scanned_per_call": 0.0,
      "plan": [
        "SEARCH t"
      ]
    }
  ]
}
"#;
    let baseline = Baseline::read(text).unwrap();
    for (steps, verdict) in [(100.0, Verdict::Passed), (200.0, Verdict::Failed)] {
        let run = seen(vec![entry("GET /a", 1.0, Some(steps), "SEARCH t")]);
        let found = compare(&baseline, &run, ALL);
        assert_eq!(found[0].verdict, verdict, "{found:#?}");
        assert_eq!(found[2].verdict, Verdict::Passed, "{found:#?}");
    }
    assert_eq!(baseline.text(), text);
}
