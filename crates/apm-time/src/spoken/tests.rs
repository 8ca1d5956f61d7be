use super::*;
use crate::format::rfc3339;

/// 2026-03-18T14:35:12.345678Z, a Wednesday.
const NOW: i64 = 1_773_844_512_345_678;

fn both(text: &str, zone: &str) -> Option<(String, String)> {
    let zone = TimeZone::get(zone).unwrap();
    let at = |round| read(text, NOW, round, &zone)?.ok().map(rfc3339);
    Some((at(Round::Down)?, at(Round::Up)?))
}

#[test]
fn times_are_read_as_they_are_said() {
    for (text, from, to) in [
        ("18:00", "2026-03-17T18:00:00Z", "2026-03-17T18:00:00Z"),
        ("9:30", "2026-03-18T09:30:00Z", "2026-03-18T09:30:00Z"),
        ("9:30:15", "2026-03-18T09:30:15Z", "2026-03-18T09:30:15Z"),
        ("6 pm", "2026-03-17T18:00:00Z", "2026-03-17T18:00:00Z"),
        ("12am", "2026-03-18T00:00:00Z", "2026-03-18T00:00:00Z"),
        ("noon", "2026-03-18T12:00:00Z", "2026-03-18T12:00:00Z"),
        ("today", "2026-03-18T00:00:00Z", "2026-03-19T00:00:00Z"),
        ("Yesterday", "2026-03-17T00:00:00Z", "2026-03-18T00:00:00Z"),
        (
            "yesterday 18:00",
            "2026-03-17T18:00:00Z",
            "2026-03-17T18:00:00Z",
        ),
        (
            "yesterday at 6pm",
            "2026-03-17T18:00:00Z",
            "2026-03-17T18:00:00Z",
        ),
        (
            "last Friday 9:00",
            "2026-03-13T09:00:00Z",
            "2026-03-13T09:00:00Z",
        ),
        ("friday", "2026-03-13T00:00:00Z", "2026-03-14T00:00:00Z"),
        (
            "last Wednesday",
            "2026-03-11T00:00:00Z",
            "2026-03-12T00:00:00Z",
        ),
        ("Wed 9:00", "2026-03-18T09:00:00Z", "2026-03-18T09:00:00Z"),
        ("Wed, 18:00", "2026-03-11T18:00:00Z", "2026-03-11T18:00:00Z"),
        (
            "2026-02-01 6pm",
            "2026-02-01T18:00:00Z",
            "2026-02-01T18:00:00Z",
        ),
        (
            "2 hours ago",
            "2026-03-18T12:35:12.345678Z",
            "2026-03-18T12:35:12.345678Z",
        ),
        (
            "a week ago",
            "2026-03-11T14:35:12.345678Z",
            "2026-03-11T14:35:12.345678Z",
        ),
    ] {
        let expected = Some((from.to_owned(), to.to_owned()));
        assert_eq!(both(text, "UTC"), expected, "{text}");
    }
}

#[test]
fn they_are_those_of_the_reader() {
    let of = |text, zone| both(text, zone).unwrap().0;
    // It is 23:35 in Tokyo.
    assert_eq!(of("18:00", "Asia/Tokyo"), "2026-03-18T09:00:00Z");
    assert_eq!(of("yesterday", "Asia/Tokyo"), "2026-03-16T15:00:00Z");
    assert_eq!(of("9:00", "America/Los_Angeles"), "2026-03-17T16:00:00Z");
}

#[test]
fn anything_else_is_left_to_others() {
    for text in [
        "",
        "last",
        "9",
        "25:00",
        "9:60",
        "13pm",
        "0am",
        "someday",
        "fri day",
        "th",
        "last 9:00",
        "yesterday noonish",
        "ago",
        "x hours ago",
        "-2 hours ago",
        "2 fortnights ago",
        "18:00 yesterday",
        "2026-03-18",
        "now",
        "é:00",
    ] {
        assert_eq!(both(text, "UTC"), None, "{text}");
    }
    let far = "9999999999999999 years ago";
    assert!(matches!(
        read(far, NOW, Round::Down, &TimeZone::UTC),
        Some(Err(Fault::OutOfRange))
    ));
}
