//! The meaning of a span's attributes: its kind, its callee, and how that ended.

use std::borrow::Cow;

use apm_store::event::Outcome;

use super::facts::{Facts, Kind};
use super::labels::cut;
use super::transaction::shared;
use super::url::{ClientUrl, with_port};
use super::write::Json;

/// The meaning of the attributes of a span.
#[derive(Debug)]
pub(crate) struct SpanMeaning<'f, 'a> {
    facts: &'f Facts<'a>,
    url: Option<ClientUrl<'a>>,
    /// `span.type`, where the attributes tell it.
    pub(crate) kind: Option<&'static str>,
    pub(crate) subtype: Option<&'a str>,
    pub(crate) action: Option<&'a str>,
    pub(crate) outcome: Outcome,
    /// `destination.address` and `destination.port`.
    address: Option<String>,
    port: Option<u16>,
    /// `span.destination.service.name` and `.resource`.
    service: Option<(Cow<'a, str>, Cow<'a, str>)>,
    /// `service.target.type` and `.name`.
    pub(crate) target: Option<(&'a str, Option<Cow<'a, str>>)>,
}

impl<'f, 'a> SpanMeaning<'f, 'a> {
    /// `code`: the status that OTLP has, 1 for success and 2 for failure.
    pub(crate) fn new(facts: &'f Facts<'a>, code: i32, kind: Kind) -> Self {
        // Without a status of its own, HTTP's decides. For a client 4xx is a failure as well.
        let outcome = match (code, facts.http.status) {
            (2, _) | (0, Some(400..)) => Outcome::Failure,
            _ => Outcome::Success,
        };
        let url = facts
            .is_http()
            .then(|| ClientUrl::from_facts(facts))
            .flatten();
        let place = url.as_ref().and_then(|url| url.place.as_ref());
        let (address, port) = match place {
            Some(place) => (Some(place.host.clone()), place.port),
            None => (
                facts.net.destination().map(|host| cut(host).to_owned()),
                facts.net.peer_port,
            ),
        };
        let mut meaning = Self {
            facts,
            kind: None,
            subtype: None,
            action: None,
            outcome,
            address: address.filter(|address| !address.is_empty()),
            port,
            service: None,
            target: None,
            url: None,
        };
        meaning.what(kind, url.as_ref());
        meaning.url = url;
        meaning
    }

    /// Type, subtype, action, target and destination: the first that applies.
    fn what(&mut self, kind: Kind, url: Option<&ClientUrl<'a>>) {
        let facts = self.facts;
        let peer = facts
            .net
            .peer_service
            .map(cut)
            .filter(|peer| !peer.is_empty());
        let named = peer.map(Cow::Borrowed);
        // A query may go over HTTP, and is a query all the same: so databases come first.
        if facts.db.seen {
            let system = facts.db.system.map(cut).filter(|system| !system.is_empty());
            (self.kind, self.subtype) = (Some("db"), system);
            let instance = facts.db.instance.map(|name| Cow::Borrowed(cut(name)));
            self.target = Some((system.unwrap_or("db"), instance.or(named)));
            self.call(peer, system.map(|system| (system.into(), system.into())));
        } else if facts.messaging.seen {
            let system = facts
                .messaging
                .system
                .map(cut)
                .filter(|system| !system.is_empty());
            let sends = (kind == Kind::Producer).then_some("send");
            (self.kind, self.subtype) = (Some("messaging"), system);
            self.action = facts.messaging.operation.map(cut).or(sends);
            let queue = facts
                .messaging
                .queue
                .map(cut)
                .filter(|queue| !queue.is_empty());
            // A temporary name would make a target of its own for each client.
            let lasting = queue.filter(|_| !facts.messaging.is_temporary);
            self.target = Some((
                system.unwrap_or("messaging"),
                lasting.map(Cow::Borrowed).or(named),
            ));
            self.call(peer, system.map(|system| (system.into(), system.into())));
            if let (Some(queue), Some((_, resource))) = (queue, &mut self.service) {
                *resource = Cow::Owned(format!("{resource}/{queue}"));
            }
        } else if facts.rpc.seen {
            let system = facts
                .rpc
                .system
                .map(cut)
                .filter(|system| !system.is_empty());
            (self.kind, self.subtype) = (Some("external"), system);
            let service = facts.rpc.service().map(|name| Cow::Borrowed(cut(name)));
            self.target = Some((system.unwrap_or("external"), service.or(named)));
            let host = self
                .address
                .as_deref()
                .map(|host| with_port(host, self.port).into_owned());
            self.call(peer, host.map(|host| (host.clone().into(), host.into())));
        } else if facts.is_http() {
            (self.kind, self.subtype) = (Some("external"), Some("http"));
            let place = url.and_then(|url| url.place.as_ref());
            let resource = place.map(|place| Cow::Owned(place.resource()));
            self.target = Some(("http", resource.or(named)));
            self.call(
                peer,
                place.map(|place| (place.name().into(), place.resource().into())),
            );
        } else if let Some(system) = facts.gen_ai.system {
            (self.kind, self.subtype) = (Some("genai"), Some(cut(system)));
            self.target = Some(("genai", named));
        } else if kind != Kind::Internal {
            // Only a span that leaves the service calls something.
            self.target = named.map(|name| ("", Some(name)));
            self.call(peer, None);
        }
    }

