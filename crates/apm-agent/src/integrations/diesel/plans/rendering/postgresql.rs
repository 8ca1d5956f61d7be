//! Plans of PostgreSQL, from JSON to lines.

use serde_json::Value;
use sql_lexer::{Dialect, Kind, Lexer, Syntax};

use super::super::plan::{Lines, Plan};
use crate::sql;

/// The highest number of a parameter `$n`.
pub(in super::super) fn parameters(sql: &str) -> usize {
    let tokens = Lexer::new(sql, Syntax::cautious(Dialect::Postgresql)).significant();
    let numbers = tokens.filter(|token| token.kind == Kind::Parameter);
    let numbers = numbers.filter_map(|token| token.text.strip_prefix('$')?.parse().ok());
    numbers.max().unwrap_or(0)
}

/// The plan in an answer of `EXPLAIN (FORMAT JSON)`.
pub(in super::super) fn plan(answer: &str) -> Option<Plan> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let mut lines = Lines::default();
    write(answer.pointer("/0/Plan")?, 0, &mut lines);
    Some(lines.finish())
}

/// A node and those below it, in PostgreSQL's words. Of what a node holds, only names and conditions are taken, the
/// latter without their literals.
fn write(node: &Value, level: usize, lines: &mut Lines) {
    if !lines.push(level, &step(node)) {
        return;
    }
    for below in node["Plans"].as_array().into_iter().flatten() {
        write(below, level + 1, lines);
    }
}

fn step(node: &Value) -> String {
    let text = |key: &str| node[key].as_str();
    let kind = text("Node Type").unwrap_or("?");
    let mut step = match (kind, text("Strategy"), text("Operation"), text("Join Type")) {
        ("Aggregate", Some("Hashed"), ..) => "HashAggregate".to_owned(),
        ("Aggregate", Some("Sorted"), ..) => "GroupAggregate".to_owned(),
        ("Aggregate", Some("Mixed"), ..) => "MixedAggregate".to_owned(),
        ("ModifyTable", _, Some(operation), _) => operation.to_owned(),
        ("Nested Loop", .., Some(join)) if join != "Inner" => format!("{kind} {join} Join"),
        // As psql prints it: `Hash Join` and `Left` make `Hash Left Join`.
        (.., Some(join)) if join != "Inner" => {
            format!("{} {join} Join", kind.trim_end_matches(" Join"))
        }
        _ => kind.to_owned(),
    };
    match (text("Index Name"), kind) {
        (Some(index), "Bitmap Index Scan") => step.push_str(&format!(" on {index}")),
        (Some(index), _) => step.push_str(&format!(" using {index}")),
        (None, _) => {}
    }
    if let Some(relation) = text("Relation Name") {
        step.push_str(&format!(" on {relation}"));
        if let Some(alias) = text("Alias").filter(|alias| *alias != relation) {
            step.push_str(&format!(" {alias}"));
        }
    }
    for key in [
        "Index Cond",
        "Hash Cond",
        "Merge Cond",
        "Join Filter",
        "Filter",
    ] {
        if let Some(condition) = text(key) {
            step.push_str(&format!(" ({key}: {})", without_literals(condition)));
        }
    }
    for key in ["Sort Key", "Group Key"] {
        let keys = node[key].as_array().into_iter().flatten();
        let keys: Vec<_> = keys
            .filter_map(Value::as_str)
            .map(without_literals)
            .collect();
        if !keys.is_empty() {
            step.push_str(&format!(" ({key}: {})", keys.join(", ")));
        }
    }
    step
}

fn without_literals(condition: &str) -> String {
    sql::statement(condition, Dialect::Postgresql, true).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted_by_their_numbers_and_not_in_texts() {
        for (sql, expected) in [
            ("SELECT 1", 0),
            ("SELECT $1, $2", 2),
            ("SELECT $2 + $2", 2),
            ("SELECT '$9', \"$8\", $1", 1),
        ] {
            assert_eq!(parameters(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_plan_has_names_and_conditions_and_no_values() {
        let node = serde_json::json!([{ "Plan": {
            "Node Type": "Hash Join", "Join Type": "Left", "Hash Cond": "(v.person = p.id)", "Plans": [
                {"Node Type": "Seq Scan", "Relation Name": "visits", "Alias": "v", "Filter": "(at > 'now'::date)"},
                {"Node Type": "Index Scan", "Index Name": "people_city", "Relation Name": "people", "Alias": "people",
                 "Index Cond": "(city = $1)"},
                {"Node Type": "Aggregate", "Strategy": "Hashed", "Group Key": ["city"], "secret": "x"},
            ]
        }}]);
        assert_eq!(plan("[]"), None);
        assert_eq!(
            plan(&node.to_string()).unwrap().text,
            "Hash Left Join (Hash Cond: (v.person = p.id))\n  \
             Seq Scan on visits v (Filter: (at > ?::date))\n  \
             Index Scan using people_city on people (Index Cond: (city = $1))\n  \
             HashAggregate (Group Key: city)"
        );
    }
}
