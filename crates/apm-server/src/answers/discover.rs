//! `/discover`: any event by any field, fields with their top values, and groups by a field.

mod newer;
pub(crate) mod parts;
mod values;

use apm_store::kept;
use kql::Expr;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::arguments::{Shape, wrong};
use super::charts::counts_table;
use super::elsewhere::{self, Elsewhere, join_groups};
use super::parameter::Parameter;
use super::parameter::shared::{ENV, SERVICE};
use super::part::Part;
use super::sourced::Sourced;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::discover::{
    self, Cursor, Field, Found, Group, Groups, Hit, Limits, MOST_HITS, Request, search_and_group,
};
use crate::analytics::series::Axis;
use crate::csv::{Cell, Table};
use crate::sort_rows::SortRows as _;
use newer::newer;
pub(crate) use values::{FieldsParams, GroupsParams};

const SIZE: Parameter = Parameter::whole(
    "size",
    0,
    MOST_HITS as i64,
    "Documents of the answer. Default 50 for a page in HTML, else 100.",
);
const FILTER: Parameter = Parameter::text(
    "filter",
    "More conditions in KQL, a line each; all of them hold.",
);
const GROUP: Parameter = Parameter::text(
    "group",
    "A field: adds `groups`, the documents by its values.",
);
const METRICS: Parameter = Parameter::word(
    "metrics",
    &["on", "off"],
    "`off` leaves metrics out, unless the query asks for kinds of events itself or finds nothing else. Default: `off` \
     for a page in HTML, else `on`.",
);
const HOLD: Parameter = Parameter::text(
    "hold",
    "`<timestamp>,<seq>` of the newest document of a list that stays as it is while others arrive. The answer has \
     `newer`.",
);

/// Documents where no number is asked for: of a page, and else.
const SHOWN: usize = 50;
const USUAL: usize = 100;
/// Documents whose fields a page lists.
const LOOKED_AT: usize = 200;
/// Conditions of `filter`.
const MOST_FILTERS: usize = 20;

/// The question about documents.
#[derive(Debug)]
pub(crate) struct Params {
    request: Request,
    /// The query without metrics.
    without_metrics: Option<Expr>,
    hold: Option<Cursor>,
    group: Option<String>,
    /// True if fields are listed.
    lists_fields: bool,
}

/// Matching events.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Documents")]
pub(crate) struct Answer {
    /// Matching events in the range, on all pages.
    pub(crate) total: u64,
    /// True if that is all: false where the search took too long.
    pub(crate) complete: bool,
    /// True if metrics were left out.
    pub(crate) without_metrics: bool,
    /// Matching events that are newer than those of a list that stays as it is; null for other lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) newer: Option<u64>,
    /// The newest document, for the links of a list that stays as it is.
    #[serde(skip)]
    pub(crate) hold: Option<Cursor>,
    /// The documents, newest first.
    #[schemars(with = "Vec<serde_json::Value>")]
    #[serde(serialize_with = "documents")]
    pub(crate) hits: Vec<Hit>,
    /// `after` of the next documents; null with the last ones.
    pub(crate) next: Option<String>,
    /// Matching events in each of the axis's buckets.
    pub(crate) histogram: Sourced<Vec<u64>>,
    /// The buckets of the histogram.
    pub(crate) axis: Axis,
    /// When the oldest events arrived of which all are there, seconds since 1970: of earlier ones, only traces that
    /// are kept are left. Null where nothing was deleted for them.
    pub(crate) whole_since: Option<i64>,
    /// The documents by the values of a field, where one is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) groups: Option<Groups>,
    /// Fields of the newest documents, for pages; `/api/v1/discover/fields` answers them alone.
    #[serde(skip)]
    pub(crate) fields: Fields,
    /// Kinds of the newest documents, and how many of each, for pages.
    #[serde(skip)]
    pub(crate) kinds: Vec<(String, usize)>,
    /// The share of other servers.
    pub(crate) elsewhere: Elsewhere,
}

/// Fields of the newest matching events.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "DocumentFields")]
pub(crate) struct Fields {
    /// Matching events in the range.
    pub(crate) total: u64,
    /// Of these many the newest were looked at.
    pub(crate) sample: usize,
    /// The fields, by name.
    pub(crate) fields: Vec<Field>,
    #[serde(skip)]
    is_settled: bool,
}

