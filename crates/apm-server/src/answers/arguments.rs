//! A request as questions read it: parameters of the address, checked one by one.
//!
//! Unknown parameters are ignored: pages and the API share their addresses, and each has some of its own. An empty
//! value counts as missing. Of a repeated parameter the first value counts, but for services and environments, of
//! which several can be chosen.

use std::cell::RefCell;

use actix_web::dev::Payload;
use actix_web::web::{self, Path};
use actix_web::{FromRequest as _, HttpRequest};
use apm_time::{self as time, Range, SECOND};
use jiff::tz::TimeZone;
use kql::{Expr, pasted};

use super::parameter::shared::{AFTER, FROM, NAME, Q, TO, TZ};
use super::parameter::{Described, Form, Parameter, Place};
use super::problem::Problem;
use super::{Depends, Question};
use crate::analytics::discover::{Cursor, all_of};

/// Longest value that is read, bytes.
const LONGEST: usize = 8192;

/// Seconds for which an answer about a range that is not over yet may be told again: each divides a minute, so that
/// none outlives the minutes that it counts.
const STEPS: [i64; 12] = [60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1];

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A page for people.
    Page,
    /// JSON, or a file.
    Data,
}

/// A request.
#[derive(Debug)]
pub(crate) struct Arguments {
    pairs: Vec<(String, String)>,
    path: Vec<(String, String)>,
    pub(crate) shape: Shape,
    /// True if a table of the answer is fetched as a file, from a page or from the API.
    pub(crate) is_file: bool,
    /// The present, µs; for data cut to a second, so that answers of one second are the same.
    pub(crate) now: i64,
    /// The time zone whose days dates without an offset are.
    pub(crate) zone: TimeZone,
    /// The parameters that were read, while a question is described.
    described: Option<RefCell<Vec<Described>>>,
}

impl Arguments {
    /// Reads a request to the API.
    pub(crate) fn read(request: &HttpRequest) -> Result<Self, Problem> {
        Self::at(request, Shape::Data, time::now(), TimeZone::UTC)
    }

    /// A question of a program that is asked without an address: the values of its path, and its parameters.
    pub(crate) fn without_address(
        path: Vec<(String, String)>,
        pairs: Vec<(String, String)>,
    ) -> Self {
        Self {
            pairs,
            path,
            shape: Shape::Data,
            is_file: false,
            now: time::now() / SECOND * SECOND + SECOND,
            zone: TimeZone::UTC,
            described: None,
        }
    }

