//! Parameters that are numbers: whole ones within bounds, any others, and durations as people type them.

use super::{Arguments, cut, wrong};
use crate::answers::parameter::{Form, Parameter};
use crate::answers::problem::Problem;

impl Arguments {
    /// A whole number within the bounds of its form.
    pub(crate) fn whole(&self, parameter: &Parameter) -> Result<Option<i64>, Problem> {
        let Some(text) = self.get(parameter)? else {
            return Ok(None);
        };
        let (least, most) = match parameter.form {
            Form::Whole(least, most) => (least, most),
            _ => (i64::MIN, i64::MAX),
        };
        match text.trim().parse() {
            Ok(value) if (least..=most).contains(&value) => Ok(Some(value)),
            _ => {
                let bounds = match most {
                    i64::MAX => format!("of at least {least}"),
                    _ => format!("from {least} to {most}"),
                };
                let problem = format!("`{}` is not a whole number {bounds}", cut(text));
                Err(wrong(parameter, problem))
            }
        }
    }

    /// A whole number that counts something: its form has no negative ones.
    pub(crate) fn count(&self, parameter: &Parameter) -> Result<Option<usize>, Problem> {
        let value = self.whole(parameter)?;
        Ok(value.map(|value| usize::try_from(value).unwrap_or(usize::MAX)))
    }

    /// A number of at least 0; a comma is read as a point.
    pub(crate) fn number(&self, parameter: &Parameter) -> Result<Option<f64>, Problem> {
        let Some(text) = self.get(parameter)? else {
            return Ok(None);
        };
        match text.replace(',', ".").trim().parse::<f64>() {
            Ok(value) if value >= 0.0 && value.is_finite() => Ok(Some(value)),
            _ => {
                let problem = format!("`{}` is not a number of at least 0", cut(text));
                Err(wrong(parameter, problem))
            }
        }
    }

    /// A duration of at least 0, µs: with a unit, such as `5ms` or `1.2 s`, or a number of `unit` µs each. A comma is
    /// read as a point.
    pub(crate) fn duration(
        &self,
        parameter: &Parameter,
        unit: f64,
    ) -> Result<Option<i64>, Problem> {
        let Some(text) = self.get(parameter)? else {
            return Ok(None);
        };
        let written = text.replace(',', ".");
        let number = || Some(written.trim().parse::<f64>().ok()? * unit);
        match kql::micros(&written).or_else(number) {
            Some(us) if us >= 0.0 && us.is_finite() => Ok(Some(us.round() as i64)),
            _ => {
                let problem = format!(
                    "`{}` is not a duration of at least 0, such as 5ms or 1.2s",
                    cut(text)
                );
                Err(wrong(parameter, problem))
            }
        }
    }
}
