//! The address of a request, put together from the attributes that tell parts of it.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use apm_store::document::address::{self, Address};

use super::facts::Facts;
use super::labels::cut;
use super::write::Json;

/// The address of a request that a server got.
#[derive(Debug)]
pub(super) struct ServerUrl {
    original: String,
    parts: Address,
    /// Without it, only what follows the host is known.
    has_host: bool,
}

impl ServerUrl {
    /// `host`: the name of the machine, used where the attributes name no host.
    pub(super) fn from_facts(facts: &Facts<'_>, host: Option<&str>) -> Option<Self> {
        let (http, net) = (&facts.http, &facts.net);
        let original = match http.original {
            Some(original) => Cow::Borrowed(original),
            None => joined(http.path?, http.query),
        };
        let original = cut(&original).to_owned();
        if original.is_empty() {
            return None;
        }
        // A path may have an address in its query: `/login?next=https://…`.
        if original.contains("://") && !original.starts_with('/') {
            let parts = address::parse(&original)?;
            return Some(Self {
                original,
                parts,
                has_host: true,
            });
        }
        let host = match http.host {
            Some(host) => Some(Cow::Borrowed(host)),
            None => http
                .server_name
                .or(net.own_name)
                .or(host)
                .map(|name| with_port(name, net.own_port)),
        };
        let host = host.filter(|host| !host.is_empty());
        let slash = if original.starts_with('/') { "" } else { "/" };
        let whole = match &host {
            Some(host) => format!(
                "{}://{host}{slash}{original}",
                http.scheme.unwrap_or("http")
            ),
            None => original.clone(),
        };
        Some(Self {
            parts: address::parse(cut(&whole))?,
            original,
            has_host: host.is_some(),
        })
    }

    /// Writes `context.request.url`.
    pub(super) fn write(&self, json: &mut Json<'_>) {
        let parts = &self.parts;
        json.text("raw", &self.original);
        if self.has_host {
            json.text("full", &parts.full);
            json.text("protocol", &parts.scheme);
            json.text("hostname", &parts.domain);
            if let Some(port) = parts.port {
                json.int("port", port);
            }
        }
        json.text("pathname", &parts.path);
        json.text("search", &parts.query);
        json.text("hash", &parts.fragment);
    }

    /// Writes it as fields of a document.
    pub(super) fn write_fields(&self, json: &mut Json<'_>) {
        let parts = &self.parts;
        json.text("url.original", &self.original);
        if self.has_host {
            json.text("url.full", &parts.full);
            json.text("url.scheme", &parts.scheme);
            json.text("url.domain", &parts.domain);
            if let Some(port) = parts.port {
                json.int("url.port", port);
            }
        }
        json.text("url.path", &parts.path);
        json.text("url.query", &parts.query);
        json.text("url.fragment", &parts.fragment);
    }
}

/// The address of a request that a client sent.
#[derive(Debug)]
pub(super) struct ClientUrl<'a> {
    pub(super) original: Cow<'a, str>,
    /// Scheme, host and port, if it can be taken apart.
    pub(super) place: Option<Place>,
}

/// The server that a request goes to.
#[derive(Debug)]
pub(super) struct Place {
    scheme: String,
    pub(super) host: String,
    /// That of the scheme, where none is told.
    pub(super) port: Option<u16>,
}

impl<'a> ClientUrl<'a> {
    pub(super) fn from_facts(facts: &Facts<'a>) -> Option<Self> {
        let http = &facts.http;
        let original = match http.full {
            Some(full) => Cow::Borrowed(full),
            None => {
                let target = match http.target {
                    Some(target) => Cow::Borrowed(target),
                    None => joined(http.path?, http.query),
                };
                let host = match http.host {
                    Some(host) => Cow::Borrowed(host),
                    None => with_port(facts.net.destination()?, facts.net.peer_port),
                };
                let slash = if target.starts_with('/') { "" } else { "/" };
                Cow::Owned(format!(
                    "{}://{host}{slash}{target}",
                    http.scheme.unwrap_or("http")
                ))
            }
        };
        let place = address::parse(cut(&original)).and_then(Place::from_address);
        Some(Self { original, place })
    }
}

impl Place {
    fn from_address(parts: Address) -> Option<Self> {
        let default = match parts.scheme.as_str() {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            _ => None,
        };
        let port = parts.port.map_or(default, |port| u16::try_from(port).ok());
        (!parts.domain.is_empty()).then_some(Self {
            scheme: parts.scheme,
            host: parts.domain,
            port,
        })
    }

    /// `host:port`, as a resource is named.
    pub(super) fn resource(&self) -> String {
        with_port(&self.host, self.port).into_owned()
    }

    /// `scheme://host`, and the port where it is not that of the scheme.
    pub(super) fn name(&self) -> String {
        let is_default = matches!(
            (self.scheme.as_str(), self.port),
            ("http", Some(80)) | ("https", Some(443))
        );
        let port = if is_default { None } else { self.port };
        format!("{}://{}", self.scheme, with_port(&self.host, port))
    }
}

fn joined<'a>(path: &'a str, query: Option<&str>) -> Cow<'a, str> {
    match query.filter(|query| !query.is_empty()) {
        Some(query) => Cow::Owned(format!("{path}?{query}")),
        None => Cow::Borrowed(path),
    }
}

/// A host with its port; an address of IPv6 in brackets.
pub(super) fn with_port(host: &str, port: Option<u16>) -> Cow<'_, str> {
    let host = match host.parse::<Ipv6Addr>() {
        Ok(_) => Cow::Owned(format!("[{host}]")),
        Err(_) => Cow::Borrowed(host),
    };
    match port {
        Some(port) => Cow::Owned(format!("{host}:{port}")),
        None => host,
    }
}
