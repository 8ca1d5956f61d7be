use super::super::super::Verdict;
use super::*;

fn entry(caller: &str, calls: f64, steps: Option<f64>, plan: &str) -> Entry {
    Entry {
        service: "shop".to_owned(),
        caller: caller.to_owned(),
        statement: "SELECT ?".to_owned(),
        calls_per_request: calls,
        steps_per_call: steps,
        plan: (!plan.is_empty()).then(|| vec![plan.to_owned()]),
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
        let found = compare(&baseline, &now, ALL);
        let verdicts: Vec<Verdict> = found.iter().map(|outcome| outcome.verdict).collect();
        assert_eq!(verdicts, expected, "{name}: {found:#?}");
    }
}

#[test]
fn an_empty_baseline_and_an_empty_run_are_not_judged() {
    for outcome in compare(&Baseline::from_entries(Vec::new()), &[], ALL) {
        assert_eq!(outcome.verdict, Verdict::NotJudged, "{outcome:?}");
    }
}

#[test]
fn steps_are_bound_where_they_are_known() {
    let verdict = |steps| steps_bound(&[entry("GET /a", 1.0, steps, "")], 100.0).verdict;
    assert_eq!(verdict(Some(100.0)), Verdict::Passed);
    assert_eq!(verdict(Some(101.0)), Verdict::Failed);
    assert_eq!(verdict(None), Verdict::NotJudged);
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
