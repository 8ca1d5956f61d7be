//! The parameters of a question, read once and checked.
//!
//! Unknown parameters are ignored: pages share their address with their twin, and have some of their
//! own. An empty value is none. Of a repeated parameter the first value counts.

use actix_web::dev::Payload;
use actix_web::web::{self, Path};
use actix_web::{FromRequest as _, HttpRequest};
use apm_time::{Range, SECOND};
use jiff::tz::TimeZone;
use kql::Expr;
use kql::pasted;

use super::error::ApiError;
use crate::analytics::Scope;
use crate::analytics::comparison::Comparison;
use crate::analytics::discover::Cursor;
use crate::analytics::filter::{self, List};
use crate::analytics::window::Window;

/// Longest value that is read, bytes.
const LONGEST: usize = 8192;

/// Seconds for which an answer about a range that is not over yet may be told again: each divides a minute, so that none
/// outlives the minutes that it counts.
const STEPS: [i64; 12] = [60, 30, 20, 15, 12, 10, 6, 5, 4, 3, 2, 1];

/// What an answer depends on beside the data and the words of the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depends {
    Nothing,
    Range,
    Now,
    Files,
}

/// A question's parameters.
#[derive(Debug, Clone)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    path: Vec<(String, String)>,
    depends: Depends,
    /// The present, µs, cut to a second: so that answers of one second are the same.
    pub(crate) now: i64,
    /// `from` and `to`
    pub(crate) range: Range,
    /// `tz`: whose days dates without an offset are.
    zone: TimeZone,
}

impl Params {
    /// Reads the query string and the path.
    pub(crate) fn read(request: &HttpRequest) -> Result<Self, ApiError> {
        Self::read_at(request, apm_time::now())
    }

