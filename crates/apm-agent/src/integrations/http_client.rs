//! Spans of outgoing HTTP requests, for whatever client makes them.

use std::sync::Arc;
use std::time::Instant;

use crate::encode::json;
use crate::recording::context;
use crate::recording::leaf_span::LeafSpan;
use crate::recording::outcome::Outcome;
#[cfg(feature = "tracing")]
use crate::recording::recorder::Recorder;
use crate::recording::service_target::{Address, ExitSpan, Peer};
use crate::recording::span_kind::{SpanKind, Tail};
use crate::sanitize::urls;
use crate::trace::propagation::TRACEPARENT_LEN;
use crate::util::methods;
use crate::util::wildcard::WildcardList;

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
    protocol: Protocol,
}

/// The way in which a service is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http,
    /// The path names what is called.
    Grpc,
}

/// The facts that the span of a request shows.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) kind: SpanKind,
    pub(crate) name: String,
    pub(crate) action: String,
    /// Members of the context, each followed by a comma.
    pub(crate) context: Vec<u8>,
}

/// A request that somebody else has recorded, as its span is to show it.
#[cfg(feature = "tracing")]
pub(crate) fn show(agent: &Recorder, method: &str, url: &str, status: Option<u16>) -> Shown {
    let settings = agent.config.load();
    let mut url = Url::parse(url, &settings.sanitize_field_names);
    url.named = agent.hosts.have_a_name_for(&url.peer(), Instant::now());
    url.show(method, status)
}

/// The parts of an address that a span shows. Credentials and secret parameters are not among them.
#[derive(Debug, PartialEq, Eq)]
struct Url {
    full: String,
    host: String,
    port: Option<u16>,
    default_port: u16,
    /// Whether names may be made of the host.
    named: bool,
}

impl Call {
    /// Begins a call: the span, if the transaction wants one, and the headers that let the callee join. `None` outside
    /// a transaction.
    pub(crate) fn begin(method: &str, url: &str) -> Option<(Option<Self>, Option<Trace>)> {
        Self::begin_as(Protocol::Http, method, url)
    }

    /// The same for a call by gRPC.
    #[cfg(feature = "tower")]
    pub(crate) fn begin_grpc(url: &str) -> Option<(Option<Self>, Option<Trace>)> {
        Self::begin_as(Protocol::Grpc, "POST", url)
    }

