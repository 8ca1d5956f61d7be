use super::*;

const NOW: i64 = 1_795_348_800_000_000;

fn read(pairs: &[(&str, &str)]) -> Result<Search, String> {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Search::read(&pairs.collect(), NOW)
}

#[test]
fn a_search_becomes_a_query_of_the_query_bar() {
    let search = read(&[
        ("service", "shop"),
        ("operation", "GET /a \"b\""),
        ("minDuration", "1.5ms"),
        (
            "tags",
            r#"{"http.status_code":"500","error":"true","user.id":"7"}"#,
        ),
        ("start", "1000"),
        ("end", "2000"),
        ("limit", "999"),
    ])
    .expect("sound");
    assert_eq!(search.limit, MOST);
    assert_eq!((search.range.from, search.range.to), (1000, 2000));
    assert!(kql::parse(&search.query, NOW).is_ok(), "{}", search.query);
    for part in [
        r#"transaction.name: "GET /a \"b\"""#,
        "transaction.duration.us >= 1500",
        "event.outcome: failure",
        "http.response.status_code",
        "labels.user_id",
    ] {
        assert!(search.query.contains(part), "{part} in {}", search.query);
    }
}

#[test]
fn without_a_range_the_last_hour_is_searched() {
    let search = read(&[("service", "shop")]).expect("sound");
    assert_eq!(
        (search.range.from, search.range.to, search.limit),
        (NOW - HOUR, NOW, 20)
    );
}

#[test]
fn times_are_those_that_events_can_have() {
    let (least, most) = (i64::MIN.to_string(), i64::MAX.to_string());
    let search = read(&[("service", "a"), ("start", &least), ("end", &most)]).expect("sound");
    assert_eq!((search.range.from, search.range.to), (0, LATEST));
    let asked = Pairs::from([("endTs".to_owned(), most)]);
    let range = lookback(&asked, NOW).expect("sound");
    assert!(range.from < range.to && range.to <= LATEST, "{range:?}");
}

#[test]
fn what_is_wrong_is_named() {
    for (pairs, word) in [
        (&[][..], "service"),
        (&[("service", "a"), ("minDuration", "fast")], "minDuration"),
        (&[("service", "a"), ("tags", "x=1")], "tags"),
        (&[("service", "a"), ("tags", r#"{"a b: *":"1"}"#)], "tags"),
        (&[("service", "a"), ("start", "9"), ("end", "3")], "start"),
        (&[("service", "a"), ("limit", "many")], "limit"),
    ] {
        let error = read(pairs).expect_err(word);
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn durations_are_read_as_go_writes_them() {
    for (text, micros) in [
        ("1.2s", 1_200_000),
        ("100ms", 100_000),
        ("1h30m", 5_400_000_000),
        ("50us", 50),
    ] {
        assert_eq!(
            duration(text).map(|d| d.as_micros()),
            Some(micros),
            "{text}"
        );
    }
    for text in ["", "5", "ms", "1.2.3s", "-1s", "1d", "1e400s"] {
        assert_eq!(duration(text), None, "{text}");
    }
}
