use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::*;

const NOW: i64 = 1_773_844_512_000_000;

fn document() -> Json {
    json!({
        "@timestamp": "2026-03-18T14:35:12.000Z",
        "processor": {"event": "transaction"},
        "service": {"name": "my-app-01", "environment": "dev"},
        "transaction": {"name": "GET /sql-group", "duration": {"us": 37_120}, "sampled": true},
        "event": {"outcome": "success"},
        "http": {"request": {"headers": {"Host": ["my-za-server", "second"]}}, "response": {"status_code": 200}},
        "labels": {"a_b": "x \"y\" \\z"},
        "message": "Could not CONNECT to the database",
        "or": "a field called or",
        "dotted.key": {"inner": 5},
        "nothing": null,
    })
}

#[track_caller]
fn check(query: &str, expected: bool) {
    let expr = parse(query, NOW).unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!(matches(&expr, &document()), expected, "{query} -> {expr:?}");
}

#[test]
fn conditions_mean_what_they_say() {
    let table = [
        ("", true),
        ("   ", true),
        ("service.name:my-app-01", true),
        ("service.name : \"my-app-01\"", true),
        ("service.name:my-app", false),
        ("service.name:MY-APP-01", false),
        ("service.name:my-*", true),
        ("service.name:\"my-*\"", false),
        ("service.name:my-\\*", false),
        ("service.*:dev", true),
        ("transaction.name:GET /sql-group", true),
        ("transaction.name:\"GET /sql-group\"", true),
        ("transaction.name:GET *group", true),
        ("transaction.name:*sql*group*", true),
        ("transaction.name:*group*sql*", false),
        ("transaction.duration.us:37120", true),
        ("transaction.duration.us:37120.0", true),
        ("transaction.duration.us > 37119", true),
        ("transaction.duration.us>37120", false),
        (
            "transaction.duration.us >= 37120 and transaction.duration.us <= 37120",
            true,
        ),
        ("transaction.duration.us < 1e3", false),
        ("transaction.sampled:true", true),
        ("transaction.sampled:TRUE", true),
        ("transaction.sampled:false", false),
        ("http.response.status_code:(404 or 200)", true),
        ("http.response.status_code:(404 or not 200)", false),
        (
            "http.response.status_code:((404 or 500) or (200 and not 201))",
            true,
        ),
        ("http.request.headers.Host:second", true),
        ("not http.request.headers.Host:second", false),
        ("http.request.headers.Host:*", true),
        ("http.request.headers:*", true),
        ("http:*", true),
        ("dotted.key:*", true),
        ("http.request.headers:second", false),
        ("transaction:\"GET /sql-group\"", false),
        ("transaction:GET*", false),
        ("transaction:true", false),
        ("transaction.duration > 1", false),
        ("not transaction:true", true),
        ("transaction*:true", true),
        ("nothing:*", false),
        ("not absent.field:x", true),
        ("absent.field:*", false),
        ("absent.field > 1", false),
        ("message:connect", true),
        ("message:\"not connect to\"", true),
        ("message:database*not", false),
        ("message:could*database", true),
        ("database", true),
        ("\"THE DATABASE\"", true),
        ("nowhere in it", false),
        ("or:\"a field called or\"", true),
        ("dotted.key.inner:5", true),
        ("@timestamp >= now-15m and @timestamp <= now", true),
        ("@timestamp > \"2026-03-18T14:35:12Z\"", false),
        ("@timestamp >= \"2026-03-18T16:35:12+02:00\"", true),
        ("service.name < n", true),
        ("labels.a_b:\"x \\\"y\\\" \\\\z\"", true),
    ];
    for (query, expected) in table {
        check(query, expected);
    }
}

#[test]
fn and_binds_tighter_than_or_and_not_tighter_than_both() {
    check(
        "event.outcome:failure and a:b or service.name:my-app-01",
        true,
    );
    check(
        "event.outcome:failure and (a:b or service.name:my-app-01)",
        false,
    );
    check("not a:b and event.outcome:success", true);
    check("not (a:b or event.outcome:success)", false);
    check("NOT a:b AND NOT c:d OR e:f", true);
}

