//! `/insights`: what was found, most costly first, with evidence and remedy.

use schemars::JsonSchema;
use serde::Serialize;

use super::arguments::Shape;
use super::parameter::Parameter;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::filter::List;
use crate::csv::{Cell, Table};
use crate::insight::finding::{self, Finding, Which};

const FINGERPRINT: Parameter = Parameter::hash("fingerprint", "Only those about a statement.");
const ENDED: Parameter = Parameter::text(
    "ended",
    "With any value: those that ended, too. A page in HTML has them in any case.",
);
const DISMISSED: Parameter = Parameter::text(
    "dismissed",
    "With any value: the dismissed ones, too. A page in HTML has them in any case.",
);

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    scope: Scope,
    fingerprint: Option<String>,
    ended: bool,
    dismissed: bool,
}

/// Findings.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Insights")]
pub(crate) struct Answer {
    /// Those that hold first, then by severity and saving.
    pub(crate) insights: Vec<Finding>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/insights");
    const SUMMARY: &'static str = "Findings";
    const DEPENDS: Depends = Depends::Nothing;
    const TABLES: &'static [&'static str] = &["insights"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let is_page = arguments.shape == Shape::Page;
        Ok(Self {
            scope: arguments.chosen_scope(List::Statements)?,
            fingerprint: arguments
                .hash(&FINGERPRINT)?
                .map(|hash| format!("{hash:016x}")),
            ended: arguments.is_set(&ENDED)? || is_page,
            dismissed: arguments.is_set(&DISMISSED)? || is_page,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let which = Which {
            ended: self.ended,
            dismissed: self.dismissed,
            fingerprint: self.fingerprint.as_deref(),
        };
        Ok(Answer {
            insights: finding::list(source.conn, &self.scope, which)?,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![Table::from_rows(
            "insights",
            &answer.insights,
            &[
                ("id", |row: &Finding| (&row.id).into()),
                ("kind", |row| (&row.kind).into()),
                ("service", |row| (&row.service).into()),
                ("environment", |row| (&row.environment).into()),
                ("title", |row| (&row.says.title).into()),
                ("cause", |row| (&row.says.cause).into()),
                ("remedy", |row| (&row.says.remedy).into()),
                ("saving_us_per_minute", |row| row.saving.into()),
                ("first_seen_utc", |row| Cell::second(row.first_seen)),
                ("last_seen_utc", |row| Cell::second(row.last_seen)),
                ("ended_utc", |row| {
                    row.ended.map_or(Cell::Empty, Cell::second)
                }),
                ("dismissed_utc", |row| {
                    row.dismissed.map_or(Cell::Empty, Cell::second)
                }),
            ],
        )]
    }
}
