//! The parts of a trace beside its items: a chosen item, and the rows of a tab.

use std::collections::HashMap;

use apm_store::{self as store, StoreError};
use diesel::SqliteConnection;
use kql::pasted::{Part, readings};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::gaps::{self, Gap};
use super::operations::{self, Operation};
use super::statements::{self, Statements, TraceStatement};
use crate::analytics::discover;
use crate::analytics::trace::Trace;
use crate::analytics::trace::item::{Item, TraceError};
use crate::analytics::trace::read;
use crate::answers::listing::{Listing, Rows, Sort};
use crate::answers::logs;
use crate::answers::parameter::Parameter;
use crate::answers::{Arguments, Problem};
use crate::csv::{Cell, Table};

const ITEM: Parameter =
    Parameter::text("item", "Id of an item or an error whose `document` to add.");
const TAB: Parameter = Parameter::word(
    "tab",
    &[
        "timeline",
        "flame",
        "statistics",
        "sql",
        "metadata",
        "logs",
        "errors",
        "json",
    ],
    "What to add about all of the trace: `statistics` adds `operations`, `sql` adds `statements` and `gaps`, `logs` \
     adds `log_lines`, `errors` adds `error_rows`; `metadata` and `json` add the `document` of the first item where \
     none is asked for.",
);

/// Log lines whose documents are read at once.
const TOGETHER: usize = 128;

/// Log lines that are shown with an item.
const OF_ITEM: usize = 50;

/// The parameters.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) item: Option<String>,
    pub(crate) tab: &'static str,
    listing: Listing,
}

/// A log line.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct LogLine {
    /// The event's number.
    pub(crate) seq: i64,
    /// µs since the epoch, by its own clock.
    pub(crate) timestamp: i64,
    /// `log.level`, may be empty.
    pub(crate) level: String,
    /// `service.name`
    pub(crate) service: String,
    /// Its text; without one, the message or the type of its error.
    pub(crate) message: String,
}

/// The parts that were asked for beside the items.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "TraceLook")]
pub(crate) struct Looked {
    /// The document of the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<Json>,
    /// Log lines that were written in the item, which events of OpenTelemetry's spans are too; the first 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) item_lines: Option<Vec<LogLine>>,
    /// The text of the item's statement as all calls of it share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) statement: Option<String>,
    /// The trace by operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operations: Option<Vec<Operation>>,
    /// Its statements, most time first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) statements: Option<Vec<TraceStatement>>,
    /// Time between its statements that no span covers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gaps: Option<Vec<Gap>>,
    /// Its errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_rows: Option<Vec<TraceError>>,
    /// Its log lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_lines: Option<Vec<LogLine>>,
    /// The place of the rows of the tab among all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tab_rows: Option<Rows>,
    #[serde(skip)]
    pub(crate) sort: Option<Sort>,
    /// Index of the item that `document` is of.
    #[serde(skip)]
    pub(crate) index: Option<usize>,
}

impl Look {
    pub(crate) fn read(arguments: &Arguments, default: &'static str) -> Result<Self, Problem> {
        let tab = arguments.word(&TAB)?.unwrap_or(default);
        Ok(Self {
            item: arguments.owned(&ITEM)?,
            tab,
            listing: Listing::of_tab(arguments, &operations::SORTS, "-self")?,
        })
    }

    /// Looks at a trace. `current`: the item that the answer is about where none is asked for; else its first.
    pub(crate) fn at(
        &self,
        conn: &mut SqliteConnection,
        trace: &Trace,
        current: Option<&str>,
    ) -> Result<Looked, Problem> {
        let found = self.item.as_deref().map(|item| item_of(conn, trace, item));
        let mut looked = match found {
            None => Looked::default(),
            // The newest sample of a transaction is another one after a while, and its items are others.
            Some(Err(Problem::Unknown { .. })) if current.is_some() => Looked::default(),
            Some(found) => found?,
        };
        match self.tab {
            "metadata" | "json" if looked.document.is_none() => {
                let current = current.and_then(|id| trace.index_of(id));
                if let Some(item) = trace.items.get(current.unwrap_or(0)) {
                    looked.document = discover::shown(conn, item.seq)?;
                }
            }
            "statistics" => {
                let mut all = operations::operations(trace, &self.listing.sort);
                looked.tab_rows = Some(self.listing.cut_all(&mut all));
                looked.operations = Some(all);
                looked.sort = Some(self.listing.sort);
            }
            "sql" => {
                let all = Statements::from_trace(trace);
                let mut places = all.places();
                looked.tab_rows = Some(self.listing.cut_all(&mut places));
                looked.statements = Some(all.rows(conn, &places)?);
                looked.gaps = Some(gaps::gaps(trace));
            }
            "errors" => {
                let mut rows = trace.errors.clone();
                looked.tab_rows = Some(self.listing.cut_all(&mut rows));
                looked.error_rows = Some(rows);
            }
            "logs" => {
                let mut places: Vec<usize> = (0..trace.logs.len()).collect();
                looked.tab_rows = Some(self.listing.cut_all(&mut places));
                looked.log_lines = Some(log_lines(conn, trace, &places)?);
            }
            _ => {}
        }
        Ok(looked)
    }
}

