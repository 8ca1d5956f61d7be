use super::*;
use crate::analytics::percentile::Percentiles;
use crate::analytics::series::Series;
use crate::analytics::tests::empty;

#[test]
fn a_gate_without_bounds_or_with_an_unknown_start_is_an_error() {
    let conn = &mut empty();
    assert!(matches!(
        run(conn, &Gate::default(), SECOND),
        Err(CheckError::Nothing)
    ));
    let gate = Gate {
        no_growth: Some(NoGrowth::All),
        since: Some("release".to_owned()),
        ..Gate::default()
    };
    let error = run(conn, &gate, SECOND).unwrap_err().to_string();
    assert!(
        error.contains("release") && error.contains("marker"),
        "{error}"
    );
}

#[test]
fn what_was_never_seen_is_not_judged() {
    let conn = &mut empty();
    let gate = Gate {
        no_repeats: true,
        p95: vec!["GET /a<5ms".parse().unwrap()],
        ..Gate::default()
    };
    let report = run(conn, &gate, 1_800_000_000 * SECOND).unwrap();
    assert!(!report.passed);
    assert_eq!(report.verdict, Verdict::NotJudged);
    let reasons: Vec<_> = report
        .outcomes
        .iter()
        .map(|outcome| {
            assert_eq!(outcome.verdict, Verdict::NotJudged, "{outcome:?}");
            outcome.not_judged[0].as_str()
        })
        .collect();
    assert!(
        reasons[0].contains("no request was seen with its statements"),
        "{reasons:?}"
    );
    assert_eq!(reasons[1], "no request named GET /a was seen");
    assert!(
        reasons[2].starts_with("no request was seen since"),
        "{reasons:?}"
    );
}

#[test]
fn a_bound_of_p95_holds_for_each_type_of_its_name() {
    let group = |kind: &str, count: f64, p95: f64| transactions::Transaction {
        kind: kind.to_owned(),
        name: "GET /a".to_owned(),
        count,
        latency_avg: None,
        latency: Some(Percentiles {
            p95,
            ..Percentiles::default()
        }),
        latency_max: 0,
        throughput: 0.0,
        failed_rate: None,
        impact: 0.0,
        series: Series::default(),
        ids: Vec::new(),
    };
    let bound: P95 = "GET /a<5ms".parse().unwrap();
    let quick = group("request", 100.0, 4_000.0);
    for (other, verdict) in [
        (group("page-load", 1.0, 9_000.0), Verdict::Failed),
        (group("page-load", 1.0, 4_000.0), Verdict::Passed),
    ] {
        assert_eq!(p95(&bound, &[quick.clone(), other]).verdict, verdict);
    }
    let few = [group("request", 1.0, 4_000.0)];
    assert_eq!(p95(&bound, &few).verdict, Verdict::NotJudged);
}
