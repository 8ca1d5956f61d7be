//! The kinds of rules: what each watches, and its parameters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::parameter::Parameter;

/// The kind of what a rule watches.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A finding about a service's SQL that was not there before.
    Insight,
    /// A group of errors that is new, or came back.
    Error,
    /// The share of failed requests of a service.
    FailureRate,
    /// The 95th percentile of a name's requests, also against what is usual.
    P95,
    /// A service that had requests all the time and has none.
    NoRequests,
    /// A statement that takes more steps or time than is usual.
    Statement,
    /// A service level objective whose budget burns too fast.
    Objective,
    /// The disk of the server's database.
    Disk,
    /// Events that wait to be sent to Elasticsearch or OpenSearch.
    OutputLag,
}

const fn parameter(
    name: &'static str,
    label: &'static str,
    default: f64,
    least: f64,
    most: f64,
) -> Parameter {
    Parameter {
        name,
        label,
        default,
        least,
        most,
    }
}

const INSIGHT: &[Parameter] = &[parameter(
    "severity",
    "Least severity: 0 notice, 1 cost, 2 grave",
    1.0,
    0.0,
    2.0,
)];
const ERROR: &[Parameter] = &[parameter(
    "quiet_hours",
    "Hours without it before it counts as come back",
    24.0,
    1.0,
    720.0,
)];
const FAILURE_RATE: &[Parameter] = &[
    parameter("percent", "Failed requests, percent", 10.0, 0.01, 100.0),
    parameter("requests", "Least requests in 5 minutes", 20.0, 1.0, 1e9),
];
const P95: &[Parameter] = &[
    parameter("milliseconds", "95th percentile, ms", 500.0, 0.001, 1e9),
    parameter(
        "times",
        "And this many times the usual one of the day before, 0 for any",
        2.0,
        0.0,
        1e6,
    ),
    parameter("requests", "Least requests in 5 minutes", 20.0, 1.0, 1e9),
];
const NO_REQUESTS: &[Parameter] = &[parameter(
    "minutes",
    "Minutes without requests",
    10.0,
    2.0,
    180.0,
)];
const STATEMENT: &[Parameter] = &[
    parameter(
        "times",
        "Times the usual one of the day before",
        3.0,
        1.1,
        1e6,
    ),
    parameter("milliseconds", "Least mean time, ms", 10.0, 0.001, 1e9),
    parameter(
        "steps",
        "Least mean steps, where they are measured",
        2_000.0,
        1.0,
        1e12,
    ),
    parameter("calls", "Least calls in 10 minutes", 20.0, 1.0, 1e9),
];
const OBJECTIVE: &[Parameter] = &[
    parameter(
        "fast_burn",
        "Burn rate over 5 minutes and an hour",
        14.4,
        1.0,
        1e6,
    ),
    parameter(
        "slow_burn",
        "Or burn rate over 30 minutes and 6 hours",
        6.0,
        1.0,
        1e6,
    ),
    parameter("requests", "Least requests in each window", 20.0, 1.0, 1e9),
];
const DISK: &[Parameter] = &[parameter("megabytes", "Free space, MB", 500.0, 1.0, 1e9)];

const OUTPUT_LAG: &[Parameter] = &[parameter(
    "minutes",
    "Minutes for which the first event has waited",
    10.0,
    1.0,
    1_440.0,
)];

