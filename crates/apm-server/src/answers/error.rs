//! `/services/{service}/errors/{key}`: one error group, one of its occurrences, and what its occurrences share.

use apm_store::StoreError;
use apm_time::rfc3339;
use diesel::SqliteConnection;
use kql::Expr;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::charts::counts_table;
use super::elsewhere::{self, Elsewhere};
use super::parameter::Parameter;
use super::parameter::shared::SERVICE;
use super::period::Period;
use super::sourced::Sourced;
use super::top::TopErrors;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::discover::{self, Field, Hit, Limits, Request};
use crate::analytics::error_group::{self, Affected, Detail, Sample};
use crate::analytics::errors::{self, ErrorGroup, Status, Which};
use crate::analytics::filter::List;
use crate::analytics::latency;
use crate::analytics::series::Axis;
use crate::analytics::window::Window;
use crate::csv::{Cell, Table};
use crate::insight::triage::{self, Made, Member, Version};
use crate::sort_rows::SortRows as _;
use crate::source_maps::map_frames;

const KEY: Parameter = Parameter::hash("key", "`error.grouping_key`");
const N: Parameter = Parameter::whole("n", 0, 499, "Which occurrence, 0 is the latest. Default 0.");

/// Other errors of the service.
const OTHERS: usize = 4;

/// Fields that tell one deployment, machine, caller or release from another; labels count too.
const TELLING: [&str; 7] = [
    "http.request.headers.Host",
    "host.hostname",
    "service.version",
    "service.environment",
    "user.id",
    "client.ip",
    "url.path",
];
/// Occurrences of an answer.
const SAMPLES: usize = 500;
/// Occurrences whose fields are compared, and that are read of other servers.
pub(crate) const COMPARED: usize = 50;
/// Telling fields of an answer.
const FIELDS: usize = 5;

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    key: u64,
    n: usize,
    scope: Scope,
    period: Period,
}

/// One error group with one of its occurrences.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ErrorGroupDetail")]
pub(crate) struct Answer {
    /// The group.
    pub(crate) group: Sourced<ErrorGroup>,
    /// The buckets of its series.
    pub(crate) axis: Axis,
    /// The newest occurrences, newest first, at most 500.
    pub(crate) samples: Vec<Sample>,
    /// In which transaction groups it occurred, most affected first, at most five.
    pub(crate) transactions: Vec<Affected>,
    /// Requests to the service in the window.
    pub(crate) requests: f64,
    /// True if it was first seen within the range.
    pub(crate) is_new: bool,
    /// Index of the sample that `document` is, from 0.
    pub(crate) n: usize,
    /// The occurrence; null where it is not stored any more.
    pub(crate) document: Option<Json>,
    /// Fields that the newest 50 occurrences share: the most frequent values of a few telling fields.
    pub(crate) shared: Vec<Field>,
    /// Other open errors of the service, at most four.
    pub(crate) others: Vec<ErrorGroup>,
    /// The newest versions of the service in which it occurred, whenever that was, newest first, at most 20.
    pub(crate) versions: Vec<Version>,
    /// The groups that were merged into it.
    pub(crate) members: Vec<Member>,
    /// The newest changes of its state, newest first, at most 20.
    pub(crate) changes: Vec<Made>,
    /// The share of other servers in the occurrences.
    pub(crate) elsewhere: Elsewhere,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/errors/{key}");
    const SUMMARY: &'static str = "One error group with one of its occurrences";
    const TABLES: &'static [&'static str] = &["samples", "transactions", "occurrences", "versions"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            key: arguments.segment_hash(&KEY)?,
            n: arguments.count(&N)?.unwrap_or(0),
            scope: arguments.service_scope(List::Errors)?,
            period: Period::alone(arguments)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let conn = &mut *source.conn;
        let period = self.period.stored(conn)?;
        let (scope, window) = (&self.scope, &period.window);
        // The page of a group that was merged is that of the group that stands for it.
        let key = triage::root(conn, &self.service, self.key)?;
        let found = Sourced::read(conn, |conn| error_group::detail(conn, scope, key, window))?;
        let (found, sql) = found.into_parts();
        let Detail {
            group: Some(group),
            axis,
            mut samples,
            transactions,
        } = found
        else {
            let range = self.period.asked();
            return Err(Problem::NotFound {
                what: "error group",
                name: format!("{:016x}", self.key),
                from: rfc3339(range.from),
                to: rfc3339(range.to),
            });
        };
        let members = triage::members(conn, &self.service, key)?;
        let (of_others, elsewhere) = self.others(source, key, &members, &samples, window)?;
        let conn = &mut *source.conn;
        samples.extend(of_others.iter().map(|hit| Sample {
            seq: hit.seq,
            timestamp: hit.timestamp,
        }));
        samples.sort_rows_by_key(|sample| std::cmp::Reverse((sample.timestamp, sample.seq)));
        samples.truncate(SAMPLES);
        // A list of samples gets shorter when retention removes the oldest.
        let n = self.n.min(samples.len().saturating_sub(1));
        let document = match samples.get(n) {
            Some(sample) => shown(conn, sample.seq, &of_others)?,
            None => None,
        };
        // The query speaks of errors: the requests are all those of the service.
        let of_service = Scope {
            query: None,
            ..scope.clone()
        };
        let open = Which {
            key: None,
            status: Some(Status::Open),
        };
        let mut others =
            errors::list_of(conn, scope, open, window, &errors::Pick::default())?.errors;
        others.retain(|other| other.key != group.key);
        Ok(Answer {
            is_new: super::errors::is_new(self.period.asked(), &group),
            group: Sourced::new(group, sql),
            axis,
            shared: shared(conn, &samples, &of_others)?,
            samples,
            transactions,
            requests: latency::chart(conn, &of_service, window)?.total.count,
            n,
            document,
            others: TopErrors::first(others, 0, OTHERS).errors,
            versions: triage::versions(conn, &self.service, key)?,
            members,
            changes: triage::changes(conn, &self.service, key)?,
            elsewhere,
        })
    }

    fn is_settled(answer: &Answer) -> bool {
        answer.elsewhere == Elsewhere::default()
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![
            Table::from_rows(
                "samples",
                &answer.samples,
                &[
                    ("seq", |row| row.seq.into()),
                    ("time_utc", |row| Cell::Time(row.timestamp)),
                ],
            ),
            Table::from_rows(
                "transactions",
                &answer.transactions,
                &[
                    ("type", |row| (&row.kind).into()),
                    ("transaction", |row| (&row.name).into()),
                    ("occurrences", |row| row.occurrences.into()),
                ],
            ),
            counts_table(
                "occurrences",
                "occurrences",
                &answer.axis,
                answer.group.series.iter().map(|n| (*n).into()),
            ),
            Table::from_rows(
                "versions",
                &answer.versions,
                &[
                    ("version", |row| (&row.version).into()),
                    ("first_seen_utc", |row| Cell::Time(row.first)),
                    ("last_seen_utc", |row| Cell::Time(row.last)),
                    ("occurrences", |row| row.occurrences.into()),
                ],
            ),
        ]
    }
}

