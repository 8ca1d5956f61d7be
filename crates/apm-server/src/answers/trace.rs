//! `/traces/{trace}`: one trace, whole, across services.

pub(crate) mod gaps;
pub(crate) mod look;
pub(crate) mod operations;
mod part;
pub(crate) mod statements;
pub(crate) mod weights;

use apm_store::kept;
use diesel::SqliteConnection;
use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::Shape;
use super::elsewhere::{Elsewhere, of_trace};
use super::parameter::Parameter;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::trace::read;
use crate::csv::Table;
use look::{Look, Looked};
pub use part::TracePart;

const TRACE: Parameter = Parameter::text("trace", "`trace.id`");
const FIRST: Parameter = Parameter::whole(
    "first",
    0,
    i64::MAX,
    "Index of the first item of the answer. Default 0.",
);
const ITEMS: Parameter =
    Parameter::whole("size", 0, MOST_ITEMS, "Items of the answer. Default 5000.");

/// Items of one answer, if no number is asked for, and at most.
const USUAL_ITEMS: usize = 5_000;
const MOST_ITEMS: i64 = 10_000;

/// The tables of a trace.
pub(crate) const TABLES: [&str; 5] = [
    "operations",
    "statements",
    "gaps",
    "error_rows",
    "log_lines",
];

/// The text that stands for an empty name.
pub(crate) fn named(name: &str) -> &str {
    if name.is_empty() { "(no name)" } else { name }
}

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    trace: String,
    first: usize,
    items: usize,
    pub(crate) look: Look,
}

/// A part of a trace, and what was asked for beside its items.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Trace")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) part: TracePart,
    #[serde(flatten)]
    pub(crate) looked: Looked,
    /// Why it stays when the events around it go: `pinned`, `error`, `failure`, `slowest` or `sample`; null where
    /// nothing keeps it.
    pub(crate) kept: Option<&'static str>,
    /// Events that were read from the engine, where there is one.
    pub(crate) elsewhere: Elsewhere,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/traces/{trace}");
    const SUMMARY: &'static str = "One trace, arranged on its timeline, in parts";
    const DEPENDS: Depends = Depends::Nothing;
    const TABLES: &'static [&'static str] = &TABLES;

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            trace: arguments.segment(&TRACE).to_owned(),
            first: arguments.count(&FIRST)?.unwrap_or(0),
            items: match (arguments.count(&ITEMS)?, arguments.shape) {
                (Some(items), _) => items,
                // A page draws the trace itself.
                (None, Shape::Page) => 0,
                (None, Shape::Data) => USUAL_ITEMS,
            },
            look: Look::read(arguments, "timeline")?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let answer = |conn: &mut SqliteConnection| -> Result<_, Problem> {
            let trace = read::pasted(conn, &self.trace)?.ok_or_else(|| Problem::Unknown {
                what: "trace",
                name: self.trace.clone(),
            })?;
            let looked = self.look.at(conn, &trace, None)?;
            Ok((
                TracePart::read(conn, trace, self.first, self.items)?,
                looked,
            ))
        };
        let ((part, looked), elsewhere) =
            of_trace(source.conn, source.settings, &self.trace, answer)?;
        let kept = kept::reason(source.conn, &part.trace.id)?;
        Ok(Answer {
            kept: kept.map(kept::Reason::as_str),
            part,
            looked,
            elsewhere,
        })
    }

    fn is_settled(answer: &Answer) -> bool {
        answer.elsewhere == Elsewhere::default()
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        answer.looked.tables()
    }
}
