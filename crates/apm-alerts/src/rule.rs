//! A rule: the kind of what it watches, its bounds, its scope, and the receivers of its alerts.

mod builtin;
mod kind;
mod parameter;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::AlertError;
pub use builtin::builtin;
pub use kind::Kind;
pub use parameter::Parameter;

/// Longest name of a rule, service, environment or receiver, bytes.
pub const LONGEST_NAME: usize = 200;

/// Longest hold time, seconds.
pub const LONGEST_HOLD: u32 = 86_400;

/// A rule, as it is written in the configuration file, sent to the API and kept.
///
/// ```
/// let rule: apm_alerts::rule::Rule = serde_json::from_str(
///     r#"{"name": "the shop fails", "kind": "failure_rate", "service": "shop", "percent": 5}"#,
/// )?;
/// let rule = rule.checked()?;
/// assert_eq!(rule.number("requests"), 20.0);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// Its id; made from the name where it is not given.
    #[serde(default)]
    pub id: String,
    /// Its name, which stands in messages.
    pub name: String,
    /// The kind of what it watches.
    pub kind: Kind,
    /// `service.name`; empty: all services.
    #[serde(default)]
    pub service: String,
    /// `service.environment`; empty: all environments.
    #[serde(default)]
    pub environment: String,
    /// The time for which it must hold before an alert is sent, seconds. Default: that of the kind.
    #[serde(default)]
    pub hold_seconds: Option<u32>,
    /// Whether it is evaluated.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Names of receivers; empty: all of them.
    #[serde(default)]
    pub receivers: Vec<String>,
    /// The parameters of the kind, such as `percent` and `requests`.
    #[serde(flatten)]
    pub numbers: BTreeMap<String, f64>,
}

fn yes() -> bool {
    true
}

impl Rule {
    /// A rule for everything, with the defaults of its kind and without a name.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let parameters = kind.parameters().iter();
        Self {
            id: String::new(),
            name: String::new(),
            kind,
            service: String::new(),
            environment: String::new(),
            hold_seconds: Some(kind.hold()),
            enabled: true,
            receivers: Vec::new(),
            numbers: parameters
                .map(|parameter| (parameter.name.to_owned(), parameter.default))
                .collect(),
        }
    }

    /// The rule with the defaults of its kind filled in.
    ///
    /// # Errors
    /// If a parameter is not one of the kind or out of its range, or a name is empty or too long.
    pub fn checked(mut self) -> Result<Self, AlertError> {
        self.name = self.name.trim().to_owned();
        let invalid =
            |problem: String| AlertError::Invalid(format!("rule `{}`: {problem}", self.name));
        if self.name.is_empty() {
            return Err(AlertError::invalid("a rule needs a name"));
        }
        let named = [&self.name, &self.service, &self.environment, &self.id];
        if let Some(long) = named.into_iter().find(|name| name.len() > LONGEST_NAME) {
            return Err(invalid(format!(
                "a name has at most {LONGEST_NAME} bytes, this one has {}",
                long.len()
            )));
        }
        if self.receivers.len() > 20 {
            return Err(invalid(
                "at most 20 receivers; name none to send to all".to_owned(),
            ));
        }
        let known = self.kind.parameters();
        for (name, value) in &self.numbers {
            let found = known.iter().find(|known| known.name == name);
            let found = found.ok_or_else(|| invalid(self.kind.unknown(name)))?;
            found.check(*value).map_err(invalid)?;
        }
        for parameter in known {
            let given = self.numbers.entry(parameter.name.to_owned());
            given.or_insert(parameter.default);
        }
        let hold = self.hold_seconds.unwrap_or(self.kind.hold());
        if hold > LONGEST_HOLD {
            return Err(invalid(format!(
                "hold_seconds is at most {LONGEST_HOLD} (a day), not {hold}"
            )));
        }
        self.hold_seconds = Some(hold);
        Ok(self)
    }

    /// The value of a parameter of the kind; 0 where the kind has none of this name.
    #[must_use]
    pub fn number(&self, name: &str) -> f64 {
        self.numbers.get(name).copied().unwrap_or_default()
    }

    /// A parameter that is a whole number.
    pub(crate) fn whole(&self, name: &str) -> i64 {
        self.number(name) as i64
    }

    /// The hold time, seconds.
    #[must_use]
    pub fn hold(&self) -> i64 {
        i64::from(self.hold_seconds.unwrap_or(self.kind.hold()))
    }

    /// Its condition in words.
    #[must_use]
    pub fn words(&self) -> String {
        self.kind.words(&|name| self.number(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Result<Rule, String> {
        let read = serde_json::from_str::<Rule>(json).map_err(|error| error.to_string())?;
        read.checked().map_err(|error| error.to_string())
    }

    #[test]
    fn a_rule_gets_the_defaults_of_its_kind() {
        for kind in Kind::ALL {
            let json = format!(r#"{{"name": "n", "kind": "{}"}}"#, kind.as_str());
            let rule = rule(&json).unwrap();
            assert_eq!(rule.numbers.len(), kind.parameters().len(), "{kind:?}");
            assert_eq!(rule.hold(), i64::from(kind.hold()));
            assert!(!rule.words().is_empty());
        }
    }

    #[test]
    fn a_parameter_that_is_wrong_is_refused_with_the_nearest_name() {
        for (json, words) in [
            (r#"{"name": " ", "kind": "disk"}"#, "needs a name"),
            (r#"{"name": "n", "kind": "disc"}"#, "unknown variant"),
            (
                r#"{"name": "n", "kind": "failure_rate", "percnt": 5}"#,
                "did you mean `percent`",
            ),
            (
                r#"{"name": "n", "kind": "disk", "percent": 5}"#,
                "`megabytes`",
            ),
            (
                r#"{"name": "n", "kind": "failure_rate", "percent": 101}"#,
                "percent",
            ),
            (
                r#"{"name": "n", "kind": "disk", "hold_seconds": 90000}"#,
                "hold_seconds",
            ),
        ] {
            let error = rule(json).expect_err(json);
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn the_rules_of_the_program_are_valid_and_have_names_of_their_own() {
        let all = builtin();
        assert_eq!(all.len(), Kind::ALL.len());
        for rule in &all {
            assert_eq!(&rule.clone().checked().unwrap(), rule);
            assert_eq!(all.iter().filter(|other| other.id == rule.id).count(), 1);
        }
    }
}
