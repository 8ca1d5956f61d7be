//! The kinds of event.

/// The kinds of event that intake v2 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A unit of work that a service did for a caller.
    Transaction,
    /// A part of a transaction.
    Span,
    /// An exception or an error that was logged.
    Error,
    /// Samples of metrics at one time.
    Metricset,
    /// A log line in ECS form.
    Log,
}

impl Kind {
    /// All kinds, in the order of the protocol.
    pub const ALL: [Self; 5] = [
        Self::Transaction,
        Self::Span,
        Self::Error,
        Self::Metricset,
        Self::Log,
    ];

    /// The key that carries the event on its line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Span => "span",
            Self::Error => "error",
            Self::Metricset => "metricset",
            Self::Log => "log",
        }
    }
}
