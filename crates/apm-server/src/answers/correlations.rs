//! `/services/{service}/transactions/correlations`: what slow or failed requests have in common.

use apm_store::kept;
use schemars::JsonSchema;
use serde::Serialize;

use super::charts;
use super::elsewhere::Elsewhere;
use super::elsewhere::correlations::read;
use super::parameter::Parameter;
use super::parameter::shared::{NAME, SERVICE, TYPE};
use super::period::Period;
use super::{Address, Arguments, Problem, Question, Source, at};
use crate::analytics::Scope;
use crate::analytics::correlations::{Correlation, Correlations, Set};
use crate::analytics::samples::Durations;
use crate::csv::Table;

const OF: Parameter = Parameter::word(
    "of",
    &["slow", "failed"],
    "The requests that are compared with all others: `slow`, which are those of the durations `min_us` to `max_us`, or \
     without these the slowest twentieth; or `failed`.",
);

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    pub(crate) service: String,
    pub(crate) scope: Scope,
    period: Period,
    pub(crate) set: Set,
}

/// Values that slow or failed requests have in common.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CorrelationsAnswer")]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) found: Correlations,
    /// When the oldest events arrived of which all are there, seconds since 1970: of earlier ones, only traces that
    /// are kept are left. Null where nothing was deleted for them.
    pub(crate) whole_since: Option<i64>,
    /// The share of other servers.
    pub(crate) elsewhere: Elsewhere,
}

impl Question for Params {
    type Answer = Answer;
    const ADDRESS: Address = at!("/services/{service}/transactions/correlations");
    const SUMMARY: &'static str = "Values that slow or failed requests have more often than others";
    const TABLES: &'static [&'static str] = &["correlations"];

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let durations = charts::durations(arguments)?;
        let scope = Scope {
            transaction_type: arguments.owned(&TYPE)?,
            transaction_name: arguments.owned(&NAME)?,
            ..arguments.open_service_scope()?
        };
        Ok(Self {
            service: arguments.segment(&SERVICE).to_owned(),
            scope,
            period: Period::alone(arguments)?,
            set: match arguments.word(&OF)? {
                Some("failed") => Set::Failed,
                _ if durations == Durations::default() => Set::Slow,
                _ => Set::Selected(durations),
            },
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Answer, Problem> {
        let window = &self.period.window;
        let (found, elsewhere) = read(
            source.conn,
            source.settings,
            (&self.scope, window),
            self.set,
        )?;
        Ok(Answer {
            found,
            whole_since: kept::whole_since(source.conn)?,
            elsewhere,
        })
    }

    fn tables(answer: &Answer) -> Vec<Table> {
        vec![Table::from_rows(
            "correlations",
            &answer.found.correlations,
            &[
                ("field", |row: &Correlation| (&row.field).into()),
                ("value", |row| (&row.value).into()),
                ("count", |row| row.count.into()),
                ("others", |row| row.others.into()),
                ("share", |row| row.share.into()),
                ("others_share", |row| row.others_share.into()),
                ("lift", |row| row.lift.into()),
                ("p_value", |row| row.p_value.into()),
            ],
        )]
    }

    fn is_settled(answer: &Answer) -> bool {
        answer.found.complete && answer.elsewhere == Elsewhere::default()
    }
}
