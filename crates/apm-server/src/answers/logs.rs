//! `/logs` and `/services/{service}/logs`: log lines, newest first, and how many of which severity.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::arguments::Shape;
use super::elsewhere::{Elsewhere, join_lines};
use super::parameter::Parameter;
use super::parameter::shared::{ENV, SERVICE};
use super::part::Part;
use super::sourced::Sourced;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::discover::logs::{self, Lines, Logs, Severity};
use crate::analytics::discover::{Hit, Limits, MOST_HITS, Request};
use crate::analytics::series::Axis;
use crate::csv::{Cell, Table};

const LEVEL: Parameter = Parameter::word(
    "level",
    &["error", "warn", "info", "debug", "other"],
    "Lines of one severity alone, whatever their library calls it.",
);
const SIZE: Parameter = Parameter::whole(
    "size",
    0,
    MOST_HITS as i64,
    "Lines of the answer. Default 100.",
);

/// Lines where no number is asked for.
const USUAL: usize = 100;

/// Lines of all services, or of the one that the parameter `service` names.
#[derive(Debug)]
pub(crate) struct All(pub(crate) Asks);

/// Lines of one service.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    pub(crate) asks: Asks,
}

/// The parameters of both.
#[derive(Debug)]
pub(crate) struct Asks {
    request: Request,
    pub(crate) severity: Option<Severity>,
    /// Documents are kept for pages: they show the open line whole.
    shape: Shape,
}

/// A log line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Line")]
pub(crate) struct Line {
    /// The event's number.
    pub(crate) seq: i64,
    /// µs since the epoch.
    pub(crate) timestamp: i64,
    /// `log.level` as it was sent, may be empty.
    pub(crate) level: String,
    /// Its meaning.
    pub(crate) severity: Severity,
    /// `service.name`
    pub(crate) service: String,
    /// `service.environment`, may be empty.
    pub(crate) environment: String,
    /// `log.logger`, may be empty.
    pub(crate) logger: String,
    /// Its text; without one, the message or the type of its error.
    pub(crate) message: String,
    /// The trace in which it was written.
    pub(crate) trace_id: Option<String>,
    /// The transaction in which it was written.
    pub(crate) transaction_id: Option<String>,
    /// The span in which it was written.
    pub(crate) span_id: Option<String>,
    #[serde(skip)]
    pub(crate) document: Option<Json>,
}

impl Line {
    pub(crate) fn from_hit(hit: Hit, keeps_document: bool) -> Self {
        let Hit {
            seq,
            timestamp,
            document,
        } = hit;
        let text = |pointer: &str| {
            let found = document.pointer(pointer).and_then(Json::as_str);
            found.map(str::to_owned)
        };
        let level = text("/log/level").unwrap_or_default();
        Self {
            seq,
            timestamp,
            severity: Severity::from_level(&level),
            level,
            service: text("/service/name").unwrap_or_default(),
            environment: text("/service/environment").unwrap_or_default(),
            logger: text("/log/logger").unwrap_or_default(),
            message: message(&document).to_owned(),
            trace_id: text("/trace/id"),
            transaction_id: text("/transaction/id"),
            span_id: text("/span/id"),
            document: keeps_document.then_some(document),
        }
    }
}

