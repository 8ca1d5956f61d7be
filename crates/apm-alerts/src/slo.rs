//! Service level objectives: the share of requests of a service that has to be good, and how fast what may be bad is
//! used up.
//!
//! An objective allows a share of its requests to be bad: its budget over some days. The burn rate says how many times
//! as fast as that requests are bad; at 1 the budget ends with the window. Everything is read from rollups.

mod measure;
mod storage;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::AlertError;
pub use measure::{Bucket, Burn, Measured, WINDOWS, burns, measure};
pub use storage::{MOST, forget, keep, list};

use crate::rule::LONGEST_NAME;

/// Longest window, days.
pub const LONGEST_WINDOW: u32 = 90;

/// The measure of a good request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ObjectiveIndicator")]
#[serde(tag = "indicator", rename_all = "snake_case")]
pub enum Indicator {
    /// It did not fail.
    Availability,
    /// It took no longer than so many milliseconds.
    Latency {
        /// Milliseconds, at most an hour.
        milliseconds: f64,
    },
}

/// An objective, as the API takes it.
///
/// ```
/// let objective: apm_alerts::slo::Objective = serde_json::from_str(
///     r#"{"name": "checkout works", "service": "shop", "indicator": "availability", "percent": 99.9}"#,
/// )?;
/// assert_eq!(objective.checked()?.days, 30);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Objective {
    /// Its id; made where it is not given.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `service.name`
    pub service: String,
    /// `service.environment`; empty: all of them.
    #[serde(default)]
    pub environment: String,
    /// `transaction.name`; empty: all requests of the service.
    #[serde(default)]
    pub transaction: String,
    /// The measure of a good request.
    #[serde(flatten)]
    pub indicator: Indicator,
    /// The share that has to be good, percent: from 50 to 99.999.
    pub percent: f64,
    /// The window of the budget, days: 1 to 90.
    #[serde(default = "month")]
    pub days: u32,
}

fn month() -> u32 {
    30
}

impl Objective {
    /// The objective, if it can be.
    ///
    /// # Errors
    /// If a value is out of its range, or a name is missing or too long.
    pub fn checked(mut self) -> Result<Self, AlertError> {
        self.name = self.name.trim().to_owned();
        if self.name.is_empty() {
            return Err(AlertError::invalid("an objective needs a name"));
        }
        if self.service.is_empty() {
            return Err(AlertError::invalid("an objective needs a service"));
        }
        let named = [
            &self.id,
            &self.name,
            &self.service,
            &self.environment,
            &self.transaction,
        ];
        // Names of transactions may be longer than those of rules.
        if named.iter().any(|name| name.len() > LONGEST_NAME * 5) {
            let most = LONGEST_NAME * 5;
            return Err(AlertError::Invalid(format!(
                "a name has at most {most} bytes"
            )));
        }
        if !(50.0..=99.999).contains(&self.percent) {
            return Err(AlertError::invalid("percent must be from 50 to 99.999"));
        }
        if !(1..=LONGEST_WINDOW).contains(&self.days) {
            return Err(AlertError::Invalid(format!(
                "days must be from 1 to {LONGEST_WINDOW}"
            )));
        }
        if let Indicator::Latency { milliseconds } = self.indicator
            && !(0.001..=3_600_000.0).contains(&milliseconds)
        {
            return Err(AlertError::invalid(
                "milliseconds must be from 0.001 to 3600000",
            ));
        }
        Ok(self)
    }

    /// The share of requests that may be bad.
    #[must_use]
    pub fn allowed(&self) -> f64 {
        1.0 - self.percent / 100.0
    }

    /// The objective in words: `99.9 % of requests within 200 ms over 30 days`.
    #[must_use]
    pub fn words(&self) -> String {
        let good = match self.indicator {
            Indicator::Availability => "succeed".to_owned(),
            Indicator::Latency { milliseconds } => format!("take at most {milliseconds} ms"),
        };
        let days = match self.days {
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        format!("{} % of requests {good}, over {days}", self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_that_cannot_be_is_refused_with_a_reason() {
        let of = |json: &str| {
            let read =
                serde_json::from_str::<Objective>(json).map_err(|error| error.to_string())?;
            read.checked().map_err(|error| error.to_string())
        };
        for (json, why) in [
            (
                r#"{"name": " ", "service": "a", "indicator": "availability", "percent": 99}"#,
                "name",
            ),
            (
                r#"{"name": "n", "service": "", "indicator": "availability", "percent": 99}"#,
                "service",
            ),
            (
                r#"{"name": "n", "service": "a", "indicator": "availability", "percent": 100}"#,
                "percent",
            ),
            (
                r#"{"name": "n", "service": "a", "indicator": "latency", "percent": 99}"#,
                "milliseconds",
            ),
            (
                r#"{"name": "n", "service": "a", "indicator": "latency", "milliseconds": 0, "percent": 99}"#,
                "milliseconds",
            ),
            (
                r#"{"name": "n", "service": "a", "indicator": "availability", "percent": 99, "days": 0}"#,
                "days",
            ),
            (
                r#"{"name": "n", "service": "a", "indicator": "speed", "percent": 99}"#,
                "speed",
            ),
        ] {
            let error = of(json).expect_err(json);
            assert!(error.contains(why), "{json}: {error}");
        }
        let right = of(
            r#"{"name": "n", "service": "a", "indicator": "latency", "milliseconds": 200, "percent": 99.5}"#,
        );
        assert_eq!(
            right.unwrap().words(),
            "99.5 % of requests take at most 200 ms, over 30 days"
        );
    }
}
