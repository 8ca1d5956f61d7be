//! The names that a server answers to.
//!
//! A page in a browser can let a name of its own point to this machine, and would then read the server as if it were
//! its own (DNS rebinding). So a server on loopback answers to names of this machine alone, and to those that it is
//! told.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;

use crate::config::Config;

/// Names, in lower case. `*` is any name, `.example.com` and `*.example.com` are all names below that one.
#[derive(Debug)]
pub(super) struct Hosts(Vec<String>);

/// The name by which a request asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HostCheck<'a> {
    Allowed,
    /// A name that is not allowed.
    Foreign(&'a str),
    /// No name, as HTTP/1.0 allows.
    Nameless,
}

impl Hosts {
    /// Those of the port at `listen`. `is_exposed`: whether it is reached from beyond this machine, under names that
    /// the server cannot know.
    pub(super) fn new(config: &Config, listen: &str, is_exposed: bool) -> Self {
        if is_exposed && config.allowed_hosts.is_empty() {
            return Self(vec!["*".to_owned()]);
        }
        let named = config.allowed_hosts.iter().map(String::as_str);
        let own = [name_of(listen), "localhost", ".localhost"];
        let all = named.map(name_of_allowed).chain(own);
        Self(all.map(str::to_ascii_lowercase).collect())
    }

    /// The name by which a request asks for this server.
    pub(super) fn judge<'a>(&self, request: &'a HttpRequest) -> HostCheck<'a> {
        if self.is_any() {
            return HostCheck::Allowed;
        }
        let in_address = request
            .uri()
            .authority()
            .map(|authority| authority.as_str());
        let headers = request.headers().get_all(header::HOST);
        // A name that is no text is foreign.
        let named = headers.map(|host| host.to_str().unwrap_or("?"));
        let mut named = named.chain(in_address).peekable();
        if named.peek().is_none() {
            return HostCheck::Nameless;
        }
        // A request may name several hosts, in headers and in its address: each of them has to be allowed.
        let foreign = named.find(|host| !self.allow(host));
        foreign.map_or(HostCheck::Allowed, HostCheck::Foreign)
    }

    fn is_any(&self) -> bool {
        self.0.iter().any(|known| known == "*")
    }

    fn allow(&self, host: &str) -> bool {
        if self.is_any() {
            return true;
        }
        let name = name_of(host).trim_end_matches('.').to_ascii_lowercase();
        // A browser sends an address only where a reader has typed it, or a page has led there: then its Origin tells.
        name.parse::<IpAddr>().is_ok()
            || self
                .0
                .iter()
                .any(|known| match known.trim_start_matches('*') {
                    below if below.starts_with('.') => {
                        name.len() > below.len() && name.ends_with(below)
                    }
                    known => !known.is_empty() && known == name,
                })
    }
}

/// A name as an option has it: a port is left out, a wildcard stays.
fn name_of_allowed(text: &str) -> &str {
    name_of(text.trim())
}

/// Host and port of an authority; the port where one is written. Empty where it is neither.
pub(super) fn split(authority: &str) -> (&str, Option<u16>) {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or("?"))),
            None => return ("", None),
        },
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    match port {
        None | Some("") => (host, None),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => ("", None),
        },
        Some(_) => ("", None),
    }
}

fn name_of(authority: &str) -> &str {
    split(authority).0
}

#[cfg(test)]
mod tests;