    /// Reads a request at a time. `zone`: the time zone where the address names none.
    pub(crate) fn at(
        request: &HttpRequest,
        shape: Shape,
        now: i64,
        zone: TimeZone,
    ) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|error| Problem::Parameter {
                parameter: "query string",
                problem: error.to_string(),
            })?
            .into_inner();
        // The router leaves `%2F`, `%2B` and `%25` as they are; the extractor decodes these too.
        let values = Path::<Vec<String>>::from_request(request, &mut Payload::None);
        let values = values.into_inner().map_err(|error| Problem::Segment {
            parameter: "path",
            problem: error.to_string(),
        })?;
        let names = request.match_info().iter().map(|(name, _)| name.to_owned());
        let mut arguments = Self {
            is_file: pairs
                .iter()
                .any(|(name, value)| name == "format" && matches!(&**value, "csv" | "raw-csv")),
            pairs,
            path: names.zip(values.into_inner()).collect(),
            shape,
            now: match shape {
                Shape::Page => now,
                // The end of the second: events of this very second lie before it.
                Shape::Data => now / SECOND * SECOND + SECOND,
            },
            zone,
            described: None,
        };
        if shape == Shape::Page {
            arguments.fold_query();
        }
        if let Some(name) = arguments.get(&TZ)? {
            arguments.zone = TimeZone::get(name).map_err(|_| {
                let name = cut(name);
                let problem = format!("`{name}` is no time zone, use a name such as Europe/Berlin");
                wrong(&TZ, problem)
            })?;
        }
        Ok(arguments)
    }

    /// The parameters that a question reads.
    pub(crate) fn describe<Q: Question>() -> Vec<Described> {
        let arguments = Self {
            pairs: Vec::new(),
            path: Vec::new(),
            shape: Shape::Data,
            is_file: false,
            now: SECOND,
            zone: TimeZone::UTC,
            described: Some(RefCell::default()),
        };
        // A missing parameter is no error here, so that reading goes on to the end.
        let read = Q::read(&arguments);
        debug_assert!(read.is_ok(), "every parameter is described");
        arguments
            .described
            .map(RefCell::into_inner)
            .unwrap_or_default()
    }

    fn note(&self, parameter: &Parameter, place: Place, required: bool) {
        let Some(described) = &self.described else {
            return;
        };
        let mut described = described.borrow_mut();
        match described
            .iter_mut()
            .find(|known| known.parameter.name == parameter.name)
        {
            Some(known) => known.required |= required,
            None => described.push(Described {
                parameter: *parameter,
                place,
                required,
            }),
        }
    }

    /// The parameters of the address, for links.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// Leaves a parameter out, as if the address did not have it.
    pub(crate) fn forget(&mut self, name: &str) {
        self.pairs.retain(|(known, _)| known != name);
    }

    fn value(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter, if it is there and not empty.
    pub(crate) fn get(&self, parameter: &Parameter) -> Result<Option<&str>, Problem> {
        self.note(parameter, Place::Query, false);
        if let Some(choice) = self.choice(parameter)? {
            // Several are in `chosen`.
            let one = choice.one().map(str::to_owned);
            return Ok(one.and_then(|one| self.values(parameter).find(|value| **value == *one)));
        }
        match self.value(parameter.name) {
            Some(value) if value.len() > LONGEST => Err(wrong(
                parameter,
                format!("must not be longer than {LONGEST} bytes"),
            )),
            Some("") | None => Ok(None),
            found => Ok(found),
        }
    }

    /// The same, to keep.
    pub(crate) fn owned(&self, parameter: &Parameter) -> Result<Option<String>, Problem> {
        Ok(self.get(parameter)?.map(str::to_owned))
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, parameter: &Parameter) -> Result<&str, Problem> {
        self.note(parameter, Place::Query, true);
        match self.get(parameter)? {
            Some(value) => Ok(value),
            None if self.described.is_some() => Ok(""),
            None => Err(wrong(parameter, "is missing".to_owned())),
        }
    }

    /// `name`, which may be empty: transactions without a name are one group.
    pub(crate) fn transaction_name(&self) -> Result<&str, Problem> {
        self.note(&NAME, Place::Query, true);
        match (self.get(&NAME)?, self.value(NAME.name), self.shape) {
            (Some(name), ..) => Ok(name),
            // Links of pages leave out what is empty.
            (None, Some(_), _) | (None, None, Shape::Page) => Ok(""),
            (None, None, Shape::Data) if self.described.is_some() => Ok(""),
            (None, None, Shape::Data) => Err(wrong(&NAME, "is missing".to_owned())),
        }
    }

    /// True if a parameter has any value.
    pub(crate) fn is_set(&self, parameter: &Parameter) -> Result<bool, Problem> {
        Ok(self.get(parameter)?.is_some())
    }

    /// One of the words of its form.
    pub(crate) fn word(&self, parameter: &Parameter) -> Result<Option<&'static str>, Problem> {
        let Form::Word(words) = parameter.form else {
            return Ok(None);
        };
        let Some(text) = self.get(parameter)? else {
            return Ok(None);
        };
        let found = words.iter().copied().find(|word| *word == text);
        found.map(Some).ok_or_else(|| {
            let problem = format!("`{}` is none of {}", cut(text), words.join(", "));
            wrong(parameter, problem)
        })
    }

    /// A parameter that is a hash of 16 hexadecimal digits.
    pub(crate) fn hash(&self, parameter: &Parameter) -> Result<Option<u64>, Problem> {
        let text = self.get(parameter)?;
        text.map(|text| pasted::hash(text).ok_or_else(|| wrong(parameter, not_a_hash(text))))
            .transpose()
    }

    /// A segment of the path, decoded.
    pub(crate) fn segment(&self, parameter: &Parameter) -> &str {
        self.note(parameter, Place::Path, true);
        let found = self.path.iter().find(|(name, _)| name == parameter.name);
        found.map_or("", |(_, value)| value)
    }

    /// A segment of the path that is a hash of 16 hexadecimal digits.
    pub(crate) fn segment_hash(&self, parameter: &Parameter) -> Result<u64, Problem> {
        let text = self.segment(parameter);
        match pasted::hash(text) {
            Some(hash) => Ok(hash),
            None if self.described.is_some() => Ok(0),
            None => Err(Problem::Segment {
                parameter: parameter.name,
                problem: not_a_hash(text),
            }),
        }
    }

    /// `from` and `to`.
    pub(crate) fn range(&self) -> Result<Range, Problem> {
        // Read when the request was.
        self.note(&TZ, Place::Query, false);
        let (from, to) = (self.get(&FROM)?, self.get(&TO)?);
        if self.described.is_some() {
            return Ok(Range { from: 0, to: 1 });
        }
        Ok(Range::parse_in(from, to, self.now, &self.zone)?)
    }

    /// The query `q` of any fields, and the choice of several services or environments, for documents.
    pub(crate) fn query(&self) -> Result<Expr, Problem> {
        Ok(all_of([self.chosen()?.query(), self.own_query()?]))
    }

    /// The query `q`.
    fn own_query(&self) -> Result<Expr, Problem> {
        let text = self.get(&Q)?.unwrap_or_default();
        Ok(kql::parse_in(text, self.now, &self.zone)?)
    }

    /// The place from which a list of events goes on: `after`.
    pub(crate) fn after(&self) -> Result<Option<Cursor>, Problem> {
        let text = self.get(&AFTER)?;
        let read = |text| {
            let problem = "must be the `next` of the answer before".to_owned();
            Cursor::parse(text).ok_or_else(|| wrong(&AFTER, problem))
        };
        text.map(read).transpose()
    }

    /// The things that the answer depends on beside the data; nothing where they cannot be told.
    ///
    /// Relative times and the present are those at the last whole step, so that a client that asks again has the same
    /// question for a while. The answer itself is of the moment when it was made.
    pub(crate) fn fingerprint(&self, depends: Depends) -> Option<String> {
        let arguments = format!("{:?} {:?}", self.pairs, self.path);
        match depends {
            Depends::Nothing => return Some(arguments),
            Depends::Files => return None,
            Depends::Range | Depends::Now => {}
        }
        let range = self.range().ok()?;
        let longest = range.micros() / 60 / SECOND;
        // A sixtieth of the range at most, which is less than a chart shows.
        let step = STEPS.into_iter().find(|step| *step <= longest);
        let step = step.unwrap_or(1) * SECOND;
        let then = self.now.div_euclid(step) * step;
        let (from, to) = (self.get(&FROM).ok()?, self.get(&TO).ok()?);
        let asked_range = Range::parse_in(from, to, then, &self.zone).unwrap_or(range);
        let text = self.get(&Q).ok()?.unwrap_or_default();
        let query = kql::parse_in(text, then, &self.zone).ok();
        // A window is whole minutes: it may end up to one after its range.
        let is_open = depends == Depends::Now || asked_range.to > then - 60 * SECOND;
        Some(format!(
            "{arguments} {asked_range:?} {query:?} {:?}",
            is_open.then_some(then)
        ))
    }
}

/// A parameter's problem.
pub(crate) fn wrong(parameter: &Parameter, problem: String) -> Problem {
    Problem::Parameter {
        parameter: parameter.name,
        problem,
    }
}

fn not_a_hash(text: &str) -> String {
    format!("`{}` is not 16 hexadecimal digits", cut(text))
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

mod numbers;
mod page;
mod scope;
#[cfg(test)]
mod tests;
