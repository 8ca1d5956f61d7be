use super::super::Outcome;
use super::*;

fn report() -> Report {
    let outcomes = vec![
        Outcome::of_some(
            "no-growth",
            1,
            Vec::new(),
            vec!["SELECT 1: too few calls".to_owned()],
        ),
        Outcome::new(
            "p95 GET /a",
            1,
            vec!["a < \"b\" & \u{1}c\u{ffff}".to_owned()],
            Vec::new(),
        ),
        Outcome::new(
            "no-repeats",
            0,
            Vec::new(),
            vec!["no request was seen".to_owned()],
        ),
    ];
    Report::new("2026-01-01T00:00:00Z".to_owned(), 7, outcomes)
}

#[test]
fn text_names_each_bound_what_broke_it_and_what_was_not_judged() {
    assert_eq!(
        report().text(),
        "7 requests since 2026-01-01T00:00:00Z\n\
         ok      no-growth\n        not judged: SELECT 1: too few calls\n\
         FAILED  p95 GET /a\n        a < \"b\" & \u{fffd}c\u{ffff}\n\
         NOT JUDGED  no-repeats\n        not judged: no request was seen\n"
    );
}

#[test]
fn junit_is_escaped_and_counts_what_was_not_judged_as_an_error() {
    let xml = report().junit();
    assert!(
        xml.contains("tests=\"3\" failures=\"1\" errors=\"1\""),
        "{xml}"
    );
    assert!(
        xml.contains("<failure message=\"a &lt; &quot;b&quot; &amp; \u{fffd}c\u{fffd}\">"),
        "{xml}"
    );
    assert!(
        xml.contains(
            "<error message=\"not judged: no request was seen\">no request was seen</error>"
        ),
        "{xml}"
    );
}

#[test]
fn a_report_fails_before_it_is_not_judged() {
    assert_eq!(report().verdict, Verdict::Failed);
    let judged = Outcome::new("a", 1, Vec::new(), Vec::new());
    let not = Outcome::new("b", 0, Vec::new(), Vec::new());
    let of = |outcomes| Report::new(String::new(), 1, outcomes);
    assert_eq!(of(vec![judged.clone(), not]).verdict, Verdict::NotJudged);
    assert!(of(vec![judged]).passed);
}
