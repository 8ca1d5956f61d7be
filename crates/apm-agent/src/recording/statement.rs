//! SQL statements as spans show them: a name, and the text without its secrets.

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
    Tail::new(Arc::clone(kind), &name, Some(action(&name)), |out| {
        write(out, instance, statement, dialect, sanitize);
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
