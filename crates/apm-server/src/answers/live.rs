//! `/live`: the newest events, with which the page of events as they arrive begins.

use std::time::Duration;

use apm_time::{Range, SECOND};
use kql::Expr;
use schemars::JsonSchema;
use serde::Serialize;

use super::parameter::Parameter;
use super::parameter::shared::{ENV, SERVICE};
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::analytics::discover::{self, Hit, Limits, Request};
use crate::csv::Table;

/// Events that one step of the stream carries at most, and that the page starts with.
pub(crate) const MOST: usize = 50;
/// Reach of a step into the past: agents hold events for some seconds before they send them.
const BACK: i64 = 300 * SECOND;
/// A sender's clock may run ahead by so much.
const AHEAD: i64 = 60 * SECOND;
/// Time for which a step may search.
const DEADLINE: Duration = Duration::from_millis(400);

const METRICS: Parameter = Parameter::word(
    "metrics",
    &["on", "off"],
    "`on` shows metrics, too. Default `off`, unless the query asks for kinds of events itself.",
);

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    query: Expr,
    /// Whether metrics are left out.
    pub(crate) without_metrics: bool,
    service: Option<String>,
    environment: Option<String>,
    /// µs
    now: i64,
}

/// The newest events.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LiveEvents")]
pub(crate) struct Answer {
    /// Matching events of the last five minutes.
    pub(crate) total: u64,
    /// Newest first, at most 50.
    pub(crate) hits: Vec<Hit>,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/live");
    const SUMMARY: &'static str = "The newest events";
    const DEPENDS: Depends = Depends::Now;
    const TABLES: &'static [&'static str] = &["hits"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let query = arguments.query()?;
        Ok(Self {
            without_metrics: arguments.word(&METRICS)? != Some("on")
                && discover::without_metrics(&query).is_some(),
            query,
            service: arguments.owned(&SERVICE)?,
            environment: arguments.owned(&ENV)?,
            now: arguments.now,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let request = request(self.query(), self.now);
        let request = request.within(self.service.as_deref(), self.environment.as_deref());
        let found = discover::search(source.conn, &request)?;
        Ok(Answer {
            total: found.total,
            hits: found.hits,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![super::discover::hits(&answer.hits)]
    }
}

impl Params {
    /// The query, without metrics unless they are asked for.
    fn query(&self) -> Expr {
        let query = discover::without_metrics(&self.query).filter(|_| self.without_metrics);
        query.unwrap_or_else(|| self.query.clone())
    }
}

/// The search for the newest events. `now` in µs.
pub(crate) fn request(query: Expr, now: i64) -> Request {
    Request {
        query,
        range: Range {
            from: now - BACK,
            to: now + AHEAD,
        },
        size: MOST,
        after: None,
        limits: Limits { deadline: DEADLINE },
    }
}
