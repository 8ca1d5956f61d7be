use super::*;
use kql::parse;

fn columns(field: &str) -> Option<Column> {
    let column = |value, kept| {
        Some(Column {
            value,
            kept,
            within: None,
        })
    };
    match field {
        "kind" => column("", ColumnType::Constant("span")),
        "name" => Some(Column {
            value: "g.name",
            kept: ColumnType::Text,
            within: Some("t.group_id IN (SELECT g.id FROM g WHERE"),
        }),
        "us" => column("t.duration", ColumnType::Number),
        "trace.id" => column("t.trace_id", ColumnType::Id),
        "@timestamp" => column("t.ts", ColumnType::Time),
        "sampled" => column("t.sampled", ColumnType::Bool),
        "gone" => column("", ColumnType::Absent),
        _ => None,
    }
}

#[track_caller]
fn check(query: &str, sql: &str, exact: bool) {
    let condition = Condition::new(&parse(query, 1_000_000).unwrap(), &columns);
    assert_eq!((condition.sql(), condition.exact), (sql, exact), "{query}");
}

#[test]
fn what_columns_know_becomes_sql_and_the_rest_stays_open() {
    check("", "TRUE", true);
    check("kind:span", "TRUE", true);
    check("kind:sp* and not kind:tx", "TRUE", true);
    check("kind:tx and labels.a:b", "FALSE", true);
    check(
        "name:x",
        "(t.group_id IN (SELECT g.id FROM g WHERE g.name IS :q0))",
        true,
    );
    check(
        "name:(x or y*)",
        "((t.group_id IN (SELECT g.id FROM g WHERE g.name IS :q0)) OR \
             (t.group_id IN (SELECT g.id FROM g WHERE ifnull(g.name GLOB :q1 AND g.name <> '', 0))))",
        true,
    );
    check(
        "us > 5 and labels.a:b",
        "(ifnull(t.duration > :q0, 0))",
        false,
    );
    check("us > 5 or labels.a:b", "TRUE", false);
    check("us > 5 or kind:span", "TRUE", true);
    check("not labels.a:b", "TRUE", false);
    check("not (us > 5 and labels.a:b)", "TRUE", false);
    check("not us:5", "NOT (t.duration IS :q0)", true);
    check("us:abc", "FALSE", true);
    check("free text", "TRUE", false);
    check("na*:x", "TRUE", false);
    check("gone:*", "FALSE", true);
    check("not gone:x", "TRUE", true);
    check("sampled:true", "(t.sampled IS 1)", true);
    check("@timestamp >= now", "(t.ts / 1000 * 1000 >= :q0)", true);
    check(
        "@timestamp:2026",
        "((t.ts / 1000 * 1000 >= :q0) AND (t.ts / 1000 * 1000 < :q1))",
        true,
    );
    check("us > inf", "FALSE", true);
    check("name:\"\"", "FALSE", true);
    check("trace.id:abc*", "TRUE", false);
}

#[test]
fn ids_are_bound_in_the_form_in_which_they_are_kept() {
    let condition = |query: &str| Condition::new(&parse(query, 0).unwrap(), &columns).binds;
    let long = Bind::Blob(255u128.to_be_bytes().to_vec());
    let short = Bind::Text("ff".to_owned());
    assert_eq!(
        condition("trace.id:00000000000000ff"),
        [Bind::Int(255), long, short]
    );
    assert_eq!(condition("trace.id:x-1"), [Bind::Text("x-1".to_owned())]);
}