/// The document of an item or an error, and the item's statement.
fn item_of(conn: &mut SqliteConnection, trace: &Trace, item: &str) -> Result<Looked, Problem> {
    let readings = readings(item, Part::Span);
    let seq = readings.iter().find_map(|id| trace.seq_of(id));
    let seq = seq.ok_or_else(|| Problem::Unknown {
        what: "item of the trace",
        name: item.chars().take(64).collect(),
    })?;
    let index = readings.iter().find_map(|id| trace.index_of(id));
    let statement = match index {
        Some(index) => read::statements(conn, [&trace.items[index]])?
            .into_values()
            .next(),
        None => None,
    };
    let lines = match index {
        Some(index) => lines_of(trace, &trace.items[index]),
        None => Vec::new(),
    };
    Ok(Looked {
        item_lines: match lines.as_slice() {
            [] => None,
            lines => Some(log_lines(conn, trace, lines)?),
        },
        document: discover::shown(conn, seq)?,
        statement,
        index,
        ..Looked::default()
    })
}

/// The places of the first log lines that were written in an item.
fn lines_of(trace: &Trace, item: &Item) -> Vec<usize> {
    let id = item.id.to_string();
    let own = trace.logs.iter().enumerate().filter(|(_, log)| {
        let written_in = log.span_id.as_ref().or(log.transaction_id.as_ref());
        written_in == Some(&id)
    });
    own.map(|(place, _)| place).take(OF_ITEM).collect()
}

fn log_lines(
    conn: &mut SqliteConnection,
    trace: &Trace,
    places: &[usize],
) -> Result<Vec<LogLine>, StoreError> {
    let mut lines = Vec::with_capacity(places.len());
    for places in places.chunks(TOGETHER) {
        let logs: Vec<_> = places.iter().map(|place| &trace.logs[*place]).collect();
        let seqs: Vec<i64> = logs.iter().map(|log| log.seq).collect();
        let events = store::events(conn, &seqs)?;
        let mut texts: HashMap<i64, String> = events
            .iter()
            .map(|event| {
                let document = apm_store::document::document(event);
                (event.seq, logs::message(&document).to_owned())
            })
            .collect();
        lines.extend(logs.iter().map(|log| LogLine {
            seq: log.seq,
            timestamp: log.timestamp,
            level: log.level.clone(),
            service: log.service.clone(),
            message: texts.remove(&log.seq).unwrap_or_default(),
        }));
    }
    Ok(lines)
}

impl Looked {
    /// The tables of the tab.
    pub(crate) fn tables(&self) -> Vec<Table> {
        vec![
            operations::table(self.operations.as_deref().unwrap_or_default()),
            statements::table(self.statements.as_deref().unwrap_or_default()),
            gaps::table(self.gaps.as_deref().unwrap_or_default()),
            Table::from_rows(
                "error_rows",
                self.error_rows.iter().flatten(),
                &[
                    ("error", |row| (&row.message).into()),
                    ("type", |row| (&row.kind).into()),
                    ("key", |row| (&row.key).into()),
                    ("service", |row| (&row.service).into()),
                    ("culprit", |row| (&row.culprit).into()),
                    ("time_utc", |row| Cell::Time(row.timestamp)),
                ],
            ),
            Table::from_rows(
                "log_lines",
                self.log_lines.iter().flatten(),
                &[
                    ("time_utc", |row| Cell::Time(row.timestamp)),
                    ("level", |row| (&row.level).into()),
                    ("service", |row| (&row.service).into()),
                    ("message", |row| (&row.message).into()),
                ],
            ),
        ]
    }
}