impl Fields {
    fn from_found(found: &Found) -> Self {
        Self {
            total: found.total,
            sample: found.hits.len(),
            fields: discover::fields(found.hits.iter().map(|hit| &hit.document)),
            is_settled: found.complete,
        }
    }
}

/// The kinds of some events, most frequent first.
fn kinds_of(hits: &[Hit]) -> Vec<(String, usize)> {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for hit in hits {
        let kind = hit.document.pointer("/processor/event");
        let kind = kind.and_then(Json::as_str).unwrap_or("log");
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind.to_owned(), 1)),
        }
    }
    kinds.sort_rows_by_key(|(_, count)| std::cmp::Reverse(*count));
    kinds
}

fn documents<S: serde::Serializer>(hits: &[Hit], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(hits.iter().map(|hit| &hit.document))
}

/// Reads the search.
fn request(arguments: &Arguments, size: usize) -> Result<Request, Problem> {
    let mut parts = vec![arguments.query()?];
    let filters = arguments.get(&FILTER)?.unwrap_or_default().lines();
    for text in filters
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(MOST_FILTERS)
    {
        let part = kql::parse_in(text, arguments.now, &arguments.zone);
        let cut: String = text.chars().take(64).collect();
        parts.push(part.map_err(|error| wrong(&FILTER, format!("in {cut}: {error}")))?);
    }
    let request = Request {
        query: discover::all_of(parts),
        range: arguments.range()?,
        size,
        after: arguments.after()?,
        limits: Limits::default(),
    };
    Ok(request.within(arguments.get(&SERVICE)?, arguments.get(&ENV)?))
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/discover");
    const SUMMARY: &'static str = "Events by any field, newest first";
    const TABLES: &'static [&'static str] = &["hits", "groups", "histogram"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let usual = match arguments.shape {
            Shape::Page => SHOWN,
            Shape::Data => USUAL,
        };
        let size = arguments.count(&SIZE)?.unwrap_or(usual);
        let mut request = request(arguments, size)?;
        let hold = hold(arguments, &request)?;
        // Older than the one that comes after the newest: the list begins with that one.
        let first = hold.map(|hold| Cursor {
            seq: hold.seq.saturating_add(1),
            ..hold
        });
        request.after = request.after.or(first);
        let has_metrics = match (arguments.word(&METRICS)?, arguments.shape) {
            (Some(word), _) => word == "on",
            (None, shape) => shape == Shape::Data,
        };
        let without_metrics = match has_metrics {
            true => None,
            false => discover::without_metrics(&request.query),
        };
        Ok(Self {
            without_metrics,
            hold,
            request,
            group: arguments
                .owned(&GROUP)?
                .map(|field| field.trim().to_owned()),
            lists_fields: arguments.shape == Shape::Page,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let size = self.request.size;
        let whole = Request {
            size: if self.lists_fields {
                size.max(LOOKED_AT)
            } else {
                size
            },
            ..self.request.clone()
        };
        let mut request = Request {
            query: self
                .without_metrics
                .as_ref()
                .unwrap_or(&whole.query)
                .clone(),
            ..whole.clone()
        };
        let mut without_metrics = self.without_metrics.is_some();
        let field = self.group.as_deref();
        let ((mut found, mut groups), mut elsewhere) = find(source, &request, field)?;
        if without_metrics && found.total == 0 && found.complete {
            // There is nothing else: what is there is better than an empty list.
            request = whole;
            without_metrics = false;
            ((found, groups), elsewhere) = find(source, &request, field)?;
        }
        let newer = match self.hold {
            Some(hold) => Some(newer(source, &request, hold)?),
            None => None,
        };
        let conn = &mut *source.conn;
        let first = found.hits.first().map(|hit| Cursor {
            timestamp: hit.timestamp,
            seq: hit.seq,
        });
        let (mut found, sql) = found.into_parts();
        let mut fields = Fields::default();
        let mut kinds = Vec::new();
        if self.lists_fields {
            fields = Fields::from_found(&found);
            kinds = kinds_of(&found.hits);
        }
        // More were read for the list of fields than are shown: the next ones follow those shown.
        if found.hits.len() > size {
            found.hits.truncate(size);
            found.next = found.hits.last().map(|hit| Cursor {
                timestamp: hit.timestamp,
                seq: hit.seq,
            });
        }
        if let Some(field) = field {
            let mut all = match groups {
                Some(groups) => groups,
                None => discover::group(conn, &request, field)?,
            };
            join_groups(conn, source.settings, &request, &mut all, &mut elsewhere)?;
            groups = Some(all);
        }
        Ok(Answer {
            total: found.total,
            complete: found.complete,
            without_metrics,
            newer,
            hold: self.hold.or(first.filter(|_| self.request.after.is_none())),
            hits: found.hits,
            next: found.next.map(|cursor| cursor.to_string()),
            histogram: Sourced::new(found.histogram, sql),
            axis: found.axis,
            whole_since: kept::whole_since(conn)?,
            groups,
            fields,
            kinds,
            elsewhere,
        })
    }

    fn part(answer: &Answer) -> Option<Part> {
        Some(Part::of(answer.hits.len(), answer.total))
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        let groups = answer.groups.iter().flat_map(|groups| &groups.groups);
        let counts = answer.histogram.iter().map(|n| (*n).into());
        vec![
            hits(&answer.hits),
            groups_table(groups),
            counts_table("histogram", "documents", &answer.axis, counts),
        ]
    }

    fn is_settled(answer: &Answer) -> bool {
        answer.complete && answer.elsewhere == Elsewhere::default()
    }
}

/// Events of this server, and groups where the same reading gives them.
type Here = (Sourced<Found>, Option<Groups>);

/// Searches here, and on other servers where there are some; groups by `field` where the same reading can.
fn find(
    source: &mut Source<'_>,
    request: &Request,
    field: Option<&str>,
) -> Result<(Here, Elsewhere), Problem> {
    let conn = &mut *source.conn;
    let found = Sourced::read(conn, |conn| search_and_group(conn, request, field))?;
    let ((mut found, groups), sql) = found.into_parts();
    let here = found.hits.iter().map(|hit| hit.seq).collect();
    let interval = Some(found.axis.interval);
    let others = elsewhere::others(conn, source.settings, request, &here, interval)?;
    let elsewhere = match others {
        Some(others) => others.join(&mut found, request.size.min(MOST_HITS)),
        None => Elsewhere::default(),
    };
    Ok(((Sourced::new(found, sql), groups), elsewhere))
}

/// Reads `hold`; nothing where it lies outside of the range.
fn hold(arguments: &Arguments, request: &Request) -> Result<Option<Cursor>, Problem> {
    let Some(text) = arguments.get(&HOLD)? else {
        return Ok(None);
    };
    let problem = || wrong(&HOLD, "must be <timestamp>,<seq> of a document".to_owned());
    let hold = Cursor::parse(text).ok_or_else(problem)?;
    let range = request.range;
    Ok(Some(hold).filter(|hold| (range.from..range.to).contains(&hold.timestamp)))
}

/// The table of documents.
pub(super) fn hits(hits: &[Hit]) -> Table {
    Table::from_rows(
        "hits",
        hits,
        &[
            ("time_utc", |row: &Hit| Cell::Time(row.timestamp)),
            ("event", |row| text(row, "/processor/event")),
            ("service", |row| text(row, "/service/name")),
            ("transaction", |row| text(row, "/transaction/name")),
            ("span", |row| text(row, "/span/name")),
            ("result", |row| text(row, "/transaction/result")),
            ("duration_us", |row| {
                let duration = |of: &str| row.document.pointer(of).and_then(Json::as_f64);
                let found = duration("/transaction/duration/us");
                found.or_else(|| duration("/span/duration/us")).into()
            }),
            ("trace_id", |row| text(row, "/trace/id")),
            ("document", |row| row.document.to_string().into()),
        ],
    )
}

fn text(hit: &Hit, pointer: &str) -> Cell {
    hit.document
        .pointer(pointer)
        .and_then(Json::as_str)
        .map_or(Cell::Empty, Cell::from)
}

fn groups_table<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Table {
    Table::from_rows(
        "groups",
        groups,
        &[
            ("value", |row: &Group| row.value.clone().into()),
            ("documents", |row| row.count.into()),
            ("duration_avg_us", |row| row.duration_avg.into()),
            ("duration_max_us", |row| row.duration_max.into()),
        ],
    )
}
