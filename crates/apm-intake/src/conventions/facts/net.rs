//! Addresses: `net.*`, `server.*`, `client.*`, `peer.*` and `network.peer.address`.

use std::net::{IpAddr, Ipv6Addr};

use super::{EventKind, Read};
use crate::conventions::value::Value;

#[derive(Debug, Default)]
pub(in crate::conventions) struct Net<'a> {
    /// Of a server: its own name and port.
    pub(in crate::conventions) own_name: Option<&'a str>,
    pub(in crate::conventions) own_port: Option<u16>,
    /// The other side, by name.
    pub(in crate::conventions) peer_name: Option<&'a str>,
    pub(in crate::conventions) peer_port: Option<u16>,
    /// The other side of a server, by address.
    pub(in crate::conventions) peer_ip: Option<IpAddr>,
    /// The other side of a client, by address.
    pub(in crate::conventions) peer_ip_text: Option<&'a str>,
    /// The names that older clients have of the other side: a service, and an address in any form.
    pub(in crate::conventions) peer_service: Option<&'a str>,
    pub(in crate::conventions) peer_address: Option<&'a str>,
}

impl<'a> Net<'a> {
    pub(super) fn net(&mut self, rest: &str, value: &'a Value<'a>, of: EventKind) -> Read {
        match (rest, of) {
            ("host.name", EventKind::Transaction) => text(&mut self.own_name, value),
            ("host.port", EventKind::Transaction) => port(&mut self.own_port, value),
            ("peer.name", _) => text(&mut self.peer_name, value),
            ("peer.port", _) => port(&mut self.peer_port, value),
            ("peer.ip" | "sock.peer.addr", EventKind::Transaction) => match value.address() {
                Some(ip) => {
                    self.peer_ip = Some(ip);
                    Read::Understood
                }
                None => Read::Label,
            },
            ("peer.ip" | "sock.peer.addr", EventKind::Span) => text(&mut self.peer_ip_text, value),
            _ => Read::Label,
        }
    }

    /// Of a server its own address, of a client that of the other side.
    pub(super) fn server(&mut self, rest: &str, value: &'a Value<'a>, of: EventKind) -> Read {
        match (rest, of) {
            ("address", EventKind::Transaction) => text(&mut self.own_name, value),
            ("address", EventKind::Span) => text(&mut self.peer_name, value),
            ("port", EventKind::Transaction) => port(&mut self.own_port, value),
            ("port", EventKind::Span) => port(&mut self.peer_port, value),
            _ => Read::Label,
        }
    }

    pub(super) fn client(&mut self, rest: &str, value: &'a Value<'a>) -> Read {
        match rest {
            "address" => text(&mut self.peer_name, value),
            "port" => port(&mut self.peer_port, value),
            _ => Read::Label,
        }
    }

    pub(super) fn peer(&mut self, rest: &str, value: &'a Value<'a>) -> Read {
        match rest {
            "service" => text(&mut self.peer_service, value),
            "address" => text(&mut self.peer_address, value),
            "hostname" => text(&mut self.peer_name, value),
            "port" => port(&mut self.peer_port, value),
            _ => Read::Label,
        }
    }

    pub(super) fn peer_address(&mut self, value: &'a Value<'a>) -> Read {
        text(&mut self.peer_ip_text, value)
    }

    /// The name or address of what a client calls.
    pub(in crate::conventions) fn destination(&self) -> Option<&'a str> {
        // An address with a colon is `host:port` or a connection string, unless it is one of IPv6.
        let is_host =
            |address: &&str| !address.contains(':') || address.parse::<Ipv6Addr>().is_ok();
        self.peer_name
            .or(self.peer_address.filter(is_host))
            .or(self.peer_ip_text)
    }
}

fn text<'a>(field: &mut Option<&'a str>, value: &'a Value<'a>) -> Read {
    match value.text() {
        Some(text) => {
            *field = Some(text);
            Read::Understood
        }
        None => Read::Label,
    }
}

fn port(field: &mut Option<u16>, value: &Value<'_>) -> Read {
    match value.port() {
        Some(port) => {
            *field = Some(port);
            Read::Understood
        }
        None => Read::Label,
    }
}
