//! Fields that have a meaning: the semantic conventions of OpenTelemetry, in their old and their present names.

use crate::recording::db_span::MAX_STATEMENT;
use crate::recording::transaction::extra::LabelValue;

/// A fact about the work of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Kind,
    Name,
    Status,
    ErrorType,
    Database,
    Statement,
    Instance,
    Method,
    Url,
    Scheme,
    Target,
    Route,
    HttpStatus,
    Host,
    Port,
    Peer,
    Rpc,
    RpcService,
    RpcMethod,
    GrpcStatus,
    Messaging,
    Queue,
    Operation,
}

impl Key {
    /// The fact that a field of this name tells.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "otel.kind" | "span.kind" => Self::Kind,
            "otel.name" => Self::Name,
            "otel.status_code" => Self::Status,
            "error.type" => Self::ErrorType,
            "db.system" | "db.system.name" => Self::Database,
            "db.statement" | "db.query.text" => Self::Statement,
            "db.name" | "db.namespace" => Self::Instance,
            "http.method" | "http.request.method" => Self::Method,
            "http.url" | "url.full" => Self::Url,
            "http.scheme" | "url.scheme" => Self::Scheme,
            "http.target" | "url.path" => Self::Target,
            "http.route" => Self::Route,
            "http.status_code" | "http.response.status_code" => Self::HttpStatus,
            "net.peer.name" | "server.address" | "http.host" => Self::Host,
            "net.peer.port" | "server.port" => Self::Port,
            "peer.service" => Self::Peer,
            "rpc.system" | "rpc.system.name" => Self::Rpc,
            "rpc.service" => Self::RpcService,
            "rpc.method" => Self::RpcMethod,
            "rpc.grpc.status_code" | "rpc.response.status_code" => Self::GrpcStatus,
            "messaging.system" => Self::Messaging,
            "messaging.destination" | "messaging.destination.name" => Self::Queue,
            "messaging.operation" | "messaging.operation.type" => Self::Operation,
            _ => return None,
        })
    }

    /// Whether a span with such a field is recorded also where it is one of level `DEBUG`.
    pub(super) fn decides(self) -> bool {
        matches!(
            self,
            Self::Kind | Self::Database | Self::Rpc | Self::Messaging
        )
    }

    /// Bytes of a value that are kept.
    pub(super) fn longest(self) -> usize {
        match self {
            Self::Statement => MAX_STATEMENT,
            _ => 4 * 1024,
        }
    }
}

/// The facts that a span was told, and the names of the fields that told them.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    facts: Vec<(Key, &'static str, LabelValue)>,
}

impl Meaning {
    /// Notes a fact; the last value stands.
    pub(super) fn set(&mut self, key: Key, name: &'static str, mut value: LabelValue) {
        if let LabelValue::Text(text) = &mut value {
            text.truncate(text.floor_char_boundary(key.longest()));
        }
        match self.facts.iter_mut().find(|(known, ..)| *known == key) {
            Some(fact) => *fact = (key, name, value),
            None => self.facts.push((key, name, value)),
        }
    }

    /// Adds what was told later.
    pub(super) fn extend(&mut self, later: Self) {
        for (key, name, value) in later.facts {
            self.set(key, name, value);
        }
    }

    pub(super) fn text(&self, key: Key) -> Option<&str> {
        self.facts.iter().find_map(|(known, _, value)| match value {
            LabelValue::Text(text) if *known == key && !text.is_empty() => Some(&**text),
            _ => None,
        })
    }

    /// A number, also where it was told as text.
    pub(super) fn number(&self, key: Key) -> Option<u64> {
        let (_, _, value) = self.facts.iter().find(|(known, ..)| *known == key)?;
        match value {
            LabelValue::Number(number) if *number >= 0.0 => Some(*number as u64),
            LabelValue::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn has(&self, key: Key) -> bool {
        self.facts.iter().any(|(known, ..)| *known == key)
    }

    /// Whether the span is of this kind, in any case.
    pub(super) fn is_kind(&self, kind: &str) -> bool {
        let told = self.text(Key::Kind);
        told.is_some_and(|told| told.eq_ignore_ascii_case(kind))
    }

    /// The facts as the fields that told them.
    pub(super) fn into_fields(self) -> impl Iterator<Item = (&'static str, LabelValue)> {
        let fields = self.facts.into_iter();
        fields.map(|(_, name, value)| (name, value))
    }
}