    fn read_at(request: &HttpRequest, now: i64) -> Result<Self, ApiError> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|error| ApiError::Parameter {
                parameter: "query string",
                problem: error.to_string(),
            })?
            .into_inner();
        // The router leaves `%2F`, `%2B` and `%25` as they are; the extractor decodes these too.
        let values = Path::<Vec<String>>::from_request(request, &mut Payload::None);
        let values = values.into_inner().map_err(|error| ApiError::Parameter {
            parameter: "path",
            problem: error.to_string(),
        })?;
        let names = request.match_info().iter().map(|(name, _)| name.to_owned());
        let now = now / SECOND * SECOND + SECOND;
        let mut params = Self {
            pairs,
            path: names.zip(values.into_inner()).collect(),
            depends: Depends::Range,
            now,
            range: Range { from: 0, to: 1 },
            zone: TimeZone::UTC,
        };
        if let Some(name) = params.get("tz")? {
            params.zone = TimeZone::get(name).map_err(|_| ApiError::Parameter {
                parameter: "tz",
                problem: format!(
                    "`{}` is no time zone, use a name such as Europe/Berlin",
                    cut(name)
                ),
            })?;
        }
        let (from, to) = (params.get("from")?, params.get("to")?);
        params.range = Range::parse_in(from, to, now, &params.zone)?;
        Ok(params)
    }

    /// For an answer that is the same whatever the range and the time.
    pub(crate) fn timeless(self) -> Self {
        let depends = Depends::Nothing;
        Self { depends, ..self }
    }

    /// For an answer that depends on the present, whatever the range.
    pub(crate) fn of_now(self) -> Self {
        let depends = Depends::Now;
        Self { depends, ..self }
    }

    /// For an answer out of files that change without the store's knowing.
    pub(crate) fn of_files(self) -> Self {
        let depends = Depends::Files;
        Self { depends, ..self }
    }

    /// A parameter, if it is there and not empty.
    pub(crate) fn get(&self, name: &'static str) -> Result<Option<&str>, ApiError> {
        let found = self.pairs.iter().find(|(known, _)| known == name);
        match found.map(|(_, value)| value.as_str()) {
            Some(value) if value.len() > LONGEST => Err(ApiError::Parameter {
                parameter: name,
                problem: format!("must not be longer than {LONGEST} bytes"),
            }),
            Some("") | None => Ok(None),
            found => Ok(found),
        }
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, ApiError> {
        self.get(name)?.ok_or_else(|| ApiError::Parameter {
            parameter: name,
            problem: "is missing".to_owned(),
        })
    }

    /// A whole number of at least `least` and at most `most`.
    pub(crate) fn int(
        &self,
        name: &'static str,
        least: i64,
        most: i64,
    ) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.get(name)? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(value) if (least..=most).contains(&value) => Ok(Some(value)),
            _ => Err(ApiError::Parameter {
                parameter: name,
                problem: format!(
                    "`{}` is not a whole number from {least} to {most}",
                    cut(text)
                ),
            }),
        }
    }

    /// A segment of the path, decoded.
    pub(crate) fn path(&self, name: &'static str) -> &str {
        let found = self.path.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The statement that the path names, and where it is looked for.
    pub(crate) fn statement(&self) -> Result<(Scope, u64), ApiError> {
        Ok((self.scope(List::Statements)?, self.hash("fingerprint")?))
    }

    /// A segment of the path that is a hash of 16 hex digits.
    pub(crate) fn hash(&self, name: &'static str) -> Result<u64, ApiError> {
        hash(name, self.path(name))
    }

    /// A parameter that is a hash of 16 hex digits.
    pub(crate) fn asked_hash(&self, name: &'static str) -> Result<Option<u64>, ApiError> {
        let text = self.get(name)?;
        text.map(|text| hash(name, text)).transpose()
    }

    /// What the question is about: `{service}` of the path, `env`, `type`, `name`, and `q` as far as the
    /// list can be filtered by it.
    pub(crate) fn scope(&self, list: List) -> Result<Scope, ApiError> {
        let query = self.query()?;
        filter::check(&query, list).map_err(|problem| ApiError::Parameter {
            parameter: "q",
            problem,
        })?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let service = Some(self.path("service")).filter(|name| !name.is_empty());
        Ok(Scope {
            service: owned(service.or(self.get("service")?)),
            environment: owned(self.get("env")?),
            transaction_type: owned(self.get("type")?),
            transaction_name: owned(self.get("name")?),
            query: (query != Expr::All).then_some(query),
        })
    }

    /// The window of `from` and `to`.
    pub(crate) fn window(&self) -> Window {
        Window::new(self.range, self.now)
    }

    /// The earlier window of `cmp`, where one is asked for.
    pub(crate) fn compared(&self) -> Result<Option<Window>, ApiError> {
        let word = match self.get("cmp")? {
            None | Some("off") => return Ok(None),
            Some(word) => word,
        };
        let comparison = Comparison::parse(word).ok_or_else(|| ApiError::Parameter {
            parameter: "cmp",
            problem: format!("`{}` is none of previous, day, week, off", cut(word)),
        })?;
        if !Comparison::options(self.range).contains(&comparison) {
            return Err(ApiError::Parameter {
                parameter: "cmp",
                problem: format!("{word} overlaps a range that is longer, use previous"),
            });
        }
        Ok(Some(comparison.of(&self.window())))
    }

    /// Where a page of events goes on: `after`.
    pub(crate) fn after(&self) -> Result<Option<Cursor>, ApiError> {
        let wrong = || ApiError::Parameter {
            parameter: "after",
            problem: "must be the `next` of the page before".to_owned(),
        };
        let text = self.get("after")?;
        text.map(|text| Cursor::parse(text).ok_or_else(wrong))
            .transpose()
    }

    /// The query `q`.
    pub(crate) fn query(&self) -> Result<Expr, ApiError> {
        Ok(kql::parse_in(
            self.get("q")?.unwrap_or(""),
            self.now,
            &self.zone,
        )?)
    }

    /// What the answer depends on beside the data; nothing where that cannot be told.
    ///
    /// Relative times and the present are those at the last whole step, so that who asks again has the same question for
    /// a while. The answer itself is of the moment when it was made.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        let asked = format!("{:?} {:?}", self.pairs, self.path);
        match self.depends {
            Depends::Nothing => return Some(asked),
            Depends::Files => return None,
            Depends::Range | Depends::Now => {}
        }
        let longest = self.range.micros() / 60 / SECOND;
        let step = STEPS.into_iter().find(|step| *step <= longest);
        let step = step.unwrap_or(1) * SECOND;
        let then = self.now.div_euclid(step) * step;
        let get = |name| self.get(name).ok().flatten();
        let range = Range::parse_in(get("from"), get("to"), then, &self.zone).unwrap_or(self.range);
        let query = kql::parse_in(get("q").unwrap_or(""), then, &self.zone).ok();
        // A window is whole minutes: it may end up to one after its range.
        let is_open = self.depends == Depends::Now || range.to > then - 60 * SECOND;
        Some(format!(
            "{asked} {range:?} {query:?} {:?}",
            is_open.then_some(then)
        ))
    }
}

fn hash(name: &'static str, text: &str) -> Result<u64, ApiError> {
    pasted::hash(text).ok_or_else(|| ApiError::Parameter {
        parameter: name,
        problem: format!("`{}` is not 16 hexadecimal digits", cut(text)),
    })
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
