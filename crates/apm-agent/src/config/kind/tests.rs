//! Each kind of option, by what it takes and what it refuses.

use super::*;

fn check<T: PartialEq + std::fmt::Debug>(kind: &Kind<T>, valid: &[(&str, T)], invalid: &[&str]) {
    for (text, expected) in valid {
        assert_eq!((kind.parse)(text).as_ref(), Ok(expected), "{text:?}");
    }
    for text in invalid {
        assert!((kind.parse)(text).is_err(), "{text:?}");
    }
}

#[test]
fn durations_need_their_unit_and_mind_its_case() {
    let millis = Duration::from_millis;
    let invalid = [
        "",
        "5",
        "s",
        "5 s",
        "5S",
        "5h",
        "1.5s",
        "+5s",
        "--5s",
        "5us",
        "-5s",
        "99999999999999999999s",
        "9999999999999999m",
    ];
    check(
        &DURATION,
        &[
            ("0ms", millis(0)),
            ("5ms", millis(5)),
            ("5s", millis(5_000)),
            ("2m", millis(120_000)),
        ],
        &invalid,
    );
    check(
        &FINE_DURATION,
        &[("7us", Duration::from_micros(7)), ("1ms", millis(1))],
        &["5", "5US", "-1us"],
    );
    check(
        &THRESHOLD,
        &[
            ("-1ms", None),
            ("0ms", Some(millis(0))),
            ("5ms", Some(millis(5))),
        ],
        &["-1", "0", "5us"],
    );
    check(
        &INTERVAL,
        &[("0s", millis(0)), ("1s", millis(1_000))],
        &["1ms", "999ms", "-1s"],
    );
}

#[test]
fn sizes_count_in_1024_and_ignore_case() {
    let valid = [
        ("0b", 0),
        ("10B", 10),
        ("2kb", 2_048),
        ("768KB", 786_432),
        ("1Mb", 1 << 20),
        ("1gb", 1 << 30),
    ];
    check(
        &SIZE,
        &valid,
        &[
            "",
            "1",
            "kb",
            "1 kb",
            "1.5mb",
            "-1kb",
            "1tb",
            "1k",
            "99999999999999999999b",
            "18446744073709551615gb",
        ],
    );
}

#[test]
fn numbers_rates_and_booleans_are_exact() {
    check(
        &COUNT,
        &[("0", 0), ("500", 500)],
        &["", "-1", "+1", "1.0", " 1", "4294967296"],
    );
    check(
        &LIMIT,
        &[("-1", None), ("0", Some(0)), ("50", Some(50))],
        &["-2", "", "all"],
    );
    check(
        &BOOL,
        &[("true", true), ("false", false)],
        &["", "True", "FALSE", "1", "yes", " true"],
    );
    check(
        &RATE,
        &[("1", SampleRate::ALL), ("0.0", SampleRate::NONE)],
        &["", "1.2", "-0.5", "half"],
    );
}

#[test]
fn a_boolean_is_taken_as_other_agents_write_it_and_that_is_said() {
    for (text, expected) in [("False", false), ("0", false), ("TRUE", true), ("1", true)] {
        let (value, understood) = BOOL.read(text).unwrap();
        assert_eq!(value, expected, "{text}");
        assert_eq!(understood.text, expected.to_string());
        assert!(understood.why.is_some());
    }
    assert_eq!(BOOL.read(" true\n").unwrap().1.why, None);
    assert!(BOOL.read("maybe").is_err() && BOOL.read("").is_err());
}

#[test]
fn one_bad_item_costs_only_itself() {
    let (labels, understood) = MAPPING.read("team=shop,region,=x,tier=1").unwrap();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(labels, [pair("team", "shop"), pair("tier", "1")]);
    assert_eq!(understood.text, "team=shop,tier=1");
    assert_eq!(understood.why.as_deref(), Some("left out: region, =x"));
    assert!(MAPPING.read("region").is_err());
    let (urls, understood) = SERVER_URLS.read("http://a:8200, b:8200").unwrap();
    assert_eq!((urls.len(), understood.text.as_str()), (1, "http://a:8200"));
}

#[test]
fn a_secret_is_trimmed_and_what_no_header_can_hold_is_refused() {
    let (secret, _) = SECRET.read(" s3cret\r\n").unwrap();
    assert_eq!(secret, Some(Secret::new("s3cret")));
    for bad in ["s3\ncret", "gehei\u{df}", "s3\u{0}cret", "s3\u{7f}cret"] {
        let why = SECRET.read(bad).unwrap_err();
        assert!(why.contains("position") && !why.contains("s3"), "{why}");
    }
}

#[test]
fn a_timeout_of_zero_or_less_is_none() {
    check(
        &TIMEOUT,
        &[
            ("0s", Duration::ZERO),
            ("-1s", Duration::ZERO),
            ("5s", Duration::from_secs(5)),
        ],
        &["", "0", "5S"],
    );
}

#[test]
fn mappings_forget_the_blanks_around_items() {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let valid = [
        ("", vec![]),
        (
            " a = 1 , b=x=y ,c=",
            vec![pair("a", "1"), pair("b", "x=y"), pair("c", "")],
        ),
    ];
    check(&MAPPING, &valid, &["a", "a=1,b", "=1"]);
}

#[test]
fn service_names_are_made_valid_unless_they_are_blank() {
    let name = |text: &str| text.to_owned();
    let valid = [
        ("my-app 01", name("my-app 01")),
        (" Shop_é/2 ", name("Shop___2")),
        ("myService/()<>@", name("myService______")),
    ];
    check(&SERVICE_NAME, &valid, &["", "   "]);
    assert_eq!(
        (SERVICE_NAME.parse)(&"x".repeat(2_000)).map(|name| name.len()),
        Ok(1024)
    );
}

#[test]
fn server_urls_keep_their_path_and_are_ready_to_join() {
    let url = |text: &str| Url::parse(text).unwrap();
    let valid = [
        ("http://127.0.0.1:8200", url("http://127.0.0.1:8200/")),
        (
            "https://apm.example/prefix?x#y",
            url("https://apm.example/prefix/"),
        ),
    ];
    check(
        &SERVER_URL,
        &valid,
        &["", "localhost:8200", "ftp://x", "http://", "/intake"],
    );
    let joined = (SERVER_URL.parse)("https://apm.example/prefix")
        .unwrap()
        .join("intake/v2/events")
        .unwrap();
    assert_eq!(
        joined.as_str(),
        "https://apm.example/prefix/intake/v2/events"
    );
}
