//! The severity of a finding.

use schemars::JsonSchema;
use serde::Serialize;

/// Time saved per minute from which a finding costs time: six seconds an hour, µs.
const COST: f64 = 100_000.0;

/// Time saved per minute from which a finding is grave: a minute an hour, µs.
const GRAVE: f64 = 1_000_000.0;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth to know.
    Notice,
    /// Costs time.
    Cost,
    /// Costs much, or fails.
    Grave,
}

impl Severity {
    /// By the time that the remedy would save, µs per minute: many cheap calls and few dear ones count alike.
    #[must_use]
    pub fn of_saving(per_minute: f64) -> Self {
        if per_minute >= GRAVE {
            Self::Grave
        } else if per_minute >= COST {
            Self::Cost
        } else {
            Self::Notice
        }
    }

    /// The word of the protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Cost => "cost",
            Self::Grave => "grave",
        }
    }

    /// The word of the protocol, read.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Notice, Self::Cost, Self::Grave]
            .into_iter()
            .find(|severity| severity.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_follows_the_time_that_is_saved_in_an_hour() {
        const SECOND: f64 = 1_000_000.0;
        for (seconds_per_hour, expected) in [
            (0.0, Severity::Notice),
            (5.9, Severity::Notice),
            (6.0, Severity::Cost),
            (59.9, Severity::Cost),
            (60.0, Severity::Grave),
            (f64::NAN, Severity::Notice),
        ] {
            let per_minute = seconds_per_hour * SECOND / 60.0;
            assert_eq!(
                Severity::of_saving(per_minute),
                expected,
                "{seconds_per_hour}"
            );
        }
        assert!(Severity::Grave > Severity::Cost && Severity::Cost > Severity::Notice);
    }
}
