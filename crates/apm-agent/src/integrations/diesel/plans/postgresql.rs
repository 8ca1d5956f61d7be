//! Plans of PostgreSQL, from a connection of the agent's own by a URL of `sql_plan_urls`.
//!
//! A statement with parameters has a generic plan: from PostgreSQL 16 on `EXPLAIN (GENERIC_PLAN)` tells it, in 12 to 15
//! a prepared statement does.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;
use sql_lexer::{Dialect, Kind, Lexer, Syntax};

use super::explain::{Explain, Unexplained};
use super::plan::{Lines, Plan};
use super::server;
use crate::config::Secret;
use crate::sql;

/// The first version with `EXPLAIN (GENERIC_PLAN)`.
const GENERIC_PLAN: u32 = 160_000;

/// Most parameters of a prepared statement that is explained.
const PARAMETERS: usize = 100;

/// Limits of the connection: it may read, for a short time, and does not wait for others.
const SETUP: &str = "SET default_transaction_read_only = on; SET statement_timeout = '2s'; \
    SET lock_timeout = '100ms'; SET application_name = 'apm-agent plans'; SET plan_cache_mode = force_generic_plan";

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    server_version_num: String,
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

pub(super) struct Explainer {
    connection: PgConnection,
    version: u32,
}

impl Explainer {
    pub(super) fn open(url: &Secret) -> Result<Self, Unexplained> {
        server::reach(url.expose(), 5432)?;
        let separator = if url.expose().contains('?') { '&' } else { '?' };
        let address = format!("{}{separator}connect_timeout=3", url.expose());
        let mut connection = PgConnection::establish(&address)?;
        connection.batch_execute(SETUP)?;
        let version: Setting =
            diesel::sql_query("SHOW server_version_num").get_result(&mut connection)?;
        Ok(Self {
            connection,
            version: version.server_version_num.parse().unwrap_or(0),
        })
    }

    fn ask(&mut self, what: &str) -> Result<Plan, Unexplained> {
        let answer: Answer = diesel::sql_query(what).get_result(&mut self.connection)?;
        let answer: Value = serde_json::from_str(&answer.plan).map_err(|_| Unexplained::Answer)?;
        let top = answer.pointer("/0/Plan").ok_or(Unexplained::Answer)?;
        let mut lines = Lines::default();
        write(top, 0, &mut lines);
        Ok(lines.finish())
    }
}

impl Explain for Explainer {
    fn plan(&mut self, sql: &str) -> Result<Plan, Unexplained> {
        let options = "COSTS OFF, FORMAT JSON";
        let parameters = parameters(sql);
        if parameters == 0 {
            return self.ask(&format!("EXPLAIN ({options}) {sql}"));
        }
        if self.version >= GENERIC_PLAN {
            return self.ask(&format!("EXPLAIN ({options}, GENERIC_PLAN) {sql}"));
        }
        if parameters > PARAMETERS {
            return Err(Unexplained::Answer);
        }
        let sql = sql.trim().trim_end_matches(';');
        let prepare = format!("PREPARE apm_agent_plan AS {sql}");
        self.connection.batch_execute(&prepare)?;
        // With a generic plan, the values do not matter.
        let values = vec!["NULL"; parameters].join(", ");
        let plan = self.ask(&format!(
            "EXPLAIN ({options}) EXECUTE apm_agent_plan({values})"
        ));
        self.connection.batch_execute("DEALLOCATE apm_agent_plan")?;
        plan
    }
}

/// The highest number of a parameter `$n`.
fn parameters(sql: &str) -> usize {
    let tokens = Lexer::new(sql, Syntax::cautious(Dialect::Postgresql)).significant();
    let numbers = tokens.filter(|token| token.kind == Kind::Parameter);
    let numbers = numbers.filter_map(|token| token.text.strip_prefix('$')?.parse().ok());
    numbers.max().unwrap_or(0)
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
        (_, .., Some(join)) if join != "Inner" => {
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
        let node = serde_json::json!({
            "Node Type": "Hash Join", "Join Type": "Left", "Hash Cond": "(v.person = p.id)", "Plans": [
                {"Node Type": "Seq Scan", "Relation Name": "visits", "Alias": "v", "Filter": "(at > 'now'::date)"},
                {"Node Type": "Index Scan", "Index Name": "people_city", "Relation Name": "people", "Alias": "people",
                 "Index Cond": "(city = $1)"},
                {"Node Type": "Aggregate", "Strategy": "Hashed", "Group Key": ["city"], "secret": "x"},
            ]
        });
        let mut lines = Lines::default();
        write(&node, 0, &mut lines);
        assert_eq!(
            lines.finish().text,
            "Hash Left Join (Hash Cond: (v.person = p.id))\n  \
             Seq Scan on visits v (Filter: (at > ?::date))\n  \
             Index Scan using people_city on people (Index Cond: (city = $1))\n  \
             HashAggregate (Group Key: city)"
        );
    }
}
