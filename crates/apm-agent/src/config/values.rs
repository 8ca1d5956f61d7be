//! Values of options that are one of a few words.

use super::kind::Kind;
use crate::trace::propagation::ContinuationStrategy;

/// Gives an enum the words that stand for its variants, in any case, and the kind of the options that take them. Of two
/// words for one variant the first one is shown.
macro_rules! words {
    ($type:ident, $kind:ident, $($word:literal => $variant:ident),+) => {
        impl $type {
            /// The word that stands for it.
            pub(crate) fn word(self) -> &'static str {
                const WORDS: &[(&str, $type)] = &[$(($word, $type::$variant)),+];
                WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
            }
        }

        pub(super) const $kind: Kind<$type> = Kind::new(words!(@label $($word),+), true, |text| {
            $(if text.eq_ignore_ascii_case($word) {
                return Ok($type::$variant);
            })+
            Err(concat!("expected ", words!(@label $($word),+)).to_owned())
        });
    };
    (@label $first:literal $(, $more:literal)+) => { concat!("one of `", $first, "`" $(, ", `", $more, "`")+) };
}

/// The events that carry the body of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureBody {
    /// No event.
    Off,
    /// Errors.
    Errors,
    /// Transactions.
    Transactions,
    /// Errors and transactions.
    All,
}

impl CaptureBody {
    pub(crate) fn for_errors(self) -> bool {
        matches!(self, Self::Errors | Self::All)
    }

    pub(crate) fn for_transactions(self) -> bool {
        matches!(self, Self::Transactions | Self::All)
    }
}

words!(CaptureBody, CAPTURE_BODY, "off" => Off, "errors" => Errors, "transactions" => Transactions, "all" => All);

words!(ContinuationStrategy, CONTINUATION,
    "continue" => Continue, "restart" => Restart, "restart_external" => RestartExternal);

/// The cloud whose metadata service is asked where the service runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudProvider {
    /// Whichever of the three answers.
    Auto,
    /// None is asked.
    None,
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Gcp,
    /// Microsoft Azure.
    Azure,
}

words!(CloudProvider, CLOUD_PROVIDER, "auto" => Auto, "none" => None, "aws" => Aws, "gcp" => Gcp, "azure" => Azure);

/// The least severe lines that the agent itself logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// All lines.
    Trace,
    /// Lines for those who look into the agent.
    Debug,
    /// Lines about the agent's work.
    Info,
    /// Lines that may need attention.
    Warning,
    /// Lines about failures.
    Error,
    /// The same as [`Error`](Self::Error): the crate `log` has no higher level.
    Critical,
    /// Nothing.
    Off,
}

impl LogLevel {
    /// The same for the `log` crate, where nothing is more severe than an error.
    pub(crate) fn filter(self) -> log::LevelFilter {
        match self {
            Self::Trace => log::LevelFilter::Trace,
            Self::Debug => log::LevelFilter::Debug,
            Self::Info => log::LevelFilter::Info,
            Self::Warning => log::LevelFilter::Warn,
            Self::Error | Self::Critical => log::LevelFilter::Error,
            Self::Off => log::LevelFilter::Off,
        }
    }
}

words!(LogLevel, LOG_LEVEL,
    "trace" => Trace, "debug" => Debug, "info" => Info, "warning" => Warning, "warn" => Warning, "error" => Error,
    "critical" => Critical, "off" => Off);

/// Whether log lines are written as ECS JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEcsReformatting {
    /// Lines are written as they are.
    Off,
    /// Lines are written as ECS JSON.
    Override,
}

words!(LogEcsReformatting, LOG_ECS_REFORMATTING, "off" => Off, "override" => Override);
