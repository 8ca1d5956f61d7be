use super::*;

fn translated(text: &str) -> EngineQuery {
    EngineQuery::new(&kql::parse(text, 0).expect(text))
}

#[test]
fn a_query_is_asked_as_it_is_where_the_index_can_tell() {
    for (text, query) in [
        ("", json!({"match_all": {}})),
        (
            "service.name: shop",
            json!({"match": {"service.name": {"query": "shop", "lenient": true}}}),
        ),
        (
            "service.name: a*b?",
            json!({"wildcard": {"service.name": {"value": "a*b\\?"}}}),
        ),
        (
            "not error.id: *",
            json!({"bool": {"must_not": [{"exists": {"field": "error.id"}}]}}),
        ),
        (
            "transaction.duration.us > 5ms",
            json!({"range": {"transaction.duration.us": {"gt": 5000.0}}}),
        ),
        (
            "message: Time",
            json!({"wildcard": {"message": {"value": "*Time*", "case_insensitive": true}}}),
        ),
        (
            "message: Größe",
            json!({"wildcard": {"message": {"value": "*größe*", "case_insensitive": true}}}),
        ),
        (
            "transaction.sampled: TRUE",
            json!({"match": {"transaction.sampled": {"query": "true", "lenient": true}}}),
        ),
        ("transaction.sampled: t", json!({"match_none": {}})),
        ("transaction.sampled > 1", json!({"match_none": {}})),
        ("url.port: 5d", json!({"match_none": {}})),
        ("my.gauge > 5", json!({"range": {"my.gauge": {"gt": 5.0}}})),
        (
            "labels.team > red",
            json!({"range": {"labels.team": {"gt": "red"}}}),
        ),
        (
            "client.ip >= 10.0.0.1",
            json!({"range": {"client.ip": {"gte": "10.0.0.1"}}}),
        ),
        (
            "(service.name: a or url.port < 9) and not span.id: *",
            json!({"bool": {"filter": [
                {"bool": {"should": [
                    {"match": {"service.name": {"query": "a", "lenient": true}}},
                    {"range": {"url.port": {"lt": 9.0}}},
                ], "minimum_should_match": 1}},
                {"bool": {"must_not": [{"exists": {"field": "span.id"}}]}},
            ]}}),
        ),
    ] {
        let found = translated(text);
        assert_eq!(found.query, query, "{text}");
        assert!(found.exact && !found.by_words, "{text}: {found:?}");
    }
}

#[test]
fn a_time_is_cut_to_milliseconds_as_documents_have_it() {
    for (order, micros, wanted) in [
        (Order::Less, 5000, ("lt", 5)),
        (Order::Less, 5001, ("lte", 5)),
        (Order::AtMost, 5000, ("lte", 5)),
        (Order::AtMost, 5999, ("lte", 5)),
        (Order::AtLeast, 5000, ("gte", 5)),
        (Order::AtLeast, 5001, ("gt", 5)),
        (Order::Greater, 5000, ("gt", 5)),
        (Order::Greater, 5999, ("gt", 5)),
    ] {
        assert_eq!(millis(order, micros), wanted, "{order:?} {micros}");
        // The same of each millisecond nearby.
        for at in 3..8_i64 {
            let holds = order.holds((at * 1000).cmp(&micros));
            let is_found = match wanted.0 {
                "lt" => at < wanted.1,
                "lte" => at <= wanted.1,
                "gt" => at > wanted.1,
                _ => at >= wanted.1,
            };
            assert_eq!(holds, is_found, "{order:?} {micros} {at}");
        }
    }
}

#[test]
fn what_the_index_cannot_tell_is_left_to_the_documents() {
    for (text, query, by_words) in [
        (
            "http.request.headers.host: a",
            json!({"match_all": {}}),
            false,
        ),
        ("http.*: a", json!({"match_all": {}}), false),
        ("message: a*b", json!({"match_all": {}}), false),
        (
            "http.response.status_code: 5*",
            json!({"match_all": {}}),
            false,
        ),
        (
            "not message: \"two words\"",
            json!({"match_all": {}}),
            false,
        ),
        // A text compares sign by sign in an index, and as a number here where it is one.
        ("labels.size > 5", json!({"match_all": {}}), false),
        ("message > b", json!({"match_all": {}}), false),
        ("my.gauge > red", json!({"match_all": {}}), false),
        (
            "not error.exception.message: gone",
            json!({"match_all": {}}),
            false,
        ),
        ("not message: 日本", json!({"match_all": {}}), false),
        (
            "error.culprit: f and error.custom.a: 1",
            json!({"bool": {"filter": [{"match": {"error.culprit": {"query": "f", "lenient": true}}}]}}),
            false,
        ),
        (
            "error.culprit: f or error.custom.a: 1",
            json!({"match_all": {}}),
            false,
        ),
        (
            "\"two words\"",
            json!({"multi_match": {"query": "two words", "type": "phrase", "lenient": true}}),
            true,
        ),
    ] {
        let found = translated(text);
        assert!(!found.exact, "{text}");
        assert_eq!((found.query, found.by_words), (query, by_words), "{text}");
    }
}

#[test]
fn a_part_of_what_is_no_text_is_not_asked_for_as_engines_refuse_that() {
    for field in [
        "client.ip",
        "source.nat.ip",
        "@timestamp",
        "timestamp.us",
        "transaction.sampled",
        "span.sync",
        "my.gauge",
        "transaction.span_count.started",
        "numeric_labels.n",
    ] {
        let found = translated(&format!("{field}: 1*"));
        assert_eq!(
            (found.query, found.exact),
            (json!({"match_all": {}}), false),
            "{field}"
        );
    }
}

#[test]
fn a_text_that_the_index_may_lack_for_its_length_is_left_to_the_documents() {
    let found = translated("error.exception.message: gone");
    let within = json!({"value": "*gone*", "case_insensitive": true});
    let wanted = json!({"bool": {"should": [
        {"wildcard": {"error.exception.message": within}},
        {"wildcard": {"message": within}},
        {"term": {"_ignored": "error.exception.message"}},
    ], "minimum_should_match": 1}});
    assert_eq!(
        (found.query, found.exact, found.by_words),
        (wanted, false, false)
    );
    let found = translated("error.exception.message: *");
    let wanted = json!({"bool": {"should": [
        {"exists": {"field": "error.exception.message"}},
        {"exists": {"field": "error.grouping_key"}},
        {"term": {"_ignored": "error.exception.message"}},
    ], "minimum_should_match": 1}});
    assert_eq!((found.query, found.exact), (wanted, false));
    let found = translated("user_agent.original: Moz*");
    let wanted = json!({"bool": {"should": [
        {"wildcard": {"user_agent.original": {"value": "Moz*"}}},
        {"term": {"_ignored": "user_agent.original"}},
    ], "minimum_should_match": 1}});
    assert_eq!((found.query, found.exact), (wanted, false));
    let long = "x".repeat(1025);
    let found = translated(&format!("labels.team: {long}"));
    assert_eq!(
        (found.query, found.exact),
        (json!({"match_all": {}}), false)
    );
}

#[test]
fn signs_that_are_words_of_their_own_are_found_by_words() {
    let found = translated("message: 日本");
    let wanted = json!({"bool": {"should": [
        {"wildcard": {"message": {"value": "*日本*", "case_insensitive": true}}},
        {"match_phrase": {"message": "日本"}},
    ], "minimum_should_match": 1}});
    assert_eq!(
        (found.query, found.exact, found.by_words),
        (wanted, false, true)
    );
}
