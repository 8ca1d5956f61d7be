//! The way to the engine: several hosts, a credential, trust in certificates.

mod auth;
mod trust;

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use apm_store::cause;
use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use reqwest::header::{self, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Url};

use crate::config::{Auth, Config};

/// The longest time that a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The time for which a host that failed is passed over while there are others.
const REST: Duration = Duration::from_secs(15);

/// Longest answer, bytes: of the requests that are sent none has more than some MiB.
const LONGEST: usize = 64 << 20;

/// A client of one cluster.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    hosts: Vec<Host>,
    next: AtomicUsize,
    auth: Auth,
    shown: Mutex<Option<HeaderValue>>,
}

#[derive(Debug)]
struct Host {
    url: Url,
    failed: Mutex<Option<Instant>>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing was sent.
    NotSent(String),
    /// The request may have been carried out.
    Unknown(String),
}

impl Failure {
    /// The words for the log.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::NotSent(words) | Self::Unknown(words) => words,
        }
    }
}

/// The header by which an engine knows who sent a request.
pub(crate) const OWNER: &str = "X-Opaque-Id";

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) kind: &'static str,
    pub(crate) is_gzip: bool,
    pub(crate) bytes: Bytes,
    /// The name of its sender: the engine lists requests that are at work with it.
    pub(crate) owner: Option<String>,
}

impl Body {
    /// JSON.
    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self {
            kind: "application/json",
            is_gzip: false,
            bytes: value.to_string().into(),
            owner: None,
        }
    }
}

impl Client {
    /// A client. No host is asked yet.
    ///
    /// # Errors
    /// The file that cannot be used, and why.
    pub(crate) fn new(config: &Config) -> Result<Self, String> {
        let is_tls = config.hosts.iter().any(|host| host.scheme() == "https");
        let tls = trust::config(config.ca.as_deref(), is_tls)?;
        let shown = auth::read(&config.auth)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT)
            .timeout(config.pace.timeout)
            // A credential goes to the hosts that are named, and to no other.
            .redirect(Policy::none())
            .user_agent(concat!("pocket-apm/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        let hosts = config.hosts.iter().map(|url| Host {
            url: url.clone(),
            failed: Mutex::default(),
        });
        Ok(Self {
            http,
            hosts: hosts.collect(),
            next: AtomicUsize::new(0),
            auth: config.auth.clone(),
            shown: Mutex::new(shown),
        })
    }

    /// Sends a request to the next host that is well. `path`: with its query, without the first slash.
    ///
    /// Boxed, so that it is compiled once: else it is a part of the future of each of its callers.
    pub(crate) fn call<'c>(
        &'c self,
        method: Method,
        path: &'c str,
        body: Option<&'c Body>,
    ) -> BoxFuture<'c, Result<Reply, Failure>> {
        Box::pin(self.call_next(method, path, body))
    }

    async fn call_next(
        &self,
        method: Method,
        path: &str,
        body: Option<&Body>,
    ) -> Result<Reply, Failure> {
        let host = self.host();
        let reply = self.call_at(host, method, path, body).await;
        let has_failed = match &reply {
            // A proxy answers so for an engine that is not there.
            Ok(reply) => matches!(reply.status, 502..=504),
            Err(_) => true,
        };
        *host.failed.lock().unwrap_or_else(PoisonError::into_inner) = has_failed.then(Instant::now);
        if reply.as_ref().is_ok_and(|reply| reply.status == 401) {
            self.read_credential();
        }
        reply
    }

    async fn call_at(
        &self,
        host: &Host,
        method: Method,
        path: &str,
        body: Option<&Body>,
    ) -> Result<Reply, Failure> {
        let url = host.url.join(path);
        let url = url.map_err(|error| Failure::NotSent(format!("{path}: {error}")))?;
        let mut request = self.http.request(method, url);
        let shown = self
            .shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(shown) = shown {
            request = request.header(header::AUTHORIZATION, shown);
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, body.kind);
            if body.is_gzip {
                request = request.header(header::CONTENT_ENCODING, "gzip");
            }
            if let Some(owner) = &body.owner {
                request = request.header(OWNER, owner);
            }
            request = request.body(body.bytes.clone());
        }
        let mut answer = request.send().await.map_err(|error| {
            let words = words(host, &error);
            // Only without a connection is it certain that nothing arrived.
            match error.is_connect() {
                true => Failure::NotSent(words),
                false => Failure::Unknown(words),
            }
        })?;
        let unread = |error: reqwest::Error| Failure::Unknown(words(host, &error));
        let status = answer.status().as_u16();
        let mut body = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(unread)? {
            if body.len() + piece.len() > LONGEST {
                let words = format!("{} answers without end", host.url);
                return Err(Failure::Unknown(words));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Reply {
            status,
            body: body.freeze(),
        })
    }

    /// The next host in turn that has not failed lately; the next one in turn where all have.
    fn host(&self) -> &Host {
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = (0..self.hosts.len()).map(|at| &self.hosts[(start + at) % self.hosts.len()]);
        let mut well = in_turn.filter(|host| {
            let failed = host.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.is_none_or(|at| at.elapsed() >= REST)
        });
        well.next().unwrap_or(&self.hosts[start % self.hosts.len()])
    }

    /// Whether there is a host that has not failed lately.
    pub(crate) fn has_another(&self) -> bool {
        self.hosts.iter().any(|host| {
            let failed = host.failed.lock().unwrap_or_else(PoisonError::into_inner);
            failed.is_none_or(|at| at.elapsed() >= REST)
        })
    }

    /// The file of the credential may have changed.
    fn read_credential(&self) {
        match auth::read(&self.auth) {
            Ok(read) => *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = read,
            Err(error) => log::warn!("the credential for the output cannot be read: {error}"),
        }
    }
}

/// The innermost cause says what happened.
fn words(host: &Host, error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("{} takes too long", host.url);
    }
    format!("{} is not reached: {}", host.url, innermost(error))
}

/// The words of the innermost cause, with the remedy where there is one.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let cause = cause::innermost(error);
    match cause.downcast_ref::<rustls::Error>() {
        Some(rustls::Error::InvalidCertificate(_)) => format!(
            "{cause}; name a file of the authorities that vouch for it with --elasticsearch-ca"
        ),
        _ => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rustls::CertificateError;

    use super::*;

    #[test]
    fn a_certificate_that_is_not_trusted_is_told_with_the_remedy() {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let words = innermost(&std::io::Error::other(std::io::Error::other(unknown)));
        assert!(words.contains("UnknownIssuer"), "{words}");
        assert!(words.contains("--elasticsearch-ca"), "{words}");
        let other = innermost(&std::io::Error::other(rustls::Error::DecryptError));
        assert!(!other.contains("--elasticsearch-ca"), "{other}");
    }
}