#[test]
fn errors_say_where_and_what_was_expected() {
    let table = [
        (
            "service.name:",
            13,
            "expected a value after \"service.name:\"",
        ),
        (
            "service.name: and x:y",
            14,
            "expected a value after \"service.name:\"",
        ),
        (
            "a:b c:d",
            4,
            "expected `and` or `or` before the next condition",
        ),
        ("a:\"b\" c", 6, "expected `and` or `or`"),
        ("a:b and", 7, "expected a field or a value"),
        ("or a:b", 0, "expected a field or a value"),
        ("(a:b", 4, "expected `and`, `or` or the closing parenthesis"),
        ("a:b)", 3, "expected `and`, `or` or the end"),
        ("a:(b or", 7, "expected a value after \"a:\""),
        ("a:\"b", 4, "expected the closing quote"),
        ("ä:\"b", 4, "expected the closing quote"),
        (
            "a:{b:c}",
            2,
            "expected a value, nested fields `{}` are not supported,",
        ),
        ("a >", 3, "expected a value after `>`"),
        ("@timestamp > yesterday", 13, "expected a time such as"),
        (":x", 0, "expected a field or a value"),
        ("()", 1, "expected a field or a value"),
    ];
    for (query, position, expected) in table {
        let error = parse(query, NOW).expect_err(query);
        assert_eq!(error.position, position, "{query}: {error}");
        assert!(error.expected.starts_with(expected), "{query}: {error}");
    }
    assert_eq!(
        parse("service.name:", NOW).unwrap_err().to_string(),
        "q: expected a value after \"service.name:\" at character 14, found the end"
    );
}

#[test]
fn hostile_queries_are_refused_without_harm() {
    assert!(parse(&"(".repeat(3000), NOW).is_err());
    assert!(parse(&"not ".repeat(1000), NOW).is_err());
    assert!(parse(&"ä".repeat(4000), NOW).is_err());
    let deep = format!("{}a:b{}", "(".repeat(60), ")".repeat(60));
    check(&deep, false);
    let stars = Pattern::new(vec!["a".to_owned(); 500]);
    assert!(!stars.matches(&"a".repeat(400)));
}

#[test]
fn a_filter_finds_exactly_the_value_it_was_made_from() {
    for value in [
        "",
        "plain",
        "with \"quotes\" and \\",
        "GET /a*b",
        "and",
        "(x)",
        "ünï",
        "one\ntwo\r\n\tthree",
        "C:\\new\\user",
        "\\u00e9",
    ] {
        let document = json!({"labels": {"odd:name": value}});
        let expr = parse(&filter("labels.odd:name", value), NOW).unwrap();
        assert!(matches(&expr, &document), "{value}: {expr:?}");
        assert!(
            !matches(&expr, &json!({"labels": {"odd:name": "other"}})),
            "{value}"
        );
    }
}

#[test]
fn a_glob_means_the_same_as_the_pattern() {
    let pattern = Pattern::new(vec!["a[*?".to_owned(), "z".to_owned()]);
    assert_eq!(pattern.to_glob(), "a[[][*][?]*z");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}|[a-z:\"()*<>= \\\\]{0,60}|[@a-z.:\"0-9/\\\\u\n -]{0,60}") {
        let line = one_line(&text);
        assert!(!line.contains(['\n', '\r']));
        if let Ok(expr) = parse(&text, NOW) {
            let _ = matches(&expr, &document());
        }
    }
}

/// Whether the query finds a document.
#[track_caller]
fn finds(query: &str, document: &Json) -> bool {
    let expr = parse(query, NOW).unwrap_or_else(|error| panic!("{query}: {error}"));
    matches(&expr, document)
}

