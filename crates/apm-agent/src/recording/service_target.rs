//! The service that an exit span talks to: the key of service maps and of statistics of dropped spans.
//!
//! Computed once, at the end of the span, from what the span carries. Only exit spans have a target.

/// The facts that are known of a span when it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExitSpan<'s> {
    pub(crate) span_type: &'s str,
    pub(crate) subtype: Option<&'s str>,
    /// The type that the user set; an empty text means that there is to be no target at all.
    pub(crate) user_type: Option<&'s str>,
    pub(crate) user_name: Option<&'s str>,
    /// The deprecated `destination.service.resource`, where the user set it.
    pub(crate) user_resource: Option<&'s str>,
    pub(crate) peer: Peer<'s>,
}

/// The other side, by a span's context.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Peer<'s> {
    #[default]
    Unknown,
    /// `context.db`, and its instance.
    Database(Option<&'s str>),
    /// `context.message`, and its queue's name.
    #[cfg_attr(
        not(any(test, feature = "tracing")),
        expect(dead_code, reason = "no integration sends messages yet")
    )]
    Queue(Option<&'s str>),
    /// `context.http.url`.
    Url(&'s str),
}

/// The wire values of `context.service.target` and `context.destination`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    /// `destination.service.resource`, which older servers group by.
    pub(crate) resource: String,
    /// The other end of the connection, where it is known.
    pub(crate) address: Option<Address>,
}

/// A host, without the brackets of an IPv6 address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

impl ExitSpan<'_> {
    /// `None` if the user asked for no target, or nothing is known to make one of.
    pub(crate) fn target(&self) -> Option<Target> {
        let asked_for_none = self.user_type == Some("") || self.user_resource == Some("");
        let named_nothing = self.user_type.is_none() && self.user_name == Some("");
        if asked_for_none || named_nothing {
            return None;
        }
        let kind = self.user_type.or(self.subtype).unwrap_or(self.span_type);
        let kind = (!kind.is_empty()).then(|| kind.to_owned());
        let name = match self.user_name {
            Some(name) => Some(name.to_owned()),
            None => self.peer.name(),
        };
        let name = name.filter(|name| !name.is_empty());
        let resource = match (self.user_resource, &kind, &name) {
            (Some(resource), ..) => resource.to_owned(),
            (None, Some(kind), None) => kind.clone(),
            (None, None, Some(name)) => name.clone(),
            (None, Some(_), Some(name)) if self.span_type == "external" => name.clone(),
            (None, Some(kind), Some(name)) => format!("{kind}/{name}"),
            (None, None, None) => return None,
        };
        Some(Target {
            kind,
            name,
            resource,
            address: None,
        })
    }
}

impl Target {
    /// Adds the other end of the connection.
    #[must_use]
    pub(crate) fn at(self, address: Option<Address>) -> Self {
        Self { address, ..self }
    }
}

impl Peer<'_> {
    fn name(self) -> Option<String> {
        match self {
            Self::Unknown => None,
            Self::Database(name) | Self::Queue(name) => name.map(str::to_owned),
            Self::Url(url) => host_and_port(url),
        }
    }
}

/// `host:port` of a URL, with the port of its scheme where it names none; an IPv6 address keeps its brackets.
pub(crate) fn host_and_port(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.ends_with(']'));
    let default_port = match scheme {
        _ if has_port => "",
        "http" | "ws" => ":80",
        "https" | "wss" => ":443",
        _ => "",
    };
    (!host.is_empty()).then(|| format!("{host}{default_port}"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::fixtures;

    #[test]
    fn elastics_shared_spans_get_the_published_targets() {
        let Some(cases) =
            fixtures::json::<Vec<Value>>("json-specs/service_resource_inference.json")
        else {
            return;
        };
        assert_eq!(cases.len(), 16);
        for case in &cases {
            let span = &case["span"];
            let text = |pointer: &str| span.pointer(pointer).and_then(Value::as_str);
            let peer = if span.pointer("/context/db").is_some() {
                Peer::Database(text("/context/db/instance"))
            } else if span.pointer("/context/message").is_some() {
                Peer::Queue(text("/context/message/queue/name"))
            } else if let Some(url) = span.pointer("/context/http/url") {
                Peer::Url(url.as_str().unwrap_or_default())
            } else {
                Peer::Unknown
            };
            let given = ExitSpan {
                span_type: text("/type").unwrap_or_default(),
                subtype: text("/subtype"),
                user_type: text("/context/service/target/type"),
                user_name: text("/context/service/target/name"),
                user_resource: text("/context/destination/service/resource"),
                peer,
            };
            let target = (span["exit"] == "true").then(|| given.target()).flatten();
            let message = &case["failure_message"];
            let resource = target.as_ref().map(|target| &*target.resource);
            assert_eq!(resource, case["expected_resource"].as_str(), "{message}");
            let expected = &case["expected_service_target"];
            let kind = target.as_ref().and_then(|target| target.kind.as_deref());
            let name = target.as_ref().and_then(|target| target.name.as_deref());
            assert_eq!(
                (kind, name),
                (expected["type"].as_str(), expected["name"].as_str()),
                "{message}"
            );
        }
    }

    #[test]
    fn an_empty_type_or_resource_means_no_target() {
        let span = ExitSpan {
            span_type: "db",
            subtype: Some("sqlite"),
            ..ExitSpan::default()
        };
        assert_eq!(
            span.target().map(|target| target.resource),
            Some("sqlite".to_owned())
        );
        assert_eq!(
            ExitSpan {
                user_type: Some(""),
                ..span.clone()
            }
            .target(),
            None
        );
        assert_eq!(
            ExitSpan {
                user_resource: Some(""),
                ..span.clone()
            }
            .target(),
            None
        );
        let file = ExitSpan {
            peer: Peer::Database(Some("app.db")),
            ..span
        };
        assert_eq!(
            file.target().map(|target| target.resource),
            Some("sqlite/app.db".to_owned())
        );
    }

    #[test]
    fn hosts_keep_or_get_their_port_and_lose_their_user() {
        let table = [
            ("http://a.example/x", Some("a.example:80")),
            ("https://user:p%40ss@a.example?x", Some("a.example:443")),
            ("https://a.example:8443", Some("a.example:8443")),
            ("http://[::1]/", Some("[::1]:80")),
            ("http://[::1]:8080/", Some("[::1]:8080")),
            ("http:///x", None),
            ("/relative", None),
        ];
        for (url, expected) in table {
            assert_eq!(host_and_port(url).as_deref(), expected, "{url}");
        }
    }
}
