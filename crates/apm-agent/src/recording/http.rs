//! A request that a service answers, as the members `request` and `response` of a transaction's context.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::config::Settings;
use crate::encode::json;
use crate::sanitize::urls;
use crate::util::methods;

/// A request that a service answers, for integrations of other web frameworks: see
/// [`Transaction::set_http`](crate::Transaction::set_http).
///
/// ```
/// use apm_agent::{HttpRequest, Transaction};
///
/// let transaction = Transaction::begin("GET /people/{id}", "request");
/// let request = HttpRequest::new("GET", "https://shop.example/people/7?page=2");
/// transaction.set_http(&request.status(200));
/// ```
#[derive(Clone, Debug)]
#[must_use = "pass it to `set_http`"]
pub struct HttpRequest<'a> {
    method: &'a str,
    url: &'a str,
    version: Option<&'a str>,
    remote: Option<IpAddr>,
    status: Option<u16>,
}

impl<'a> HttpRequest<'a> {
    /// A request by its method and its URL, as the client asked for it. Without scheme and host the URL is taken for a
    /// path.
    pub fn new(method: &'a str, url: &'a str) -> Self {
        Self {
            method,
            url,
            version: None,
            remote: None,
            status: None,
        }
    }

    /// The version of HTTP, such as `1.1` or `2.0`.
    pub fn version(mut self, version: &'a str) -> Self {
        self.version = Some(version);
        self
    }

    /// The address at the other end of the connection.
    pub fn remote_address(mut self, address: IpAddr) -> Self {
        self.remote = Some(address);
        self
    }

    /// The status of the answer.
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    pub(crate) fn status_code(&self) -> Option<u16> {
        self.status
    }

    /// Appends `"request":{…},`, and `"response":{…},` if there is an answer. Secrets in the URL are left out.
    pub(crate) fn write(&self, out: &mut Vec<u8>, settings: &Settings) {
        out.extend_from_slice(b"\"request\":{\"method\":");
        json::keyword(out, self.method);
        if let Some(version) = self.version {
            out.extend_from_slice(b",\"http_version\":");
            json::keyword(out, version);
        }
        out.extend_from_slice(b",\"url\":{");
        self.write_url(out, settings);
        out.push(b'}');
        if let Some(address) = self.remote {
            out.extend_from_slice(b",\"socket\":{\"remote_address\":\"");
            write_ip(out, address);
            out.extend_from_slice(b"\"}");
        }
        out.extend_from_slice(b"},");
        if let Some(status) = self.status {
            write_status(out, status);
        }
    }

    fn write_url(&self, out: &mut Vec<u8>, settings: &Settings) {
        let (secure, rest) = match self.url.split_once("://") {
            Some((scheme, rest)) => (scheme.eq_ignore_ascii_case("https"), Some(rest)),
            None => (false, None),
        };
        let (authority, target) = match rest {
            Some(rest) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, self.url),
        };
        let target = target.split('#').next().unwrap_or_default();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let is_secret = |name: &str| settings.sanitize_field_names.matches(name);
        let path = urls::text(if path.is_empty() { "/" } else { path }, is_secret);
        let query = query.map(|query| urls::query(query, is_secret));
        let mut known = KnownHost::default();
        write_url(out, secure, authority, &path, query.as_deref(), &mut known);
    }
}

/// Bytes of the longest host that is remembered.
const LONGEST_KNOWN: usize = 256;

/// A host as it is written, remembered from one request to the next: most requests go to the same one.
#[derive(Debug, Default)]
pub(crate) struct KnownHost {
    secure: bool,
    /// Without user and password. One that is given with them is never the same, so it is written anew each time.
    authority: String,
    /// The beginning of the full URL, escaped: `http://example.com:8080`.
    origin: Vec<u8>,
    /// `"hostname":"example.com","port":8080,`
    members: Vec<u8>,
}

impl KnownHost {
    fn new(secure: bool, given: &str) -> Self {
        let authority = given.rsplit_once('@').map_or(given, |(_, host)| host);
        let mut known = Self {
            secure,
            authority: authority.to_owned(),
            ..Self::default()
        };
        let origin = if secure { "https://" } else { "http://" };
        known.origin.extend_from_slice(origin.as_bytes());
        json::escaped(&mut known.origin, authority);
        let (host, port) = split_port(authority);
        let out = &mut known.members;
        out.extend_from_slice(b"\"hostname\":");
        json::keyword(out, host);
        if let Some(port) = port {
            out.extend_from_slice(b",\"port\":");
            json::uint(out, port.into());
        }
        out.push(b',');
        known
    }

    /// The same host, from memory where it is there.
    fn find(&mut self, secure: bool, given: &str) {
        if self.secure != secure || self.authority != given || self.origin.is_empty() {
            *self = Self::new(secure, given);
        }
    }
}

/// The other end of the connection as it is written, remembered from one request to the next.
#[derive(Debug, Default)]
pub(crate) struct KnownPeer {
    ip: Option<IpAddr>,
    text: Vec<u8>,
}

impl KnownPeer {
    /// Appends an address.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, ip: IpAddr) {
        if self.ip != Some(ip) {
            self.ip = Some(ip);
            self.text.clear();
            write_ip(&mut self.text, ip);
        }
        out.extend_from_slice(&self.text);
    }
}

/// An address, which needs no escaping. IPv4 by hand: the formatter takes a thousand instructions for it.
fn write_ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            for octet in ip.octets() {
                json::uint(out, octet.into());
                out.push(b'.');
            }
            out.pop();
        }
        IpAddr::V6(ip) => out.extend_from_slice(ip.to_string().as_bytes()),
    }
}

