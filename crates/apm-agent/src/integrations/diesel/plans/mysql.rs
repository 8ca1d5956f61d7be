//! Plans of MariaDB and MySQL, from a connection of the agent's own by a URL of `sql_plan_urls`.
//!
//! These servers have no plan without values. So the text `1` is in the place of each parameter: it is compared by an
//! index like any value, be the column a number or a text. The plan for other values may differ.

use diesel::connection::SimpleConnection as _;
use diesel::mysql::Mysql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;
use sql_lexer::{Dialect, Kind, Lexer, Syntax};

use super::explain::{Explain, Unexplained};
use super::plan::{Lines, Plan};
use super::server;
use crate::config::Secret;

/// The value of each parameter.
const VALUE: &str = "1";

/// Limits of the connection: it may read, and does not wait for others.
const SETUP: &str = "SET SESSION TRANSACTION READ ONLY; SET SESSION lock_wait_timeout = 1; \
    SET SESSION innodb_lock_wait_timeout = 1";

/// The longest time of a question, in the words of MariaDB and of MySQL.
const TIMES: [&str; 2] = [
    "SET SESSION max_statement_time = 2",
    "SET SESSION max_execution_time = 2000",
];

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text, column_name = "EXPLAIN")]
    plan: String,
}

pub(super) struct Explainer(MysqlConnection);

impl Explainer {
    pub(super) fn open(url: &Secret) -> Result<Self, Unexplained> {
        server::reach(url.expose(), 3306)?;
        let rest = url.expose().split_once("://").map_or("", |(_, rest)| rest);
        let mut connection = MysqlConnection::establish(&format!("mysql://{rest}"))?;
        connection.batch_execute(SETUP)?;
        if TIMES
            .iter()
            .all(|time| connection.batch_execute(time).is_err())
        {
            return Err(Unexplained::Answer);
        }
        Ok(Self(connection))
    }
}

impl Explain for Explainer {
    fn plan(&mut self, sql: &str) -> Result<Plan, Unexplained> {
        let asked = format!("EXPLAIN FORMAT=JSON {sql}");
        let mut asked = diesel::sql_query(asked).into_boxed::<Mysql>();
        for _ in 0..parameters(sql) {
            asked = asked.bind::<Text, _>(VALUE);
        }
        let answer: Answer = asked.get_result(&mut self.0)?;
        let answer: Value = serde_json::from_str(&answer.plan).map_err(|_| Unexplained::Answer)?;
        let mut lines = Lines::default();
        write(&answer["query_block"], 0, &mut lines);
        Ok(lines.finish())
    }
}

/// The number of parameters `?`.
fn parameters(sql: &str) -> usize {
    let tokens = Lexer::new(sql, Syntax::cautious(Dialect::Mysql)).significant();
    tokens
        .filter(|token| token.kind == Kind::Parameter && token.text == "?")
        .count()
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
                if value["message"].is_string() {
                    continue;
                }
                level + 1
            }
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
        let mut lines = Lines::default();
        write(&answer["query_block"], 0, &mut lines);
        assert_eq!(
            lines.finish().text,
            "filesort\n  temporary table\n    ALL v\n    ref p using people_city (city), covering"
        );
    }

    #[test]
    fn parameters_are_counted_and_not_in_texts() {
        assert_eq!(parameters("SELECT '?', `?`, ? FROM t WHERE a = ? -- ?"), 2);
    }
}
