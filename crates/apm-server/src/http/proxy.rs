//! Requests that came through a proxy: what it says of them is believed if it is one of the trusted ones.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::HeaderMap;

use super::hosts;
use crate::config::{BasePath, Network};
use crate::front::Front;

/// The request as it arrived, before any header of a proxy is read.
#[derive(Debug)]
pub(super) struct Arrived<'a> {
    pub(super) peer: Option<IpAddr>,
    pub(super) is_https: bool,
    /// The `Host` header.
    pub(super) host: &'a str,
    pub(super) headers: &'a HeaderMap,
}

/// The front of a request.
pub(super) fn front(arrived: &Arrived<'_>, trusted: &[Network], base: &BasePath) -> Front {
    let mut front = Front {
        is_https: arrived.is_https,
        host: arrived.host.to_owned(),
        base: base.clone(),
        client: arrived.peer.map(|peer| peer.to_canonical()),
    };
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !arrived.peer.is_some_and(is_trusted) {
        return front;
    }
    let said = Said::read(arrived.headers, is_trusted);
    // If the headers contradict each other, the address of the proxy stands for the client.
    front.client = said.client.or(front.client);
    if let Some(scheme) = said.scheme {
        front.is_https = matches!(scheme.as_str(), "https" | "wss");
    }
    if let Some(host) = said.host.filter(|host| is_host(host)) {
        front.host = host;
    }
    let prefix = first(arrived.headers, "x-forwarded-prefix");
    if let Some(prefix) = prefix.and_then(|prefix| prefix.parse().ok()) {
        front.base = prefix;
    }
    front
}

/// The statements of proxies about a request.
#[derive(Debug, Default)]
struct Said {
    client: Option<IpAddr>,
    host: Option<String>,
    scheme: Option<String>,
}

impl Said {
    /// Reads `Forwarded` (RFC 7239), else the older headers.
    ///
    /// Each proxy appends whom it saw. Whatever stands before the farthest trusted proxy was sent by the client and may
    /// be made up, so the client is the last address that is no trusted proxy.
    fn read(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Self {
        let elements = list(headers, "forwarded");
        let elements: Vec<Self> = elements.iter().map(|text| Self::element(text)).collect();
        let hops = list(headers, "x-forwarded-for");
        let client = agreed(
            [
                (elements.iter().any(|one| one.client.is_some()))
                    .then(|| last_untrusted(elements.iter().map(|one| one.client), &is_trusted)),
                (!hops.is_empty())
                    .then(|| last_untrusted(hops.iter().map(|hop| address(hop)), &is_trusted)),
                first(headers, "x-real-ip").map(address),
            ],
            &is_trusted,
        );
        // The first element is of the proxy next to the client, which was asked by the name that the client knows.
        if let Some(said) = elements.into_iter().next() {
            return Self { client, ..said };
        }
        // Browsers leave these two out of the Origin that the host is compared with.
        let port = first(headers, "x-forwarded-port").filter(|port| !matches!(*port, "80" | "443"));
        let host = first(headers, "x-forwarded-host").map(|host| match port {
            Some(port) if hosts::split(host).1.is_none() => format!("{host}:{port}"),
            _ => host.to_owned(),
        });
        Self {
            client,
            host,
            scheme: first(headers, "x-forwarded-proto").map(str::to_ascii_lowercase),
        }
    }

    /// One element of `Forwarded`: `for=1.2.3.4;host=apm.example;proto=https`.
    fn element(text: &str) -> Self {
        let mut said = Self::default();
        let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        for (name, value) in pairs {
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => said.client = address(value),
                "host" => said.host = Some(value.to_owned()),
                "proto" => said.scheme = Some(value.to_ascii_lowercase()),
                _ => {}
            }
        }
        said
    }
}

/// Most hops that are looked at: a sender may list as many as fit into its headers.
const HOPS: usize = 32;

/// The last address that is no trusted proxy, or the first of all if each is. It ends at one that cannot be read.
fn last_untrusted(
    hops: impl DoubleEndedIterator<Item = Option<IpAddr>>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let mut found = None;
    for hop in hops.rev().take(HOPS) {
        found = Some(hop?);
        if hop.is_some_and(|hop| !is_trusted(hop)) {
            break;
        }
    }
    found
}

/// The client of which all headers tell, or `None` where they contradict each other. A proxy that sets one of them may
/// pass on another that a client has made up. A proxy's own address says nothing beside another one.
fn agreed(
    told: impl IntoIterator<Item = Option<Option<IpAddr>>>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let mut agreed = None;
    for client in told.into_iter().flatten() {
        let client = client?;
        match agreed {
            Some(known) if known == client || is_trusted(client) => {}
            Some(known) if !is_trusted(known) => return None,
            _ => agreed = Some(client),
        }
    }
    agreed
}

/// The elements of a header that is a list, of all its lines.
fn list<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers
        .get_all(name)
        .filter_map(|value| value.to_str().ok());
    let elements = lines.flat_map(|line| line.split(',')).map(str::trim);
    elements.filter(|element| !element.is_empty()).collect()
}

/// The first element: it tells what the client itself was told or has sent.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    list(headers, name).first().copied()
}

/// An address, with or without a port, brackets and quotation marks.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let found = bare.parse().ok().or_else(with_port);
    found.map(|address: IpAddr| address.to_canonical())
}

/// Whether a text can be a host: it gets into pages and comparisons.
fn is_host(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !hosts::split(text).0.is_empty() && text.len() <= 261 && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests;
