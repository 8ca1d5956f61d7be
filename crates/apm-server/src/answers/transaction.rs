//! `/services/{service}/transactions/view`: one kind of request. How long it takes, how that is spread, and a sample
//! of it.

use std::sync::Arc;

use diesel::SqliteConnection;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::charts::{self, Charts};
use super::elsewhere::{Elsewhere, of_samples, of_trace};
use super::matching::{self, Scan};
use super::parameter::Parameter;
use super::parameter::shared::{SERVICE, TYPE};
use super::period::Period;
use super::sourced::Sourced;
use super::trace::TABLES;
use super::trace::look::{Look, Looked};
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::change::{self, Change};
use crate::analytics::distribution::{self, Distribution, Scale};
use crate::analytics::engine_query::EngineQuery;
use crate::analytics::samples::{self, Durations, LIMIT, Sample};
use crate::analytics::trace::Trace;
use crate::analytics::trace::read;
use crate::analytics::window::Window;
use crate::analytics::{discover, transactions};
use crate::csv::{Cell, Table};

const SAMPLE: Parameter = Parameter::text(
    "sample",
    "`id` of the sample to look at. Default: the newest one.",
);

/// The question about a sample alone.
#[derive(Debug)]
pub(crate) struct SampleParams {
    pub(crate) service: String,
    scope: Scope,
    period: Period,
    pub(crate) durations: Durations,
    sample: Option<String>,
    look: Look,
}

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) of: SampleParams,
    scale: Scale,
}

/// One transaction group with its distribution and samples.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TransactionDetail")]
pub(crate) struct Answer {
    /// `service.name`
    pub(crate) service: String,
    /// `transaction.type`; null for all types.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// `transaction.name`
    pub(crate) name: String,
    /// The requests that this was counted from one by one; null where the query names only fields that rollups know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scan: Option<Scan>,
    #[serde(flatten)]
    pub(crate) charts: Charts,
    pub(crate) distribution: Sourced<Distribution>,
    /// Its time / the time of all transactions of the service, 0 to 1.
    pub(crate) share: f64,
    #[serde(flatten)]
    pub(crate) sampled: Sampled,
    /// The change of the duration of its requests since the earlier window; null without one.
    pub(crate) change: Option<Change>,
    /// The same of the earlier window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Previous>,
}

/// The charts of the earlier window.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TransactionBefore")]
pub(crate) struct Previous {
    #[serde(flatten)]
    pub(crate) charts: Charts,
    pub(crate) distribution: Distribution,
}

/// Samples of a transaction group, and one of them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Sampled {
    /// The newest samples of the durations, newest first, at most 500.
    pub(crate) samples: Vec<Sample>,
    /// Index of the sample that is looked at; null where there is none.
    pub(crate) sample: Option<usize>,
    /// The document of this sample; null where it is not stored any more.
    pub(crate) sample_document: Option<Json>,
    /// Its trace.
    #[serde(skip)]
    pub(crate) trace: Option<Arc<Trace>>,
    #[serde(flatten)]
    pub(crate) looked: Looked,
    /// Events that were read from the engine, where there is one.
    pub(crate) elsewhere: Elsewhere,
}

impl Question for SampleParams {
    type Answer = Sampled;
    const ADDRESS: Address = Params::ADDRESS;
    const SUMMARY: &'static str = "Samples of a transaction group";

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let name = arguments.transaction_name()?.to_owned();
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            scope: Scope {
                transaction_type: arguments.owned(&TYPE)?,
                transaction_name: Some(name),
                ..arguments.open_service_scope()?
            },
            period: Period::read(arguments)?,
            durations: charts::durations(arguments)?,
            sample: arguments.owned(&SAMPLE)?,
            look: Look::read(arguments, "timeline")?,
        })
    }

    fn is_settled(sampled: &Sampled) -> bool {
        sampled.elsewhere == Elsewhere::default()
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Sampled, Problem> {
        let period = self.period.stored(source.conn)?;
        let (scope, period, _) = matching::read(source.conn, &self.scope, period)?;
        self.sampled(source, &scope, &period.window)
    }
}

impl SampleParams {
    /// `transaction.name`
    pub(crate) fn name(&self) -> &str {
        self.scope.transaction_name.as_deref().unwrap_or_default()
    }

    fn sampled(
        &self,
        source: &mut Source<'_>,
        scope: &Scope,
        window: &Window,
    ) -> Result<Sampled, Problem> {
        let conn = &mut *source.conn;
        let sampled = self.of_store(conn, scope, window)?;
        if source.settings.output.is_none() {
            return Ok(sampled);
        }
        let Some(sample) = sampled.sample.map(|place| &sampled.samples[place]) else {
            let found = of_samples(
                conn,
                source.settings,
                self.filters(window),
                self.sample.as_deref(),
                |conn| {
                    // The part of a query that the engine cannot tell is decided here.
                    let period = self.period.clone();
                    let (scope, period, _) = matching::read(conn, &self.scope, period)?;
                    self.of_store(conn, &scope, &period.window)
                },
            )?;
            return Ok(match found {
                Some((found, elsewhere)) => Sampled { elsewhere, ..found },
                None => sampled,
            });
        };
        let (trace_id, id) = (sample.trace_id.clone(), sample.id.clone());
        let ((trace, looked), elsewhere) = of_trace(conn, source.settings, &trace_id, |conn| {
            let trace = read::trace(conn, &trace_id)?;
            let looked = match &trace {
                Some(trace) => self.look.at(conn, trace, Some(&id))?,
                None => Looked::default(),
            };
            Ok((trace, looked))
        })?;
        Ok(Sampled {
            trace,
            looked,
            elsewhere,
            ..sampled
        })
    }

