//! The outcome of a transaction or a span.

/// Success, failure, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It did what it was asked to do.
    Success,
    /// It did not: an error, or a status of 500 and above (400 and above for a call to another service).
    Failure,
    /// Not known, for example because the caller went away. Left out of error rates.
    Unknown,
}

impl Outcome {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }

    /// `Failure` when something went wrong.
    pub(crate) const fn failed(failed: bool) -> Self {
        if failed { Self::Failure } else { Self::Success }
    }

    /// The outcome of work of which nobody has said it: not known where it was given up.
    pub(crate) const fn of_work(failed: bool, given_up: bool) -> Self {
        match (failed, given_up) {
            (true, _) => Self::Failure,
            (false, true) => Self::Unknown,
            (false, false) => Self::Success,
        }
    }

    /// `Failure` for an `Err`, `Success` for an `Ok`.
    #[must_use]
    pub const fn of_result<T, E>(result: &Result<T, E>) -> Self {
        Self::failed(result.is_err())
    }

    /// The outcome that a server gives itself for its answer.
    #[must_use]
    pub const fn of_server_status(status: u16) -> Self {
        Self::failed(status >= 500)
    }

    /// The outcome of a call for the one who called.
    #[must_use]
    pub const fn of_client_status(status: u16) -> Self {
        Self::failed(status >= 400)
    }
}
