//! The client of the upstream: asks another service for a person.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use awc::error::{PayloadError, SendRequestError};
use futures_util::StreamExt as _;
use serde::Deserialize;

mod address;
mod connection;

pub use address::Address;

const TIMEOUT: Duration = Duration::from_secs(2);
const MAX_BODY: usize = 64 * 1024;

/// Why the upstream's answer could not be used. `url` has neither credentials nor a query.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    #[error("the upstream {url} could not be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("the upstream {url} did not answer within {} s", TIMEOUT.as_secs())]
    Timeout { url: String },
    #[error("the upstream {url} answered {status}")]
    Status { url: String, status: StatusCode },
    #[error("the upstream {url} answered more than {} KiB", MAX_BODY / 1024)]
    TooLarge { url: String },
    #[error("the upstream {url} broke off its answer{}", cause(source))]
    Broken { url: String, source: PayloadError },
    #[error("the upstream {url} did not answer a JSON object with a `country`: {source}")]
    NotAPerson {
        url: String,
        source: serde_json::Error,
    },
}

impl UpstreamError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::BAD_GATEWAY,
        }
    }
}

/// The HTTP client of one worker.
pub(crate) struct Client(awc::Client);

impl Client {
    pub(crate) fn new() -> Self {
        // The route's own time-out covers the body too.
        Self(
            awc::Client::builder()
                .connector(awc::Connector::new().connector(connection::connector()))
                .wrap(apm_agent::awc::ApmClientMiddleware::new())
                .disable_timeout()
                // The upstream is whom the options name. A redirect could point to servers that only this machine
                // reaches.
                .disable_redirects()
                .finish(),
        )
    }

    /// The country of the person that the upstream answers.
    pub(crate) async fn country(&self, upstream: &Address) -> Result<String, UpstreamError> {
        let asked = actix_web::rt::time::timeout(TIMEOUT, self.ask(upstream)).await;
        asked.unwrap_or_else(|_| {
            Err(UpstreamError::Timeout {
                url: upstream.shown.clone(),
            })
        })
    }

    async fn ask(&self, upstream: &Address) -> Result<String, UpstreamError> {
        let url = || upstream.shown.clone();
        let unreachable = |error: SendRequestError| UpstreamError::Unreachable {
            url: url(),
            reason: error.to_string(),
        };
        let mut request = self.0.get(&upstream.url);
        if let Some((name, password)) = &upstream.credentials {
            request = request.basic_auth(name, password);
        }
        let mut response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            let status =
                StatusCode::from_u16(response.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
            return Err(UpstreamError::Status { url: url(), status });
        }
        // Without either, the end of the connection is the end of the answer.
        let headers = response.headers();
        let is_framed = [CONTENT_LENGTH, TRANSFER_ENCODING]
            .iter()
            .any(|name| headers.contains_key(name));
        let mut body = Vec::new();
        while let Some(piece) = response.next().await {
            match piece {
                Ok(piece) if body.len() + piece.len() > MAX_BODY => {
                    return Err(UpstreamError::TooLarge { url: url() });
                }
                Ok(piece) => body.extend_from_slice(&piece),
                Err(source) if is_end(&source) && !is_framed => break,
                Err(source) => return Err(UpstreamError::Broken { url: url(), source }),
            }
        }
        let person: Person = serde_json::from_slice(&body)
            .map_err(|source| UpstreamError::NotAPerson { url: url(), source })?;
        Ok(person.country)
    }
}

/// Whether the connection ended within a body.
fn is_end(error: &PayloadError) -> bool {
    match error {
        PayloadError::Incomplete(None) => true,
        PayloadError::Incomplete(Some(error)) | PayloadError::Io(error) => {
            connection::is_end(error)
        }
        _ => false,
    }
}

/// The cause where it is another one than the end of the connection.
fn cause(error: &PayloadError) -> String {
    match is_end(error) {
        true => String::new(),
        false => format!(": {error}"),
    }
}

#[derive(Deserialize)]
struct Person {
    country: String,
}
