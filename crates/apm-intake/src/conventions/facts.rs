//! The facts that the attributes of one span tell, by the table of their names.
//!
//! Old and current names are read at once; of two that mean the same, the later attribute wins. Names are told apart by
//! their first part, then by the rest, so that few comparisons are made for each.

mod calls;
mod http;
mod net;
mod other;

use super::labels::{cut, is_label};
use super::value::{KeyValue, Value};
use super::write::Json;

/// The kind of event that attributes are read for: some names mean something of one kind, and nothing of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    Transaction,
    Span,
}

/// The kind of a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl Kind {
    /// By the number that OTLP has for it.
    pub(crate) fn from_number(number: i32) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// By its name in upper case.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "INTERNAL" => Self::Internal,
            "SERVER" => Self::Server,
            "CLIENT" => Self::Client,
            "PRODUCER" => Self::Producer,
            "CONSUMER" => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// Its name in upper case; empty where it is unspecified.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "",
            Self::Internal => "INTERNAL",
            Self::Server => "SERVER",
            Self::Client => "CLIENT",
            Self::Producer => "PRODUCER",
            Self::Consumer => "CONSUMER",
        }
    }
}

/// The facts that attributes tell.
#[derive(Debug, Default)]
pub(crate) struct Facts<'a> {
    pub(super) http: http::Http<'a>,
    pub(super) net: net::Net<'a>,
    pub(super) db: calls::Database<'a>,
    pub(super) messaging: calls::Messaging<'a>,
    pub(super) rpc: calls::Rpc<'a>,
    pub(super) gen_ai: calls::GenAi<'a>,
    pub(super) other: other::Other<'a>,
    /// Those that mean nothing in particular.
    labels: Vec<&'a KeyValue<'a>>,
    /// Those that became something else.
    understood: Vec<&'a KeyValue<'a>>,
}

/// The use of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// It means something, and is no label.
    Understood,
    /// It is a label.
    Label,
    /// It means something, and is a label all the same.
    Both,
    /// It is left out.
    Nothing,
}

impl<'a> Facts<'a> {
    /// Reads attributes.
    pub(crate) fn from_attributes(attributes: &'a [KeyValue<'a>], of: EventKind) -> Self {
        let mut facts = Self::default();
        for attribute in attributes {
            facts.read(attribute, of);
        }
        facts
    }

    fn read(&mut self, attribute: &'a KeyValue<'a>, of: EventKind) {
        let KeyValue { key, value } = attribute;
        let (first, rest) = key.split_once('.').unwrap_or((&**key, ""));
        let read = match first {
            "http" => self.http.http(rest, value, of),
            "url" => self.http.url(rest, value),
            "user_agent" if rest == "original" && of == EventKind::Transaction => {
                self.http.agent(value)
            }
            "net" => self.net.net(rest, value, of),
            "network" => self.network(key, rest, value, of),
            "server" => self.net.server(rest, value, of),
            "client" if of == EventKind::Transaction => self.net.client(rest, value),
            "peer" if of == EventKind::Span => self.net.peer(rest, value),
            "db" | "sql" if of == EventKind::Span => self.db.read(key, value),
            "messaging" | "message_bus" => self.messaging.read(key, value, of),
            "rpc" => self.rpc.read(rest, value),
            "gen_ai" if of == EventKind::Span => self.gen_ai.read(rest, value),
            // The kind has a field of its own in OTLP, which was read.
            "span" if rest == "kind" => Read::Nothing,
            _ => self.other.read(key, value, of),
        };
        match read {
            Read::Understood => self.understood.push(attribute),
            Read::Label => self.labels.push(attribute),
            Read::Both => {
                self.understood.push(attribute);
                self.labels.push(attribute);
            }
            Read::Nothing => {}
        }
    }

    fn network(&mut self, key: &'a str, rest: &str, value: &'a Value<'a>, of: EventKind) -> Read {
        match (rest, of) {
            ("peer.address", EventKind::Span) => self.net.peer_address(value),
            ("protocol.version", EventKind::Transaction) => {
                let version = value
                    .text()
                    .map(|version| self.http.version = Some(version));
                version.map_or(Read::Label, |()| Read::Both)
            }
            _ => self.other.read(key, value, of),
        }
    }

    /// Whether the attributes say that the span is about HTTP.
    pub(super) fn is_http(&self) -> bool {
        self.http.seen
    }

    /// The names of its labels.
    pub(crate) fn label_names(&self) -> impl Iterator<Item = &'a str> {
        let labels = self.labels.iter().filter(|label| is_label(&label.value));
        labels.map(|label| cut(&label.key))
    }

    /// Writes its labels, under the names that were sent.
    pub(crate) fn write_labels(&self, json: &mut Json<'_>) {
        for KeyValue { key, value } in &self.labels {
            super::label(json, key, value);
        }
    }

    /// Writes the attributes that are no labels, as they were sent.
    pub(crate) fn write_understood(&self, json: &mut Json<'_>) {
        for KeyValue { key, value } in &self.understood {
            super::label(json, key, value);
        }
    }

    /// The data stream that the span names, as name and namespace.
    pub(crate) fn data_stream(&self) -> (Option<&'a str>, Option<&'a str>) {
        (self.other.dataset, self.other.namespace)
    }

    /// Writes the fields for which intake v2 has no place.
    pub(crate) fn write_fields(&self, json: &mut Json<'_>) {
        self.other.write(json);
    }

    /// The number of spans that this one stands for, by the sampler that old Jaeger clients name: nothing where none is
    /// named.
    pub(crate) fn jaeger_weight(&self) -> Option<f64> {
        let kind = self.other.sampler_type?;
        let share = self
            .other
            .sampler_param
            .filter(|share| *share > 0.0 && *share <= 1.0);
        Some(match (kind, share) {
            ("probabilistic", Some(share)) => 1.0 / share,
            // Other samplers do not tell the share that they keep, so the span stands for no others.
            _ => 0.0,
        })
    }
}
