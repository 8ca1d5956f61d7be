//! `/traces`: traces by their entries, filtered by any field of these or of any of their events, and durations over
//! time.

use apm_store::kept;
use schemars::JsonSchema;
use serde::Serialize;

use super::elsewhere::Elsewhere;
use super::elsewhere::traces::{list, names as names_of};
use super::parameter::Parameter;
use super::parameter::shared::{ENV, SERVICE};
use super::part::Part;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::discover::{Groups, MOST_HITS};
use crate::analytics::traces::grid::{COLUMNS, durations};
use crate::analytics::traces::{self, Cell as DensityCell, Entry, Order, Traces};
use crate::csv::{Cell, Table};

const SIZE: Parameter = Parameter::whole(
    "size",
    0,
    MOST_HITS as i64,
    "Traces of the answer. Default 50.",
);

/// Traces of an answer where no number is asked for.
const USUAL: usize = 50;

const MIN: Parameter = Parameter::duration(
    "min_us",
    "Shortest duration of the entries that are listed: µs, or with a unit, such as `5ms` or `1.2s`.",
);
const MAX: Parameter = Parameter::duration(
    "max_us",
    "First duration of an entry that is too long, likewise.",
);
const SORT: Parameter = Parameter::word(
    "sort",
    &["newest", "-duration", "duration"],
    "The order of the traces: those that began last, or those whose entry took longest, or the shortest time. Default \
     `newest`.",
);
const MATCH: Parameter = Parameter::word(
    "match",
    &["any", "entry"],
    "What `q` and `service` are asked of: any event of a trace, or its entry only. Default `any`.",
);
const GROUP: Parameter = Parameter::text(
    "group",
    "The field of the entries whose values `names` counts. Default `transaction.name`.",
);

/// The field that entries are grouped by.
const NAME: &str = "transaction.name";

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) question: traces::Question,
    group: String,
    /// µs
    now: i64,
}

/// The traces of a range.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TraceList")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) found: Traces,
    /// The names that the newest traces begin with, most frequent first, or their values of another field.
    pub(crate) names: Groups,
    /// When the oldest events arrived of which all are there, seconds since 1970: of earlier ones, only traces that
    /// are kept are left, and samples. Null where nothing was deleted for them.
    pub(crate) whole_since: Option<i64>,
    /// The share of other servers.
    pub(crate) elsewhere: Elsewhere,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/traces");
    const SUMMARY: &'static str =
        "Traces of a range, by their entries, and their durations over time";
    const TABLES: &'static [&'static str] = &["traces", "density", "names"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            question: traces::Question {
                query: arguments.query()?,
                service: arguments.owned(&SERVICE)?,
                environment: arguments.owned(&ENV)?,
                range: arguments.range()?,
                size: arguments.count(&SIZE)?.unwrap_or(USUAL),
                after: arguments.after()?,
                order: match arguments.word(&SORT)? {
                    Some("-duration") => Order::Longest,
                    Some("duration") => Order::Shortest,
                    _ => Order::Newest,
                },
                durations: (
                    arguments.duration(&MIN, 1.0)?,
                    arguments.duration(&MAX, 1.0)?,
                ),
                any: arguments.word(&MATCH)? != Some("entry"),
            },
            group: arguments.get(&GROUP)?.unwrap_or(NAME).to_owned(),
            now: arguments.now,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let (question, group) = (&self.question, (&*self.group, self.now));
        let (found, mut elsewhere) = list(source.conn, source.settings, question, group)?;
        let names = names_of(
            source.conn,
            source.settings,
            (question, &found),
            group,
            &mut elsewhere,
        )?;
        let whole_since = kept::whole_since(source.conn)?;
        Ok(Answer {
            found,
            names,
            whole_since,
            elsewhere,
        })
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(Part::of(answer.found.traces.len(), answer.found.total))
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![
            Table::from_rows(
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
            ),
            density(answer),
            names(answer),
        ]
    }

    // An incomplete search may get further next time.
    fn is_settled(answer: &Answer) -> bool {
        answer.found.complete && answer.elsewhere == Elsewhere::default()
    }
}

/// The cells of the chart, each with the time and the durations that it is of.
fn density(answer: &Answer) -> Table {
    let density = &answer.found.density;
    let (from, length) = (density.from, density.to - density.from);
    let at = |column: usize| from + (i128::from(length) * column as i128 / COLUMNS as i128) as i64;
    let heads = [
        "from_utc",
        "duration_from_us",
        "duration_to_us",
        "transactions",
        "failed",
    ];
    let row = |cell: &DensityCell| {
        let (least, most) = durations(cell.row);
        vec![
            Cell::Time(at(cell.column)),
            least.into(),
            most.into(),
            (cell.count as f64).into(),
            (cell.failed as f64).into(),
        ]
    };
    Table {
        name: "density",
        columns: heads.map(Into::into).to_vec(),
        rows: density.cells.iter().map(row).collect(),
    }
}

/// The values that entries are grouped by.
fn names(answer: &Answer) -> Table {
    Table::from_rows(
        "names",
        &answer.names.groups,
        &[
            ("value", |row| {
                row.value.as_deref().unwrap_or_default().into()
            }),
            ("traces", |row| (row.count as f64).into()),
            ("duration_avg_us", |row| row.duration_avg.into()),
            ("duration_max_us", |row| row.duration_max.into()),
        ],
    )
}
