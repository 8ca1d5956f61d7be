//! Spans of outgoing HTTP requests, for whatever client makes them.

use std::sync::Arc;

use crate::context;
use crate::encode::json;
use crate::outcome::Outcome;
use crate::service_target::{Address, ExitSpan, Peer};
use crate::span::LeafSpan;
use crate::span_kind::{SpanKind, Tail};
use crate::trace_context::TRACEPARENT_LEN;

/// The trace headers of an outgoing request.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) parent: [u8; TRACEPARENT_LEN],
    pub(crate) state: Option<Arc<str>>,
}

/// An outgoing request that is recorded. Dropped before an answer, it was given up, and fails.
#[derive(Debug)]
pub(crate) struct Call {
    span: Option<LeafSpan>,
    url: Url,
    method: String,
}

/// The parts of an address that a span shows. Credentials are not among them.
#[derive(Debug, PartialEq, Eq)]
struct Url {
    full: String,
    host: String,
    port: Option<u16>,
    default_port: u16,
}

impl Call {
    /// Begins a call: the span, if the transaction wants one, and the headers that let the callee join. `None` outside a transaction.
    pub(crate) fn begin(method: &str, url: &str) -> Option<(Option<Self>, Option<Trace>)> {
        context::with(|current| {
            let current = current?;
            let url = Url::parse(url);
            let span = LeafSpan::begin_in(current, &Arc::new(url.kind()));
            let from = span
                .as_ref()
                .map_or(current.transaction.identity.id, LeafSpan::id);
            let host = &url.host;
            let silent = &current
                .transaction
                .agent
                .config
                .load()
                .trace_context_ignore_hosts;
            let silent =
                !silent.is_empty() && (silent.matches(host) || silent.matches(&url.peer()));
            let trace = (!silent).then(|| Trace {
                parent: current.transaction.traceparent(from),
                state: current.transaction.tracestate(),
            });
            let call = span.map(|mut span| {
                span.propagated = !silent;
                Self {
                    span: Some(span),
                    url,
                    method: method.to_owned(),
                }
            });
            Some((call, trace))
        })
    }

    /// The head of the answer is here.
    pub(crate) fn answered(mut self, status: u16) {
        self.end(Outcome::of_client_status(status), Some(status));
    }

    /// There will be no answer.
    pub(crate) fn failed(mut self) {
        self.end(Outcome::Failure, None);
    }

    fn end(&mut self, outcome: Outcome, status: Option<u16>) {
        let Some(span) = self.span.take() else { return };
        let name = format!("{} {}", self.method, self.url.host);
        let tail = Tail::new(
            Arc::new(self.url.kind()),
            &name,
            Some(&self.method),
            |out| {
                out.extend_from_slice(b"\"http\":{\"url\":");
                json::keyword(out, &self.url.full);
                out.extend_from_slice(b",\"method\":");
                json::keyword(out, &self.method);
                if let Some(status) = status {
                    out.extend_from_slice(b",\"status_code\":");
                    json::uint(out, status.into());
                    out.extend_from_slice(b",\"response\":{\"status_code\":");
                    json::uint(out, status.into());
                    out.push(b'}');
                }
                out.extend_from_slice(b"},");
            },
        );
        span.end(outcome, Some(Arc::new(tail)));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end(Outcome::Failure, None);
    }
}

impl Url {
    fn parse(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port))
                if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                (host, port.parse().ok())
            }
            _ => (authority, None),
        };
        let default_port = if matches!(scheme, "https" | "wss") {
            443
        } else {
            80
        };
        Self {
            full: format!("{scheme}://{authority}{path}"),
            host: host.to_owned(),
            port,
            default_port,
        }
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(self.default_port)
    }

    /// Host and port, always with the port.
    fn peer(&self) -> String {
        format!("{}:{}", self.host, self.port())
    }

    fn kind(&self) -> SpanKind {
        let span = ExitSpan {
            span_type: "external",
            subtype: Some("http"),
            peer: Peer::Url(&self.full),
            ..ExitSpan::default()
        };
        let address = Address {
            host: self.host.trim_matches(['[', ']']).to_owned(),
            port: Some(self.port()),
        };
        SpanKind {
            span_type: "external".into(),
            subtype: Some("http".into()),
            exit: true,
            target: span.target().map(|target| target.at(Some(address))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_left_out_of_an_address() {
        let url = Url::parse("https://ruan:secret@api.example/v1?x=1");
        assert_eq!(url.full, "https://api.example/v1?x=1");
        assert_eq!(
            (url.host.as_str(), url.port, url.default_port),
            ("api.example", None, 443)
        );
    }

    #[test]
    fn the_target_always_names_the_port() {
        assert_eq!(
            Url::parse("http://[::1]:8080/x")
                .kind()
                .target
                .unwrap()
                .name
                .unwrap(),
            "[::1]:8080"
        );
        assert_eq!(
            Url::parse("https://api.example")
                .kind()
                .target
                .unwrap()
                .resource,
            "api.example:443"
        );
    }
}