/// Appends the members of `url`. Path and query are without secrets; credentials in front of the host are left out.
/// `known`: the host of the request before, or none.
pub(crate) fn write_url(
    out: &mut Vec<u8>,
    secure: bool,
    authority: Option<&str>,
    path: &str,
    query: Option<&str>,
    known: &mut KnownHost,
) {
    // The place of the escaped path, if it has been written.
    let mut written = None;
    if let Some(authority) = authority {
        let mut passing = KnownHost::default();
        let known = if authority.len() <= LONGEST_KNOWN {
            known
        } else {
            &mut passing
        };
        known.find(secure, authority);
        let authority = &known.authority;
        let protocol = if secure { "https" } else { "http" };
        let length = protocol.len()
            + 3
            + authority.len()
            + path.len()
            + query.map_or(0, |query| query.len() + 1);
        out.extend_from_slice(b"\"full\":");
        // Nearly all addresses are short, and are written without a text of their own.
        if length <= json::KEYWORD {
            out.push(b'"');
            out.extend_from_slice(&known.origin);
            let begin = out.len();
            json::escaped(out, path);
            written = Some(begin..out.len());
            if let Some(query) = query {
                out.push(b'?');
                json::escaped(out, query);
            }
            out.push(b'"');
        } else {
            let query = query.map_or_else(String::new, |query| format!("?{query}"));
            json::keyword(out, &format!("{protocol}://{authority}{path}{query}"));
        }
        out.push(b',');
        out.extend_from_slice(&known.members);
    }
    out.extend_from_slice(if secure {
        b"\"protocol\":\"https:\",\"pathname\":"
    } else {
        b"\"protocol\":\"http:\",\"pathname\":"
    });
    match written {
        Some(place) => {
            out.push(b'"');
            out.extend_from_within(place);
            out.push(b'"');
        }
        None => json::keyword(out, path),
    }
    if let Some(query) = query.filter(|query| !query.is_empty()) {
        out.extend_from_slice(b",\"search\":");
        if query.len() < json::KEYWORD {
            out.extend_from_slice(b"\"?");
            json::escaped(out, query);
            out.push(b'"');
        } else {
            json::keyword(out, &format!("?{query}"));
        }
    }
}

/// Appends `"response":{"status_code":…},`.
pub(crate) fn write_status(out: &mut Vec<u8>, status: u16) {
    out.extend_from_slice(b"\"response\":{\"status_code\":");
    json::uint(out, status.into());
    out.extend_from_slice(b"},");
}

/// `GET /people/{id}`, or `GET unknown route`: never the raw path.
pub(crate) fn transaction_name(method: &str, route: Option<&str>) -> Cow<'static, str> {
    let route = route.unwrap_or("unknown route");
    let method = methods::known(method);
    let mut name = String::with_capacity(method.len() + 1 + route.len());
    name.push_str(method);
    name.push(' ');
    name.push_str(if route.is_empty() { "/" } else { route });
    Cow::Owned(name)
}

/// The result of a transaction with this status: `HTTP 2xx`.
pub(crate) fn result(status: u16) -> &'static str {
    match status / 100 {
        1 => "HTTP 1xx",
        2 => "HTTP 2xx",
        3 => "HTTP 3xx",
        4 => "HTTP 4xx",
        _ => "HTTP 5xx",
    }
}

/// `example.com:8080` in host and port; an IPv6 address loses its brackets.
fn split_port(authority: &str) -> (&str, Option<u16>) {
    let (host, port) = match authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    (host, port.and_then(|port| port.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_remembered_is_written_as_a_new_one() {
        let long = format!("{}.example", "a".repeat(LONGEST_KNOWN));
        let hosts = [
            "a.example:80",
            "a.example:80",
            "b.example",
            "u:p@b.example",
            "\"\\",
            &long,
            "[::1]:8",
        ];
        let mut known = KnownHost::default();
        for (secure, host) in hosts
            .iter()
            .flat_map(|host| [(false, *host), (true, *host)])
        {
            let written = |known: &mut KnownHost| {
                let mut out = Vec::new();
                write_url(&mut out, secure, Some(host), "/p", Some("q=1"), known);
                String::from_utf8(out).unwrap()
            };
            let fresh = written(&mut KnownHost::default());
            assert_eq!(written(&mut known), fresh);
            assert_eq!(written(&mut known), fresh);
            let json: serde_json::Value = serde_json::from_str(&format!("{{{fresh}}}")).unwrap();
            let host = host.rsplit('@').next().unwrap();
            let scheme = if secure { "https" } else { "http" };
            assert_eq!(json["full"], format!("{scheme}://{host}/p?q=1"));
            assert_eq!(json["hostname"], split_port(host).0);
        }
    }

    #[test]
    fn a_host_is_split_from_its_port() {
        assert_eq!(split_port("example.com"), ("example.com", None));
        assert_eq!(split_port("example.com:8080"), ("example.com", Some(8080)));
        assert_eq!(split_port("[::1]:8080"), ("::1", Some(8080)));
        assert_eq!(split_port("[::1]"), ("::1", None));
        assert_eq!(split_port("host:nonsense"), ("host", None));
    }

    #[test]
    fn addresses_are_as_the_standard_library_writes_them() {
        let mut known = KnownPeer::default();
        for text in [
            "127.0.0.1",
            "255.10.200.9",
            "::1",
            "::1",
            "2001:db8::7",
            "127.0.0.1",
        ] {
            let mut out = b"at ".to_vec();
            known.write(&mut out, text.parse().unwrap());
            assert_eq!(String::from_utf8(out).unwrap(), format!("at {text}"));
        }
    }
}
