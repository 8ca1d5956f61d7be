use super::*;
use crate::ui::href::Href;

#[test]
fn links_keep_what_all_pages_share() {
    let view = View::test("/services", "from=now-1h&q=a:1&sort=-avg&env=dev");
    assert_eq!(
        view.to(&["errors"]).to_string(),
        "/errors?from=now-1h&env=dev&kept_q=a:1",
        "a page that cannot apply the query keeps it for the next"
    );
    assert_eq!(
        view.to(&["discover"]).to_string(),
        "/discover?from=now-1h&env=dev&q=a:1",
        "the query goes where it can be applied"
    );
    assert_eq!(
        view.here().set("sort", "avg").to_string(),
        "/services?from=now-1h&q=a:1&sort=avg&env=dev"
    );
}

#[test]
fn a_query_comes_back_on_the_first_page_that_can_apply_it() {
    let view = View::test("/services/a/errors", "kept_q=transaction.name:x");
    assert_eq!(view.query(), "");
    assert_eq!(view.kept_query(), Some("transaction.name:x"));
    for (segments, want) in [
        (&["services", "a"][..], "/services/a?q=transaction.name:x"),
        (
            &["services", "a", "map"],
            "/services/a/map?kept_q=transaction.name:x",
        ),
        (&["traces"], "/traces?service=a&q=transaction.name:x"),
        (&["queries"], "/queries?service=a&kept_q=transaction.name:x"),
    ] {
        let view = View {
            of: Some("a".to_owned()),
            ..view.clone()
        };
        assert_eq!(view.to(segments).to_string(), want);
    }
    // A query of the page itself takes its place.
    let view = View::test("/errors", "kept_q=transaction.name:x&q=service.name:b");
    assert_eq!(view.kept_query(), None);
    assert_eq!(
        view.to(&["services"]).to_string(),
        "/services?q=service.name:b"
    );
}

#[test]
fn the_service_is_kept_on_every_page() {
    let view = View::test("/errors", "service=a%20b&page=3");
    assert_eq!(view.service(), Some("a b"));
    for (segments, want) in [
        (&["queries"][..], "/queries?service=a%20b"),
        (&["discover"], "/discover?service=a%20b"),
        (&["services"], "/services?service=a%20b"),
        (&["services", "c"], "/services/c"),
    ] {
        assert_eq!(view.to(segments).to_string(), want);
    }
    let other = |path: &str, query: &str, name: Option<&str>| {
        View::test(path, query).with_service(name).to_string()
    };
    for (path, query, name, want) in [
        (
            "/errors",
            "service=a&page=3",
            Some("b"),
            "/errors?service=b",
        ),
        ("/errors", "service=a&page=3", None, "/errors"),
        ("/services/a/errors/7", "", Some("b"), "/services/b/errors"),
        ("/services/a", "service=x", Some("b"), "/services/b"),
        ("/services/a/metrics", "env=e", None, "/services?env=e"),
        ("/queries/7", "service=a", Some("b"), "/queries?service=b"),
        ("/traces/7", "item=1", Some("b"), "/traces/7?service=b"),
    ] {
        assert_eq!(other(path, query, name), want, "{path}");
    }
}

#[test]
fn the_comparison_is_the_window_just_before_unless_asked_otherwise() {
    for (query, want) in [
        ("from=now-1h", Some(Comparison::Previous)),
        ("from=now-1h&cmp=day", Some(Comparison::Day)),
        ("from=now-3d&cmp=day", Some(Comparison::Previous)),
        ("from=now-1h&cmp=x", Some(Comparison::Previous)),
        ("from=now-1h&cmp=off", None),
    ] {
        assert_eq!(View::test("/", query).comparison(), want, "{query}");
    }
    assert_eq!(
        View::test("/", "")
            .against()
            .replace(crate::ui::number::NARROW, " "),
        "previous 15 min"
    );
}

#[test]
fn zooming_out_doubles_the_range_and_stops_at_now() {
    let view = View::test("/", "from=2026-11-22T10:00:00Z&to=2026-11-22T10:10:00Z");
    assert_eq!(
        view.zoomed_out().to_string(),
        "/?from=2026-11-22T09:55:00Z&to=2026-11-22T10:15:00Z"
    );
    let view = View::test("/", "from=now-10m");
    assert_eq!(
        view.zoomed_out().to_string(),
        "/?from=2026-11-22T11:40:00Z&to=2026-11-22T12:00:00Z"
    );
}

#[test]
fn another_range_begins_with_the_first_row() {
    let view = View::test(
        "/discover",
        "from=now-1h&q=a:1&after=7-8&open=3&hold=9&page=2",
    );
    assert_eq!(
        view.at_first_row().to_string(),
        "/discover?from=now-1h&q=a:1"
    );
    let zoomed = view.zoomed_out().to_string();
    assert!(
        zoomed.ends_with("&q=a:1&to=2026-11-22T12:00:00Z"),
        "{zoomed}"
    );
    assert!(
        view.frozen().to_string().contains("&after=7-8&open=3"),
        "a link to what is shown shows the same"
    );
}

