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
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn front_of(peer: &str, headers: &[(&'static str, &'static str)]) -> Front {
        let mut request = TestRequest::default();
        for header in headers {
            request = request.append_header(*header);
        }
        let request = request.to_http_request();
        let arrived = Arrived {
            peer: Some(peer.parse().unwrap()),
            is_https: false,
            host: "127.0.0.1:8200",
            headers: request.headers(),
        };
        let trusted = ["127.0.0.1", "10.0.0.0/8"].map(|net| net.parse().unwrap());
        front(&arrived, &trusted, &"/base".parse().unwrap())
    }

    fn client_of(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        front_of(peer, headers).client.unwrap().to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let said = [
            ("x-forwarded-host", "apm.example"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-prefix", "/apm"),
        ];
        let front = front_of("127.0.0.1", &said);
        assert_eq!(front.url(), "https://apm.example/apm");
        assert_eq!(client_of("127.0.0.1", &said), "1.2.3.4");
        let front = front_of("192.168.0.9", &said);
        assert_eq!(front.url(), "http://127.0.0.1:8200/base");
        assert_eq!(client_of("192.168.0.9", &said), "192.168.0.9");
        assert_eq!(
            front_of("127.0.0.1", &[]).url(),
            "http://127.0.0.1:8200/base"
        );
        assert_eq!(
            front_of("::ffff:127.0.0.1", &said).url(),
            "https://apm.example/apm"
        );
    }

    #[test]
    fn a_header_that_a_client_adds_does_not_change_its_address() {
        let real = ("x-forwarded-for", "1.1.1.1, 10.0.0.3");
        for (headers, client) in [
            (vec![real], "1.1.1.1"),
            (vec![real, ("forwarded", "for=9.9.9.9")], "127.0.0.1"),
            (vec![real, ("x-real-ip", "9.9.9.9")], "127.0.0.1"),
            (vec![real, ("x-real-ip", "junk")], "127.0.0.1"),
            (
                vec![("x-real-ip", "1.1.1.1"), ("x-forwarded-for", "9.9.9.9")],
                "127.0.0.1",
            ),
            (
                vec![("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "9.9.9.9")],
                "127.0.0.1",
            ),
            // A header that says nothing, or the same, changes nothing.
            (
                vec![real, ("forwarded", "for=1.1.1.1;proto=https")],
                "1.1.1.1",
            ),
            (
                vec![real, ("forwarded", "host=apm.example, for=unknown")],
                "1.1.1.1",
            ),
            (vec![real, ("x-real-ip", "10.0.0.3")], "1.1.1.1"),
            (
                vec![("x-real-ip", "1.1.1.1"), ("x-forwarded-for", "10.0.0.3")],
                "1.1.1.1",
            ),
        ] {
            assert_eq!(client_of("127.0.0.1", &headers), client, "{headers:?}");
        }
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_proxy() {
        for (hops, client) in [
            ("1.1.1.1", "1.1.1.1"),
            ("9.9.9.9, 1.1.1.1", "1.1.1.1"),
            ("9.9.9.9, 1.1.1.1, 10.0.0.3", "1.1.1.1"),
            ("10.0.0.2, 10.0.0.3", "10.0.0.2"),
            ("1.1.1.1:4711, 10.0.0.3", "1.1.1.1"),
            ("[2001:db8::1]:47", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("1.1.1.1, junk, 10.0.0.3", "127.0.0.1"),
            ("", "127.0.0.1"),
        ] {
            assert_eq!(
                client_of("127.0.0.1", &[("x-forwarded-for", hops)]),
                client,
                "{hops}"
            );
        }
        let two_lines = [
            ("x-forwarded-for", "9.9.9.9"),
            ("x-forwarded-for", "1.1.1.1"),
        ];
        assert_eq!(client_of("127.0.0.1", &two_lines), "1.1.1.1");
        assert_eq!(
            client_of("127.0.0.1", &[("x-real-ip", "3.3.3.3")]),
            "3.3.3.3"
        );
    }

    #[test]
    fn the_standard_header_is_read_before_the_older_ones() {
        let said = [
            (
                "forwarded",
                "for=\"[2001:db8::7]:1\";host=apm.example:444;proto=HTTPS, for=10.0.0.3",
            ),
            ("x-forwarded-host", "other.example"),
        ];
        assert_eq!(
            front_of("127.0.0.1", &said).url(),
            "https://apm.example:444/base"
        );
        assert_eq!(client_of("127.0.0.1", &said), "2001:db8::7");
        assert_eq!(
            client_of("127.0.0.1", &[("forwarded", "for=_hidden;proto=https")]),
            "127.0.0.1"
        );
    }

    #[test]
    fn what_is_no_host_or_path_is_left_out() {
        let url = |name, value| front_of("127.0.0.1", &[(name, value)]).url();
        let plain = "http://127.0.0.1:8200/base";
        for host in ["a b", "evil\"><script>", "a/b", "", "user@host", "a:b"] {
            assert_eq!(url("x-forwarded-host", host), plain, "{host}");
        }
        for prefix in ["//evil.example", "evil", "/a\"b", "/../x"] {
            assert_eq!(url("x-forwarded-prefix", prefix), plain, "{prefix}");
        }
        assert_eq!(url("x-forwarded-prefix", "/"), "http://127.0.0.1:8200");
        let with_port = [
            ("x-forwarded-host", "apm.example"),
            ("x-forwarded-port", "8443"),
        ];
        assert_eq!(front_of("127.0.0.1", &with_port).host, "apm.example:8443");
        let default = [
            ("x-forwarded-host", "apm.example"),
            ("x-forwarded-port", "443"),
        ];
        assert_eq!(front_of("127.0.0.1", &default).host, "apm.example");
    }
}
