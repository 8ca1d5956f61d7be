//! A server that runs, as programs reach it: for the commands that send to it or ask it.

mod trust;

use std::fmt;
use std::time::Duration;

use actix_web::web::BytesMut;
use apm_store::cause::innermost;
use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Url};

pub use trust::Trust;

/// The longest time that a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The longest time that a server may take to answer: it may read every request since a marker.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest answer, bytes.
const LONGEST: usize = 16 << 20;

/// Characters of a refusal that are shown.
const SHOWN: usize = 500;

/// The credential that a server is shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The secret token.
    Token(String),
    /// An API key, as `pocket-apm apikey create` prints it.
    ApiKey(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a server was not asked, or did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The address of the server is not one.
    #[error(
        "{url} is not the address of a server: write http:// or https://, a host and a port, such as \
            http://127.0.0.1:8200"
    )]
    Address {
        /// As it was given.
        url: String,
    },
    /// A secret that no header can carry.
    #[error(
        "the secret token or API key has characters that cannot be sent: it must be one line of printable ASCII"
    )]
    Secret,
    /// Nothing says which certificates to trust.
    #[error("{0}")]
    Trust(String),
    /// The server cannot be reached, or does not answer.
    #[error("cannot reach {url}: {reason}; {remedy}", remedy = unreached(*is_untrusted))]
    Unreached {
        /// The address.
        url: String,
        /// Why.
        reason: String,
        /// Whether it is for its certificate.
        is_untrusted: bool,
    },
    /// The server does not do what is asked.
    #[error("{url} answered {status}: {body}{remedy}", remedy = refused(*status))]
    Refused {
        /// The address.
        url: String,
        /// The status.
        status: u16,
        /// The beginning of its answer.
        body: String,
    },
    /// The answer has no end, or none within reason.
    #[error(
        "{url} answered with more than {} MiB: ask for less, or is something else running there?",
        LONGEST >> 20
    )]
    TooLong {
        /// The address.
        url: String,
    },
}

/// The remedy for a server that is not reached.
fn unreached(is_untrusted: bool) -> &'static str {
    match is_untrusted {
        true => "name the authority of its certificate, or the certificate, with --server-ca-file",
        false => "is a server running there, and does it speak what the address begins with?",
    }
}

/// The remedy for an answer.
fn refused(status: u16) -> &'static str {
    match status {
        401 => {
            "; give the secret token of that server with --apm-secret-token or --apm-secret-token-file, or a key with \
                --api-key"
        }
        403 => {
            "; give an API key with the privilege for it (--api-key), or the secret token (--apm-secret-token)"
        }
        404 => {
            "; give the address of an APM server, with the path before its pages (--apm-base-path) where a proxy \
                wants it"
        }
        429 => "; too many secrets were wrong: try again later with the right one",
        503 => "; it is busy or its disk is full: try again later",
        _ => "",
    }
}

/// A server and what it is shown.
///
/// ```
/// use apm_server::remote::{Remote, Secret, Trust};
///
/// let secret = Secret::Token("hush".to_owned());
/// let server = Remote::new("http://127.0.0.1:8200", Some(&secret), &Trust::System)?;
/// assert_eq!(server.url(), "http://127.0.0.1:8200");
/// # Ok::<_, apm_server::remote::RemoteError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Remote {
    client: Client,
    url: String,
}

/// An answer of a server.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; of a refusal, the first 16 MiB.
    pub body: Vec<u8>,
}

impl Remote {
    /// `url`: where the server is, with the path before its pages where there is one.
    ///
    /// # Errors
    /// If the address, the secret or the certificates cannot be used. Nothing is sent yet.
    pub fn new(url: &str, secret: Option<&Secret>, trust: &Trust) -> Result<Self, RemoteError> {
        let url = url.trim_end_matches('/').to_owned();
        let parsed = Url::parse(&url).ok().filter(|parsed| {
            matches!(parsed.scheme(), "http" | "https")
                && parsed.host_str().is_some_and(|host| !host.is_empty())
                && parsed.query().is_none()
                && parsed.fragment().is_none()
                && parsed.username().is_empty()
                && parsed.password().is_none()
        });
        let Some(parsed) = parsed else {
            let url = apm_output::without_user(&url);
            return Err(RemoteError::Address { url });
        };
        let mut headers = HeaderMap::new();
        if let Some(secret) = secret {
            let shown = match secret {
                Secret::Token(token) => format!("Bearer {}", token.trim()),
                Secret::ApiKey(key) => format!("ApiKey {}", key.trim()),
            };
            let mut shown = HeaderValue::try_from(shown).map_err(|_| RemoteError::Secret)?;
            shown.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, shown);
        }
        let tls = trust::config(trust, parsed.scheme() == "https").map_err(RemoteError::Trust)?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(headers)
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            // A secret goes to the server that is named, and to no other.
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| RemoteError::Trust(error.to_string()))?;
        Ok(Self { client, url })
    }

    /// The address of the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks for a path below the address.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn get(
        &self,
        path: &str,
        parameters: &[(&str, String)],
    ) -> Result<Answer, RemoteError> {
        let mut url = self.at(path)?;
        url.query_pairs_mut().extend_pairs(parameters);
        self.send(self.client.get(url)).await
    }

    /// Posts a body to a path below the address.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn post(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Answer, RemoteError> {
        let request = self.client.post(self.at(path)?);
        let request = request.header(header::CONTENT_TYPE, content_type);
        self.send(request.body(body)).await
    }

    /// The error that an answer is.
    pub fn refused(&self, answer: &Answer) -> RemoteError {
        let text = String::from_utf8_lossy(&answer.body);
        RemoteError::Refused {
            url: self.url.clone(),
            status: answer.status,
            body: text.chars().take(SHOWN).collect(),
        }
    }

    fn at(&self, path: &str) -> Result<Url, RemoteError> {
        let url = format!("{}{path}", self.url);
        Url::parse(&url).map_err(|_| RemoteError::Address { url })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, RemoteError> {
        let unreached = |error: reqwest::Error| self.unreached(&error);
        let mut answer = request.send().await.map_err(unreached)?;
        let mut body = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(unreached)? {
            let free = LONGEST - body.len();
            body.extend_from_slice(&piece[..piece.len().min(free)]);
            if piece.len() <= free {
                continue;
            }
            // Rows of a part would pass for all of them. Of a refusal, only the beginning is shown.
            if answer.status().is_success() {
                return Err(RemoteError::TooLong {
                    url: self.url.clone(),
                });
            }
            break;
        }
        Ok(Answer {
            status: answer.status().as_u16(),
            body: body.to_vec(),
        })
    }

    /// The innermost cause says what happened; those around it, that something did.
    fn unreached(&self, error: &reqwest::Error) -> RemoteError {
        let cause = innermost(error);
        let is_untrusted = matches!(
            cause.downcast_ref(),
            Some(rustls::Error::InvalidCertificate(_))
        );
        let reason = match error.is_timeout() {
            true => "it took too long".to_owned(),
            false => cause.to_string(),
        };
        RemoteError::Unreached {
            url: self.url.clone(),
            reason,
            is_untrusted,
        }
    }
}

#[cfg(test)]
mod tests;
