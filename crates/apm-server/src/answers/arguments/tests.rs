use actix_web::test::TestRequest;
use apm_time::SECOND;

use super::*;
use crate::answers::Depends::{Files, Nothing, Now, Range as OfRange};

/// 2026-03-18T14:35:00Z
const MINUTE: i64 = 1_773_844_500 * SECOND;

#[track_caller]
fn params(query: &str, second: i64) -> Arguments {
    let request = TestRequest::with_uri(&format!("/?{query}"))
        .param("trace", "a%2Fb%2Bc%25d%C3%BC%2541")
        .to_http_request();
    Arguments::at(
        &request,
        Shape::Data,
        MINUTE + second * SECOND,
        TimeZone::UTC,
    )
    .unwrap()
}

#[test]
fn a_question_about_the_past_is_the_same_whenever_it_is_asked() {
    for query in [
        "from=2026-03-18T14:00:00Z&to=2026-03-18T14:15:00Z",
        "from=2026-03-16&to=now-1d/d&q=a:1",
    ] {
        let tags = [0, 1, 59, 3_600].map(|second| params(query, second).fingerprint(OfRange));
        assert!(tags.iter().all(|tag| *tag == tags[0]), "{query}");
    }
}

#[test]
fn a_question_about_the_present_is_the_same_for_a_sixtieth_of_its_range_and_a_minute_at_most() {
    for (query, same, next) in [
        ("", 13, 14),
        ("from=now-1m", 0, 1),
        ("from=now-1h", 58, 59),
        ("from=now-30d", 58, 59),
        ("from=2026-03-18T14:00:00Z&to=2026-03-18T15:00:00Z", 58, 59),
        ("from=2026-03-18T14:00:00Z&to=2026-03-18T14:35:59Z", 28, 29),
    ] {
        let tag = |second| params(query, second).fingerprint(OfRange);
        assert_eq!(tag(0), tag(same), "{query}");
        assert_ne!(tag(0), tag(next), "{query}");
    }
}

#[test]
fn a_time_in_the_query_moves_as_the_range_does() {
    let tag = |second| {
        let range = "from=2026-03-18T14:00:00Z&to=2026-03-18T14:15:00Z";
        let query = format!("{range}&q=@timestamp%3Enow-30m");
        params(&query, second).fingerprint(OfRange)
    };
    assert_eq!(tag(0), tag(13));
    assert_ne!(tag(0), tag(14));
}

#[test]
fn an_answer_says_on_what_it_depends() {
    let past = "from=2026-03-18T14:00:00Z&to=2026-03-18T14:15:00Z";
    let tag = |query, second| params(query, second).fingerprint(Nothing);
    assert_eq!(tag("from=now-1h", 0), tag("from=now-1h", 7_200));
    let tag = |second| params(past, second).fingerprint(Now);
    assert_ne!(tag(0), tag(60));
    assert_eq!(params(past, 0).fingerprint(Files), None);
}

#[test]
fn a_segment_of_the_path_is_decoded_once() {
    assert_eq!(
        params("", 0).segment(&Parameter::text("trace", "")),
        "a/b+c%d\u{fc}%41"
    );
}

#[test]
fn dates_without_an_offset_are_those_of_the_zone_that_is_named() {
    let from = |query: &str| apm_time::rfc3339(params(query, 0).range().unwrap().from);
    assert_eq!(from("from=2026-03-17"), "2026-03-17T00:00:00Z");
    assert_eq!(
        from("from=2026-03-17&tz=Asia/Tokyo"),
        "2026-03-16T15:00:00Z"
    );
    assert_eq!(
        from("from=now/d&tz=America/New_York"),
        "2026-03-18T04:00:00Z"
    );
    let request = TestRequest::with_uri("/?tz=Mars/Base").to_http_request();
    let error = Arguments::at(&request, Shape::Data, MINUTE, TimeZone::UTC)
        .unwrap_err()
        .to_string();
    assert!(error.contains("Mars/Base"), "{error}");
}