#[test]
fn escapes_mean_what_they_mean_in_kibana() {
    let document = json!({"a": "one\ntwo", "t": "x\ty", "r": "x\ry", "e": "é😀", "path": r"C:\dir\x",
        "b": "x  y  z", "k": "and",
        "n": "not found", "q": "say \"hi\""});
    for (query, expected) in [
        (r#"a:"one\ntwo""#, true),
        (r"a:one\ntwo", true),
        ("a:\"one\ntwo\"", true),
        (r#"t:"x\ty" and r:"x\ry""#, true),
        (r"t:x\ty and r:x\ry", true),
        (r#"e:"\u00e9\ud83d\uDE00""#, true),
        (r"e:\u00E9\ud83d\ude00", true),
        (r#"path:"C:\dir\x""#, true),
        (r#"path:"C:\\dir\\x""#, true),
        (r"path:C\:\dir\x", true),
        (r#"q:"say \"hi\"""#, true),
        (r#"a:"one\u12""#, false),
        (r"k:\and", true),
        (r"n:\not found", true),
        (r"b:x\ \ y*", true),
        ("b:x  y*", true),
        ("b:x  y  z", true),
        ("b:x y*", false),
        ("b:x  *  z", true),
        ("a:one*\n  and b:x*", true),
    ] {
        assert_eq!(finds(query, &document), expected, "{query}");
    }
}

#[test]
fn a_date_is_all_of_its_day_month_or_year() {
    let document = document();
    for (query, expected) in [
        ("@timestamp:\"2026-03-18\"", true),
        ("@timestamp:2026-03-18", true),
        ("@timestamp:\"2026-03-17\"", false),
        ("@timestamp:2026-03", true),
        ("@timestamp:2026", true),
        ("@timestamp:2025", false),
        ("@timestamp:\"2026-03-18T14\"", true),
        ("@timestamp:\"2026-03-18T14:35\"", true),
        ("@timestamp:\"2026-03-18T14:36\"", false),
        ("@timestamp:\"2026-03-18T14:35:12.000Z\"", true),
        ("@timestamp:\"2026-03-18T15:35:12.0004+01:00\"", true),
        ("@timestamp:1773844512000", true),
        ("@timestamp:(2025 or \"2026-03-18\")", true),
        ("not @timestamp:\"2026-03-18\"", false),
        ("@timestamp >= \"2026-03\"", true),
        ("@timestamp >= 2026", true),
        ("@timestamp > 2026", false),
        ("@timestamp <= 2026", true),
        ("@timestamp <= \"2026-03-18\"", true),
        ("@timestamp < \"2026-03-18\"", false),
        ("@timestamp > \"2026-03-17\"", true),
        ("@timestamp > \"2026-03-18\"", false),
        ("@timestamp >= now/d and @timestamp <= now/d", true),
        ("@timestamp:now/d", true),
        ("@timestamp:\"now-1d/d\"", false),
        ("@timestamp >= \"2026-04-18||-1M/M\"", true),
        ("@timestamp:2026-03-*", true),
    ] {
        check(query, expected);
        assert_eq!(finds(query, &document), expected);
    }
    let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
    let expr = parse_in("@timestamp:\"2026-03-18\"", NOW, &tokyo).unwrap();
    assert!(matches(
        &expr,
        &json!({"@timestamp": "2026-03-17T15:00:00.000Z"})
    ));
    assert!(!matches(
        &expr,
        &json!({"@timestamp": "2026-03-18T15:00:00.000Z"})
    ));
    for query in ["@timestamp:yesterday", "@timestamp:\"2026-13-01\""] {
        let error = parse(query, NOW).unwrap_err();
        assert_eq!(error.position, 11, "{error}");
        assert!(error.expected.starts_with("expected a time"), "{error}");
    }
}

#[test]
fn addresses_are_compared_as_numbers_and_with_networks() {
    let document =
        json!({"client": {"ip": "10.0.0.9"}, "host": {"ip": ["192.168.1.7", "fe80::1"]}});
    for (query, expected) in [
        ("client.ip:\"10.0.0.0/8\"", true),
        ("client.ip:10.0.0.0/8", true),
        ("client.ip:\"10.1.0.0/16\"", false),
        ("client.ip:10.0.0.9", true),
        ("client.ip < 10.0.0.10", true),
        (
            "client.ip > \"9.255.255.255\" and client.ip <= 10.0.0.9",
            true,
        ),
        ("client.ip > 10.0.0.9", false),
        ("host.ip:\"fe80::/10\"", true),
        ("host.ip:\"FE80:0::1\"", true),
        ("not host.ip:\"172.16.0.0/12\"", true),
        ("client.*:\"10.0.0.0/8\"", true),
        ("client.ip:10.0.*", true),
    ] {
        assert_eq!(finds(query, &document), expected, "{query}");
    }
    for query in [
        "client.ip:10.0.0",
        "client.ip:\"10.0.0.0/33\"",
        "client.ip > 10",
    ] {
        let error = parse(query, NOW).unwrap_err();
        assert!(
            error.expected.starts_with("expected an address"),
            "{query}: {error}"
        );
    }
}

#[test]
fn ids_are_found_as_people_paste_them() {
    let document = json!({
        "trace": {"id": "4bf92f3577b34da6a3ce929d0e0e4736"},
        "transaction": {"id": "00f067aa0ba902b7"},
        "error": {"grouping_key": "00000000000000ff"},
    });
    for query in [
        "trace.id:4BF92F3577B34DA6A3CE929D0E0E4736",
        "trace.id:\" 4bf92f35-77b3-4da6-a3ce-929d0e0e4736 \"",
        "trace.id:00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "trace.id:4BF92F*",
        "transaction.id:f067aa0ba902b7",
        "transaction.id:000000000000000000F067AA0BA902B7",
        "transaction.id:00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "trace.id:(x or 4BF92F3577B34DA6A3CE929D0E0E4736)",
        "error.grouping_key:FF",
        "traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "4BF92F3577B34DA6A3CE929D0E0E4736",
        "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "000000000000000000f067aa0ba902b7",
        "F067AA0BA902B7",
    ] {
        assert!(finds(query, &document), "{query}");
    }
    for query in [
        "trace.id:4bf92f3577b34da6a3ce929d0e0e4737",
        "not trace.id:4BF92F3577B34DA6A3CE929D0E0E4736",
        "transaction.id:4bf92f3577b34da6a3ce929d0e0e4736",
        "5bf92f3577b34da6a3ce929d0e0e4736",
    ] {
        assert!(!finds(query, &document), "{query}");
    }
}