    /// Sets the callee: the service that the span names, else what the rest of it says, else the address that it names.
    fn call(&mut self, peer: Option<&'a str>, other: Option<(Cow<'a, str>, Cow<'a, str>)>) {
        let address = self
            .facts
            .net
            .peer_address
            .map(cut)
            .filter(|address| !address.is_empty());
        self.service = match (peer, other) {
            (Some(peer), _) => Some((peer.into(), address.unwrap_or(peer).into())),
            (None, Some(other)) => Some(other),
            (None, None) => address.map(|address| ("".into(), address.into())),
        };
    }

    /// `span.destination.service.resource`
    pub(crate) fn resource(&self) -> Option<&str> {
        self.service.as_ref().map(|(_, resource)| &**resource)
    }

    /// Whether it tells the address of what is called.
    pub(crate) fn has_address(&self) -> bool {
        self.address.is_some()
    }

    pub(crate) fn db_instance(&self) -> Option<&'a str> {
        self.facts.db.instance
    }

    pub(crate) fn db_statement(&self) -> Option<&'a str> {
        self.facts.db.statement
    }

    /// The status of the response.
    pub(crate) fn status(&self) -> Option<i64> {
        self.facts.http.status
    }

    /// Writes `destination`, `db`, `http` and `message` of the context. `kind`: the type of the span.
    pub(crate) fn write_context(&self, json: &mut Json<'_>, kind: &str) {
        let (http, db) = (&self.facts.http, &self.facts.db);
        json.object("destination", |json| {
            json.text("address", self.address.as_deref().unwrap_or_default());
            if let Some(port) = self.port {
                json.int("port", port);
            }
            if let Some((name, resource)) = &self.service {
                json.object("service", |json| {
                    json.text("name", name);
                    json.text("resource", resource);
                    json.text("type", kind);
                });
            }
        });
        json.object("db", |json| {
            json.text("statement", db.statement.unwrap_or_default());
            json.text("type", db.system.unwrap_or_default());
            json.text("instance", db.instance.unwrap_or_default());
            json.text("user", db.user.unwrap_or_default());
        });
        json.object("http", |json| {
            json.text("method", cut(http.method.unwrap_or_default()));
            json.text("url", self.url.as_ref().map_or("", |url| &url.original));
            if let Some(status) = http.status {
                json.int("status_code", status);
            }
        });
        let queue = self.facts.messaging.queue.unwrap_or_default();
        json.object("message", |json| {
            json.object("queue", |json| json.text("name", cut(queue)));
        });
    }

    /// Writes `target` of the context's `service`.
    pub(crate) fn write_target(&self, json: &mut Json<'_>) {
        if let Some((kind, name)) = &self.target {
            json.object("target", |json| {
                json.text_even_empty("type", kind);
                json.text("name", name.as_deref().unwrap_or_default());
            });
        }
    }

    /// Writes what events of the span say of its request.
    pub(crate) fn write_shared(&self, json: &mut Json<'_>) {
        shared(self.facts, json);
        json.text(
            "url.original",
            self.url.as_ref().map_or("", |url| cut(&url.original)),
        );
    }
}