    fn begin_as(
        protocol: Protocol,
        method: &str,
        url: &str,
    ) -> Option<(Option<Self>, Option<Trace>)> {
        context::with(|current| {
            let agent = &current.transaction.recorder;
            let settings = agent.config.load();
            let mut url = Url::parse(url, &settings.sanitize_field_names);
            url.named = agent.hosts.have_a_name_for(&url.peer(), Instant::now());
            let span = LeafSpan::begin(current, &Arc::new(url.kind(protocol)));
            // If the span is left out, the callee belongs to the transaction itself.
            let from = span
                .as_ref()
                .map_or(current.transaction.identity.id, LeafSpan::id);
            let host = &url.host;
            let silent = &settings.trace_context_ignore_hosts;
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
                    protocol,
                }
            });
            Some((call, trace))
        })
    }

    /// The head of the answer is here.
    pub(crate) fn answered(mut self, status: u16) {
        self.end(Outcome::of_client_status(status), Some(status));
    }

    /// The call by gRPC has ended in this way.
    #[cfg(feature = "tower")]
    pub(crate) fn ended(mut self, outcome: Outcome) {
        self.end(outcome, None);
    }

    /// There will be no answer.
    pub(crate) fn failed(mut self) {
        self.end(Outcome::Failure, None);
    }

    fn end(&mut self, outcome: Outcome, status: Option<u16>) {
        let Some(span) = self.span.take() else { return };
        if self.protocol == Protocol::Grpc {
            let kind = Arc::new(self.url.kind(self.protocol));
            let tail = Tail::new(kind, self.url.path().trim_start_matches('/'), None, |_| {});
            return span.end(outcome, Some(Arc::new(tail)));
        }
        let shown = self.url.show(&self.method, status);
        let tail = Tail::new(
            Arc::new(shown.kind),
            &shown.name,
            Some(&shown.action),
            |out| {
                out.extend_from_slice(&shown.context);
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
    fn parse(url: &str, secrets: &WildcardList) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        // A password before the host is nobody's business.
        let authority = authority
            .rsplit_once('@')
            .map_or(authority, |(_, host)| host);
        // In `[::1]` the last colon is not that of a port.
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
        let path = urls::text(path, |name| secrets.matches(name));
        Self {
            full: format!("{scheme}://{authority}{path}"),
            named: true,
            host: host.to_owned(),
            port,
            default_port,
        }
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(self.default_port)
    }

    /// The host, in the name of a span.
    fn name(&self) -> &str {
        if self.named {
            &self.host
        } else {
            methods::OTHER
        }
    }

    /// Host and port, always with the port.
    fn peer(&self) -> String {
        format!("{}:{}", self.host, self.port())
    }

    /// The span of a request to it.
    fn show(&self, method: &str, status: Option<u16>) -> Shown {
        let action = methods::known(method);
        let mut context = Vec::with_capacity(128 + self.full.len());
        let out = &mut context;
        out.extend_from_slice(b"\"http\":{\"url\":");
        json::keyword(out, &self.full);
        out.extend_from_slice(b",\"method\":");
        json::keyword(out, method);
        if let Some(status) = status {
            out.extend_from_slice(b",\"status_code\":");
            json::uint(out, status.into());
            out.extend_from_slice(b",\"response\":{\"status_code\":");
            json::uint(out, status.into());
            out.push(b'}');
        }
        out.extend_from_slice(b"},");
        Shown {
            kind: self.kind(Protocol::Http),
            name: format!("{action} {}", self.name()),
            action: action.to_owned(),
            context,
        }
    }

    /// The path, without query.
    fn path(&self) -> &str {
        let rest = self.full.split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        path.split(['?', '#']).next().unwrap_or_default()
    }

    fn kind(&self, protocol: Protocol) -> SpanKind {
        let subtype = match protocol {
            Protocol::Http => "http",
            Protocol::Grpc => "grpc",
        };
        let span = ExitSpan {
            span_type: "external",
            subtype: Some(subtype),
            peer: Peer::Url(&self.full),
            ..ExitSpan::default()
        };
        let address = Address {
            host: self.host.trim_matches(['[', ']']).to_owned(),
            port: Some(self.port()),
        };
        let mut target = span.target().map(|target| target.at(Some(address)));
        if let Some(target) = target.as_mut().filter(|_| !self.named) {
            methods::OTHER.clone_into(&mut target.resource);
            target.name = Some(methods::OTHER.to_owned());
        }
        SpanKind {
            span_type: "external".into(),
            subtype: Some(subtype.into()),
            exit: true,
            target,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Url {
        Url::parse(url, &WildcardList::parse("*token*"))
    }

    #[test]
    fn credentials_are_left_out_of_an_address() {
        let url = parse("https://ruan:secret@api.example/v1?x=1");
        assert_eq!(url.full, "https://api.example/v1?x=1");
        assert_eq!(
            (url.host.as_str(), url.port, url.default_port),
            ("api.example", None, 443)
        );
    }

    #[test]
    fn secret_parameters_are_left_out_of_an_address() {
        let url = parse("https://api.example/v1;a_token=x?page=1&token=abc#f");
        assert_eq!(
            url.full,
            "https://api.example/v1;a_token=[REDACTED]?page=1&token=[REDACTED]#f"
        );
        assert_eq!(parse("https://api.example?token=abc").host, "api.example");
    }

    #[test]
    fn the_target_always_names_the_port() {
        assert_eq!(
            parse("http://[::1]:8080/x")
                .kind(Protocol::Http)
                .target
                .unwrap()
                .name
                .unwrap(),
            "[::1]:8080"
        );
        assert_eq!(
            parse("https://api.example")
                .kind(Protocol::Http)
                .target
                .unwrap()
                .resource,
            "api.example:443"
        );
    }

    #[test]
    #[cfg(feature = "testing")]
    fn names_are_bounded_whatever_is_called_and_by_which_method() {
        use std::collections::BTreeSet;

        let recorder = crate::testing::Recorder::with_options([("transaction_max_spans", "9999")]);
        recorder.run(|agent| {
            agent.transaction("crawl", "task").run(|| {
                for number in 0..1_200 {
                    let (call, _) = Call::begin(
                        &format!("M{number}X"),
                        &format!("http://h{number}/{number}"),
                    )
                    .unwrap();
                    call.unwrap().answered(200);
                }
            });
        });
        let spans = recorder.take().spans;
        assert_eq!(spans.len(), 1_200);
        let of = |pointer: &str| -> BTreeSet<&str> {
            let texts = spans.iter().map(|span| span.pointer(pointer).unwrap());
            texts.map(|text| text.as_str().unwrap()).collect()
        };
        let names = of("/name");
        assert_eq!(names.len(), crate::recording::hosts::MAX_HOSTS + 1);
        assert!(names.contains("_OTHER h7") && names.contains("_OTHER _OTHER"));
        assert_eq!(of("/action"), BTreeSet::from(["_OTHER"]));
        assert_eq!(
            of("/context/destination/service/resource").len(),
            crate::recording::hosts::MAX_HOSTS + 1
        );
        assert_eq!(
            of("/context/service/target/name").len(),
            crate::recording::hosts::MAX_HOSTS + 1
        );
        assert_eq!(of("/context/http/url").len(), 1_200, "addresses are kept");
    }
}
