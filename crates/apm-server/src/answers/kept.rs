//! `/kept`: the traces that stay when the events around them go, and why.

use apm_store::kept::{self, Reason};
use schemars::JsonSchema;
use serde::Serialize;

use super::parameter::Parameter;
use super::part::Part;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::kept::{KeptTrace, list};
use crate::csv::{Cell, Table};

const WORDS: [&str; 5] = ["pinned", "error", "failure", "slowest", "sample"];
const REASON: Parameter = Parameter::word(
    "reason",
    &WORDS,
    "Only those that are kept for this reason.",
);
const SIZE: Parameter =
    Parameter::whole("size", 0, MOST as i64, "Traces of the answer. Default 100.");

/// Most traces of an answer.
pub(crate) const MOST: usize = 1_000;

/// Traces of an answer where no number is asked for.
const USUAL: usize = 100;

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) reason: Option<Reason>,
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
    /// Rows for the reason that is asked for, shown and not.
    #[serde(skip)]
    pub(crate) rows: usize,
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
            size: arguments.count(&SIZE)?.unwrap_or(USUAL),
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let of = match self.reason {
            Some(reason) => vec![reason],
            None => Reason::ALL.to_vec(),
        };
        let size = i64::try_from(self.size).unwrap_or(i64::MAX);
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
        let rows = rooms
            .iter()
            .filter(|room| of.iter().any(|of| of.code() == room.reason));
        let rows: i64 = rows.map(|room| room.traces).sum();
        Ok(Answer {
            rows: usize::try_from(rows).unwrap_or(0),
            total: all.traces,
            total_bytes: all.bytes,
            reasons: reasons.collect(),
            traces: list(source.conn, &of, size)?,
        })
    }

    fn part_of(answer: &Answer, table: &str) -> Option<Part> {
        (table == "traces").then(|| Part::of(answer.traces.len(), answer.rows as u64))
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
