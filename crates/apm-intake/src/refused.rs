//! Why a line is refused, for the counters and for the sender.

/// Why a line was refused, for the counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    /// Not JSON, or JSON of the wrong type.
    Malformed,
    /// Against a rule of the schema.
    Invalid,
    /// No known kind of event.
    Unknown,
    /// Longer than a line may be.
    Oversized,
    /// Of an agent or a service that may not send without a secret.
    Forbidden,
    /// More than its address may send.
    Rate,
}

impl Reason {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Malformed,
        Self::Invalid,
        Self::Unknown,
        Self::Oversized,
        Self::Forbidden,
        Self::Rate,
    ];

    /// Its name in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown_type",
            Self::Oversized => "oversized",
            Self::Forbidden => "forbidden",
            Self::Rate => "rate",
        }
    }
}

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: Reason,
    /// In the words of Elastic's server, as far as these do not depend on its parser.
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn malformed(at: &str, what: &str) -> Self {
        // The parser quotes what it met, which may be long.
        let end = what.floor_char_boundary(512);
        Self {
            reason: Reason::Malformed,
            message: format!("decode error: data read error: {at}: {}", &what[..end]),
        }
    }

    pub(crate) fn invalid(what: impl std::fmt::Display) -> Self {
        Self {
            reason: Reason::Invalid,
            message: format!("validation error: {what}"),
        }
    }
}
