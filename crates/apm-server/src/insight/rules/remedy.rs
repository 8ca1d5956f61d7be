//! The ways to have a statement read less.

use super::Statement;
use super::plans::Known;
use crate::insight::plan;

/// The ways to read less of `table`.
pub(super) fn remedy(
    (statement, table): (&Statement, &str),
    plan: Option<&Known>,
    proof: Option<String>,
) -> String {
    let mut parts = Vec::new();
    if let Some(proposal) = plan.and_then(Known::proposal) {
        let covers = proposal.after.has(plan::Kind::CoveringScan);
        let limit = if covers {
            " A covering scan reads less and sorts nothing, but still grows."
        } else {
            ""
        };
        parts.push(format!("{}: {}{limit}", proposal.index, proposal.summary));
        parts.extend(proof);
    }
    parts.extend(next_step(statement, plan));
    let upper = statement.normalized.to_ascii_uppercase();
    if ["COUNT(", "SUM(", "AVG("]
        .iter()
        .any(|function| upper.contains(function))
    {
        parts.push(format!(
            "A count kept by triggers or by the writer, one row per group, would make it flat however many \
             rows {table} has."
        ));
    } else if !upper.contains(" LIMIT ") {
        parts.push(
            "Reading it page by page (WHERE id > ? ORDER BY id LIMIT ?) bounds what one request reads."
                .to_owned(),
        );
    }
    parts.join(" ")
}

/// The way to an index that would help, where the plan of the service's file does not tell; none where there is none.
fn next_step(statement: &Statement, plan: Option<&Known>) -> Option<String> {
    let service = &statement.service;
    match (plan, &*statement.subtype) {
        // An index that would help is told.
        (Some(Known::File(_)), _) => None,
        (Some(Known::Agent(sent)), _) => sent.is_sqlite.then(|| {
            format!(
                "pocket-apm advise --service {service} --database FILE tries indexes on a copy of its database."
            )
        }),
        (None, "postgresql" | "mysql" | "mariadb") => Some(
            "Its agent sends the plan where the option sql_plan_urls says how to ask for it."
                .to_owned(),
        ),
        (None, "sqlite" | "") => Some(format!(
            "Its agent sent no plan. Start the server with --explain {service}=FILE to see its plan and an index that \
             would help."
        )),
        (None, _) => None,
    }
}
