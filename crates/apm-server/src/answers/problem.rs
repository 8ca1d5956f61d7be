//! Why a question has no answer, and how HTTP says it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use apm_alerts::AlertError;
use apm_store::StoreError;
use apm_time::TimeError;
use kql::KqlError;
use serde_json::json;

/// A question that has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Problem {
    /// A parameter that cannot be understood.
    #[error("{parameter}: {problem}")]
    Parameter {
        /// Its name.
        parameter: &'static str,
        /// The fault, and the remedy.
        problem: String,
    },
    /// A segment of the path that cannot name anything.
    #[error("{parameter}: {problem}")]
    Segment {
        /// Its name in the description of the address.
        parameter: &'static str,
        /// The fault, and the remedy.
        problem: String,
    },
    /// `from` or `to`.
    #[error(transparent)]
    Time(#[from] TimeError),
    /// `q`
    #[error(transparent)]
    Query(#[from] KqlError),
    /// There is no such thing.
    #[error("no {what} `{name}` between {from} and {to}")]
    NotFound {
        /// Its kind.
        what: &'static str,
        /// As asked for.
        name: String,
        /// Start of the range, RFC 3339.
        from: String,
        /// End of the range, RFC 3339.
        to: String,
    },
    /// There is no such thing at any time.
    #[error("no {what} `{name}`, it may be older than the retention")]
    Unknown {
        /// Its kind.
        what: &'static str,
        /// As asked for.
        name: String,
    },
    /// Nobody set it.
    #[error("there is no {what} `{name}`")]
    Unset {
        /// Its kind.
        what: &'static str,
        /// As asked for.
        name: String,
    },
    /// A statement's plan would be in a database file that this server was not told of.
    #[error(
        "no file of the database of {services} is known, start the server with --explain SERVICE=FILE"
    )]
    NoFile {
        /// The services that run the statement.
        services: String,
    },
    /// The answer would have more bytes than any may have.
    #[error(
        "the answer has more than {} MiB: ask for a shorter range, add a filter to q, or make size smaller", most >> 20
    )]
    TooLarge {
        /// Bytes that an answer has at most.
        most: usize,
    },
    /// The database did not answer.
    #[error("the database cannot answer: {0}")]
    Store(#[from] StoreError),
}

impl From<AlertError> for Problem {
    fn from(error: AlertError) -> Self {
        match error {
            AlertError::Unknown { what, name } => Self::Unset { what, name },
            AlertError::Store(error) => Self::Store(error),
            AlertError::Submit(_) => Self::Store(StoreError::Busy),
            error => Self::Parameter {
                parameter: "body",
                problem: error.to_string(),
            },
        }
    }
}

impl From<diesel::result::Error> for Problem {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Problem {
    /// The parameter that is wrong.
    pub(crate) fn parameter(&self) -> Option<&str> {
        match self {
            Self::Parameter { parameter, .. } | Self::Segment { parameter, .. } => Some(parameter),
            Self::Time(error) => Some(error.parameter()),
            Self::Query(_) => Some("q"),
            Self::NotFound { .. }
            | Self::Unknown { .. }
            | Self::Unset { .. }
            | Self::NoFile { .. }
            | Self::TooLarge { .. }
            | Self::Store(_) => None,
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Parameter { .. }
            | Self::Segment { .. }
            | Self::Time(_)
            | Self::Query(_)
            | Self::TooLarge { .. } => StatusCode::BAD_REQUEST,
            Self::NotFound { .. }
            | Self::Unknown { .. }
            | Self::Unset { .. }
            | Self::NoFile { .. } => StatusCode::NOT_FOUND,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut body = json!({"error": self.to_string()});
        if let Some(parameter) = self.parameter() {
            body["parameter"] = parameter.into();
        }
        if let Self::Query(error) = self {
            body["position"] = error.position.into();
        }
        // All others are the asker's.
        if let Self::Store(error) = self {
            log::warn!("a query of the API failed: {error}");
        }
        HttpResponse::build(self.status_code()).json(body)
    }
}