#[test]
fn a_bad_range_is_an_error_that_names_the_parameter() {
    let clock = View::test("/", "").clock;
    let error = View::test_at("/", "from=someday", clock).unwrap_err();
    assert!(error.to_string().starts_with("from:"), "{error}");
}

#[test]
fn values_in_a_query_are_quoted() {
    assert_eq!(quoted(r#"a "b" \c"#), r#""a \"b\" \\c""#);
    assert_eq!(quoted("one\ntwo"), r#""one\ntwo""#);
}

#[test]
fn times_without_an_offset_are_those_of_the_page() {
    let at = |zone: &str, query: &[(&str, &str)]| {
        let clock = Clock {
            zone: jiff::tz::TimeZone::get(zone).unwrap(),
            ..View::test("/", "").clock
        };
        let query = query
            .iter()
            .fold(Href::at("/"), |href, (key, value)| href.set(key, value))
            .to_string();
        let range = View::test_at("/", &query[2..], clock).unwrap().range;
        (apm_time::rfc3339(range.from), apm_time::rfc3339(range.to))
    };
    let both = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    for (zone, from, to, expected) in [
        (
            "Asia/Tokyo",
            "2026-11-20",
            "2026-11-21 12:00",
            both("2026-11-19T15:00:00Z", "2026-11-21T03:00:00Z"),
        ),
        (
            "Asia/Tokyo",
            "now/d",
            "now",
            both("2026-11-21T15:00:00Z", "2026-11-22T12:00:00Z"),
        ),
        (
            "America/New_York",
            "now-1d/d",
            "now-1d/d",
            both("2026-11-21T05:00:00Z", "2026-11-22T05:00:00Z"),
        ),
        // The day on which clocks are put back.
        (
            "Europe/Berlin",
            "2026-10-25",
            "2026-10-26",
            both("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ),
        (
            "Asia/Tokyo",
            "2026-11-20T00:00:00Z",
            "2026-11-21T00:00:00+01:00",
            both("2026-11-20T00:00:00Z", "2026-11-20T23:00:00Z"),
        ),
    ] {
        assert_eq!(
            at(zone, &[("from", from), ("to", to)]),
            expected,
            "{zone} {from}"
        );
    }
}

#[test]
fn a_query_of_several_lines_is_shown_and_asked_as_one() {
    let view = View::test("/discover", "q=service.name:a%0Aand+message:%22x%0Ay%22");
    assert_eq!(view.query(), r#"service.name:a and message:"x\ny""#);
    assert!(view.asked.trouble.is_none() && view.asked.expr.is_some());
}

#[test]
fn dates_in_a_query_are_those_of_the_page() {
    let clock = Clock {
        zone: jiff::tz::TimeZone::get("Asia/Tokyo").unwrap(),
        ..View::test("/", "").clock
    };
    let view = View::test_at("/discover", "q=@timestamp:2026-11-20", clock).unwrap();
    let expr = view.asked.expr.unwrap();
    assert!(kql::matches(
        &expr,
        &serde_json::json!({"@timestamp": "2026-11-19T15:00:00.000Z"})
    ));
}

#[test]
fn links_from_a_page_outside_of_its_range_lead_to_what_it_shows() {
    let view = View::test("/traces/1", "env=live");
    let discover = |view: &View| view.to(&["discover"]).to_string();
    let minute = 60 * apm_time::SECOND;
    let now = view.clock.now;
    let within = view.reaching(now - 3 * minute, now - 2 * minute);
    assert_eq!(discover(&within), "/discover?env=live");
    // Five hours ago: a quarter of an hour on either side.
    let before = view.reaching(now - 300 * minute, now - 299 * minute);
    assert_eq!(
        discover(&before),
        "/discover?env=live&from=2026-11-22T06:45:00Z&to=2026-11-22T07:16:00Z"
    );
    // Twenty minutes ago: no more of the future.
    let late = view.reaching(now - 20 * minute, now - minute);
    assert_eq!(
        discover(&late),
        "/discover?env=live&from=2026-11-22T11:25:00Z&to=2026-11-22T12:00:00Z"
    );
    assert_eq!(late.here().to_string(), view.here().to_string());
    // A range of its own is replaced.
    let own = View::test("/traces/1", "from=now-5m");
    let own = own.reaching(now - 300 * minute, now - 299 * minute);
    assert_eq!(
        discover(&own),
        "/discover?from=2026-11-22T06:45:00Z&to=2026-11-22T07:16:00Z"
    );
}
