//! `/check`: the gate for CI.

use super::arguments::wrong;
use super::parameter::Parameter;
use super::parameter::shared::SERVICE;
use super::{Address, Arguments, Depends, Problem, Question, Source, at};
use crate::insight::check::baseline::Seen;
use crate::insight::check::{self, CheckError, Gate, NoGrowth, Report};

const MAX_STATEMENTS: Parameter = Parameter::number(
    "max_statements_per_request",
    "The most SQL statements that a request may run.",
);
const NO_REPEATS: Parameter = Parameter::text(
    "no_repeats",
    "With any value: no statement may repeat within a request.",
);
const P95: Parameter = Parameter::text("p95", "Bounds as `GET /a<50ms`, a line each.");
const NO_GROWTH: Parameter = Parameter::text(
    "no_growth",
    "No statement may take more work the larger its table is. `judged`: of those that can be judged; any other value: \
     each has to be judged.",
);
const SINCE: Parameter = Parameter::text("since", "The name of a marker, or a time.");

/// The question.
#[derive(Debug)]
pub(crate) struct Params {
    gate: Gate,
    /// µs
    now: i64,
}

impl Question for Params {
    type Answer = Report;
    const ADDRESS: Address = at!("/check");
    const SUMMARY: &'static str = "The gate of `pocket-apm check`";
    const DEPENDS: Depends = Depends::Now;

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        let bound = |line: &str| line.parse().map_err(|problem| wrong(&P95, problem));
        let p95 = arguments.get(&P95)?.unwrap_or_default();
        Ok(Self {
            gate: Gate {
                service: arguments.owned(&SERVICE)?,
                max_statements_per_request: arguments.number(&MAX_STATEMENTS)?,
                no_repeats: arguments.is_set(&NO_REPEATS)?,
                // Several bounds stand in one parameter, a line each.
                p95: p95.lines().map(bound).collect::<Result<_, _>>()?,
                no_growth: arguments.get(&NO_GROWTH)?.map(|which| match which {
                    "judged" => NoGrowth::Judged,
                    _ => NoGrowth::All,
                }),
                since: arguments.owned(&SINCE)?,
                ..Gate::default()
            },
            now: arguments.now,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Report, Problem> {
        check::run(source.conn, &self.gate, self.now).map_err(problem)
    }
}

/// The question of what each statement of each caller did.
#[derive(Debug)]
pub(crate) struct BaselineParams {
    service: Option<String>,
    since: Option<String>,
    /// µs
    now: i64,
}

impl Question for BaselineParams {
    type Answer = Seen;
    const ADDRESS: Address = at!("/check/baseline");
    const SUMMARY: &'static str =
        "Calls, steps and plans of each caller's statements, to compare with a baseline";
    const DEPENDS: Depends = Depends::Now;

    fn read(arguments: &Arguments) -> Result<Self, Problem> {
        Ok(Self {
            service: arguments.owned(&SERVICE)?,
            since: arguments.owned(&SINCE)?,
            now: arguments.now,
        })
    }

    fn answer(&self, source: &mut Source<'_>) -> Result<Seen, Problem> {
        let gate = Gate {
            service: self.service.clone(),
            since: self.since.clone(),
            files: source.settings.files.as_ref().clone(),
            ..Gate::default()
        };
        check::seen(source.conn, &gate, self.now).map_err(problem)
    }
}

fn problem(error: CheckError) -> Problem {
    match error {
        CheckError::Query(error) => error.into(),
        CheckError::Store(error) => error.into(),
        CheckError::Nothing => wrong(
            &MAX_STATEMENTS,
            "nothing to check: give it, no_repeats, p95 or no_growth".to_owned(),
        ),
        CheckError::Since(text) => wrong(
            &SINCE,
            format!(
                "`{text}` is neither a marker nor a time: set one with POST /api/v1/markers, or write now-15m"
            ),
        ),
    }
}