/// The text of a log line; of one without a text, the message or the type of its error.
pub fn message(document: &Json) -> &str {
    let mut texts = ["/message", "/error/message", "/error/type"]
        .into_iter()
        .filter_map(|pointer| document.pointer(pointer)?.as_str());
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

/// Log lines.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LogLines")]
pub(crate) struct Answer {
    /// Matching lines in the range, on all pages.
    pub(crate) total: u64,
    /// True if all lines were looked at: false where the search took too long.
    pub(crate) complete: bool,
    /// The lines, newest first.
    pub(crate) lines: Vec<Line>,
    /// `after` of the next lines; null with the last ones.
    pub(crate) next: Option<String>,
    /// Matching lines by severity, the worst first; also of those that `level` leaves out.
    pub(crate) levels: Sourced<Vec<Lines>>,
    /// The buckets of the histograms.
    pub(crate) axis: Axis,
    /// True if the search of what is stored here stopped before its end.
    #[serde(skip)]
    pub(crate) stopped: bool,
    /// The share of other servers.
    pub(crate) elsewhere: Elsewhere,
}

impl Answer {
    /// Number of lines of a severity.
    pub(crate) fn count(&self, severity: Severity) -> u64 {
        let lines = self.levels.iter();
        let mut own = lines.filter(|lines| lines.severity == severity);
        own.next().map_or(0, |lines| lines.count)
    }
}

impl Question for All {
    type Answer = Answer;
    const ADDRESS: Address = at!("/logs");
    const SUMMARY: &'static str = "Log lines, newest first";
    const TABLES: &'static [&'static str] = &["lines", "histogram"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let service = arguments.get(&SERVICE)?;
        Ok(Self(Asks::read(arguments, service)?))
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        self.0.answer(source)
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(Part::of(answer.lines.len(), answer.total))
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        tables(answer)
    }

    fn is_settled(answer: &Answer) -> bool {
        answer.complete && answer.elsewhere == Elsewhere::default()
    }
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/logs");
    const SUMMARY: &'static str = "Log lines of a service, newest first";
    const TABLES: &'static [&'static str] = &["lines", "histogram"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let service = arguments.segment(&SERVICE);
        Ok(Self {
            service: service.to_owned(),
            asks: Asks::read(arguments, Some(service))?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        self.asks.answer(source)
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(Part::of(answer.lines.len(), answer.total))
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        tables(answer)
    }

    fn is_settled(answer: &Answer) -> bool {
        answer.complete && answer.elsewhere == Elsewhere::default()
    }
}

impl Asks {
    fn read(arguments: &Arguments, service: Option<&str>) -> Result<Self, Problem> {
        let request = Request {
            query: arguments.query()?,
            range: arguments.range()?,
            size: arguments.count(&SIZE)?.unwrap_or(USUAL),
            after: arguments.after()?,
            limits: Limits::default(),
        };
        Ok(Self {
            request: request.within(service, arguments.get(&ENV)?),
            severity: arguments.word(&LEVEL)?.and_then(Severity::parse),
            shape: arguments.shape,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let found = Sourced::read(source.conn, |conn| {
            logs::logs(conn, &self.request, self.severity)
        })?;
        let (mut found, sql) = found.into_parts();
        let stopped = !found.complete;
        let (conn, settings) = (&mut *source.conn, source.settings);
        let elsewhere = join_lines(conn, settings, &self.request, self.severity, &mut found)?;
        let Logs {
            levels,
            complete,
            hits,
            next,
            axis,
        } = found;
        let is_own = |lines: &&Lines| self.severity.is_none_or(|only| only == lines.severity);
        let total: u64 = levels.iter().filter(is_own).map(|lines| lines.count).sum();
        let keeps = self.shape == Shape::Page;
        let lines = hits.into_iter().map(|hit| Line::from_hit(hit, keeps));
        let lines: Vec<Line> = lines.collect();
        Ok(Answer {
            total: total.max(lines.len() as u64),
            complete,
            lines,
            next: next.map(|cursor| cursor.to_string()),
            levels: Sourced::new(levels, sql),
            axis,
            stopped,
            elsewhere,
        })
    }
}

fn tables(answer: &Answer) -> Vec<Table> {
    let lines = Table::from_rows(
        "lines",
        &answer.lines,
        &[
            ("time_utc", |row: &Line| Cell::Time(row.timestamp)),
            ("level", |row| (&row.level).into()),
            ("service", |row| (&row.service).into()),
            ("environment", |row| (&row.environment).into()),
            ("logger", |row| (&row.logger).into()),
            ("message", |row| (&row.message).into()),
            ("trace_id", |row| row.trace_id.clone().into()),
            ("transaction_id", |row| row.transaction_id.clone().into()),
            ("span_id", |row| row.span_id.clone().into()),
        ],
    );
    let heads = answer.levels.iter().map(|lines| lines.severity.as_str());
    let columns = std::iter::once("time_utc").chain(heads);
    let buckets = answer.axis.buckets.iter().enumerate();
    let rows = buckets.map(|(at, bucket)| {
        let counts = answer.levels.iter();
        let counts = counts.map(|lines| lines.histogram.get(at).copied().into());
        std::iter::once(Cell::second(bucket.start))
            .chain(counts)
            .collect()
    });
    let histogram = Table {
        name: "histogram",
        columns: columns.map(Into::into).collect(),
        rows: rows.collect(),
    };
    vec![lines, histogram]
}
