//! Statements as spans show them: a name, and the text without its secrets.

use std::sync::Arc;

use sql_lexer::{Dialect, signature};

use crate::encode::json;
use crate::recording::span_kind::{SpanKind, Tail};
use crate::sql;

/// The constant part of a query's span.
pub(crate) fn tail(
    kind: &Arc<SpanKind>,
    instance: Option<&str>,
    statement: &str,
    dialect: Dialect,
    sanitize: bool,
) -> Tail {
    let name = signature(statement);
    let mut tail = Tail::new(Arc::clone(kind), &name, Some(action(&name)), |out| {
        write(out, instance, statement, dialect, sanitize);
    });
    // Its name does not tell what it does.
    if name == "WITH" && sql::changes_rows(statement, dialect) {
        tail.set_changes_rows();
    }
    tail
}

/// The constant part of the span of a query in the language of a system, which may be another than SQL.
pub(crate) fn tail_in(
    system: &str,
    kind: &Arc<SpanKind>,
    instance: Option<&str>,
    statement: &str,
    sanitize: bool,
) -> Tail {
    if sql::is_sql(system) {
        let dialect = Dialect::of_subtype(system);
        return tail(kind, instance, statement, dialect, sanitize);
    }
    let name = sql::command_name(statement, system);
    Tail::new(Arc::clone(kind), &name, Some("query"), |out| {
        write_command(out, system, instance, Some(statement), sanitize);
    })
}

/// The action of a statement by its name, such as `SELECT FROM people`.
pub(crate) fn action(name: &str) -> &'static str {
    if name.starts_with("SELECT") {
        "query"
    } else {
        "exec"
    }
}

/// Appends the member `db` of a span's context, and a comma.
pub(crate) fn write(
    out: &mut Vec<u8>,
    instance: Option<&str>,
    statement: &str,
    dialect: Dialect,
    sanitize: bool,
) {
    out.extend_from_slice(b"\"db\":{\"type\":\"sql\",\"statement\":");
    let statement = sql::statement(statement, dialect, sanitize);
    json::limited(out, &statement, json::LONG);
    if let Some(instance) = instance {
        out.extend_from_slice(b",\"instance\":");
        json::keyword(out, instance);
    }
    out.extend_from_slice(b"},");
}

/// Appends the member `db` for a system that does not speak SQL, and a comma.
pub(crate) fn write_command(
    out: &mut Vec<u8>,
    system: &str,
    instance: Option<&str>,
    command: Option<&str>,
    sanitize: bool,
) {
    out.extend_from_slice(b"\"db\":{\"type\":");
    json::keyword(out, system);
    if let Some(command) = command {
        out.extend_from_slice(b",\"statement\":");
        json::limited(out, &sql::command(command, system, sanitize), json::LONG);
    }
    if let Some(instance) = instance {
        out.extend_from_slice(b",\"instance\":");
        json::keyword(out, instance);
    }
    out.extend_from_slice(b"},");
}
