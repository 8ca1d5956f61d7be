//! The answer of a route that cannot do its work: a status and `{"error": "…"}`.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;

use crate::db::DbError;
use crate::upstream::UpstreamError;

/// A route's failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 503: the request may succeed later.
    #[error(transparent)]
    Database(#[from] DbError),
    /// 502 or 504.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// 503: the work's thread is gone, as happens when the service stops.
    #[error("the service is shutting down")]
    Stopping(#[from] actix_web::error::BlockingError),
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Database(_) | Self::Stopping(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Upstream(error) => error.status(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        // Inside the request, so that the line carries its trace.
        log::warn!("{self}");
        body(self.status_code(), self)
    }
}

/// The JSON body that every error of the service has.
pub fn body(status: StatusCode, message: impl std::fmt::Display) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "error": message.to_string() }))
}
