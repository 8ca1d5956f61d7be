//! Why a text gives no time, or two give no range.

/// A time that cannot be understood, or a range that holds nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The text is not a time in any accepted form.
    #[error(
        "{parameter}: `{text}` is not a time, use RFC 3339 such as 2026-01-31T12:00:00Z, \
         or now-15m, now-1d/d, 18:00, yesterday, last Friday 9:00"
    )]
    Syntax {
        /// The request parameter.
        parameter: &'static str,
        /// The text that was sent, cut to 64 characters.
        text: String,
    },
    /// The text would be a time if a blank in it were a plus sign.
    #[error("{parameter}: `{text}` is not a time; a + in an address means a blank, write %2B")]
    Blank {
        /// The request parameter.
        parameter: &'static str,
        /// The text that was sent, cut to 64 characters.
        text: String,
    },
    /// The time lies outside of those that can be stored.
    #[error("{parameter}: `{text}` lies outside of what can be stored, 1970-01-01 to 9999-12-30")]
    OutOfRange {
        /// The request parameter.
        parameter: &'static str,
        /// The text that was sent, cut to 64 characters.
        text: String,
    },
    /// The range ends before it starts.
    #[error("from: must be earlier than to, but {from} is not before {to}")]
    Empty {
        /// RFC 3339.
        from: String,
        /// RFC 3339.
        to: String,
    },
}

impl TimeError {
    /// The request parameter that has to change.
    #[must_use]
    pub fn parameter(&self) -> &'static str {
        match self {
            Self::Syntax { parameter, .. }
            | Self::Blank { parameter, .. }
            | Self::OutOfRange { parameter, .. } => parameter,
            Self::Empty { .. } => "from",
        }
    }
}

/// Why a text gives no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Syntax,
    OutOfRange,
}
