//! Plans of MariaDB and MySQL, from JSON to lines.

use serde_json::Value;
use sql_lexer::{Dialect, Kind, Lexer, Syntax};

use super::super::plan::{Lines, Plan};

/// The number of parameters `?`.
pub(in super::super) fn parameters(sql: &str) -> usize {
    let tokens = Lexer::new(sql, Syntax::cautious(Dialect::Mysql)).significant();
    tokens
        .filter(|token| token.kind == Kind::Parameter && token.text == "?")
        .count()
}

/// The plan in an answer of `EXPLAIN FORMAT=JSON`.
pub(in super::super) fn plan(answer: &str) -> Option<Plan> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let mut lines = Lines::default();
    write(answer.get("query_block")?, 0, &mut lines);
    Some(lines.finish())
}

/// The parts of a plan. Of what a table holds, only names and the way to its rows are taken: conditions have values.
fn write(part: &Value, level: usize, lines: &mut Lines) {
    if let Some(parts) = part.as_array() {
        for part in parts {
            write(part, level, lines);
        }
        return;
    }
    let Some(part) = part.as_object() else {
        return;
    };
    if let Some(message) = part.get("message").and_then(Value::as_str) {
        lines.push(level, message);
    }
    for (key, value) in part {
        let inner = match key.as_str() {
            "table" => {
                lines.push(level, &table(value));
                // The message is the line of the table already.
                if value["message"].is_string() {
                    continue;
                }
                level + 1
            }
            // These only group others, and are no step of their own.
            "query_block" | "nested_loop" | "query_specifications" => level,
            _ if value.is_object()
                || value
                    .as_array()
                    .is_some_and(|it| it.iter().any(Value::is_object)) =>
            {
                lines.push(level, &key.replace('_', " "));
                level + 1
            }
            _ => continue,
        };
        write(value, inner, lines);
    }
}

/// `ref people using people_city (city), covering`
fn table(table: &Value) -> String {
    let text = |key: &str| table[key].as_str();
    if let Some(message) = text("message") {
        return message.to_owned();
    }
    let name = text("table_name").unwrap_or("?");
    let mut step = format!("{} {name}", text("access_type").unwrap_or("read"));
    if let Some(index) = text("key") {
        step.push_str(&format!(" using {index}"));
        let parts = table["used_key_parts"].as_array().into_iter().flatten();
        let parts: Vec<&str> = parts.filter_map(Value::as_str).collect();
        if !parts.is_empty() {
            step.push_str(&format!(" ({})", parts.join(", ")));
        }
    }
    if table["using_index"] == Value::Bool(true) {
        step.push_str(", covering");
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_tables_and_indexes_and_no_values() {
        let answer = serde_json::json!({ "query_block": { "select_id": 1, "filesort": {
            "sort_key": "p.name",
            "temporary_table": { "nested_loop": [
                { "table": { "table_name": "v", "access_type": "ALL", "rows": 7, "attached_condition": "v.at > 'x'" } },
                { "table": { "table_name": "p", "access_type": "ref", "key": "people_city", "used_key_parts": ["city"],
                    "ref": ["const"], "using_index": true } },
            ] },
        } } });
        assert_eq!(plan("{}"), None);
        assert_eq!(
            plan(&answer.to_string()).unwrap().text,
            "filesort\n  temporary table\n    ALL v\n    ref p using people_city (city), covering"
        );
    }

    #[test]
    fn a_lookup_that_the_server_ends_early_is_its_message() {
        let answer =
            r#"{"query_block": {"select_id": 1, "table": {"message": "Impossible WHERE"}}}"#;
        let found = plan(answer).unwrap();
        assert_eq!((&*found.text, found.steps), ("Impossible WHERE", 1));
    }

    #[test]
    fn parameters_are_counted_and_not_in_texts() {
        assert_eq!(parameters("SELECT '?', `?`, ? FROM t WHERE a = ? -- ?"), 2);
    }
}
