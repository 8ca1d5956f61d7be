//! The table of tools.

use serde::Serialize;
use serde_json::{Value, json};

use crate::answers::parameter::Described;
use crate::answers::{
    Arguments, Problem, Question, Source, check, compare, console, discover, error, errors,
    insights, queries, services, statement, trace, transactions,
};
use crate::mcp::text;

/// A tool.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// The address of the page that shows the same.
    pub(super) page: &'static str,
    /// Parameters of the address that are shown, besides those of its path.
    pub(super) shown: &'static [&'static str],
    /// Parameters that are always given.
    pub(super) fixed: &'static [(&'static str, &'static str)],
    pub(super) parameters: fn() -> Vec<Described>,
    pub(super) answer: fn(&Arguments, &mut Source<'_>) -> Result<String, Problem>,
}

const SCOPE: &[&str] = &["service", "env", "from", "to", "q"];

/// All of them.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        shown: &["env", "from", "to", "q"],
        ..list::<services::Params, 1>(
            "services",
            "Services with their throughput, latency, failure rate and SQL.",
        )
    },
    Tool {
        shown: &["env", "from", "to", "q"],
        ..list::<transactions::Params, 1>(
            "slow_transactions",
            "Groups of requests of a service by the time they take in all, with latency and failures.",
        )
    },
    Tool {
        shown: &[],
        ..one::<trace::Params>(
            "trace",
            "One trace: its transactions and spans in order of time, with durations.",
        )
    },
    list::<errors::All, 1>(
        "errors",
        "Groups of errors, with how often and when they happened. `key` is for `error`.",
    ),
    Tool {
        shown: &["env", "from", "to"],
        ..one::<error::Params>(
            "error",
            "One group of errors of a service: a sample with its stack trace, and the requests that it happened in.",
        )
    },
    list::<queries::Params, 1>(
        "statements",
        "SQL statements by the time they take in all, with calls, latency and steps. `fingerprint` is for `statement`.",
    ),
    Tool {
        shown: &["service", "env", "from", "to"],
        answer: whole_statement,
        ..one::<statement::Params>(
            "statement",
            "One SQL statement: its cost, callers, plan, and how it grows with the rows of its table.",
        )
    },
    Tool {
        shown: &["service", "env"],
        ..list::<insights::Params, 1>(
            "insights",
            "Findings that hold now, most costly first, with cause and remedy: repeated queries, scans, growth.",
        )
    },
    Tool {
        shown: &["service", "env", "marker", "from", "to"],
        ..list::<compare::Params, 2>(
            "compare",
            "Requests and statements before and after a marker, such as a deployment, or a range and the one before.",
        )
    },
    Tool {
        shown: &[
            "service",
            "max_statements_per_request",
            "no_repeats",
            "no_growth",
            "p95",
            "since",
        ],
        ..one::<check::Params>(
            "check",
            "Whether bounds are kept: statements per request, repeats, growth, 95th percentiles. Give at least one.",
        )
    },
    Tool {
        shown: &["sql"],
        ..list::<console::Params, 1>(
            "sql",
            "One reading SQL statement on the telemetry (SQLite), within 2 s and 1000 rows, of which 20 are shown.",
        )
    },
    Tool {
        fixed: &[
            (
                "filter",
                "data_stream.type: logs and not processor.event: error",
            ),
            ("size", "20"),
        ],
        ..list::<discover::Params, 1>("logs", "Log lines that a query matches, newest first.")
    },
];

/// A tool that shows the first tables of an answer.
const fn list<Q: Question, const TABLES: usize>(name: &'static str, about: &'static str) -> Tool {
    Tool {
        name,
        about,
        page: Q::ADDRESS.page,
        shown: SCOPE,
        fixed: &[],
        parameters: Arguments::describe::<Q>,
        answer: tables::<Q, TABLES>,
    }
}

/// A tool that shows an answer as an object.
const fn one<Q: Question>(name: &'static str, about: &'static str) -> Tool {
    Tool {
        name,
        about,
        page: Q::ADDRESS.page,
        shown: SCOPE,
        fixed: &[],
        parameters: Arguments::describe::<Q>,
        answer: object::<Q>,
    }
}

fn tables<Q: Question, const TABLES: usize>(
    arguments: &Arguments,
    source: &mut Source<'_>,
) -> Result<String, Problem> {
    let answer = Q::read(arguments)?.answer(source)?;
    Ok(text::tables(&Q::tables(&answer), TABLES))
}

fn object<Q: Question>(arguments: &Arguments, source: &mut Source<'_>) -> Result<String, Problem> {
    let answer = Q::read(arguments)?.answer(source)?;
    Ok(text::object(&value(&answer)))
}

/// A statement with its growth and its plan. Where there is no file to ask for a plan, the answer says so.
fn whole_statement(arguments: &Arguments, source: &mut Source<'_>) -> Result<String, Problem> {
    let found = statement::Params::read(arguments)?.answer(source)?;
    let mut all = json!({"statement": value(&found)});
    all["growth"] = match statement::GrowthParams::read(arguments)?.answer(source) {
        Ok(growth) => value(&growth),
        Err(Problem::Store(error)) => return Err(Problem::Store(error)),
        Err(problem) => problem.to_string().into(),
    };
    all["plan"] = match statement::PlanParams::read(arguments)?.answer(source) {
        Ok(plan) => value(&plan),
        Err(Problem::Store(error)) => return Err(Problem::Store(error)),
        Err(problem) => problem.to_string().into(),
    };
    Ok(text::object(&all))
}

fn value(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap_or_default()
}