impl Kind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Insight,
        Self::Error,
        Self::FailureRate,
        Self::P95,
        Self::NoRequests,
        Self::Statement,
        Self::Objective,
        Self::Disk,
        Self::OutputLag,
    ];

    /// The word in files and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insight => "insight",
            Self::Error => "error",
            Self::FailureRate => "failure_rate",
            Self::P95 => "p95",
            Self::NoRequests => "no_requests",
            Self::Statement => "statement",
            Self::Objective => "objective",
            Self::Disk => "disk",
            Self::OutputLag => "output_lag",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Two or three words for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Insight => "New insight",
            Self::Error => "New error",
            Self::FailureRate => "Failure rate",
            Self::P95 => "95th percentile",
            Self::NoRequests => "No requests",
            Self::Statement => "Slower statement",
            Self::Objective => "Objective",
            Self::Disk => "Disk",
            Self::OutputLag => "Output behind",
        }
    }

    /// Its parameters.
    #[must_use]
    pub fn parameters(self) -> &'static [Parameter] {
        match self {
            Self::Insight => INSIGHT,
            Self::Error => ERROR,
            Self::FailureRate => FAILURE_RATE,
            Self::P95 => P95,
            Self::NoRequests => NO_REQUESTS,
            Self::Statement => STATEMENT,
            Self::Objective => OBJECTIVE,
            Self::Disk => DISK,
            Self::OutputLag => OUTPUT_LAG,
        }
    }

    /// The hold time where a rule gives none, seconds.
    #[must_use]
    pub fn hold(self) -> u32 {
        match self {
            Self::Insight | Self::Error => 0,
            Self::Objective | Self::Disk | Self::OutputLag => 60,
            Self::FailureRate | Self::P95 | Self::NoRequests => 120,
            Self::Statement => 300,
        }
    }

    /// Whether a message is sent too when it ends. A new error or insight is told once.
    #[must_use]
    pub fn tells_end(self) -> bool {
        !matches!(self, Self::Insight | Self::Error)
    }

    /// Whether it watches services, and not the server.
    #[must_use]
    pub fn is_of_services(self) -> bool {
        !matches!(self, Self::Disk | Self::OutputLag)
    }

    /// The condition in words.
    pub(super) fn words(self, number: &dyn Fn(&str) -> f64) -> String {
        match self {
            Self::Insight => {
                let least = ["any severity", "severity cost or grave", "severity grave"];
                let at = (number("severity") as usize).min(2);
                format!("a new insight of {}", least[at])
            }
            Self::Error => format!(
                "a new error, or one that comes back after {} h",
                number("quiet_hours")
            ),
            Self::FailureRate => format!(
                "at least {} % of at least {} requests in 5 minutes fail",
                number("percent"),
                number("requests")
            ),
            Self::P95 => {
                let usual = match number("times") {
                    0.0 => String::new(),
                    times => format!(" and {times} times the usual one"),
                };
                format!(
                    "95th percentile of at least {} requests in 5 minutes is at least {} ms{usual}",
                    number("requests"),
                    number("milliseconds")
                )
            }
            Self::NoRequests => format!(
                "no requests for {} minutes, after an hour with requests",
                number("minutes")
            ),
            Self::Statement => format!(
                "mean of at least {} calls in 10 minutes is {} times the usual one, and at least {} steps or {} ms",
                number("calls"),
                number("times"),
                number("steps"),
                number("milliseconds")
            ),
            Self::Objective => format!(
                "the budget of an objective burns {} times as fast as allowed over 5 minutes and an hour, or {} times \
                 over 30 minutes and 6 hours",
                number("fast_burn"),
                number("slow_burn")
            ),
            Self::OutputLag => format!(
                "events have waited for {} minutes to be sent to the engine",
                number("minutes")
            ),
            Self::Disk => format!(
                "less than {} MB are free, or the database takes nothing",
                number("megabytes")
            ),
        }
    }

    /// The words about a parameter that the kind does not have.
    pub(super) fn unknown(self, name: &str) -> String {
        let known: Vec<&str> = self.parameters().iter().map(|known| known.name).collect();
        let nearest = known
            .iter()
            .map(|known| (strsim::damerau_levenshtein(name, known), *known))
            .min()
            // With more changes it is another word, and no slip of the finger.
            .filter(|(distance, _)| *distance <= 3);
        let hint = match nearest {
            Some((_, nearest)) => format!("did you mean `{nearest}`?"),
            None => format!("{} has `{}`", self.as_str(), known.join("`, `")),
        };
        format!("unknown field `{name}`: {hint}")
    }
}
