use super::*;

/// 2026-03-18T14:35:12.345678Z, a Wednesday.
const NOW: i64 = 1_773_844_512_345_678;

#[track_caller]
fn reads(text: &str, expected: &str) {
    let micros = parse("from", text, NOW, Round::Down).unwrap();
    assert_eq!(rfc3339(micros), expected, "{text}");
}

#[test]
fn a_time_is_read_in_each_of_its_forms() {
    reads("now", "2026-03-18T14:35:12.345678Z");
    reads("now-15m", "2026-03-18T14:20:12.345678Z");
    reads("now-1h+30s", "2026-03-18T13:35:42.345678Z");
    reads("now/m", "2026-03-18T14:35:00Z");
    reads("now-1d/d", "2026-03-17T00:00:00Z");
    reads("now/w", "2026-03-16T00:00:00Z");
    reads("now-1M/M", "2026-02-01T00:00:00Z");
    reads("now/y", "2026-01-01T00:00:00Z");
    reads("2026-03-18T14:35:12.5+02:00", "2026-03-18T12:35:12.5Z");
    reads("2026-03-18T14:35:12Z", "2026-03-18T14:35:12Z");
    reads("2026-03-18T14:35:12", "2026-03-18T14:35:12Z");
    reads(" 2026-03-18 ", "2026-03-18T00:00:00Z");
}

#[test]
fn rounding_up_reaches_the_start_of_the_next_unit() {
    let up = |text| rfc3339(parse("to", text, NOW, Round::Up).unwrap());
    assert_eq!(up("now/h"), "2026-03-18T15:00:00Z");
    assert_eq!(up("now-1d/d"), "2026-03-18T00:00:00Z");
    assert_eq!(up("now/w"), "2026-03-23T00:00:00Z");
}

#[test]
fn nonsense_is_refused_with_the_parameter_and_the_remedy() {
    let broken = [
        "",
        "someday",
        "now-",
        "now-15",
        "now-15x",
        "now*2h",
        "now/d/d",
        "now/",
        "nowhere",
        "2026-13-01",
        "25:00",
        "now-99999999999999999999d",
        "now-1µ",
        "2026-03-18T14:35:12+99:00",
    ];
    for text in broken {
        let error = parse("to", text, NOW, Round::Down).unwrap_err().to_string();
        assert!(error.starts_with("to: "), "{text}: {error}");
    }
    let error = parse("from", "someday", NOW, Round::Down).unwrap_err();
    assert!(error.to_string().contains("use RFC 3339"), "{error}");
    let error = parse("from", "now-100y", NOW, Round::Down).unwrap_err();
    assert!(error.to_string().contains("1970"), "{error}");
}

#[test]
fn a_time_that_cannot_be_stored_is_told_from_no_time_at_all() {
    let fault = |text: &str| parse("to", text, NOW, Round::Up).unwrap_err();
    for text in [
        "9999-12-31",
        "9999-12-31T00:00:00",
        "9999-12-31T00:00:00Z",
        "9999-12-31T00:00:00+00:00",
        "1969-12-31T23:59:59Z",
        "now+9000y",
        "now-99999999999999999999d",
        "now-60y",
    ] {
        let error = fault(text);
        assert!(
            matches!(error, TimeError::OutOfRange { .. }),
            "{text}: {error}"
        );
    }
    assert!(parse("to", "9999-12-30", NOW, Round::Up).is_ok());
    for text in ["9999-13-31", "2026-03-18T14:35:12+99:00", "now+y", "now/q"] {
        let error = fault(text);
        assert!(matches!(error, TimeError::Syntax { .. }), "{text}: {error}");
    }
}

#[test]
fn a_plus_sign_that_became_a_blank_is_told_how_to_be_written() {
    for text in ["2026-03-18T14:35:12 02:00", "now-1d 2h"] {
        let error = parse("from", text, NOW, Round::Down).unwrap_err();
        assert!(error.to_string().contains("%2B"), "{text}: {error}");
    }
    let error = parse("from", "last year", NOW, Round::Down).unwrap_err();
    assert!(error.to_string().contains("use RFC 3339"), "{error}");
    reads("2026-03-18 14:35:12", "2026-03-18T14:35:12Z");
}

#[test]
fn a_range_needs_its_start_before_its_end() {
    let range = Range::parse(None, None, NOW).unwrap();
    assert_eq!(range.micros(), 15 * 60 * SECOND);
    assert!((range.minutes() - 15.0).abs() < 1e-9);
    let error = Range::parse(Some("now"), Some("now-1h"), NOW).unwrap_err();
    assert!(
        error.to_string().starts_with("from: must be earlier"),
        "{error}"
    );
    assert!(Range::parse(Some("now"), Some("now"), NOW).is_err());
    let yesterday = Range::parse(Some("now-1d/d"), Some("now-1d/d"), NOW).unwrap();
    assert_eq!(yesterday.micros(), 86_400 * SECOND);
}

#[test]
fn a_document_time_has_three_digits() {
    assert_eq!(rfc3339_millis(NOW), "2026-03-18T14:35:12.345Z");
    assert_eq!(
        rfc3339_millis(1_773_844_512_000_000),
        "2026-03-18T14:35:12.000Z"
    );
}
