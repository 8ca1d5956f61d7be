//! `/kept`: the traces that stay when the events around them go, and why.

use apm_store::kept::{self, Reason};
use schemars::JsonSchema;
use serde::Serialize;

use super::listing::{Rows, page};
use super::parameter::Parameter;
use super::part::Part;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::kept::{KeptTrace, list, number};
use crate::csv::{Cell, Table};

const WORDS: [&str; 5] = ["pinned", "error", "failure", "slowest", "sample"];
const REASON: Parameter = Parameter::word(
    "reason",
    &WORDS,
    "Only those that are kept for this reason.",
);
const SIZE: Parameter = Parameter::whole("size", 0, MOST as i64, "Traces of a page. Default 100.");

/// Most traces of a page.
const MOST: usize = 1_000;

/// Traces of a page where no number is asked for.
const USUAL: usize = 100;

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) reason: Option<Reason>,
    page: usize,
    size: usize,
}

/// Kept traces.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "KeptTraces")]
pub(crate) struct Answer {
    /// Those of the newest hours first.
    pub(crate) traces: Vec<KeptTrace>,
    /// The sums of each reason. A trace may be kept for several.
    pub(crate) reasons: Vec<Room>,
    /// Kept traces.
    pub(crate) total: i64,
    /// Bytes that they take beyond the newest events.
    pub(crate) total_bytes: i64,
    /// `page` of the next ones; null with the last ones.
    pub(crate) next_page: Option<usize>,
    /// Those of the page among all for the reason that is asked for.
    #[serde(skip)]
    pub(crate) rows: Rows,
}

/// The sums over the traces of a reason.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "KeptRoom")]
pub(crate) struct Room {
    /// `pinned`, `error`, `failure`, `slowest` or `sample`.
    pub(crate) reason: &'static str,
    /// Its traces.
    pub(crate) traces: i64,
    /// Bytes that they take beyond the newest events.
    pub(crate) bytes: i64,
    /// Bytes that they may take; null where there is no limit.
    pub(crate) max_bytes: Option<i64>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/kept");
    const SUMMARY: &'static str = "Traces that stay when the events around them go";
    const DEPENDS: Depends = Depends::Nothing;
    const TABLES: &'static [&'static str] = &["traces", "reasons"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            reason: arguments.word(&REASON)?.and_then(Reason::from_word),
            page: page(arguments)?,
            size: arguments.count(&SIZE)?.unwrap_or(USUAL),
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let of = match self.reason {
            Some(reason) => vec![reason],
            None => Reason::ALL.to_vec(),
        };
        let rooms = kept::rooms(source.conn)?;
        let reasons = Reason::ALL.into_iter().map(|reason| {
            let room = rooms.iter().find(|room| room.reason == reason.code());
            Room {
                reason: reason.as_str(),
                traces: room.map_or(0, |room| room.traces),
                bytes: room.map_or(0, |room| room.bytes),
                max_bytes: source.store.keep_share(reason),
            }
        });
        let all = kept::total(source.conn)?;
        let rows = Rows::of_page(self.page, self.size, number(source.conn, &of)?);
        Ok(Answer {
            next_page: rows.next_page,
            total: all.traces,
            total_bytes: all.bytes,
            reasons: reasons.collect(),
            traces: list(source.conn, &of, rows.first, self.size)?,
            rows,
        })
    }

    fn part_of(answer: &Answer, table: &str) -> Option<Part> {
        (table == "traces").then(|| answer.rows.into())
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![
            Table::from_rows(
                "traces",
                &answer.traces,
                &[
                    ("trace_id", |row: &KeptTrace| (&row.trace).into()),
                    ("reason", |row| row.reason.to_owned().into()),
                    ("time_utc", |row| Cell::second(row.time)),
                    ("service", |row| (&row.service).into()),
                    ("subject", |row| (&row.subject).into()),
                    ("events", |row| row.events.into()),
                    ("bytes", |row| row.bytes.into()),
                ],
            ),
            Table::from_rows(
                "reasons",
                &answer.reasons,
                &[
                    ("reason", |row: &Room| row.reason.to_owned().into()),
                    ("traces", |row| row.traces.into()),
                    ("bytes", |row| row.bytes.into()),
                    ("max_bytes", |row| row.max_bytes.into()),
                ],
            ),
        ]
    }
}
