//! Whether the work succeeded.

/// Whether the work succeeded, after the defaults of the protocol are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Cannot be told.
    #[default]
    Unknown,
    /// It succeeded.
    Success,
    /// It failed.
    Failure,
}

impl Outcome {
    /// The word of the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }

    /// The word of the protocol, read.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "unknown" => Some(Self::Unknown),
            "success" => Some(Self::Success),
            "failure" => Some(Self::Failure),
            _ => None,
        }
    }
}
