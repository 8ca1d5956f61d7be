//! The tables of names, row by row.

use std::borrow::Cow;

use serde_json::{Value as Tree, json};

use super::*;

/// Attributes from JSON: texts, numbers, booleans and arrays of texts.
fn attributes(from: &Tree) -> Vec<KeyValue<'static>> {
    fn value(from: &Tree) -> Value<'static> {
        match from {
            Tree::String(text) => Value::Text(Cow::Owned(text.clone())),
            Tree::Bool(flag) => Value::Bool(*flag),
            Tree::Number(number) => number.as_i64().map_or_else(
                || Value::Double(number.as_f64().unwrap_or_default()),
                Value::Int,
            ),
            Tree::Array(values) => Value::Array(values.iter().map(value).collect()),
            _ => Value::Empty,
        }
    }
    let members = from.as_object().expect("an object").iter();
    members
        .map(|(key, from)| KeyValue {
            key: Cow::Owned(key.clone()),
            value: value(from),
        })
        .collect()
}

fn object(write: impl FnOnce(&mut Json<'_>)) -> Tree {
    let mut out = String::new();
    let mut json = Json::new(&mut out);
    json.open('{');
    write(&mut json);
    json.close('}');
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

fn span(kind: Kind, from: &Tree) -> Tree {
    let attributes = attributes(from);
    let facts = Facts::from_attributes(&attributes, EventKind::Span);
    let meaning = SpanMeaning::new(&facts, 0, kind);
    json!({
        "type": meaning.kind,
        "subtype": meaning.subtype,
        "action": meaning.action,
        "outcome": meaning.outcome.as_str(),
        "target": object(|json| meaning.write_target(json))["target"],
        "context": object(|json| meaning.write_context(json, meaning.kind.unwrap_or("unknown"))),
        "fields": object(|json| facts.write_fields(json)),
        "labels": object(|json| facts.write_labels(json)),
    })
}

fn transaction(from: &Tree) -> Tree {
    let attributes = attributes(from);
    let facts = Facts::from_attributes(&attributes, EventKind::Transaction);
    let meaning = TransactionMeaning::new(&facts, 0, Some("machine"));
    json!({
        "type": meaning.kind,
        "result": meaning.result_of(true),
        "outcome": meaning.outcome.as_str(),
        "context": object(|json| meaning.write_context(json)),
        "fields": object(|json| meaning.write_fields(json)),
        "labels": object(|json| facts.write_labels(json)),
    })
}

/// Compares members by their pointers.
fn check(met: &Tree, wanted: &[(&str, Tree)], of: &Tree) {
    for (pointer, wanted) in wanted {
        let met = met.pointer(pointer).unwrap_or(&Tree::Null);
        assert_eq!(met, wanted, "{pointer} of {of}");
    }
}

#[test]
fn old_and_current_names_of_a_database_mean_the_same() {
    let systems = [
        ("mssql", "microsoft.sql_server"),
        ("oracle", "oracle.db"),
        ("dynamodb", "aws.dynamodb"),
        ("cosmosdb", "azure.cosmosdb"),
        ("redshift", "aws.redshift"),
        ("db2", "ibm.db2"),
        ("hanadb", "sap.hana"),
        ("spanner", "gcp.spanner"),
        ("h2", "h2database"),
        ("firebird", "firebirdsql"),
        ("postgresql", "postgresql"),
        ("mysql", "mysql"),
    ];
    for (short, long) in systems {
        let old = json!({
            "db.system": short, "db.name": "d", "db.statement": "select 1", "db.user": "u",
            "net.peer.name": "h", "net.peer.port": 1,
        });
        let current = json!({
            "db.system.name": long, "db.namespace": "d", "db.query.text": "select 1", "db.user": "u",
            "server.address": "h", "server.port": 1,
        });
        assert_eq!(
            span(Kind::Client, &old),
            span(Kind::Client, &current),
            "{short}"
        );
        check(
            &span(Kind::Client, &current),
            &[
                ("/type", json!("db")),
                ("/subtype", json!(short)),
                ("/target", json!({"type": short, "name": "d"})),
                (
                    "/context/db",
                    json!({"type": short, "instance": "d", "statement": "select 1", "user": "u"}),
                ),
                ("/context/destination/address", json!("h")),
                ("/context/destination/service/resource", json!(short)),
                ("/labels", json!({})),
            ],
            &current,
        );
    }
}

#[test]
fn spans_are_told_by_their_attributes() {
    for (kind, from, wanted) in [
        (
            Kind::Client,
            json!({"db.type": "sql", "db.instance": "i"}),
            vec![("/type", json!("db")), ("/target/name", json!("i"))],
        ),
        (
            Kind::Client,
            json!({
                "db.elasticsearch.cluster.name": "c", "db.system": "elasticsearch",
                "url.full": "http://e:9200/_search",
            }),
            vec![
                ("/subtype", json!("elasticsearch")),
                ("/target/name", json!("c")),
                ("/context/destination/port", json!(9200)),
            ],
        ),
        (
            Kind::Producer,
            json!({"message_bus.destination": "t", "messaging.system": "jms"}),
            vec![
                ("/action", json!("send")),
                ("/context/destination/service/resource", json!("jms/t")),
            ],
        ),
        (
            Kind::Client,
            json!({"messaging.system": "kafka", "messaging.operation": "receive", "messaging.temp_destination": true}),
            vec![
                ("/type", json!("messaging")),
                ("/action", json!("receive")),
                ("/target", json!({"type": "kafka"})),
            ],
        ),
        (
            Kind::Client,
            json!({"rpc.system.name": "grpc", "rpc.method": "a.B/C", "peer.service": "svc"}),
            vec![
                ("/subtype", json!("grpc")),
                ("/target", json!({"type": "grpc", "name": "a.B"})),
                ("/context/destination/service/resource", json!("svc")),
            ],
        ),
        (
            Kind::Client,
            json!({"http.method": "GET", "http.host": "h:81", "http.target": "/p?q", "http.scheme": "https"}),
            vec![
                ("/context/http/url", json!("https://h:81/p?q")),
                ("/context/destination/port", json!(81)),
                ("/target/name", json!("h:81")),
            ],
        ),
        (
            Kind::Client,
            json!({"http.request.method": "GET", "url.full": "http://[::1]/x", "http.response.status_code": "404"}),
            vec![
                ("/target/name", json!("[::1]:80")),
                ("/context/destination/service/name", json!("http://[::1]")),
                ("/context/destination/address", json!("::1")),
                ("/outcome", json!("failure")),
            ],
        ),
        (
            Kind::Client,
            json!({"gen_ai.provider.name": "openai", "gen_ai.request.model": "m"}),
            vec![
                ("/type", json!("genai")),
                ("/subtype", json!("openai")),
                ("/labels/gen_ai.request.model", json!("m")),
            ],
        ),
        (
            Kind::Client,
            json!({"peer.address": "10.0.0.1:443"}),
            vec![
                (
                    "/context/destination/service/resource",
                    json!("10.0.0.1:443"),
                ),
                ("/context/destination/address", Tree::Null),
            ],
        ),
        (
            Kind::Client,
            json!({"peer.hostname": "h", "peer.port": 7, "network.peer.address": "10.0.0.2"}),
            vec![("/context/destination", json!({"address": "h", "port": 7}))],
        ),
        (
            Kind::Client,
            json!({"network.peer.address": "10.0.0.2", "server.port": 70_000}),
            vec![
                ("/context/destination", json!({"address": "10.0.0.2"})),
                ("/labels/server.port", json!(70_000)),
            ],
        ),
        (
            Kind::Internal,
            json!({"session.id": "s", "type": "mine", "span.kind": "client", "code.stacktrace": "at"}),
            vec![
                ("/type", Tree::Null),
                ("/labels", json!({"type": "mine"})),
                (
                    "/fields",
                    json!({"session.id": "s", "code.stacktrace": "at"}),
                ),
            ],
        ),
    ] {
        check(&span(kind, &from), &wanted, &from);
    }
}

#[test]
fn transactions_are_told_by_their_attributes() {
    for (from, wanted) in [
        (
            json!({"rpc.system.name": "grpc", "rpc.method": "a.B/C", "rpc.status_code": "NOT_FOUND"}),
            vec![
                ("/type", json!("request")),
                ("/result", json!("NotFound")),
                ("/outcome", json!("success")),
            ],
        ),
        (
            json!({"rpc.system": "grpc", "rpc.grpc.status_code": "14"}),
            vec![("/type", json!("request")), ("/result", json!("Success"))],
        ),
        (
            json!({"http.status_code": 99}),
            vec![
                ("/type", json!("request")),
                ("/result", json!("HTTP 99")),
                ("/outcome", json!("success")),
            ],
        ),
        (
            json!({"http.status_code": "503", "type": "job"}),
            vec![
                ("/type", json!("job")),
                ("/result", json!("HTTP 5xx")),
                ("/outcome", json!("failure")),
            ],
        ),
        (
            json!({"messaging.operation.name": "poll", "messaging.destination": "q"}),
            vec![
                ("/type", json!("messaging")),
                ("/context/message/queue/name", json!("q")),
                ("/labels/messaging.operation.name", json!("poll")),
            ],
        ),
        (
            json!({"url.path": "/a", "url.query": "b=1"}),
            vec![("/context/request/url/full", json!("http://machine/a?b=1"))],
        ),
        (
            json!({"http.target": "/a", "http.server_name": "s", "net.host.name": "n", "server.port": 81}),
            vec![("/context/request/url/full", json!("http://s:81/a"))],
        ),
        (
            json!({"url.full": "https://u/x#y", "http.host": "other", "url.scheme": "http"}),
            vec![
                ("/context/request/url/full", json!("https://u/x#y")),
                ("/context/request/url/hash", json!("y")),
            ],
        ),
        (
            json!({"url.scheme": "http"}),
            vec![("/context/request", Tree::Null)],
        ),
        (
            json!({"http.flavor": "2.0", "http.protocol": "QUIC", "network.protocol.version": "3"}),
            vec![
                ("/context/request/http_version", json!("3")),
                (
                    "/labels",
                    json!({"http.protocol": "QUIC", "network.protocol.version": "3"}),
                ),
            ],
        ),
        (
            json!({"client.address": "203.0.113.9", "client.port": 40_001, "http.method": "GET"}),
            vec![
                ("/fields/client.ip", json!("203.0.113.9")),
                ("/fields/client.domain", json!("203.0.113.9")),
                ("/fields/source.port", json!(40_001)),
            ],
        ),
        (
            json!({"http.client_ip": "no address", "net.sock.peer.addr": "10.0.0.3"}),
            vec![
                (
                    "/fields",
                    json!({"source.ip": "10.0.0.3", "client.ip": "10.0.0.3"}),
                ),
                ("/labels", json!({"http.client_ip": "no address"})),
            ],
        ),
        (
            json!({"db.system": "redis", "elastic.profiler_stack_trace_ids": ["a"]}),
            vec![
                ("/labels", json!({"db.system": "redis"})),
                ("/fields/transaction.profiler_stack_trace_ids", json!(["a"])),
            ],
        ),
    ] {
        check(&transaction(&from), &wanted, &from);
    }
}

#[test]
fn the_later_of_two_attributes_that_mean_the_same_wins() {
    let pair = |key: &'static str, text: &'static str| KeyValue {
        key: Cow::Borrowed(key),
        value: Value::Text(Cow::Borrowed(text)),
    };
    for (names, wanted) in [
        (
            [("http.url", "http://a/x"), ("http.target", "/y")],
            "http://machine/y",
        ),
        (
            [("http.target", "/y"), ("url.full", "http://a/x")],
            "http://a/x",
        ),
    ] {
        let attributes = names.map(|(key, text)| pair(key, text));
        let facts = Facts::from_attributes(&attributes, EventKind::Transaction);
        let meaning = TransactionMeaning::new(&facts, 0, Some("machine"));
        let context = object(|json| meaning.write_context(json));
        assert_eq!(context["request"]["url"]["full"], wanted);
    }
    let twice = [pair("k", "first"), pair("k", "last")];
    assert_eq!(
        object(|json| Facts::from_attributes(&twice, EventKind::Span).write_labels(json)),
        json!({"k": "last"})
    );
}

#[test]
fn labels_are_scalars_and_arrays_of_one_type() {
    let long = "é".repeat(1030);
    for (value, wanted) in [
        (json!("x"), json!("x")),
        (json!(long), json!("é".repeat(1024))),
        (json!(true), json!(true)),
        (json!(7), json!(7)),
        (json!(2.5), json!(2.5)),
        (json!(["s", 1, "t"]), json!(["s", "t"])),
        (json!([1, "s", 2]), json!([1, 2])),
        (json!([true, false]), json!(["true", "false"])),
        (json!([]), Tree::Null),
        (json!([["nested"]]), Tree::Null),
        (Tree::Null, Tree::Null),
    ] {
        let attributes = attributes(&json!({"k": value}));
        let facts = Facts::from_attributes(&attributes, EventKind::Span);
        assert_eq!(
            object(|json| facts.write_labels(json))["k"],
            wanted,
            "{value}"
        );
        assert_eq!(facts.label_names().count(), usize::from(!wanted.is_null()));
    }
}
