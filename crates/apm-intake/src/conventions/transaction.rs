//! The meaning of a transaction's attributes.

use std::net::IpAddr;

use apm_store::event::Outcome;

use super::facts::Facts;
use super::labels::cut;
use super::url::ServerUrl;
use super::write::Json;

/// The meaning of the attributes of a transaction.
#[derive(Debug)]
pub(crate) struct TransactionMeaning<'f, 'a> {
    facts: &'f Facts<'a>,
    url: Option<ServerUrl>,
    /// `transaction.type`; nothing where it is unknown.
    pub(crate) kind: Option<&'a str>,
    result: Option<&'static str>,
    code: i32,
    pub(crate) outcome: Outcome,
}

impl<'f, 'a> TransactionMeaning<'f, 'a> {
    /// `code`: the status that OTLP has, 1 for success and 2 for failure. `host`: the name of the machine.
    pub(crate) fn new(facts: &'f Facts<'a>, code: i32, host: Option<&str>) -> Self {
        let status = facts.http.status;
        // Without a status of its own, HTTP's decides. For a server 4xx is the mistake of the client.
        let outcome = match (code, status) {
            (2, _) | (0, Some(500..)) => Outcome::Failure,
            _ => Outcome::Success,
        };
        // A message may come over HTTP, and is a message all the same.
        let kind = match () {
            () if facts.messaging.seen => Some("messaging"),
            () if facts.is_http() || facts.rpc.seen => Some("request"),
            () => None,
        };
        let result = facts.rpc.status.or(status.map(http_result));
        Self {
            facts,
            url: facts
                .is_http()
                .then(|| ServerUrl::from_facts(facts, host))
                .flatten(),
            kind: facts.other.kind.filter(|kind| !kind.is_empty()).or(kind),
            result,
            code,
            outcome,
        }
    }

    /// `transaction.result`. `is_unknown`: nobody has said how it ended.
    pub(crate) fn result_of(&self, is_unknown: bool) -> Option<&'static str> {
        self.result.or(match self.code {
            1 => Some("Success"),
            2 => Some("Error"),
            _ => is_unknown.then_some("Success"),
        })
    }

    /// Whether attributes tell the method, the version or the status.
    pub(crate) fn has_exchange(&self) -> bool {
        let http = &self.facts.http;
        http.method.is_some() || http.version.is_some() || http.status.is_some()
    }

    /// The status of the response.
    pub(crate) fn status(&self) -> Option<i64> {
        self.facts.http.status
    }

    /// Whether any attribute is about HTTP.
    pub(crate) fn is_http(&self) -> bool {
        self.facts.is_http()
    }

    /// Writes `request`, `response` and `message` of the context.
    pub(crate) fn write_context(&self, json: &mut Json<'_>) {
        let http = &self.facts.http;
        json.object("request", |json| {
            json.text("method", cut(http.method.unwrap_or_default()));
            json.text("http_version", cut(http.version.unwrap_or_default()));
            if let Some(url) = &self.url {
                json.object("url", |json| url.write(json));
            }
        });
        if let Some(status) = http.status {
            json.object("response", |json| json.int("status_code", status));
        }
        let queue = self.facts.messaging.queue.unwrap_or_default();
        json.object("message", |json| {
            json.object("queue", |json| json.text("name", cut(queue)));
        });
    }

    /// Writes the fields for which intake v2 has no place.
    pub(crate) fn write_fields(&self, json: &mut Json<'_>) {
        self.facts.write_fields(json);
        let (http, net) = (&self.facts.http, &self.facts.net);
        json.text("user_agent.original", cut(http.agent.unwrap_or_default()));
        let domain = net.peer_name.map(cut);
        // An address may stand in the place of the name.
        let ip = net.peer_ip.or_else(|| domain?.parse().ok());
        side(
            json,
            ["source.domain", "source.ip", "source.port"],
            (domain, ip, net.peer_port),
        );
        // With `http.client_ip` the peer is a proxy, which stays `source` alone.
        let client = match http.client_ip {
            Some(ip) => (None, Some(ip), None),
            None => (domain, ip, net.peer_port),
        };
        side(json, ["client.domain", "client.ip", "client.port"], client);
    }

    /// Writes what events of the transaction say of its request.
    pub(crate) fn write_shared(&self, json: &mut Json<'_>) {
        shared(self.facts, json);
        let agent = self.facts.http.agent.unwrap_or_default();
        json.text("user_agent.original", cut(agent));
        if let Some(url) = &self.url {
            url.write_fields(json);
        }
    }
}

/// Writes method and status.
pub(super) fn shared(facts: &Facts<'_>, json: &mut Json<'_>) {
    json.text(
        "http.request.method",
        cut(facts.http.method.unwrap_or_default()),
    );
    if let Some(status) = facts.http.status {
        json.int("http.response.status_code", status);
    }
}

fn side(
    json: &mut Json<'_>,
    names: [&str; 3],
    (domain, ip, port): (Option<&str>, Option<IpAddr>, Option<u16>),
) {
    json.text(names[0], domain.unwrap_or_default());
    if let Some(ip) = ip {
        json.text(names[1], &ip.to_string());
    }
    if let Some(port) = port {
        json.int(names[2], port);
    }
}

/// `HTTP 2xx`; for a status that there is not, `HTTP 99`.
fn http_result(status: i64) -> &'static str {
    match status {
        100..200 => "HTTP 1xx",
        200..300 => "HTTP 2xx",
        300..400 => "HTTP 3xx",
        400..500 => "HTTP 4xx",
        500..600 => "HTTP 5xx",
        _ => "HTTP 99",
    }
}
