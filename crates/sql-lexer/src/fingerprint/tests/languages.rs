//! Bodies of `MongoDB` and Elasticsearch, and commands of Redis.

use super::super::Fingerprint;
use super::made_up::check;

#[test]
fn bodies_of_mongodb_and_elasticsearch_keep_their_keys() {
    check(&[
        (
            r#"{"find":"people","filter":{"name":"bob","age":{"$gt":30}},"limit":5}"#,
            r#"{"find": "people", "filter": {"name": "eve", "age": {"$gt": 4.5e3}}, "limit": null}"#,
            r#"{"find": "people", "filter": {"name": ?, "age": {"$gt": ?}}, "limit": ?}"#,
        ),
        (
            r#"{ find: 'people', filter: { _id: ObjectId("507f") , at: new Date(5), re: /bob/i } }"#,
            r#"{ find: 'people', filter: { _id: ObjectId("508f"), at: ISODate("x, y"), re: "x" } }"#,
            r#"{"find": "people", "filter": {"_id": ?, "at": ?, "re": ?}}"#,
        ),
        (
            r#"{"insert":"t","documents":[{"a":1},{"a":2},{"a":3}]}"#,
            r#"{"insert":"t","documents":[{"a":"x"},{"a":"y"}]}"#,
            r#"{"insert": "t", "documents": [{"a": ?}…]}"#,
        ),
        (
            r#"{"query":{"terms":{"id":[1,2,3]}},"aggs":{"x":{"terms":{"field":"city"}}}}"#,
            r#"{"query":{"terms":{"id":[1]}},"aggs":{"x":{"terms":{"field":"name"}}}}"#,
            r#"{"query": {"terms": {"id": [?…]}}, "aggs": {"x": {"terms": {"field": ?}}}}"#,
        ),
        (
            "{\"index\":{\"_id\":\"1\"}}\n{\"name\":\"bob\"}\n{\"index\":{\"_id\":\"2\"}}\n{\"name\":\"eve\"}\n",
            "{\"index\":{\"_id\":\"1\"}}\n{\"name\":\"x\"}\n{\"index\":{\"_id\":\"2\"}}\n{\"name\":\"y\"}\n\
             {\"name\":\"z\"}",
            "{\"index\": {\"_id\": ?}} {\"name\": ?}…",
        ),
        (
            "POST /people-2026.01.31/_doc/42?refresh=true {\"name\":\"bob\"}",
            "POST /people-2026.02.01/_doc/43?refresh=false {\"name\":\"eve\"}",
            "POST /?/_doc/??? {\"name\": ?}",
        ),
        (
            r#"{"filter":{"items.0.price":1,"550e8400e29b":2,"bob@example.com":3}}"#,
            r#"{"filter":{"items.7.price":1,"550e8400e29c":2,"eve@example.com":3}}"#,
            r#"{"filter": {"items.?.price": ?, "?": ?, "?.com": ?}}"#,
        ),
        (
            r#"[{"$match":{"a":1}},{"$limit":5}]"#,
            r#"[{"$match":{"a":2}},{"$limit":6}]"#,
            r#"[{"$match": {"a": ?}}, {"$limit": ?}]"#,
        ),
        (
            r#"{"getMore": 5, "collection": "t"}"#,
            r#"{"getMore": 6, "collection": "t"}"#,
            r#"{"getMore": ?, "collection": "t"}"#,
        ),
        (
            r#"{"find":"t","filter":{"a":"cut"#,
            r#"{"find":"t","filter":{"a":"cu"#,
            r#"{"find": "t", "filter": {"a": ?}}"#,
        ),
    ]);
    let find = Fingerprint::from_text(r#"{"find": "people", "filter": {}}"#);
    assert_eq!(
        (find.verb.as_str(), find.table.as_str()),
        ("FIND", "people")
    );
    assert_eq!(
        Fingerprint::from_text("{call p(1)}").normalized,
        "{ CALL p(?) }"
    );
}

#[test]
fn commands_of_redis_keep_the_first_part_of_their_key() {
    check(&[
        ("GET user:42", "get user:bob:profile", "GET user:?"),
        ("GET leaderboard", "GET leaderboard", "GET leaderboard"),
        ("GET user42", "GET \"user43\"", "GET user?"),
        ("GET 42", "GET bob@example.com", "GET ?"),
        (
            "SET user:42 \"hello world\"",
            "SET user:43 'x'",
            "SET user:? ?",
        ),
        (
            "SET user:42 x EX 10",
            "SET user:43 y PX 20 NX",
            "SET user:? ?…",
        ),
        (
            "MGET user:1 user:2",
            "MGET user:3 user:4 user:5",
            "MGET user:?…",
        ),
        ("HSET h a 1 b 2", "HSET h c 3", "HSET h ?…"),
        (
            "EVAL \"return 1\" 1 k",
            "EVAL \"return 2\" 2 k l",
            "EVAL ?…",
        ),
        ("AUTH s3cret", "AUTH other", "AUTH ?"),
        (
            "CONFIG SET requirepass s3cret",
            "config set maxmemory 5",
            "CONFIG SET ?…",
        ),
        (
            "MULTI\nINCR a:1\nINCR a:2\nEXEC",
            "MULTI\nINCR a:3\nINCR a:4\nINCR a:5\nEXEC",
            "MULTI\nINCR a:?…\nEXEC",
        ),
        ("SET k:1 \"two\nlines\"", "SET k:2 \"one\"", "SET k:? ?"),
    ]);
    for (subtype, sql, normalized) in [
        ("redis", "SET greeting hello", "SET greeting ?"),
        ("redis", "SELECT 3", "SELECT ?"),
        ("redis", "JSON.GET doc:1 $.a", "JSON.GET doc:? ?"),
        ("redis", "hmset key [3 other arguments]", "HMSET key ?…"),
        ("", "EXISTS (SELECT 1)", "EXISTS (SELECT ?)"),
        ("", "SET names = 5", "SET names = ?"),
    ] {
        assert_eq!(
            Fingerprint::of_subtype(sql, subtype).normalized,
            normalized,
            "{sql}"
        );
    }
}
