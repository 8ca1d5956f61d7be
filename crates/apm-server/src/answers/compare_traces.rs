//! `/traces/{trace}/compare/{other}`: two traces side by side.

use schemars::JsonSchema;
use serde::Serialize;

use super::elsewhere::{Elsewhere, of_trace};
use super::parameter::Parameter;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::trace::Trace;
use crate::analytics::trace::align::{Aligned, Row, Side, align};
use crate::analytics::trace::read;
use crate::csv::{Cell, Table};

const TRACE: Parameter = Parameter::text("trace", "`trace.id` of the first trace.");
const OTHER: Parameter = Parameter::text("other", "`trace.id` of the second trace.");

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    first: String,
    second: String,
}

/// A trace that is compared.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ComparedTrace")]
pub(crate) struct Compared {
    /// `trace.id`
    pub(crate) id: String,
    /// Name of its entry.
    pub(crate) name: String,
    /// Start of its entry, µs since the epoch.
    pub(crate) timestamp: i64,
    /// From its earliest start to its latest end, µs.
    pub(crate) duration: i64,
    /// Transactions and spans.
    pub(crate) items: usize,
    /// Errors.
    pub(crate) errors: usize,
    /// Its events that were read from the engine, where there is one.
    pub(crate) elsewhere: Elsewhere,
}

/// Two traces and their operations.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TraceComparison")]
pub(crate) struct Answer {
    /// The first trace.
    pub(crate) first: Compared,
    /// The second one.
    pub(crate) second: Compared,
    #[serde(flatten)]
    pub(crate) aligned: Aligned,
}

impl Compared {
    fn new(trace: &Trace, elsewhere: Elsewhere) -> Self {
        Self {
            id: trace.id.clone(),
            name: trace
                .items
                .first()
                .map_or_else(String::new, |entry| entry.what.name.to_string()),
            timestamp: trace.start,
            duration: trace.duration,
            items: trace.items.len(),
            errors: trace.errors.len(),
            elsewhere,
        }
    }
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/traces/{trace}/compare/{other}");
    const SUMMARY: &'static str =
        "Two traces side by side: what is new, gone, slower or faster in the second";
    const DEPENDS: Depends = Depends::Nothing;
    const TABLES: &'static [&'static str] = &["rows"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            first: arguments.segment(&TRACE).to_owned(),
            second: arguments.segment(&OTHER).to_owned(),
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let mut read = |id: &str| {
            of_trace(source.conn, source.settings, id, |conn| {
                read::pasted(conn, id)?.ok_or_else(|| Problem::Unknown {
                    what: "trace",
                    name: id.to_owned(),
                })
            })
        };
        let ((first, of_first), (second, of_second)) = (read(&self.first)?, read(&self.second)?);
        Ok(Answer {
            aligned: align(&first, &second),
            first: Compared::new(&first, of_first),
            second: Compared::new(&second, of_second),
        })
    }

    fn is_settled(answer: &Answer) -> bool {
        let both = [&answer.first, &answer.second];
        both.iter().all(|one| one.elsewhere == Elsewhere::default())
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        fn of(side: Option<Side>, value: fn(Side) -> i64) -> Cell {
            side.map(value).into()
        }
        vec![Table::from_rows(
            "rows",
            &answer.aligned.rows,
            &[
                ("depth", |row: &Row| i64::from(row.depth).into()),
                ("service", |row| (&row.service).into()),
                ("name", |row| (&row.name).into()),
                ("type", |row| (&row.kind).into()),
                ("became", |row| {
                    format!("{:?}", row.became).to_lowercase().into()
                }),
                ("first_count", |row| of(row.first, |side| side.count)),
                ("second_count", |row| of(row.second, |side| side.count)),
                ("first_us", |row| of(row.first, |side| side.duration)),
                ("second_us", |row| of(row.second, |side| side.duration)),
                ("difference_us", |row| row.difference.into()),
            ],
        )]
    }
}
