//! `/traces`: the newest traces, by their entries, filtered by any field of these.

use apm_store::kept;
use schemars::JsonSchema;
use serde::Serialize;

use super::parameter::Parameter;
use super::parameter::shared::{ENV, SERVICE};
use super::{Address, Asked, Problem, Question, Source, at};
use crate::analytics::discover::{Groups, MOST_HITS};
use crate::analytics::traces::{self, Entry, Traces};
use crate::csv::{Cell, Table};

const SIZE: Parameter = Parameter::whole(
    "size",
    0,
    MOST_HITS as i64,
    "Traces of the answer. Default 50.",
);

/// Traces of an answer where no number is asked for.
const USUAL: usize = 50;

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    question: traces::Question,
    /// µs
    now: i64,
}

/// The newest traces of a range.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TraceList")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) found: Traces,
    /// The names that the newest traces begin with, most frequent first.
    pub(crate) names: Groups,
    /// When the oldest events arrived of which all are there, seconds since 1970: of earlier ones, only traces that
    /// are kept are left. Null where nothing was deleted for them.
    pub(crate) whole_since: Option<i64>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/traces");
    const SUMMARY: &'static str = "The newest traces, by their entries";
    const TABLES: &'static [&'static str] = &["traces"];

    fn read(asked: &Asked) -> Result<Self, Problem> {
        Ok(Self {
            question: traces::Question {
                query: asked.query()?,
                service: asked.owned(&SERVICE)?,
                environment: asked.owned(&ENV)?,
                range: asked.range()?,
                size: asked.count(&SIZE)?.unwrap_or(USUAL),
                after: asked.after()?,
            },
            now: asked.now,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        Ok(Answer {
            found: traces::list(source.conn, &self.question, self.now)?,
            names: traces::names(source.conn, &self.question, self.now)?,
            whole_since: kept::whole_since(source.conn)?,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![Table::from_rows(
            "traces",
            &answer.found.traces,
            &[
                ("trace_id", |row: &Entry| (&row.trace).into()),
                ("transaction_id", |row| (&row.transaction).into()),
                ("entry", |row| (&row.name).into()),
                ("service", |row| (&row.service).into()),
                ("result", |row| (&row.result).into()),
                ("outcome", |row| (&row.outcome).into()),
                ("started_utc", |row| Cell::Time(row.timestamp)),
                ("duration_us", |row| row.duration.into()),
                ("spans", |row| row.spans.into()),
            ],
        )]
    }

    // An incomplete search may get further next time.
    fn is_settled(answer: &Answer) -> bool {
        answer.found.complete
    }
}