    /// The same as the engine's filters.
    fn filters(&self, window: &Window) -> Vec<Json> {
        let mut filters = vec![
            json!({"term": {"processor.event": "transaction"}}),
            json!({"term": {"transaction.sampled": true}}),
            json!({"range": {"@timestamp": {
                "gte": window.range.from / 1000, "lt": window.range.to / 1000, "format": "epoch_millis"}}}),
        ];
        let terms = [
            ("service.name", &self.scope.service),
            ("service.environment", &self.scope.environment),
            ("transaction.type", &self.scope.transaction_type),
            ("transaction.name", &self.scope.transaction_name),
        ];
        for (field, value) in terms {
            match value.as_deref() {
                None => {}
                Some("") => {
                    filters.push(json!({"bool": {"must_not": [{"exists": {"field": field}}]}}))
                }
                Some(value) => filters.push(json!({"term": {field: value}})),
            }
        }
        if self.durations != Durations::default() {
            let Durations { min, max } = self.durations;
            filters.push(json!({"range": {"transaction.duration.us": {"gte": min, "lt": max}}}));
        }
        filters.extend(
            self.scope
                .query
                .as_ref()
                .map(|query| EngineQuery::new(query).query),
        );
        filters
    }

    /// Samples that are stored, and one of them with what is stored of its trace.
    fn of_store(
        &self,
        conn: &mut SqliteConnection,
        scope: &Scope,
        window: &Window,
    ) -> Result<Sampled, Problem> {
        let samples = samples::list(conn, scope, window, self.durations, LIMIT)?;
        let named = self.sample.as_ref().and_then(|id| {
            let is_named = |sample: &Sample| sample.id == *id;
            samples.iter().position(is_named)
        });
        // For a sample that is not there, or none, the newest one is shown.
        let place = named.or((!samples.is_empty()).then_some(0));
        let mut sampled = Sampled {
            sample: place,
            sample_document: None,
            trace: None,
            looked: Looked::default(),
            elsewhere: Elsewhere::default(),
            samples,
        };
        if let Some(sample) = place.map(|place| &sampled.samples[place]) {
            sampled.sample_document = discover::shown(conn, sample.seq)?;
            sampled.trace = read::trace(conn, &sample.trace_id)?;
            if let Some(trace) = &sampled.trace {
                sampled.looked = self.look.at(conn, trace, Some(&sample.id))?;
            }
        }
        Ok(sampled)
    }
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/transactions/view");
    const SUMMARY: &'static str = "One transaction group with its distribution and samples";
    const TABLES: &'static [&'static str] = &[
        "samples",
        "distribution",
        charts::TABLES[0],
        charts::TABLES[1],
        charts::TABLES[2],
        TABLES[0],
        TABLES[1],
        TABLES[2],
        TABLES[3],
        TABLES[4],
    ];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            of: SampleParams::read(arguments)?,
            scale: charts::scale(arguments)?,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let of = &self.of;
        let period = of.period.stored(source.conn)?;
        let (scope, period, scan) = matching::read(source.conn, &of.scope, period)?;
        let (scope, window) = (&scope, &period.window);
        let sampled = of.sampled(source, scope, window)?;
        let conn = &mut *source.conn;
        let change = match &period.before {
            Some(before) => Some(change::of_scope(conn, scope, window, before)?),
            None => None,
        };
        let previous = match &period.before {
            Some(window) => Some(Previous {
                charts: Charts::read(conn, scope, window)?,
                distribution: distribution::chart(conn, scope, window, self.scale)?,
            }),
            None => None,
        };
        Ok(Answer {
            service: of.service.clone(),
            kind: scope.transaction_type.clone(),
            name: of.name().to_owned(),
            charts: Charts::read(conn, scope, window)?,
            distribution: Sourced::read(conn, |conn| {
                distribution::chart(conn, scope, window, self.scale)
            })?,
            share: transactions::share(conn, scope, window)?,
            scan,
            sampled,
            change,
            previous,
        })
    }

    fn is_settled(answer: &Answer) -> bool {
        answer.sampled.elsewhere == Elsewhere::default()
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        let mut tables = answer.sampled.looked.tables();
        tables.push(charts::distribution_table(&answer.distribution));
        tables.extend(answer.charts.tables());
        tables.push(Table::from_rows(
            "samples",
            &answer.sampled.samples,
            &[
                ("time_utc", |row| Cell::Time(row.timestamp)),
                ("duration_us", |row| row.duration.into()),
                ("outcome", |row| row.outcome.into()),
                ("result", |row| (&row.result).into()),
                ("trace_id", |row| (&row.trace_id).into()),
                ("transaction_id", |row| (&row.id).into()),
            ],
        ));
        tables
    }
}