impl Params {
    /// The newest occurrences that are stored on other servers.
    fn others(
        &self,
        source: &mut Source<'_>,
        key: u64,
        members: &[Member],
        samples: &[Sample],
        window: &Window,
    ) -> Result<(Vec<Hit>, Elsewhere), Problem> {
        let keys = members.iter().map(|member| member.key.clone());
        let keys: Vec<String> = keys.chain([format!("{key:016x}")]).collect();
        let text = format!(
            "processor.event: error and error.grouping_key: ({})",
            keys.join(" or ")
        );
        // Our own text always parses.
        let Ok(of_group) = kql::parse(&text, 0) else {
            return Ok((Vec::new(), Elsewhere::default()));
        };
        let request = Request {
            query: discover::all_of([of_group, self.scope.query.clone().unwrap_or(Expr::All)]),
            range: window.range,
            size: COMPARED,
            after: None,
            limits: Limits::default(),
        };
        let request = request.within(Some(&self.service), self.scope.environment.as_deref());
        let here = samples.iter().map(|sample| sample.seq).collect();
        let conn = &mut *source.conn;
        let Some(others) = elsewhere::others(conn, source.settings, &request, &here, None)? else {
            return Ok((Vec::new(), Elsewhere::default()));
        };
        let (mut hits, mut elsewhere) = (others.hits, others.elsewhere);
        hits.retain(|hit| {
            let environment = hit.document["service"]["environment"].as_str();
            self.scope
                .has(&self.service, environment.unwrap_or_default())
        });
        elsewhere.events = hits.len();
        Ok((hits, elsewhere))
    }
}

/// An occurrence, stored here or not, with the frames of a browser as they were written.
fn shown(
    conn: &mut SqliteConnection,
    seq: i64,
    others: &[Hit],
) -> Result<Option<Json>, StoreError> {
    match others.iter().find(|hit| hit.seq == seq) {
        Some(hit) => {
            let mut document = hit.document.clone();
            map_frames(conn, &mut document)?;
            Ok(Some(document))
        }
        None => discover::shown(conn, seq),
    }
}

/// The telling fields of the newest occurrences.
fn shared(
    conn: &mut SqliteConnection,
    samples: &[Sample],
    others: &[Hit],
) -> Result<Vec<Field>, StoreError> {
    let mut documents: Vec<Json> = Vec::new();
    for sample in samples.iter().take(COMPARED) {
        match others.iter().find(|hit| hit.seq == sample.seq) {
            Some(hit) => documents.push(hit.document.clone()),
            None => documents.extend(discover::document(conn, sample.seq)?),
        }
    }
    let mut fields = discover::fields(&documents);
    // A field that differs in every occurrence is an id: nothing is shared.
    fields.retain(|field| {
        (TELLING.contains(&field.name.as_str()) || field.name.starts_with("labels."))
            && (field.distinct < field.count || field.count == 1)
    });
    fields.sort_by_cached_key(|field| {
        let place = TELLING.iter().position(|name| *name == field.name);
        (place.unwrap_or(TELLING.len()), field.name.clone())
    });
    fields.truncate(FIELDS);
    Ok(fields)
}
